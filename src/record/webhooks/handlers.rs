//! `/v1/webhooks`: list, create, find, change, delete. For admins only. The record keeps who did it, and of the address only the host.

use axum::{
    Json,
    extract::{OriginalUri, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    super::{changes, feed},
    egress::Egress,
    secrets::random,
    signature,
    webhook::{self, Kept, Webhook},
};
use crate::{
    access::Actor,
    api::{
        answer::{Form, internal, tagged, with_next},
        columns::Columns,
        format::Format,
        idempotency::{Attempt, perform},
        incoming::Incoming,
        json::{self as body, Field},
        precondition,
        query::{self, NoParameters},
        shape::Shape,
        target::Target,
    },
    app::App,
    error::{Error, missing},
    repository::{Author, Clearance, Fault, Isolation, Key},
};

/// Which webhooks.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PageParameters {
    /// The `next` of the page before.
    pub(super) after: Option<Uuid>,
    /// Webhooks of a page, 1 to 200; 50 when not given.
    #[schema(minimum = 1, maximum = 200, example = 50)]
    pub(super) limit: Option<i64>,
}

/// Demands the rights of what a webhook carries: those of a reader of the feed who sees everything, and, where it carries them, of keys and
/// webhooks. Otherwise whoever may only manage access would be sent what he may not read.
pub(super) fn may_carry(actor: &Actor, webhook: &Webhook) -> Result<(), Error> {
    actor.may("list_changes")?;
    if actor.clearance() != Clearance::All {
        return Err(Error::Forbidden("a webhook carries everything, and the key may not see everything".into()));
    }
    if webhook.kinds.iter().any(|kind| changes::ACCESS_KINDS.contains(&kind.as_str())) {
        actor.may("list_api_keys")?;
        actor.may("list_webhooks")?;
    }
    Ok(())
}

/// The id in the path; a webhook has no other name.
pub(super) fn id(key: &Key) -> Result<Uuid, Error> {
    match key {
        Key::Id(id) => Ok(*id),
        Key::External(name) => Err(missing("webhook", format!("external:{name}"))),
    }
}

/// Rows of a page that was asked for with one row more, and the id from which the next goes on.
pub(super) fn page<T>(mut rows: Vec<T>, limit: i64, id: impl Fn(&T) -> Uuid) -> (Vec<T>, Option<Uuid>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(id);
    (rows, next)
}

fn one(status: StatusCode, kept: &Kept, value: &Value) -> Response {
    (status, [(header::ETAG, precondition::tag(kept.stored.version))], Json(value)).into_response()
}

/// A page in the format asked for, with the address of the next.
pub(super) fn listed(
    headers: &HeaderMap,
    uri: &Uri,
    form: &Form,
    items: Vec<Value>,
    next: Option<Uuid>,
) -> Result<Response, Error> {
    let body = form.render(items, |items| json!({"items": items, "next": next}))?;
    with_next(tagged(headers, body, form.format), uri, next.map(|next| next.to_string()).as_deref())
}

pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_webhooks")?;
    let parameters: PageParameters = query::read(query.as_deref())?;
    let limit = parameters.limit.unwrap_or(50);
    let rows = webhook::list(&mut *app.connection().await?, parameters.after, limit + 1).await?;
    let (rows, next) = page(rows, limit, |row| row.stored.id);
    let columns = Columns::stored(Shape::of::<Webhook>()).and(&["after", "inactive_reason"]);
    let form = Form { format, columns, language: None };
    listed(&headers, &uri, &form, rows.iter().map(Kept::shown).collect::<Result<_, _>>()?, next)
}

pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    bytes: Incoming,
) -> Result<Response, Error> {
    actor.may("create_webhook")?;
    query::read::<NoParameters>(query.as_deref())?;
    let bytes = bytes.read(&app).await?;
    let mut fields = body::parse(&headers, &bytes)?;
    let after = fields.as_object_mut().and_then(|fields| fields.shift_remove("after")).filter(|after| !after.is_null());
    let (mut faults, after) = match after.as_ref().map(|after| cursor(after, "after")).transpose() {
        Ok(after) => (Vec::new(), after),
        Err(fault) => (vec![fault], None),
    };
    let webhook = match Webhook::read(fields, &app.egress) {
        Ok(webhook) if faults.is_empty() => webhook,
        Ok(_) => return Err(Error::Invalid(faults)),
        Err(mut found) => {
            faults.append(&mut found);
            return Err(Error::Invalid(faults));
        }
    };
    may_carry(&actor, &webhook)?;
    let input = (webhook, after, random()?, actor.author(&headers)?);
    attempt
        .once((&app, &actor), &bytes, Isolation::Committed, input, |connection, input| {
            Box::pin(save(connection, input))
        })
        .await
}

async fn save(
    connection: &mut PgConnection,
    (webhook, after, secret, author): &(Webhook, Option<i64>, [u8; 32], Author),
) -> Result<Response, Error> {
    let head = changes::head(connection).await?;
    if let Some(after) = after.filter(|after| *after > head) {
        return Err(ahead("after", after, head));
    }
    let kept = webhook::insert(connection, author, webhook, (after.unwrap_or(head), secret)).await?;
    let mut value = kept.shown()?;
    value["secret"] = signature::spoken(secret).into();
    let mut response = one(StatusCode::CREATED, &kept, &value);
    let location = HeaderValue::from_str(&format!("/v1/webhooks/{}", kept.stored.id)).map_err(internal)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// Reads a cursor of the feed in a body.
pub(super) fn cursor(word: &Value, field: &str) -> Result<i64, Fault> {
    word.as_str().and_then(|word| feed::cursor(field, word).ok()).ok_or_else(|| Fault {
        pointer: format!("#/{field}"),
        code: "bad_cursor".into(),
        detail:
            "is no cursor of the feed; give the `next` of a page of /v1/changes as a string, or \"0\" for all changes"
                .into(),
    })
}

/// A cursor that is beyond the last change.
pub(super) fn ahead(field: &str, after: i64, head: i64) -> Error {
    Error::invalid(field, "cursor_ahead", format!("no change has the position {after} yet, the last one is {head}"))
}

pub(super) async fn find(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("find_webhook")?;
    query::read::<NoParameters>(query.as_deref())?;
    let kept = webhook::find(&mut *app.connection().await?, id(&key)?).await?;
    Ok(one(StatusCode::OK, &kept, &kept.shown()?))
}

pub(super) async fn patch(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    bytes: Incoming,
) -> Result<Response, Error> {
    actor.may("patch_webhook")?;
    query::read::<NoParameters>(query.as_deref())?;
    let bytes = bytes.read(&app).await?;
    let patch = body::parse_patch(&headers, &bytes)?;
    let author = actor.author(&headers)?;
    let input = (id(&key)?, patch, headers, app.egress.clone(), (actor.clone(), author));
    attempt
        .once((&app, &actor), &bytes, Isolation::Committed, input, |connection, input| {
            Box::pin(change(connection, input))
        })
        .await
}

async fn change(
    connection: &mut PgConnection,
    (id, patch, headers, egress, (actor, author)): &(Uuid, Value, HeaderMap, Egress, (Actor, Author)),
) -> Result<Response, Error> {
    let before = webhook::find(connection, *id).await?;
    precondition::check(headers, &before.stored)?;
    let fields = serde_json::to_value(&before.stored.data).map_err(internal)?;
    let known: Vec<String> = fields.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let fields = body::patched(fields, patch.clone(), |name| {
        if known.iter().any(|known| known == name) { Field::Plain } else { Field::Unknown }
    });
    let webhook = Webhook::read(fields, egress).map_err(Error::Invalid)?;
    // Who may manage it may always stop it.
    if webhook.active {
        may_carry(actor, &webhook)?;
    }
    if let Some(kept) = webhook::update(connection, author, &before.stored, &webhook).await? {
        Ok(one(StatusCode::OK, &kept, &kept.shown()?))
    } else {
        let stale = Error::Stale(Some(webhook::find(connection, *id).await?.shown()?));
        Err(precondition::overtaken(headers, stale))
    }
}

pub(super) async fn delete(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("delete_webhook")?;
    query::read::<NoParameters>(query.as_deref())?;
    let mut connection = app.connection().await?;
    let input = (id(&key)?, actor.author(&headers)?, headers);
    perform(&mut connection, None, &input, |connection, (id, author, headers)| {
        Box::pin(async move {
            let kept = webhook::find(connection, *id).await?;
            precondition::check(headers, &kept.stored)?;
            if webhook::delete(connection, author, *id, kept.stored.version).await? {
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
            let stale = Error::Stale(Some(webhook::find(connection, *id).await?.shown()?));
            Err(precondition::overtaken(headers, stale))
        })
    })
    .await
}
