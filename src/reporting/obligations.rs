//! `GET /v1/obligations`: who owes which work, report, measurement, milestone or review of a risk by when.

use axum::{
    Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::owed::{Obligation, ObligationKind, Wanted, owed};
use crate::{
    access::Actor,
    api::{
        answer::{Form, whole},
        document::parameters,
        format::{Format, suffixed},
        language,
        operations::{if_none_match, of_whole},
        query::{self, NoParameters},
        shape::schemas,
    },
    app::App,
    base::values::Language,
    error::Error,
    nouns::{entities::entities::EntityId, plan::strategies::StrategyId},
    repository::{self, Fault, Reading, Reference},
};

/// The nouns that obligations come from.
const READS: &[&str] = &[
    "assignments",
    "entities",
    "indicator_targets",
    "indicators",
    "initiatives",
    "measurements",
    "milestones",
    "objectives",
    "progress_reports",
    "reporting_cycles",
    "risks",
    "steps",
    "strategies",
];

/// So many rows at most: all of them stand in memory before the first is answered.
const MOST: usize = 100_000;

/// Which obligations: those that meet every parameter given.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ObligationFilter {
    /// Of this entity or of one anywhere under it; may be repeated.
    entity: Vec<EntityId>,
    /// Of this strategy or of one anywhere under it; may be repeated.
    strategy_id: Vec<StrategyId>,
    /// Whether what is under a strategy (the action plans that carry it out) or an entity (its agencies) is meant too: `true` when not given.
    under: Option<bool>,
    /// Of this kind; may be repeated.
    #[schema(inline)]
    kind: Vec<ObligationKind>,
    /// Whether their day is over.
    overdue: Option<bool>,
    /// The day by which `overdue`, `days_overdue` and the leads are judged; today when not given. What was known on a day is asked with `as_of`.
    on: Option<NaiveDate>,
    /// Due after this day.
    due_after: Option<NaiveDate>,
    /// Due before this day. Without it, reports and measurements are owed of the periods that have begun; with it, also of those that have not.
    due_before: Option<NaiveDate>,
    /// As the record had it at this instant (RFC 3339), or at the end of this day in the time zone of the service.
    #[schema(max_length = 40, example = "2026-01-31")]
    as_of: Option<String>,
    /// Tells each text as a string in this language (ISO 639-1); what is not said in it, in the first language of the service that has it.
    #[schema(value_type = Option<String>, pattern = "^[a-z]{2}$", example = "ro")]
    lang: Option<Language>,
}

const REFERENCES: [Reference; 2] =
    [Reference { field: "entity", table: "entities" }, Reference { field: "strategy_id", table: "strategies" }];

/// The route.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/obligations", get(list)).merge(suffixed("/v1/obligations", &get(list)))
}

async fn list(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_obligations")?;
    let app = app.seen_by(&actor);
    let (filter, NoParameters {}, moment) =
        query::read_both::<ObligationFilter, NoParameters>(&app, query.as_deref(), &REFERENCES).await?;
    let language = language::told(filter.lang)?;
    let mut wanted = Wanted {
        entities: filter.entity.iter().map(|id| id.uuid()).collect(),
        strategies: filter.strategy_id.iter().map(|id| id.uuid()).collect(),
        kinds: filter.kind,
        overdue: filter.overdue,
        on: filter.on,
        due_after: filter.due_after,
        due_before: filter.due_before,
        ahead: None,
        limit: i64::try_from(MOST).unwrap_or(i64::MAX) + 1,
    };
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, moment, app.clearance).await?;
    if filter.under != Some(false) {
        wanted = wanted.widened(&mut reading).await?;
    }
    let rows = owed(&mut reading, &wanted).await?;
    let withheld = repository::withheld_of(&mut reading, app.clearance, READS).await?;
    reading.end().await?;
    if rows.len() > MOST {
        let detail = format!("there are more than {MOST}; narrow it with entity, strategy_id, kind or due_before");
        let fault = Fault { pointer: "entity".into(), code: "too_many_rows".into(), detail };
        return Err(Error::BadQuery(vec![fault]));
    }
    whole(&headers, &rows, &Form::of::<Obligation>(format).told_in(language), moment, withheld.as_ref())
}

/// Adds the operation to the document.
pub(super) fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<Obligation>());
    }
    if let Value::Array(tags) = &mut document["tags"] {
        tags.push(json!({"name": "obligations", "description": "Who owes which work, report, measurement, milestone or review of a risk by when; computed, not kept."}));
    }
    let mut asked = parameters::<ObligationFilter>();
    asked.push(if_none_match());
    let responses = of_whole("All rows, by day; there are no pages.", "Obligation", &["not_acceptable"]);
    document["paths"]["/v1/obligations"] = json!({"get": {
        "operationId": "list_obligations", "tags": ["obligations"],
        "summary": "Lists who owes which work, report, measurement, milestone or review of a risk by when.",
        "parameters": asked, "responses": responses}});
}
