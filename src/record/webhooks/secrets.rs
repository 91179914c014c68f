//! `/v1/webhooks/{id}/secrets`: a second secret beside the first, and the end of the first. Each is shown once, when it is made.

use axum::{
    Json,
    extract::{OriginalUri, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{handlers::id, signature, webhook};
use crate::{
    access::Actor,
    api::{
        answer::internal,
        idempotency::Attempt,
        query::{self, NoParameters},
        target::Target,
    },
    app::App,
    error::{Error, missing},
    repository::{Faults, Isolation},
};

/// 32 random bytes.
pub(super) fn random() -> Result<[u8; 32], Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| internal(anyhow::anyhow!("no random bytes: {error}")))?;
    Ok(secret)
}

pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_webhook_secrets")?;
    query::read::<NoParameters>(query.as_deref())?;
    let id = id(&key)?;
    let mut connection = app.connection().await?;
    webhook::find(&mut connection, id).await?;
    Ok(Json(json!({"items": webhook::secrets(&mut connection, id).await?})).into_response())
}

pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    attempt: Attempt,
    RawQuery(query): RawQuery,
    bytes: Bytes,
) -> Result<Response, Error> {
    actor.may("create_webhook_secret")?;
    query::read::<NoParameters>(query.as_deref())?;
    if !bytes.trim_ascii().is_empty() && bytes.trim_ascii() != b"{}" {
        return Err(Error::invalid("", "not_allowed", "a secret is made by the service; send no body"));
    }
    let input = (id(&key)?, random()?);
    attempt
        .once((&app, &actor), &bytes, Isolation::Committed, input, |connection, input| {
            Box::pin(rotate(connection, input))
        })
        .await
}

async fn rotate(connection: &mut PgConnection, (webhook, secret): &(Uuid, [u8; 32])) -> Result<Response, Error> {
    webhook::find(connection, *webhook).await?;
    let Some(made) = webhook::rotate(connection, *webhook, secret).await? else {
        let mut faults = Faults::default();
        faults.add("", "two_secrets", format!("two secrets are valid already; end the older one first: DELETE /v1/webhooks/{webhook}/secrets/{{secret_id}}"));
        return Err(Error::Conflict(faults.0));
    };
    let mut value = serde_json::to_value(made).map_err(internal)?;
    value["secret"] = signature::spoken(secret).into();
    Ok((StatusCode::CREATED, Json(value)).into_response())
}

pub(super) async fn end(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Error> {
    actor.may("end_webhook_secret")?;
    query::read::<NoParameters>(query.as_deref())?;
    let id = id(&key)?;
    let word = uri.path().rsplit('/').next().unwrap_or_default();
    let secret = Uuid::try_parse(word).map_err(|_| {
        Error::NotFound("the path names no secret; GET the secrets of the webhook for their ids".into())
    })?;
    let mut connection = app.connection().await?;
    webhook::find(&mut connection, id).await?;
    if webhook::end_secret(&mut connection, id, secret).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    if webhook::secrets(&mut connection, id).await?.iter().any(|each| each.id == secret) {
        let mut faults = Faults::default();
        faults.add(
            "",
            "newest_secret",
            "deliveries are signed with it; make a new one first: POST the secrets of the webhook",
        );
        return Err(Error::Conflict(faults.0));
    }
    Err(missing("secret of this webhook", secret))
}
