//! Tokens that open the calendar of one entity: made, listed, revoked, verified. The token has 256 random bits, so a plain SHA-256 of it is kept,
//! by which it is found.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{access::keys::hex, repository::Error};

/// A token as it is listed: everything but its text.
#[derive(Debug, Serialize, FromRow, ToSchema)]
pub(super) struct CalendarToken {
    /// Made by the service.
    pub(super) id: Uuid,
    /// The entity whose calendar it opens.
    pub(super) entity_id: Uuid,
    /// What it is for, such as whose calendar.
    pub(super) name: String,
    /// When it was made (RFC 3339, UTC).
    pub(super) created_at: DateTime<Utc>,
    /// The principal who made it, such as `key:5f1c09d2ab34`.
    pub(super) created_by: String,
    /// When it ends by itself (RFC 3339, UTC).
    pub(super) expires_at: DateTime<Utc>,
    /// When it was revoked (RFC 3339, UTC).
    pub(super) revoked_at: Option<DateTime<Utc>>,
}

const LISTED: &str = "id, entity_id, name, created_at, created_by, expires_at, revoked_at";

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Makes a token: its text, which is shown this once, and what is kept of it.
pub(super) async fn make(
    connection: &mut PgConnection,
    (entity, name): (Uuid, &str),
    days: i32,
    created_by: &str,
) -> Result<(String, CalendarToken), Error> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(|error| Error::Pool(format!("no random bytes: {error}")))?;
    let token = format!("mandatecal_{}", hex(&random));
    let kept = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "insert into calendar_tokens (id, entity_id, name, token_hash, created_by, expires_at)
         values ($1, $2, $3, $4, $5, now() + make_interval(days => $6)) returning {LISTED}"
    )))
    .bind(Uuid::now_v7())
    .bind(entity)
    .bind(name)
    .bind(hash(&token))
    .bind(created_by)
    .bind(days)
    .fetch_one(connection)
    .await?;
    Ok((token, kept))
}

/// The tokens of some entities, or all, the newest first.
pub(super) async fn list(connection: &mut PgConnection, entities: &[Uuid]) -> Result<Vec<CalendarToken>, Error> {
    let sql = format!(
        "select {LISTED} from calendar_tokens where $1 = '{{}}' or entity_id = any($1) order by created_at desc, id desc"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(entities).fetch_all(connection).await?)
}

/// Revokes a token; `None` when there is none of this id, and otherwise whether it was not revoked yet.
pub(super) async fn revoke(connection: &mut PgConnection, id: Uuid) -> Result<Option<bool>, Error> {
    Ok(sqlx::query_scalar(
        "with found as (select id, revoked_at is null as works from calendar_tokens where id = $1 for update),
         ended as (update calendar_tokens t set revoked_at = now() from found where t.id = found.id and found.works)
         select works from found",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// The entity whose calendar a token opens, when it is a valid one.
pub(super) async fn verify(connection: &mut PgConnection, token: &str) -> Result<Option<Uuid>, Error> {
    Ok(sqlx::query_scalar(
        "select entity_id from calendar_tokens where token_hash = $1 and revoked_at is null and expires_at > now()",
    )
    .bind(hash(token))
    .fetch_optional(connection)
    .await?)
}
