//! Read models: flat rows that answer one question each, at `GET /v1/reports/{name}`. They write nothing and keep nothing.
//!
//! To add one: a file with its parameters, its row and its SQL, and a line in `REPORTS`.

mod advance;
mod attention;
mod budget;
mod commitments;
mod contradictions;
mod contributions;
mod currency;
mod disputed_claims;
mod engaged;
mod engagements;
mod expiring_evidence;
mod explain;
mod flows;
mod follow_ups;
mod funding_gaps;
mod gaps;
mod grammar;
mod indicators;
mod integrity;
mod judged;
mod lines;
mod matrix;
mod network;
mod plan;
mod plan_contents;
mod positions;
mod progress;
mod quality;
mod readiness;
mod readiness_history;
mod responsibilities;
mod scope;
mod silent_forums;
mod spending;
mod staffing;
mod submissions;
mod summary;
mod sums;
mod timeline;
mod training;
mod treaties;
mod understaffed;

use axum::{
    Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use currency::Wanted;
use scope::{REFERENCES, Scope, Unscoped};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{
    access::Actor,
    api::{
        answer::{Form, internal, whole},
        columns::Columns,
        document::parameters,
        format::{Format, suffixed},
        language,
        operations::{if_none_match, of_whole},
        query,
        shape::schemas,
    },
    app::App,
    error::Error,
    repository::{self, Reading, Reference},
};

static REPORTS: &[Entry] = &[
    Entry::of::<plan::Parameters>(),
    Entry::of::<timeline::Parameters>(),
    Entry::of::<responsibilities::Parameters>(),
    Entry::of::<budget::Parameters>(),
    Entry::of::<funding_gaps::Parameters>(),
    Entry::of::<spending::Parameters>(),
    Entry::of::<flows::Parameters>(),
    Entry::of::<gaps::Parameters>(),
    Entry::of::<integrity::Parameters>(),
    Entry::of::<indicators::Parameters>(),
    Entry::of::<quality::Parameters>(),
    Entry::of::<plan_contents::Parameters>(),
    Entry::of::<staffing::Parameters>(),
    Entry::of::<understaffed::Parameters>(),
    Entry::of::<summary::Parameters>(),
    Entry::of::<progress::Parameters>(),
    Entry::of::<matrix::Parameters>(),
    Entry::of::<attention::Parameters>(),
    Entry::of::<submissions::Parameters>(),
    Entry::of::<expiring_evidence::Parameters>(),
    Entry::of::<disputed_claims::Parameters>(),
    Entry::of::<treaties::Parameters>(),
    Entry::of::<positions::Parameters>(),
    Entry::of::<engagements::Parameters>(),
    Entry::of::<silent_forums::Parameters>(),
    Entry::of::<follow_ups::Parameters>(),
    Entry::of::<commitments::Parameters>(),
    Entry::of::<contributions::Parameters>(),
    Entry::of::<training::Parameters>(),
    Entry::of::<readiness::Parameters>(),
    Entry::of::<readiness_history::Parameters>(),
];

/// What a report is about, and so what it can be asked besides its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// The plan, or a part of it.
    Plan,
    /// The same, and its money, which can be told in one currency.
    Money,
    /// Something else.
    Other,
}

/// A report, as the parameters that it has besides the scope.
trait Report: DeserializeOwned + ToSchema + Send + 'static {
    /// The end of its path.
    const NAME: &'static str;
    /// What it answers, in a sentence.
    const SUMMARY: &'static str;
    /// What it is about.
    const ABOUT: About = About::Plan;
    /// What its own parameters point to, besides those of the scope.
    const REFERENCES: &'static [Reference] = &[];
    /// The tables of the nouns that it reads. Of these its answer says how much is withheld.
    const READS: &'static [&'static str];
    /// A row of the answer.
    type Row: Serialize + ToSchema + Send + 'static;

    /// All rows, in their order.
    fn rows(
        self,
        scope: Scope,
        connection: &mut PgConnection,
    ) -> impl Future<Output = Result<Vec<Self::Row>, Error>> + Send;
}

/// A report without its type.
struct Entry {
    routes: fn() -> Router<App>,
    describe: fn(&mut Value),
}

impl Entry {
    const fn of<R: Report>() -> Self {
        Self {
            routes: || {
                let path = format!("/v1/reports/{}", R::NAME);
                Router::new().route(&path, get(report::<R>)).merge(suffixed(&path, &get(report::<R>)))
            },
            describe: describe_one::<R>,
        }
    }
}

/// The operation id: `report_funding_gaps`.
fn operation<R: Report>() -> String {
    format!("report_{}", R::NAME.replace('-', "_"))
}

/// The routes of all reports.
pub fn routes() -> Router<App> {
    REPORTS.iter().fold(Router::new(), |router, report| router.merge((report.routes)()))
}

/// All that a plan lacks of what is asked of one, as JSON rows.
pub async fn quality(connection: &mut PgConnection) -> Result<Vec<Value>, Error> {
    let rows = quality::Parameters::default().rows(Scope::default(), connection).await?;
    rows.iter().map(serde_json::to_value).collect::<Result<_, _>>().map_err(internal)
}

/// The columns of such a row.
pub fn quality_columns() -> Columns {
    Columns::of::<<quality::Parameters as Report>::Row>()
}

/// Adds the operations and rows of all reports to the OpenAPI document.
pub fn describe(document: &mut Value) {
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(
            json!({"name": "reports", "description": "Flat tables made from the nouns; each answers one question."}),
        );
    }
    for report in REPORTS {
        (report.describe)(document);
    }
}

async fn report<R: Report>(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may(&operation::<R>())?;
    let app = app.seen_by(&actor);
    let query = query.as_deref();
    let references = [&REFERENCES, R::REFERENCES].concat();
    let (mut scope, own, moment) = match R::ABOUT {
        About::Plan => query::read_both::<Scope, R>(&app, query, &references).await?,
        About::Money => {
            let (scope, own, wanted, moment) = query::read_three(&app, query, &references).await?;
            (Scope { wanted, ..scope }, own, moment)
        }
        About::Other => {
            let (Unscoped { lang, .. }, own, moment) = query::read_both(&app, query, R::REFERENCES).await?;
            (Scope { lang, ..Scope::default() }, own, moment)
        }
    };
    let form = Form::of::<R::Row>(format).told_in(language::told(scope.lang.take())?);
    let mut connection = app.connection().await?;
    // Some need several statements, which have to agree.
    let mut reading = Reading::snapshot(&mut connection, moment, app.clearance).await?;
    let rows = match scope.widened(&mut reading).await {
        Ok(scope) => own.rows(scope, &mut reading).await,
        Err(error) => Err(error),
    };
    let withheld = match &rows {
        Ok(_) => repository::withheld_of(&mut reading, app.clearance, R::READS).await,
        Err(_) => Ok(None),
    };
    // Also after a refusal: a connection that is left in a transaction cannot be used again.
    reading.end().await?;
    whole(&headers, &rows?, &form, moment, withheld?.as_ref())
}

fn describe_one<R: Report>(document: &mut Value) {
    if let Some(components) = document["components"]["schemas"].as_object_mut() {
        components.extend(schemas::<R::Row>());
    }
    let mut all = if R::ABOUT == About::Other { parameters::<Unscoped>() } else { parameters::<Scope>() };
    all.extend(parameters::<R>());
    if R::ABOUT == About::Money {
        all.extend(parameters::<Wanted>());
    }
    all.push(if_none_match());
    let responses = of_whole("All rows; a report has no pages.", &R::Row::name(), &["not_acceptable"]);
    document["paths"][format!("/v1/reports/{}", R::NAME)] = json!({"get": {
        "operationId": operation::<R>(), "tags": ["reports"], "summary": R::SUMMARY,
        "parameters": all, "responses": responses}});
}
