//! Tokens in addresses: made, listed, revoked, verified. Each opens one reading. It has 256 random bits, so a plain SHA-256 of it is kept, by which
//! it is found.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, postgres::PgRow};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{access::keys::hex, repository::Error};

/// A token of a calendar as it is listed: everything but its text.
#[derive(Debug, Serialize, FromRow, ToSchema)]
pub(crate) struct CalendarToken {
    /// Made by the service.
    pub(crate) id: Uuid,
    /// The entity whose calendar it opens.
    pub(crate) entity_id: Uuid,
    /// What it is for, such as whose calendar.
    pub(crate) name: String,
    /// When it was made (RFC 3339, UTC).
    pub(crate) created_at: DateTime<Utc>,
    /// The principal who made it, such as `key:5f1c09d2ab34`.
    pub(crate) created_by: String,
    /// When it ends by itself (RFC 3339, UTC).
    pub(crate) expires_at: DateTime<Utc>,
    /// When it was revoked (RFC 3339, UTC).
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

/// A token of a feed as it is listed: everything but its text.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
pub(crate) struct FeedToken {
    /// Made by the service; it is also the name of the feed.
    pub(crate) id: Uuid,
    /// The report or list that it opens, with its filters.
    pub(crate) path: String,
    /// What it shows: what is `public`, or what is `internal` too.
    pub(crate) clearance: String,
    /// What it is for, such as whose workbook.
    pub(crate) name: String,
    /// When it was made (RFC 3339, UTC).
    pub(crate) created_at: DateTime<Utc>,
    /// The principal who made it, such as `key:5f1c09d2ab34`.
    pub(crate) created_by: String,
    /// When it ends by itself (RFC 3339, UTC).
    pub(crate) expires_at: DateTime<Utc>,
    /// When it was revoked (RFC 3339, UTC).
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

/// A kind of token.
pub(crate) trait Token: for<'r> FromRow<'r, PgRow> + Send + Unpin {
    /// What its text begins with.
    const PREFIX: &'static str;
    /// The condition by which it is told from the others.
    const IS: &'static str;
}

impl Token for CalendarToken {
    const PREFIX: &'static str = "mandatecal_";
    const IS: &'static str = "entity_id is not null";
}

impl Token for FeedToken {
    const PREFIX: &'static str = "mandatefeed_";
    const IS: &'static str = "path is not null";
}

/// What a token opens.
#[derive(Debug, Default)]
pub(crate) struct Opens<'a> {
    /// The calendar of this entity.
    pub(crate) entity: Option<Uuid>,
    /// The reading at this path.
    pub(crate) path: Option<&'a str>,
    /// For a reading: whether it shows only what is public.
    pub(crate) is_public: bool,
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Makes a token: its text, which is shown this once, and what is kept of it.
pub(crate) async fn make<T: Token>(
    connection: &mut PgConnection,
    opens: &Opens<'_>,
    (name, days): (&str, i32),
    created_by: &str,
) -> Result<(String, T), Error> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(|error| Error::Pool(format!("no random bytes: {error}")))?;
    let token = format!("{}{}", T::PREFIX, hex(&random));
    let kept = sqlx::query_as(
        "insert into feed_tokens (id, entity_id, path, clearance, name, token_hash, created_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(days => $8)) returning *",
    )
    .bind(Uuid::now_v7())
    .bind(opens.entity)
    .bind(opens.path)
    .bind(if opens.is_public { "public" } else { "internal" })
    .bind(name)
    .bind(hash(&token))
    .bind(created_by)
    .bind(days)
    .fetch_one(connection)
    .await?;
    Ok((token, kept))
}

/// The tokens of this kind, the newest first: of some entities, or all.
pub(crate) async fn list<T: Token>(connection: &mut PgConnection, entities: &[Uuid]) -> Result<Vec<T>, Error> {
    let sql = format!(
        "select * from feed_tokens where {} and ($1 = '{{}}' or entity_id = any($1)) order by created_at desc, id desc",
        T::IS
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(entities).fetch_all(connection).await?)
}

/// Revokes a token of this kind; `None` when there is none of this id, and otherwise whether it was not revoked yet.
pub(crate) async fn revoke<T: Token>(connection: &mut PgConnection, id: Uuid) -> Result<Option<bool>, Error> {
    let sql = format!(
        "with found as (select id, revoked_at is null as works from feed_tokens where id = $1 and {} for update),
         ended as (update feed_tokens t set revoked_at = now() from found where t.id = found.id and found.works)
         select works from found",
        T::IS
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(id).fetch_optional(connection).await?)
}

/// What is kept of a token of this kind, when it is a valid one.
pub(crate) async fn verify<T: Token>(connection: &mut PgConnection, token: &str) -> Result<Option<T>, Error> {
    let sql = format!(
        "select * from feed_tokens where token_hash = $1 and {} and revoked_at is null and expires_at > now()",
        T::IS
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(hash(token)).fetch_optional(connection).await?)
}

/// A feed by its id, for who comes with a key.
pub(crate) async fn find(connection: &mut PgConnection, id: Uuid) -> Result<Option<FeedToken>, Error> {
    let sql =
        "select * from feed_tokens where id = $1 and path is not null and revoked_at is null and expires_at > now()";
    Ok(sqlx::query_as(sql).bind(id).fetch_optional(connection).await?)
}
