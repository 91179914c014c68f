//! `/v1/calendar-tokens`: tokens made, listed and revoked.

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    access::{Actor, keys::has_entity},
    api::{
        answer::{Form, whole},
        document::{parameters, problems, with_references},
        format::{Format, suffixed},
        incoming::Incoming,
        json,
        operations::{formats, if_none_match, not_modified},
        query::{self, NoParameters},
        shape::schemas,
    },
    app::App,
    error::{Error, missing},
    feeds::tokens::{self, CalendarToken, Opens},
    nouns::entities::entities::EntityId,
    repository::{self, Reference},
};

const REFERENCES: [Reference; 1] = [Reference { field: "entity_id", table: "entities" }];

/// A token lives so many days, where nothing else is said, and at most.
const DAYS: i32 = 365;

/// A token to be made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CalendarTokenInput {
    /// The entity whose calendar it opens.
    entity_id: EntityId,
    /// What it is for, such as whose calendar.
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$", example = "office of the director")]
    name: String,
    /// Days until it ends; 365 when not given.
    #[schema(minimum = 1, maximum = 365)]
    days: Option<i32>,
}

/// A token just made, with its text.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedCalendarToken {
    /// The token; shown this once.
    token: String,
    /// Where the calendar is read with it, on this service.
    path: String,
    #[serde(flatten)]
    kept: CalendarToken,
}

/// Which tokens.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct CalendarTokenFilter {
    /// Of this entity; may be repeated.
    entity_id: Vec<EntityId>,
}

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/calendar-tokens", get(list).post(create))
        .route("/v1/calendar-tokens/{id}", delete(revoke))
        .merge(suffixed("/v1/calendar-tokens", &get(list)))
}

async fn list(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_calendar_tokens")?;
    let app = app.seen_by(&actor);
    let (filter, NoParameters {}, _) =
        query::read_both::<CalendarTokenFilter, NoParameters>(&app, query.as_deref(), &REFERENCES).await?;
    let entities: Vec<Uuid> = filter.entity_id.iter().map(|id| id.uuid()).collect();
    let found = tokens::list::<CalendarToken>(&mut *app.connection().await?, &entities).await?;
    whole(&headers, &found, &Form::of::<CalendarToken>(format), None, None)
}

/// No `Attempt` here: the answer of an idempotency key is kept, and with it the token would be.
async fn create(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    actor.may("create_calendar_token")?;
    // Nobody hands out what he may not read.
    actor.may("find_calendar")?;
    query::read::<NoParameters>(query.as_deref())?;
    let body = body.read(&app).await?;
    let mut rows = [json::parse(&headers, &body)?];
    let mut connection = app.connection().await?;
    let unresolved = repository::resolve(&mut connection, &REFERENCES, &mut rows).await?;
    let mut faults: Vec<_> = unresolved.into_iter().map(|(_, fault)| fault).collect();
    let [body] = rows;
    let input: CalendarTokenInput = match json::decode(body) {
        Ok(input) if faults.is_empty() => input,
        Ok(_) => return Err(Error::Invalid(faults)),
        Err(mut found) => {
            faults.append(&mut found);
            return Err(Error::Invalid(faults));
        }
    };
    let entity = input.entity_id.uuid();
    if !has_entity(&mut connection, entity).await? {
        return Err(Error::invalid("entity_id", "not_found", "refers to something that does not exist (here)"));
    }
    let opens = Opens { entity: Some(entity), ..Opens::default() };
    let of = (input.name.as_str(), input.days.unwrap_or(DAYS));
    let (token, kept): (String, CalendarToken) =
        tokens::make(&mut connection, &opens, of, &actor.principal()).await.map_err(repository::Error::at_commit)?;
    let path = format!("/v1/calendars/{entity}.ics?token={token}");
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, headers, Json(CreatedCalendarToken { token, path, kept })).into_response())
}

async fn revoke(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Error> {
    actor.may("delete_calendar_token")?;
    query::read::<NoParameters>(query.as_deref())?;
    let unknown = || missing("calendar_token", crate::base::text::brief(&id));
    let uuid = Uuid::try_parse(&id).map_err(|_| unknown())?;
    match tokens::revoke::<CalendarToken>(&mut *app.connection().await?, uuid)
        .await
        .map_err(repository::Error::at_commit)?
    {
        Some(true) => Ok(StatusCode::NO_CONTENT),
        Some(false) => Err(Error::Deleted("/v1/calendar-tokens".into())),
        None => Err(unknown()),
    }
}

/// Adds the operations to the document.
pub(super) fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        for mut more in [schemas::<CalendarTokenInput>(), schemas::<CreatedCalendarToken>(), schemas::<CalendarToken>()]
        {
            more.shift_remove("Id");
            more.values_mut().for_each(with_references);
            components.extend(more);
        }
    }
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let mut listed = problems(&["not_acceptable"]);
    let page = json!({"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "items": schema("CalendarToken")}}});
    listed.insert("200".into(), formats("All of them, the newest first; there are no pages.", &page));
    listed.insert("304".into(), not_modified());
    let mut asked = parameters::<CalendarTokenFilter>();
    asked.push(if_none_match());
    let mut made = problems(&["too_large", "unsupported_media_type", "invalid", "malformed"]);
    let content = json!({"application/json": {"schema": schema("CreatedCalendarToken")}});
    made.insert(
        "201".into(),
        json!({"description": "It is made; its text is in `token`, this once.", "content": content}),
    );
    let mut revoked = problems(&["deleted"]);
    revoked.insert("204".into(), json!({"description": "It is revoked."}));
    let example = json!({"entity_id": "external:dnsc", "name": "office of the director"});
    document["paths"]["/v1/calendar-tokens"] = json!({
        "get": {"operationId": "list_calendar_tokens", "tags": ["calendars"], "summary": "Lists tokens of calendars, without their texts.",
            "parameters": asked, "responses": listed},
        "post": {"operationId": "create_calendar_token", "tags": ["calendars"],
            "summary": "Makes a token that opens the calendar of one entity, and shows it this once.",
            "description": "It takes no Idempotency-Key, because the answer that is kept for one would hold the token.",
            "parameters": [],
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema("CalendarTokenInput"), "example": example}}},
            "responses": made}});
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"},
        "description": "The id of the token."});
    document["paths"]["/v1/calendar-tokens/{id}"] = json!({"delete": {
        "operationId": "delete_calendar_token", "tags": ["calendars"], "summary": "Revokes a token; it opens nothing any more.",
        "parameters": [id], "responses": revoked}});
}
