//! `GET /v1/calendars/{entity}.ics`: what an entity owes, in its own calendar (iCalendar, RFC 5545).
//!
//! A calendar program sends no header with a key, so a token in the address opens this one feed and nothing else (decision 0017).

mod handing_out;
mod ical;

use axum::{
    Extension, Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, header},
    response::Response,
    routing::get,
};
use chrono::Days;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use self::ical::Calendar;
use super::owed::{Obligation, ObligationKind, ObligationState, Wanted, owed};
use crate::{
    access::Actor,
    api::{
        answer::tagged_as,
        document::{parameters, problems},
        handlers::gone,
        operations::{if_none_match, not_modified},
        query,
    },
    app::App,
    edge::{Who, address::Client},
    error::Error,
    feeds::tokens::{self, CalendarToken},
    nouns::entities::Entity,
    repository::{self, Clearance, Fault, Key, Lookup, Reading, Stored},
};

/// A calendar has so many entries at most.
const MOST: usize = 10_000;
/// It looks so many days ahead.
const AHEAD: Days = Days::new(366);

/// How a calendar can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct CalendarParameters {
    /// A token of the entity, in place of a key.
    #[schema(max_length = 200)]
    token: Option<String>,
    /// Whether what the entities under it owe is shown too: `true` when not given.
    under: Option<bool>,
}

/// The routes of calendars and their tokens.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/calendars/{file}", get(find)).merge(handing_out::routes())
}

async fn find(
    State(app): State<App>,
    Path(file): Path<String>,
    actor: Result<Actor, Error>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let parameters: CalendarParameters = query::read(query.as_deref())?;
    let (clearance, only) = if let Some(token) = &parameters.token {
        // A token is nobody whose requests could be counted, so those of its address are.
        app.edge.count(&Who::Network(client.map(|Extension(client)| client).unwrap_or_default().network()))?;
        (Clearance::Internal, Some(entity_of(&app, &headers, token).await?))
    } else {
        let actor = actor?;
        actor.may("find_calendar")?;
        (actor.clearance(), None)
    };
    let key = named(&file)?;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, None, clearance).await?;
    let entity = match repository::find::<Entity>(&mut reading, &key).await? {
        Lookup::Found(entity) if only.is_none_or(|only| only == entity.id) => entity,
        _ if only.is_some() => return Err(Error::Unauthenticated("the token is not for this calendar".into())),
        lookup => return Err(gone::<Entity, _>(&key, lookup)),
    };
    let mut wanted = Wanted {
        entities: vec![entity.id],
        ahead: Some(AHEAD),
        limit: i64::try_from(MOST).unwrap_or(i64::MAX) + 1,
        ..Wanted::default()
    };
    if parameters.under != Some(false) {
        wanted = wanted.widened(&mut reading).await?;
    }
    let rows = owed(&mut reading, &wanted).await?;
    reading.end().await?;
    if rows.len() > MOST {
        let detail = format!("the entity owes more than {MOST} things, which no calendar shows; use /v1/obligations");
        return Err(Error::BadQuery(vec![Fault { pointer: "entity".into(), code: "too_many_rows".into(), detail }]));
    }
    Ok(tagged_as(&headers, calendar(&entity, &rows).into_bytes(), "text/calendar; charset=utf-8"))
}

/// The entity whose calendar a token opens.
async fn entity_of(app: &App, headers: &HeaderMap, token: &str) -> Result<Uuid, Error> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(Error::Malformed("send a key or a token, not both".into()));
    }
    let found: Option<CalendarToken> = tokens::verify(&mut *app.connection().await?, token).await?;
    found
        .map(|found| found.entity_id)
        .ok_or_else(|| Error::Unauthenticated("the token is not valid: it is mistyped, expired or revoked".into()))
}

/// The entity that a file is named after.
fn named(file: &str) -> Result<Key, Error> {
    let wrong =
        || Error::NotFound("a calendar is `{the id of an entity, or external: and its external id}.ics`".into());
    let name = file.strip_suffix(".ics").filter(|name| !name.contains('\0')).ok_or_else(wrong)?;
    if let Some(external) = name.strip_prefix("external:") {
        return Ok(Key::External(external.to_owned()));
    }
    Uuid::try_parse(name).map(Key::Id).map_err(|_| wrong())
}

fn calendar(entity: &Stored<Entity>, rows: &[Obligation]) -> String {
    let mut calendar = Calendar::new(entity.data.name.preferred());
    for (row, due_on) in rows.iter().filter_map(|row| Some((row, row.due_on?))) {
        let late = if row.state == ObligationState::Due { "" } else { "Overdue: " };
        let title = row.title.preferred();
        let of = row.code.as_ref().map(|code| format!(" of {code}")).unwrap_or_default();
        let (uid, summary) = match (row.kind, row.cycle_id, &row.period) {
            (ObligationKind::ProgressReport, Some(cycle), Some(period)) => (
                format!("{cycle}.{}.{period}@mandate", row.item_id),
                format!("{late}Report {period}: {} {title}", row.code.as_deref().unwrap_or_default()),
            ),
            (kind, ..) => {
                let what = match kind {
                    ObligationKind::ProgressReport => "Report",
                    ObligationKind::Milestone => "Milestone",
                    ObligationKind::Measurement => "Measurement",
                    ObligationKind::RiskReview => "Review of a risk",
                    ObligationKind::Initiative | ObligationKind::Step => "End",
                };
                (format!("{}@mandate", row.resource_id.unwrap_or_default()), format!("{late}{what}{of}: {title}"))
            }
        };
        calendar.day(&uid, row.changed_at, due_on, &summary);
    }
    calendar.end()
}

/// Adds the operations to the document.
pub(super) fn describe(document: &mut Value) {
    if let Value::Array(tags) = &mut document["tags"] {
        tags.push(json!({"name": "calendars", "description": "What an entity owes, for its own calendar."}));
    }
    document["components"]["securitySchemes"]["calendar_token"] = json!({"type": "apiKey", "in": "query", "name": "token",
        "description": "A token that POST /v1/calendar-tokens has made; it opens the calendar of one entity."});
    let mut asked =
        vec![json!({"name": "entity", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1},
        "description": "The id that the service gave, or `external:` and your own.", "example": "external:dnsc"})];
    asked.extend(parameters::<CalendarParameters>());
    asked.push(if_none_match());
    let mut responses: Map<String, Value> = problems(&["deleted", "malformed"]);
    responses.insert(
        "200".into(),
        json!({"description": "An entry of a whole day for each thing owed.", "content": {"text/calendar": {"schema": {"type": "string"}}}}),
    );
    responses.insert("304".into(), not_modified());
    document["paths"]["/v1/calendars/{entity}.ics"] = json!({"get": {
        "operationId": "find_calendar", "tags": ["calendars"], "security": [{"key": []}, {"password": []}, {"calendar_token": []}],
        "summary": "Shows what an entity owes as a calendar (iCalendar, RFC 5545).",
        "description": "What is overdue, and what is due within 366 days. A token shows what is public or internal.",
        "parameters": asked, "responses": responses}});
    handing_out::describe(document);
}
