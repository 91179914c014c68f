//! `/v1/api-keys`: keys made, listed, changed and revoked over HTTP, by admins.

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, Days, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{
    Actor, CONFIRMED_BY, Role,
    keys::{self, ApiKey, MOST_DAYS, NewKey, Wanted},
    role::{Act, Area, Scope, Scopes},
};
use crate::{
    api::{
        answer::{Form, internal, whole},
        format::{Format, suffixed},
        idempotency::{Attempt, Work},
        incoming::Incoming,
        json::{self, Field},
        query::{self, NoParameters},
    },
    app::App,
    error::Error,
    nouns::entities::entities::EntityId,
    repository::{self, Author, Faults, Isolation, Reference},
};

const REFERENCES: [Reference; 1] = [Reference { field: "entity_id", table: "entities" }];

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/api-keys", get(list).post(create))
        .route("/v1/api-keys/{id}", get(find).patch(patch).delete(revoke))
        .merge(suffixed("/v1/api-keys", &get(list)))
}

/// Which keys: those that meet every parameter given.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeyFilter {
    /// Of one of these roles; may be repeated.
    role: Vec<Role>,
    /// For one of these entities; may be repeated.
    entity_id: Vec<EntityId>,
    /// Whether they work: neither revoked nor past their end.
    active: Option<bool>,
}

/// A key to be made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeyInput {
    /// What it is for; the record shows it as the actor `key:{name}`.
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$", example = "night-batch")]
    name: String,
    /// What its bearer is.
    role: Role,
    /// The entity for which it acts: needed for `editor` and `finance`, and for no other role.
    entity_id: Option<EntityId>,
    /// What it may of what its role may; empty for all of that.
    #[serde(default)]
    #[schema(max_items = 18)]
    scopes: Vec<Scope>,
    /// When it ends (RFC 3339), within a year; in a year when not given.
    expires_at: Option<DateTime<Utc>>,
}

/// What of a key can be changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeyChange {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$")]
    name: String,
    /// What it may of what its role may.
    #[schema(max_items = 18)]
    scopes: Vec<Scope>,
    /// When it ends (RFC 3339), within a year from now.
    expires_at: Option<DateTime<Utc>>,
}

/// How a key is revoked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RevokeParameters {
    /// Also when it is the key of this very request.
    in_use: Option<bool>,
}

/// A key just made, with its text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedApiKey {
    /// The text to send as `Authorization: Bearer`; shown this once.
    #[schema(example = "mandate_5f1c09d2ab34_...")]
    key: String,
    #[serde(flatten)]
    kept: ApiKey,
}

async fn list(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_api_keys")?;
    let app = app.seen_by(&actor);
    let (filter, NoParameters {}, _) =
        query::read_both::<KeyFilter, NoParameters>(&app, query.as_deref(), &REFERENCES).await?;
    let entities = filter.entity_id.iter().map(|id| id.uuid()).collect();
    let wanted = Wanted { roles: filter.role, entities, active: filter.active };
    let found = keys::select(&mut *app.connection().await?, &wanted).await?;
    whole(&headers, &found, &Form::of::<ApiKey>(format), None, None)
}

/// No `Attempt` here: the answer of an idempotency key is kept, and with it the secret would be.
async fn create(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    actor.may("create_api_key")?;
    query::read::<NoParameters>(query.as_deref())?;
    let body = body.read(&app).await?;
    let author = actor.author(&headers)?;
    let mut rows = [json::parse(&headers, &body)?];
    let mut connection = app.connection().await?;
    let unresolved = repository::resolve(&mut connection, &REFERENCES, &mut rows).await?;
    let [body] = rows;
    let mut faults = Faults(unresolved.into_iter().map(|(_, fault)| fault).collect());
    let input: ApiKeyInput = match json::decode(body) {
        Ok(input) => input,
        Err(mut found) => {
            faults.0.append(&mut found);
            return Err(Error::Invalid(faults.0));
        }
    };
    let entity_id = input.entity_id.map(EntityId::uuid);
    match entity_id {
        Some(_) if !input.role.is_of_an_entity() => {
            faults.add("entity_id", "not_allowed", format!("the role {} is of no entity", input.role.word()));
        }
        None if input.role.is_of_an_entity() => {
            faults.add("entity_id", "required", format!("the role {} is that of an entity", input.role.word()));
        }
        Some(id) if faults.0.is_empty() && !keys::has_entity(&mut connection, id).await? => {
            faults.add("entity_id", "not_found", "refers to something that does not exist (here)");
        }
        _ => {}
    }
    check_end(&mut connection, input.expires_at, &mut faults).await?;
    check_name(&input.name, &mut faults);
    let scopes = Scopes(input.scopes);
    check_scopes(&actor, &scopes, &mut faults);
    if !faults.0.is_empty() {
        return Err(Error::Invalid(faults.0));
    }
    let (name, role, expires_at, created_by) = (input.name, input.role, input.expires_at, Some(actor.principal()));
    let new = NewKey { name, role, entity_id, scopes, expires_at, days: None, created_by };
    let (key, kept) = keys::make(&mut connection, &author, &new).await.map_err(repository::Error::at_commit)?;
    let location = HeaderValue::from_str(&format!("/v1/api-keys/{}", kept.id)).map_err(internal)?;
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, headers, Json(CreatedApiKey { key, kept })).into_response())
}

/// A key ends in the future, and within a year.
async fn check_end(
    connection: &mut PgConnection,
    end: Option<DateTime<Utc>>,
    faults: &mut Faults,
) -> Result<(), Error> {
    let now = keys::now(connection).await?;
    // A client that adds the days itself is not held to the second.
    let latest = now + Days::new(u64::from(MOST_DAYS.unsigned_abs()) + 1);
    faults.check(end.is_none_or(|end| end > now), "expires_at", "in_the_past", "Give an instant that is to come.");
    let detail = "A key lives at most a year; give an earlier end.";
    faults.check(end.is_none_or(|end| end <= latest), "expires_at", "too_late", detail);
    Ok(())
}

/// No name passes for two: the record names both principals of a change that was confirmed.
fn check_name(name: &str, faults: &mut Faults) {
    let detail = "Leave out `, confirmed by `; the record says so of what two principals did.";
    faults.check(!name.contains(CONFIRMED_BY), "name", "not_allowed", detail);
}

/// Who is limited by scopes makes no key that may more.
fn check_scopes(actor: &Actor, scopes: &Scopes, faults: &mut Faults) {
    let own = actor.scopes();
    let more = own.0.is_empty().then_some(false);
    let more = more.unwrap_or(scopes.0.is_empty() || scopes.0.iter().any(|scope| !own.allow(scope.0, scope.1)));
    faults.check(!more, "scopes", "not_allowed", "Your own key has scopes; give some of them, and no others.");
}

fn missing(id: &str) -> Error {
    Error::NotFound(format!("there is no key with the id {}", crate::base::text::brief(id)))
}

async fn existing(connection: &mut PgConnection, id: &str) -> Result<ApiKey, Error> {
    // No id has other characters, and U+0000 PostgreSQL would not take.
    let is_id = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let found = if is_id { keys::find(connection, id).await? } else { None };
    found.ok_or_else(|| missing(id))
}

async fn find(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<ApiKey>, Error> {
    actor.may("find_api_key")?;
    query::read::<NoParameters>(query.as_deref())?;
    Ok(Json(existing(&mut *app.connection().await?, &id).await?))
}

async fn patch(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    actor.may("patch_api_key")?;
    query::read::<NoParameters>(query.as_deref())?;
    let body = body.read(&app).await?;
    let patch = json::parse_patch(&headers, &body)?;
    let input = (id, patch, actor.clone(), actor.author(&headers)?);
    let work: Work<(String, Value, Actor, Author)> = |connection, (id, patch, actor, author)| {
        Box::pin(async move { Ok(Json(change(connection, id, patch.clone(), (actor, author)).await?).into_response()) })
    };
    attempt.whole(true).once((&app, &actor), &body, Isolation::Committed, input, work).await
}

async fn change(
    connection: &mut PgConnection,
    id: &str,
    patch: Value,
    (actor, author): (&Actor, &Author),
) -> Result<ApiKey, Error> {
    let rulers = keys::lock_rulers(connection).await?;
    let mut key = existing(connection, id).await?;
    if key.revoked_at.is_some() {
        return Err(revoked_already(id));
    }
    let mut body = json!({"name": key.name, "scopes": key.scopes});
    if let Some(end) = key.expires_at {
        body["expires_at"] = json!(end);
    }
    let body = json::patched(body, patch, |name| {
        if ["name", "scopes", "expires_at"].contains(&name) { Field::Plain } else { Field::Unknown }
    });
    let change: ApiKeyChange = json::decode(body).map_err(Error::Invalid)?;
    let mut faults = Faults::default();
    if change.expires_at != key.expires_at {
        check_end(connection, change.expires_at, &mut faults).await?;
        faults.check(change.expires_at.is_some(), "expires_at", "required", "Every key has an end; give one.");
    }
    check_name(&change.name, &mut faults);
    let scopes = Scopes(change.scopes);
    // A later end gives the key again.
    if scopes != key.scopes || change.expires_at > key.expires_at {
        check_scopes(actor, &scopes, &mut faults);
    }
    if !faults.0.is_empty() {
        return Err(Error::Invalid(faults.0));
    }
    if rulers == [id] && !scopes.allow(Area::Access, Act::Write) {
        return Err(last_one());
    }
    (key.name, key.scopes, key.expires_at) = (change.name, scopes, change.expires_at);
    keys::update(connection, author, &key).await?.ok_or_else(|| revoked_already(id))
}

fn conflict(code: &str, detail: &str) -> Error {
    let mut faults = Faults::default();
    faults.add("", code, detail);
    Error::Conflict(faults.0)
}

fn last_one() -> Error {
    conflict("last_admin", "it is the last key that can make others; make another admin's key first")
}

fn revoked_already(id: &str) -> Error {
    Error::Deleted(format!("/v1/api-keys/{id}"))
}

async fn revoke(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Error> {
    actor.may("delete_api_key")?;
    let parameters: RevokeParameters = query::read(query.as_deref())?;
    let author = actor.author(&headers)?;
    let mut connection = app.connection().await?;
    let mut transaction = repository::begin(&mut connection, Isolation::Committed).await?;
    let is_meant = parameters.in_use.unwrap_or_default() || actor.principal() != format!("key:{id}");
    match end(&mut transaction, &author, &id, is_meant).await {
        Ok(()) => {
            repository::commit(transaction).await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Err(error) => Err(repository::give_up(transaction, error).await),
    }
}

async fn end(connection: &mut PgConnection, author: &Author, id: &str, is_meant: bool) -> Result<(), Error> {
    let rulers = keys::lock_rulers(connection).await?;
    let key = existing(connection, id).await?;
    if key.revoked_at.is_some() {
        return Err(revoked_already(id));
    }
    if rulers == [id] {
        return Err(last_one());
    }
    if !is_meant {
        return Err(conflict("in_use", "it is the key of this request; say `in_use=true` if you mean it"));
    }
    if keys::revoke_one(connection, author, id).await? { Ok(()) } else { Err(revoked_already(id)) }
}
