//! The handlers of every noun: create, find, replace, patch, delete. `list` and `history` have files of their own.

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    answer::{RECEIPT, created, internal, one, receipt_header, show, values},
    format::{Format, suffixed},
    history::history,
    idempotency::{Attempt, Work, perform},
    incoming::Incoming,
    json,
    list::list,
    operations::Verb,
    past,
    patch::patched,
    precondition,
    query::{self, FindParameters, NoParameters},
    rehearsal::{ChangeParameters, rehearse},
    seen::{accept_seen, check_copy, fetch_seen, look, still_classified},
    target::Target,
    view::View,
};
use crate::error::{Error, history_path, missing};
use crate::{
    access::{
        Actor, fields,
        own::{self, When},
        policy::Right,
    },
    app::App,
    repository::{self, Clearance, Faults, Isolation, Key, Lookup, Reading, Resource, Stored},
};

/// The routes of a noun.
pub fn routes<R: Resource>() -> Router<App> {
    let path = format!("/v1/{}", R::TABLE.replace('_', "-"));
    let past = format!("{path}/{{id}}/history");
    let single = if R::APPEND_ONLY {
        get(find::<R>)
    } else {
        get(find::<R>).put(replace::<R>).patch(patch::<R>).delete(delete::<R>)
    };
    Router::new()
        .route(&path, get(list::<R>).post(create::<R>))
        .route(&format!("{path}/{{id}}"), single)
        .route(&past, get(history::<R>))
        .merge(suffixed(&path, &get(list::<R>)))
        .merge(suffixed(&past, &get(history::<R>)))
}

async fn create<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    let right = Verb::Create.by::<R>(&actor)?;
    query::read::<NoParameters>(query.as_deref())?;
    let body = body.read(&app).await?;
    let fields = json::parse(&headers, &body)?;
    let author = actor.author(&headers)?;
    let input = (fields, author, right);
    attempt
        .whole(right.is_limited())
        .once((&app, &actor), &body, Isolation::of::<R>(), input, |connection, (fields, author, right)| {
            Box::pin(async move {
                let data = accept_seen::<R>(connection, fields.clone(), None, right.clearance).await?;
                created(&add(connection, author, &data, *right).await?)
            })
        })
        .await
}

pub(crate) async fn find<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    Verb::Find.by::<R>(&actor)?;
    let app = app.seen_by(&actor);
    let parameters: FindParameters = query::read(query.as_deref())?;
    let mut faults = Vec::new();
    let (fields, expand) = (parameters.fields.as_deref(), parameters.expand.as_deref());
    let view = View::read::<R>(fields, expand, parameters.lang, &mut faults);
    if !faults.is_empty() {
        return Err(Error::BadQuery(faults));
    }
    view.by::<R>(&actor)?;
    let moment = past::moment(&app, parameters.as_of.as_deref()).await?;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, moment, app.clearance).await?;
    let stored = fetch::<R>(&mut reading, &key).await?;
    let tag = precondition::tag(stored.version);
    if precondition::not_modified(&headers, &tag) {
        return Ok(past::mark((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response(), moment));
    }
    if view.is_plain() {
        reading.end().await?;
        return Ok(past::mark(one(&stored)?, moment));
    }
    let mut items = values(std::iter::once(stored))?;
    show(&app, &mut reading, &view, R::REFERENCES, &mut items).await?;
    reading.end().await?;
    if let Some(language) = &view.language {
        view.form::<R>(Format::Json).columns.speak(&mut items[0], language);
    }
    let body = serde_json::to_vec(&items[0]).map_err(internal)?;
    let headers = [(header::ETAG, tag), (header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok(past::mark((headers, body).into_response(), moment))
}

async fn replace<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    let right = Verb::Replace.by::<R>(&actor)?;
    query::read::<NoParameters>(query.as_deref())?;
    let body = body.read(&app).await?;
    let body = with_external_id(json::parse(&headers, &body)?, &key)?;
    let author = actor.author(&headers)?;
    let mut connection = app.connection().await?;
    let isolation = right.is_limited().then_some(Isolation::of::<R>());
    let input = (key, body, author, headers, right);
    perform(&mut connection, isolation, &input, |connection, (key, body, author, headers, right)| {
        Box::pin(async move {
            let body = body.clone();
            let before = match (key, look::<R>(connection, key, right.clearance).await?) {
                (_, Lookup::Found(stored)) => stored,
                // A name of the caller's own may be used again, so an earlier bearer that was deleted does not stand in the way.
                (Key::External(_), lookup @ (Lookup::Deleted(_) | Lookup::Missing)) => {
                    precondition::check_absent(headers, history_of::<R, _>(&lookup))?;
                    let data = accept_seen::<R>(connection, body, None, right.clearance).await?;
                    return created(&add(connection, author, &data, *right).await?);
                }
                (_, lookup) => return Err(gone::<R, _>(key, lookup)),
            };
            own::check(connection, right.grant, (R::KIND, before.id), When::Before).await?;
            precondition::check(headers, &before)?;
            let body = still_classified(body, &before.data)?;
            let data = accept_seen::<R>(connection, body, Some(&before.data), right.clearance).await?;
            let saved = save(connection, author, &before, &data, *right).await;
            saved.map_err(|error| precondition::overtaken(headers, error))
        })
    })
    .await
}

async fn patch<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    let right = Verb::Patch.by::<R>(&actor)?;
    let asked: ChangeParameters = query::read(query.as_deref())?;
    let body = body.read(&app).await?;
    let patch = json::parse_patch(&headers, &body)?;
    let author = actor.author(&headers)?;
    let work: Work<(Key, Value, repository::Author, HeaderMap, Right)> =
        |connection, (key, patch, author, headers, right)| {
            Box::pin(async move {
                let before = fetch_seen::<R>(connection, key, right.clearance).await?;
                own::check(connection, right.grant, (R::KIND, before.id), When::Before).await?;
                precondition::check(headers, &before)?;
                let body = patched::<R>(&before.data, patch.clone())?;
                let data = accept_seen::<R>(connection, body, Some(&before.data), right.clearance).await?;
                let saved = save(connection, author, &before, &data, *right).await;
                saved.map_err(|error| precondition::overtaken(headers, error))
            })
        };
    let input = (key, patch, author, headers, right);
    if asked.dry_run.unwrap_or_default() {
        let mut connection = app.connection().await?;
        return rehearse::<R, _>(&mut connection, (&input.0, right.clearance), &input, work).await;
    }
    attempt.whole(right.is_limited()).once((&app, &actor), &body, Isolation::of::<R>(), input, work).await
}

/// A body for the path of an external id, which it need not repeat.
pub(crate) fn with_external_id(mut body: Value, key: &Key) -> Result<Value, Error> {
    if let (Key::External(name), Some(fields)) = (key, body.as_object_mut()) {
        let given = fields.entry("external_id").or_insert_with(|| name.clone().into());
        if given != name.as_str() {
            return Err(Error::invalid(
                "external_id",
                "differs",
                format!("the path says `{name}`; leave the field out or repeat it"),
            ));
        }
    }
    Ok(body)
}

/// Writes what is new.
pub(crate) async fn add<R: Resource>(
    connection: &mut PgConnection,
    author: &repository::Author,
    data: &R,
    right: Right,
) -> Result<Stored<R>, Error> {
    let mut faults = Faults::default();
    let rows = data.clone().posted(author, &mut faults);
    if !faults.0.is_empty() {
        return Err(Error::Invalid(faults.0));
    }
    fields::check(connection, right, (None, Some(data))).await?;
    check_copy::<R>(connection, author, (None, data), right.clearance).await?;
    let stored = repository::insert(connection, author, &rows).await?;
    own::check(connection, right.grant, (R::KIND, stored.id), When::After).await?;
    Ok(stored)
}

async fn save<R: Resource>(
    connection: &mut PgConnection,
    author: &repository::Author,
    before: &Stored<R>,
    data: &R,
    right: Right,
) -> Result<Response, Error> {
    one(&change(connection, author, before, data, right).await?)
}

/// Writes what is different now; where nothing is, the row is answered as it was.
pub(crate) async fn change<R: Resource>(
    connection: &mut PgConnection,
    author: &repository::Author,
    before: &Stored<R>,
    data: &R,
    right: Right,
) -> Result<Stored<R>, Error> {
    fields::check(connection, right, (Some(&before.data), Some(data))).await?;
    check_copy(connection, author, (Some(&before.data), data), right.clearance).await?;
    match repository::update(connection, author, before, data).await {
        Ok(stored) => {
            if right.grant.is_own() && refers_elsewhere(&before.data, data)? {
                own::check(connection, right.grant, (R::KIND, stored.id), When::After).await?;
            }
            Ok(stored)
        }
        Err(repository::Error::Stale) => Err(overtaken::<R>(connection, before.id, right.clearance).await),
        Err(error) => Err(error.into()),
    }
}

/// Whether a reference is another than before: what a thing belongs to follows from its references.
fn refers_elsewhere<R: Resource>(before: &R, after: &R) -> Result<bool, Error> {
    let [before, after] = [before, after].map(serde_json::to_value);
    let (before, after) = (before.map_err(internal)?, after.map_err(internal)?);
    Ok(R::REFERENCES.iter().any(|reference| before[reference.field] != after[reference.field]))
}

pub(crate) async fn delete<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let right = Verb::Delete.by::<R>(&actor)?;
    query::read::<NoParameters>(query.as_deref())?;
    let author = actor.author(&headers)?;
    let mut connection = app.connection().await?;
    let isolation = right.is_limited().then_some(Isolation::of::<R>());
    let input = (app, key, author, headers, right);
    perform(&mut connection, isolation, &input, |connection, (app, key, author, headers, right)| {
        Box::pin(async move {
            let stored = fetch_seen::<R>(connection, key, right.clearance).await?;
            own::check(connection, right.grant, (R::KIND, stored.id), When::Before).await?;
            precondition::check(headers, &stored)?;
            let removed = remove(connection, app, author, &stored, *right).await;
            removed.map_err(|error| precondition::overtaken(headers, error))
        })
    })
    .await
}

async fn remove<R: Resource>(
    connection: &mut PgConnection,
    app: &App,
    author: &repository::Author,
    stored: &Stored<R>,
    right: Right,
) -> Result<Response, Error> {
    let mut faults = Faults::default();
    stored.data.validate_deletion(&mut faults);
    if !faults.0.is_empty() {
        return Err(Error::Conflict(faults.0));
    }
    fields::check(connection, right, (Some(&stored.data), None)).await?;
    let id = stored.id;
    let outcome = if right.is_limited() {
        // A savepoint, because after a refusal the transaction is asked who stands in the way.
        let mut point = repository::begin(connection, Isolation::Committed).await?;
        match repository::delete(&mut point, author, stored).await {
            Ok(receipt) => repository::commit(point).await.map(|()| receipt),
            Err(error) => Err(repository::give_up(point, error).await),
        }
    } else {
        repository::delete(connection, author, stored).await
    };
    match outcome {
        Ok(receipt) => Ok((StatusCode::NO_CONTENT, [(RECEIPT, receipt_header(&receipt)?)]).into_response()),
        Err(repository::Error::Stale) => Err(overtaken::<R>(connection, id, right.clearance).await),
        Err(error) if error.sqlstate().as_deref() == Some("23503") => {
            repository::see_only(connection, right.clearance).await?;
            let blockers = repository::blockers(connection, &app.referrers(R::TABLE), id).await?;
            let mut faults = Faults::default();
            faults.check(!blockers.is_empty(), "", "referred_to", "something that the key may not see refers to it");
            for (table, field, count, ids) in blockers {
                let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
                let more = if count > 3 { ", ..." } else { "" };
                let plural = table.replace('_', "-");
                let stays = crate::router::nouns().iter().any(|noun| noun.table == table && noun.is_append_only);
                let then = if stays { "they stay, and so does this" } else { "delete or change them first" };
                let detail =
                    format!("{count} of /v1/{plural} refer to it by {field}: {}{more}; {then}", ids.join(", "));
                faults.add("", "referred_to", detail);
            }
            Err(Error::Conflict(faults.0))
        }
        Err(error) => Err(error.into()),
    }
}

async fn fetch<R: Resource>(connection: &mut PgConnection, key: &Key) -> Result<Stored<R>, Error> {
    match repository::find::<R>(connection, key).await? {
        Lookup::Found(stored) => Ok(stored),
        lookup => Err(gone::<R, _>(key, lookup)),
    }
}

/// Somebody else was faster: stale with the resource as it is now, or gone.
async fn overtaken<R: Resource>(connection: &mut PgConnection, id: Uuid, clearance: Clearance) -> Error {
    match fetch_seen::<R>(connection, &Key::Id(id), clearance).await {
        Ok(current) => Error::Stale(serde_json::to_value(current).ok()),
        Err(error) => error,
    }
}

/// The history of what was deleted.
pub(crate) fn history_of<R: Resource, T>(lookup: &Lookup<T>) -> Option<String> {
    match lookup {
        Lookup::Deleted(id) => Some(history_path(R::TABLE, *id)),
        _ => None,
    }
}

/// Why a resource is not there.
pub fn gone<R: Resource, T>(key: &Key, lookup: Lookup<T>) -> Error {
    match (lookup, key) {
        (Lookup::Deleted(id), _) => Error::Deleted(history_path(R::TABLE, id)),
        (_, Key::Id(id)) => missing(R::KIND, id),
        (_, Key::External(external)) => missing(R::KIND, format!("external:{external}")),
    }
}
