//! `GET /v1/assessments/{id}/candidates`: for each indicator the records that could prove it today, and what is missing where there is none.
//! Nothing is decided here: a person cites evidence.

pub(crate) mod search;

use axum::{
    Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use chrono::NaiveDate;
use search::{Asked, Found, ruled, search};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::nouns::readiness::{
    Assessment,
    candidate_rules::{CandidateRecord, CandidateRule},
};
use crate::{
    access::Actor,
    api::{
        answer::{Form, whole},
        document::parameters,
        format::{Format, suffixed},
        handlers::gone,
        language,
        operations::{if_none_match, of_whole},
        query::{self, NoParameters},
        shape::schemas,
        target::Target,
    },
    app::App,
    base::{
        text::unknown,
        values::{Code, Language, Text},
    },
    error::Error,
    repository::{self, Fault, Lookup, Reading},
};

/// Which candidates.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct CandidateFilter {
    /// For this indicator; may be repeated.
    indicator: Vec<Code>,
    /// Only what meets its rule, or (`false`) only what lacks something.
    can_prove: Option<bool>,
    /// The day for which it is asked; today when not given.
    on: Option<NaiveDate>,
    /// As the record had it at this instant (RFC 3339), or at the end of this day in the time zone of the service.
    #[schema(max_length = 40, example = "2026-01-31")]
    as_of: Option<String>,
    /// Tells each text as a string in this language (ISO 639-1); what is not said in it, in the first language of the service that has it.
    #[schema(value_type = Option<String>, pattern = "^[a-z]{2}$", example = "ro")]
    lang: Option<Language>,
}

/// A record that could prove an indicator, or what is missing. A person looks at it and decides.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Candidate {
    /// The area of the indicator.
    pub(crate) area: String,
    /// The indicator.
    pub(crate) indicator: String,
    /// Its name.
    pub(crate) indicator_name: Text,
    /// Which records the rule looks for.
    #[schema(inline)]
    pub(crate) record: CandidateRecord,
    /// Whether the record meets the rule. If not, `why` says what it lacks, or which record there would have to be.
    pub(crate) can_prove: bool,
    /// The noun of the record; null where nothing was found.
    pub(crate) noun: Option<String>,
    /// Its id.
    pub(crate) id: Option<Uuid>,
    /// Its code, number or symbol.
    pub(crate) code: Option<String>,
    /// Its title or name.
    pub(crate) name: Option<Text>,
    /// Why it is one, and what it lacks.
    pub(crate) why: String,
}

/// The candidates of an assessment as the reader may see them, in the order of the framework; a rule that finds nothing has a row that says so.
pub(crate) async fn candidates(
    connection: &mut PgConnection,
    assessment: Uuid,
    on: Option<NaiveDate>,
) -> Result<Vec<Candidate>, Error> {
    let indicators = ruled(connection, assessment).await?;
    let Some(first) = indicators.first() else { return Ok(Vec::new()) };
    let asked = Asked { country: &first.country, strategy: first.strategy_id, on };
    let rules: Vec<&CandidateRule> = indicators.iter().flat_map(|indicator| &indicator.rules).collect();
    let mut found = search(connection, &rules, &asked).await?.into_iter().peekable();
    let mut rows = Vec::new();
    let mut place = 0;
    for indicator in &indicators {
        for rule in &indicator.rules {
            let row = |found: Option<Found>| Candidate {
                area: indicator.area.clone(),
                indicator: indicator.indicator.clone(),
                indicator_name: indicator.name.clone(),
                record: rule.record,
                can_prove: found.as_ref().is_some_and(|found| found.can_prove),
                noun: found.as_ref().map(|found| found.noun.clone()),
                id: found.as_ref().map(|found| found.id),
                code: found.as_ref().and_then(|found| found.code.clone()),
                name: found.as_ref().and_then(|found| found.name.clone()),
                why: found.map_or_else(|| rule.wanted(), |found| found.why),
            };
            let before = rows.len();
            while let Some(record) = found.next_if(|found| found.place == place) {
                rows.push(row(Some(record)));
            }
            if rows.len() == before {
                rows.push(row(None));
            }
            place += 1;
        }
    }
    Ok(rows)
}

/// The nouns among which is searched.
const READS: &[&str] = &[
    "assessments",
    "assignments",
    "budget_allocations",
    "commitments",
    "contributions",
    "engagements",
    "entities",
    "evidence",
    "forums",
    "frameworks",
    "indicators",
    "initiatives",
    "legal_acts",
    "objectives",
    "positions",
    "staff_allocations",
    "steps",
    "strategies",
    "timelines",
    "training_programmes",
    "training_sessions",
    "treaties",
    "treaty_actions",
];

/// The route.
pub fn routes() -> Router<App> {
    let path = "/v1/assessments/{id}/candidates";
    Router::new().route(path, get(list)).merge(suffixed(path, &get(list)))
}

async fn list(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    format: Format,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_candidates")?;
    let app = app.seen_by(&actor);
    let (filter, NoParameters {}, moment) =
        query::read_both::<CandidateFilter, NoParameters>(&app, query.as_deref(), &[]).await?;
    let language = language::told(filter.lang)?;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, moment, app.clearance).await?;
    let assessment = match repository::find::<Assessment>(&mut reading, &key).await? {
        Lookup::Found(stored) => stored.id,
        lookup => return Err(gone::<Assessment, _>(&key, lookup)),
    };
    let known = ruled(&mut reading, assessment).await?;
    let names = || known.iter().map(|each| each.indicator.as_str());
    let strange = filter.indicator.iter().filter(|code| names().all(|name| name != code.0));
    let faults: Vec<Fault> = strange
        .map(|code| Fault {
            pointer: "indicator".into(),
            code: "unknown_indicator".into(),
            detail: unknown("indicator", &code.0, names()),
        })
        .collect();
    if !faults.is_empty() {
        return Err(Error::BadQuery(faults));
    }
    let mut rows = candidates(&mut reading, assessment, filter.on).await?;
    let withheld = repository::withheld_of(&mut reading, app.clearance, READS).await?;
    reading.end().await?;
    rows.retain(|row| {
        (filter.indicator.is_empty() || filter.indicator.iter().any(|code| code.0 == row.indicator))
            && filter.can_prove.is_none_or(|wanted| row.can_prove == wanted)
    });
    whole(&headers, &rows, &Form::of::<Candidate>(format).told_in(language), moment, withheld.as_ref())
}

/// Adds the operation to the document.
pub fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<Candidate>());
    }
    let mut asked =
        vec![json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1},
        "description": "The id, or `external:` and the caller's own id.", "example": "external:ncsi-2026"})];
    asked.extend(parameters::<CandidateFilter>());
    asked.push(if_none_match());
    let words = "All rows, in the order of the framework; there are no pages.";
    let responses = of_whole(words, "Candidate", &["not_found", "deleted", "not_acceptable"]);
    document["paths"]["/v1/assessments/{id}/candidates"] = json!({"get": {
        "operationId": "list_candidates", "tags": ["assessments"],
        "summary": "Lists the records that could prove each indicator today, and what is missing.",
        "parameters": asked, "responses": responses}});
}
