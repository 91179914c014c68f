//! What is asked of deliveries: the list, once more (`redeliveries`), a part of the feed once more (`replays`), and a test event (`tests`).

use axum::{
    Json,
    extract::{OriginalUri, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    super::changes,
    attempt::attempt,
    deliveries::{self, Delivery, Wanted},
    handlers::{ahead, cursor, id, listed, may_carry, page},
    send::Message,
    webhook,
};
use crate::{
    access::Actor,
    api::{
        answer::Form,
        format::Format,
        idempotency::Attempt,
        incoming::Incoming,
        json as body,
        query::{self, NoParameters},
        target::Target,
    },
    app::App,
    error::Error,
    repository::{Fault, Isolation},
};

/// A replay goes over so many changes at most: it is one statement.
const REPLAYED: i64 = 50_000;

/// Which deliveries to send once more: exactly one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Redelivery {
    /// This one, whatever became of it.
    delivery_id: Option<Uuid>,
    /// All that were given up.
    #[schema(inline)]
    status: Option<OnlyDead>,
}

/// The one status that can be named.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OnlyDead {
    /// Given up after all attempts.
    Dead,
}

/// A part of the feed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    /// A cursor of the feed: changes after it.
    #[schema(min_length = 1, max_length = 20, example = "0")]
    after: String,
    /// A cursor of the feed: changes up to it. Without it, up to where the webhook is.
    #[schema(max_length = 20)]
    until: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_deliveries")?;
    let wanted: Wanted = query::read(query.as_deref())?;
    let limit = wanted.limit.unwrap_or(50);
    let mut connection = app.connection().await?;
    if let Some(after) = wanted.after
        && !deliveries::exists(&mut connection, after, None).await?
    {
        let detail = "is no delivery (any more); start again without it".into();
        return Err(Error::BadQuery(vec![Fault { pointer: "after".into(), code: "bad_cursor".into(), detail }]));
    }
    let rows = deliveries::list(&mut connection, &wanted, limit + 1).await?;
    let (items, next) = page(rows, limit, |row| row.id);
    let form = Form::of::<Delivery>(format);
    listed(&headers, &uri, &form, form.values(&items)?, next)
}

pub(super) async fn redeliver(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    again: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    bytes: Incoming,
) -> Result<Response, Error> {
    actor.may("redeliver")?;
    query::read::<NoParameters>(query.as_deref())?;
    let bytes = bytes.read(&app).await?;
    let asked: Redelivery = body::decode(body::parse(&headers, &bytes)?).map_err(Error::Invalid)?;
    if asked.delivery_id.is_some() == asked.status.is_some() {
        return Err(Error::invalid(
            "",
            "exactly_one",
            "give `delivery_id` for one delivery, or `status` with `dead` for all that are dead",
        ));
    }
    let input = (id(&key)?, asked.delivery_id, actor.clone());
    again
        .once((&app, &actor), &bytes, Isolation::Committed, input, |connection, (webhook, one, actor)| {
            Box::pin(async move {
                may_carry(actor, &webhook::find(connection, *webhook).await?.stored.data)?;
                let count = deliveries::redeliver(connection, *webhook, *one).await?;
                if count == 0 && one.is_some() {
                    return Err(Error::invalid(
                        "delivery_id",
                        "not_found",
                        "is no delivery of this webhook; GET /v1/deliveries lists them",
                    ));
                }
                Ok(accepted(count))
            })
        })
        .await
}

fn accepted(count: u64) -> Response {
    (StatusCode::ACCEPTED, Json(json!({"deliveries": count}))).into_response()
}

pub(super) async fn replay(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    again: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    bytes: Incoming,
) -> Result<Response, Error> {
    actor.may("replay_webhook")?;
    query::read::<NoParameters>(query.as_deref())?;
    let bytes = bytes.read(&app).await?;
    let asked: Replay = body::decode(body::parse(&headers, &bytes)?).map_err(Error::Invalid)?;
    let mut faults = Vec::new();
    let mut read = |word: String, field| cursor(&Value::from(word), field).map_err(|fault| faults.push(fault)).ok();
    let (after, until) = (read(asked.after, "after"), asked.until.map(|word| read(word, "until")));
    let (Some(after), false) = (after, until == Some(None)) else {
        return Err(Error::Invalid(faults));
    };
    let input = (id(&key)?, after, until.flatten(), actor.clone());
    again
        .once((&app, &actor), &bytes, Isolation::Committed, input, |connection, input| {
            Box::pin(put_again(connection, input))
        })
        .await
}

async fn put_again(
    connection: &mut PgConnection,
    (webhook, after, until, actor): &(Uuid, i64, Option<i64>, Actor),
) -> Result<Response, Error> {
    let kept = webhook::find(connection, *webhook).await?;
    may_carry(actor, &kept.stored.data)?;
    let position = kept.position;
    let head = changes::head(connection).await?;
    for (field, given) in [("after", Some(*after)), ("until", *until)] {
        if let Some(given) = given.filter(|given| *given > head) {
            return Err(ahead(field, given, head));
        }
    }
    // What comes after it will be sent anyway.
    let until = until.unwrap_or(position).min(position);
    if until - after > REPLAYED {
        let words = format!(
            "these are {} changes; replay at most {REPLAYED} at once, such as until \"{}\"",
            until - after,
            after + REPLAYED
        );
        return Err(Error::invalid("until", "too_many", words));
    }
    Ok(accepted(deliveries::replay(connection, *webhook, *after, until).await?))
}

pub(super) async fn test(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    bytes: Incoming,
) -> Result<Response, Error> {
    actor.may("test_webhook")?;
    query::read::<NoParameters>(query.as_deref())?;
    let bytes = bytes.read(&app).await?;
    if headers.contains_key("idempotency-key") {
        return Err(Error::Malformed(
            "a test takes no Idempotency-Key: it changes nothing, so it can be sent again; leave the header out".into(),
        ));
    }
    if !bytes.trim_ascii().is_empty() && bytes.trim_ascii() != b"{}" {
        return Err(Error::invalid("", "not_allowed", "a test event is made by the service; send no body"));
    }
    let id = id(&key)?;
    let (url, secrets, now): (String, Vec<Vec<u8>>, DateTime<Utc>) = {
        // The connection is given back before anything is sent.
        let mut connection = app.connection().await?;
        let kept = webhook::find(&mut connection, id).await?;
        let (secrets, now) = webhook::signing(&mut connection, id).await?;
        (kept.stored.data.url, secrets, now)
    };
    let event = Uuid::now_v7();
    let content = json!({"specversion": "1.0", "id": event, "source": "/v1/webhooks", "type": "mandate.webhook.test",
        "subject": format!("/v1/webhooks/{id}"), "time": now, "datacontenttype": "application/json", "data": {"webhook_id": id}});
    let message = Message {
        url,
        id: format!("test_{}", event.simple()),
        timestamp: now.timestamp(),
        secrets,
        body: content.to_string().into_bytes(),
    };
    let outcome = attempt(message, &app.egress, now, 0).await;
    Ok(Json(json!({"delivered": outcome.attempt.error.is_none(), "attempt": outcome.attempt})).into_response())
}
