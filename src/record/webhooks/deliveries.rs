//! Deliveries: one row for each wanted change and webhook; what a client can read of them, and how they are asked for again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;

/// A change on its way to a webhook.
#[derive(Debug, Serialize, FromRow, ToSchema)]
pub(super) struct Delivery {
    /// Made by the service.
    pub(super) id: Uuid,
    /// Where it goes.
    webhook_id: Uuid,
    /// Of the change.
    position: i64,
    /// What was changed, such as `initiative`.
    kind: String,
    /// The id of what was changed.
    resource_id: Uuid,
    /// Where it stands.
    #[schema(inline)]
    status: Status,
    /// When the change was put on its way (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When it was delivered or given up (RFC 3339, UTC).
    ended_at: Option<DateTime<Utc>>,
    /// When it is sent at the earliest (RFC 3339, UTC); null when it is delivered or dead.
    next_attempt_at: Option<DateTime<Utc>>,
    /// The newest 40 attempts, in order.
    #[schema(value_type = Vec<Attempt>)]
    attempts: Json<Value>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(super) enum Status {
    /// It is to be sent, perhaps again.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It was given up after all attempts.
    Dead,
}

/// One attempt to deliver.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Attempt {
    /// When (RFC 3339, UTC).
    pub(super) at: DateTime<Utc>,
    /// The HTTP status of the answer; null when there was none.
    pub(super) status: Option<u16>,
    /// What went wrong; null when nothing did.
    pub(super) error: Option<String>,
    /// How long it took, in milliseconds.
    pub(super) duration_ms: u64,
    /// The first KiB of the answer, as text.
    pub(super) answer: Option<String>,
}

/// Which deliveries.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    /// Of this webhook.
    pub(super) webhook_id: Option<Uuid>,
    /// That stand so.
    #[schema(inline)]
    pub(super) status: Option<Status>,
    /// The `next` of the page before.
    pub(super) after: Option<Uuid>,
    /// Deliveries of a page, 1 to 200; 50 when not given.
    #[schema(minimum = 1, maximum = 200, example = 50)]
    pub(super) limit: Option<i64>,
}

/// Deliveries, newest change first.
pub(super) async fn list(connection: &mut PgConnection, wanted: &Wanted, limit: i64) -> Result<Vec<Delivery>, Error> {
    Ok(sqlx::query_as(
        "select id, webhook_id, position, kind, resource_id, status, created_at, ended_at,
             case when status = 'waiting' then next_attempt_at end as next_attempt_at, attempts
         from deliveries
         where ($1::uuid is null or webhook_id = $1) and ($2::text is null or status = $2)
             and ($3::uuid is null or (position, id) < (select position, id from deliveries where id = $3))
         order by position desc, id desc limit $4",
    )
    .bind(wanted.webhook_id)
    .bind(wanted.status)
    .bind(wanted.after)
    .bind(limit)
    .fetch_all(connection)
    .await?)
}

/// Whether there is such a delivery.
pub(super) async fn exists(connection: &mut PgConnection, id: Uuid, webhook: Option<Uuid>) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(
        "select exists (select from deliveries where id = $1 and ($2::uuid is null or webhook_id = $2))",
    )
    .bind(id)
    .bind(webhook)
    .fetch_one(connection)
    .await?)
}

/// Puts one delivery, or all that are dead, on their way again, with all attempts before them. Says how many.
pub(super) async fn redeliver(connection: &mut PgConnection, webhook: Uuid, one: Option<Uuid>) -> Result<u64, Error> {
    let many: i64 =
        sqlx::query_scalar("select redeliver_deliveries($1, $2)").bind(webhook).bind(one).fetch_one(connection).await?;
    Ok(many.unsigned_abs())
}

/// Puts the wanted changes of a range on their way, again where they were before. Says how many.
pub(super) async fn replay(connection: &mut PgConnection, webhook: Uuid, after: i64, until: i64) -> Result<u64, Error> {
    let many: i64 = sqlx::query_scalar("select replay_deliveries($1, $2, $3)")
        .bind(webhook)
        .bind(after)
        .bind(until)
        .fetch_one(connection)
        .await?;
    Ok(many.unsigned_abs())
}
