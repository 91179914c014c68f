//! `Webhook`: what a client writes of a subscription, and the rows it is kept in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{super::changes::kinds, egress::Egress};
use crate::{
    api::{answer::internal, json},
    base::text::unknown,
    error::{Error, missing},
    repository::{Author, Fault, Faults, Stored},
};

/// A subscription: changes that are wanted are sent to an address, signed. The lists are filters as those of the feed; empty means all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhook {
    /// Where deliveries go (https). Names and addresses that are not public need the operator's `MANDATE_WEBHOOK_ALLOW`.
    #[schema(
        min_length = 1,
        max_length = 2000,
        pattern = r"^https?://\S+$",
        example = "https://receiver.example/mandate"
    )]
    pub(super) url: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub(super) description: Option<String>,
    /// Only changes of these kinds, such as `initiative`. Empty means all but `api_key` and `webhook`: who wants those names them.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(super) kinds: Vec<String>,
    /// Only changes with these actions: `created`, `updated`, `deleted`.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub(super) actions: Vec<String>,
    /// Only changes of the resources with these ids.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(super) resource_ids: Vec<Uuid>,
    /// Whether it is at work. What happens while it is not is sent when it is again.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) active: bool,
}

fn yes() -> bool {
    true
}

/// What a webhook is in the record.
pub(in crate::record) const KIND: &str = "webhook";

/// What an action can be.
pub(super) const ACTIONS: [&str; 3] = ["created", "updated", "deleted"];

impl Webhook {
    /// Reads a body and judges it.
    pub(super) fn read(body: Value, egress: &Egress) -> Result<Self, Vec<Fault>> {
        let webhook: Self = json::decode(body)?;
        let mut faults = Faults::default();
        if let Err(why) = egress.read(&webhook.url) {
            faults.add("url", "not_allowed", why);
        }
        let kinds = kinds();
        for (index, kind) in webhook.kinds.iter().enumerate() {
            if !kinds.clone().any(|known| known == kind) {
                faults.add(&format!("kinds/{index}"), "not_allowed", unknown("kind", kind, kinds.clone()));
            }
        }
        for (index, action) in webhook.actions.iter().enumerate() {
            if !ACTIONS.contains(&action.as_str()) {
                faults.add(&format!("actions/{index}"), "not_allowed", unknown("action", action, ACTIONS.into_iter()));
            }
        }
        if faults.0.is_empty() { Ok(webhook) } else { Err(faults.0) }
    }
}

/// A webhook as it is kept.
#[derive(Debug, FromRow)]
pub(super) struct Kept {
    #[sqlx(flatten)]
    pub(super) stored: Stored<Webhook>,
    pub(super) position: i64,
    pub(super) inactive_reason: Option<String>,
}

impl Kept {
    /// As it is shown.
    pub(super) fn shown(&self) -> Result<Value, Error> {
        let mut value = serde_json::to_value(&self.stored).map_err(internal)?;
        value["after"] = self.position.to_string().into();
        value["inactive_reason"] = self.inactive_reason.clone().into();
        Ok(value)
    }
}

/// A secret without what is secret about it.
#[derive(Debug, Serialize, FromRow, ToSchema)]
pub(super) struct Secret {
    /// Made by the service.
    pub(super) id: Uuid,
    /// When it was made (RFC 3339, UTC).
    pub(super) created_at: DateTime<Utc>,
    /// When it ends, or ended (RFC 3339, UTC); null for the newest.
    pub(super) ends_at: Option<DateTime<Utc>>,
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    author: &Author,
    webhook: &Webhook,
    (position, secret): (i64, &[u8]),
) -> Result<Kept, Error> {
    Ok(sqlx::query_as(
        "with made as (
             insert into webhooks (id, url, description, kinds, actions, resource_ids, active, position)
             values ($1, $2, $3, $4, $5, $6, $7, $8) returning *
         ),
         signed as (insert into webhook_secrets (id, webhook_id, secret) select $9, id, $10 from made),
         recorded as (
             insert into changes (kind, entity_id, version, action, actor, request_id, reason, after)
             select $11, id, version, 'created', $12, $13, $14, record_of_webhook(to_jsonb(made)) from made
         )
         select * from made",
    )
    .bind(Uuid::now_v7())
    .bind(&webhook.url)
    .bind(&webhook.description)
    .bind(&webhook.kinds)
    .bind(&webhook.actions)
    .bind(&webhook.resource_ids)
    .bind(webhook.active)
    .bind(position)
    .bind(Uuid::now_v7())
    .bind(secret)
    .bind(KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .fetch_one(connection)
    .await?)
}

pub(super) async fn find(connection: &mut PgConnection, id: Uuid) -> Result<Kept, Error> {
    let found = sqlx::query_as("select * from webhooks where id = $1").bind(id).fetch_optional(connection).await?;
    found.ok_or_else(|| missing("webhook", id))
}

pub(super) async fn list(connection: &mut PgConnection, after: Option<Uuid>, limit: i64) -> Result<Vec<Kept>, Error> {
    Ok(sqlx::query_as("select * from webhooks where $1::uuid is null or id > $1 order by id limit $2")
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// Nothing when somebody was faster.
pub(super) async fn update(
    connection: &mut PgConnection,
    author: &Author,
    before: &Stored<Webhook>,
    webhook: &Webhook,
) -> Result<Option<Kept>, Error> {
    Ok(sqlx::query_as(
        "with old as (select * from webhooks where id = $1 and version = $2 for update),
         made as (
             update webhooks w set url = $3, description = $4, kinds = $5, actions = $6, resource_ids = $7, active = $8,
                 inactive_reason = case when $8 then null else w.inactive_reason end,
                 failures = 0, version = w.version + 1, updated_at = now()
             from old where w.id = old.id and w.version = $2 returning w.*
         ),
         recorded as (
             insert into changes (kind, entity_id, version, action, actor, request_id, reason, before, after)
             select $9, id, made.version, 'updated', $10, $11, $12, record_of_webhook(to_jsonb(old)), record_of_webhook(to_jsonb(made))
             from made join old using (id)
         )
         select * from made",
    )
    .bind(before.id)
    .bind(before.version)
    .bind(&webhook.url)
    .bind(&webhook.description)
    .bind(&webhook.kinds)
    .bind(&webhook.actions)
    .bind(&webhook.resource_ids)
    .bind(webhook.active)
    .bind(KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .fetch_optional(connection)
    .await?)
}

/// Removes it with its secrets and its deliveries; false when somebody was faster.
pub(super) async fn delete(
    connection: &mut PgConnection,
    author: &Author,
    id: Uuid,
    version: i32,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "with old as (delete from webhooks where id = $1 and version = $2 returning *)
         insert into changes (kind, entity_id, version, action, actor, request_id, reason, before)
         select $3, id, version + 1, 'deleted', $4, $5, $6, record_of_webhook(to_jsonb(old)) from old",
    )
    .bind(id)
    .bind(version)
    .bind(KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The secrets that are valid, the newest first.
pub(super) async fn secrets(connection: &mut PgConnection, webhook: Uuid) -> Result<Vec<Secret>, Error> {
    Ok(sqlx::query_as(
        "select id, created_at, ends_at from webhook_secrets
         where webhook_id = $1 and (ends_at is null or ends_at > now()) order by created_at desc, id desc",
    )
    .bind(webhook)
    .fetch_all(connection)
    .await?)
}

/// The oldest secret ends after a day, and a new one begins; `None` when two are valid already, or the webhook is gone. What has ended is removed.
pub(super) async fn rotate(
    connection: &mut PgConnection,
    webhook: Uuid,
    secret: &[u8],
) -> Result<Option<Secret>, Error> {
    Ok(sqlx::query_as(
        "with hook as (select id from webhooks where id = $1 for update),
         ended as (delete from webhook_secrets s using hook where s.webhook_id = hook.id and s.ends_at <= now()),
         free as (
             select id from hook where not exists (
                 select from webhook_secrets s where s.webhook_id = hook.id and s.ends_at > now())
         ),
         old as (
             update webhook_secrets s set ends_at = now() + interval '24 hours' from free
             where s.webhook_id = free.id and s.ends_at is null
         )
         insert into webhook_secrets (id, webhook_id, secret) select $2, id, $3 from free returning id, created_at, ends_at",
    )
    .bind(webhook)
    .bind(Uuid::now_v7())
    .bind(secret)
    .fetch_optional(connection)
    .await?)
}

/// Ends a secret that is about to end anyway.
pub(super) async fn end_secret(connection: &mut PgConnection, webhook: Uuid, secret: Uuid) -> Result<bool, Error> {
    let done = sqlx::query("delete from webhook_secrets where webhook_id = $1 and id = $2 and ends_at is not null")
        .bind(webhook)
        .bind(secret)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The secrets to sign with, the newest first, and what time it is.
pub(super) async fn signing(
    connection: &mut PgConnection,
    webhook: Uuid,
) -> Result<(Vec<Vec<u8>>, DateTime<Utc>), Error> {
    Ok(sqlx::query_as(
        "select array(select secret from webhook_secrets where webhook_id = $1 and (ends_at is null or ends_at > now())
                      order by created_at desc, id desc), now()",
    )
    .bind(webhook)
    .fetch_one(connection)
    .await?)
}
