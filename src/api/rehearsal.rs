//! `dry_run`: what a change would make, who would see what then, and whether it would wait for a second principal. Nothing is written.

use axum::{
    body::to_bytes,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use utoipa::ToSchema;

use super::{
    answer::{RECEIPT, internal},
    idempotency::Work,
    seen::look,
};
use crate::error::Error;
use crate::{
    proposals,
    repository::{self, Attempts, Clearance, Isolation, Key, Lookup, Reach, Resource},
};

/// How a change is made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeParameters {
    /// With `true` nothing is written: the answer is the resource as it would be, and `dry_run` in it says who would see what. `proposed_for` names the
    /// acts for which it would stand as proposed and not be written at once, where there are any.
    pub dry_run: Option<bool>,
}

/// How many rows of a noun each reader would see: the resource itself, and what is part of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reached {
    /// The noun, as in its path.
    noun: String,
    /// How they are classified now.
    before: Counts,
    /// How they would be.
    after: Counts,
    /// How many would be classified higher than the resource, and so stay behind when it is opened.
    stay: usize,
    /// The first hundred of these.
    stay_ids: Vec<uuid::Uuid>,
}

/// How many rows are classified how.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Counts {
    /// Seen by everybody, also without a key where the service allows that.
    public: i64,
    /// Seen by everybody with a key.
    internal: i64,
    /// Seen by admins, coordinators and auditors.
    restricted: i64,
}

impl From<&Reach> for Counts {
    fn from(reach: &Reach) -> Self {
        Self { public: reach.public, internal: reach.internal, restricted: reach.restricted }
    }
}

/// Does the work, looks at what came of it, and takes it back.
pub async fn rehearse<R: Resource, I: Sync>(
    connection: &mut PgConnection,
    (key, clearance): (&Key, Clearance),
    input: &I,
    work: Work<I>,
) -> Result<Response, Error> {
    let mut attempts = Attempts::default();
    loop {
        let mut transaction = repository::begin(connection, Isolation::of::<R>()).await?;
        let outcome = rehearsed::<R, I>(&mut transaction, (key, clearance), input, work).await;
        transaction.rollback().await?;
        if !attempts.again(matches!(outcome, Err(Error::Contended))).await {
            return outcome;
        }
    }
}

async fn rehearsed<R: Resource, I: Sync>(
    connection: &mut PgConnection,
    (key, clearance): (&Key, Clearance),
    input: &I,
    work: Work<I>,
) -> Result<Response, Error> {
    let mut point = connection.begin().await?;
    let id = match look::<R>(&mut point, key, clearance).await? {
        Lookup::Found(stored) => Some(stored.id),
        Lookup::Deleted(_) | Lookup::Missing => None,
    };
    let before = match id {
        Some(id) => repository::reach::<R>(&mut point, id, clearance).await?,
        None => Vec::new(),
    };
    let response = work(&mut point, input).await?;
    let (Some(id), true) = (id, response.status().is_success()) else { return Ok(response) };
    let after = repository::reach::<R>(&mut point, id, clearance).await?;
    let waiting = proposals::waiting_for(&mut point).await?;
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(internal)?;
    let mut resource: Value = serde_json::from_slice(&body).map_err(internal)?;
    let reached = after.iter().map(|now| {
        let was = before.iter().find(|was| was.kept_in == now.kept_in);
        Reached {
            noun: now.kept_in.replace('_', "-"),
            before: was.map(Counts::from).unwrap_or_default(),
            after: now.into(),
            stay: now.higher.len(),
            stay_ids: now.higher.iter().take(100).copied().collect(),
        }
    });
    resource["dry_run"] = serde_json::to_value(reached.collect::<Vec<_>>()).map_err(internal)?;
    if !waiting.is_empty() {
        resource["proposed_for"] = serde_json::to_value(waiting).map_err(internal)?;
    }
    parts.headers.remove(RECEIPT);
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Ok((parts, serde_json::to_vec(&resource).map_err(internal)?).into_response())
}
