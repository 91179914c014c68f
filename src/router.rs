//! Every route of the service, a line a noun.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    access,
    api::{self, document, published::Published, shape::Shape},
    app::App,
    error::Error,
    feeds,
    nouns::{
        entities::Entity,
        indicators::{Indicator, IndicatorTarget, Measurement},
        international::{
            Commitment, ContactPoint, Contribution, ContributionPartner, Delegation, Engagement, Forum, Position,
            Treaty, TreatyAction,
        },
        money::{BudgetAllocation, BudgetMovement, ExchangeRate, FundingSource},
        people::{StaffAllocation, StaffCapacity, TrainingProgramme, TrainingSession},
        plan::{Assignment, Dependency, Initiative, LegalAct, Milestone, Objective, Step, Strategy, Timeline},
        progress::{ProgressReport, ReportingCycle, Risk},
        readiness::{Answer, Assessment, Citation, Evidence, Framework},
    },
    proposals, record, reporting as progress, reports,
    repository::{self, Author, Reference, Resource},
    transfer::{
        self,
        how::Mode,
        section::{Before, Given, Verdict, import_section},
    },
};

/// Fetches resources by id.
pub type Fetch = for<'a> fn(&'a mut PgConnection, &'a [Uuid]) -> BoxFuture<'a, Result<Vec<Value>, Error>>;

/// A noun without its type: what the parts that deal with all nouns need of it.
pub struct Noun {
    /// The singular name.
    pub kind: &'static str,
    /// The table.
    pub table: &'static str,
    /// Whether it is only added to.
    pub is_append_only: bool,
    /// The nouns that it points to.
    pub references: &'static [Reference],
    /// The references through which it is a part of something bigger.
    pub parents: &'static [&'static str],
    /// The fields that change without a reason in a strategy in force.
    pub light: &'static [&'static str],
    /// Its routes.
    pub routes: fn() -> Router<App>,
    /// Its operations and schemas in the document.
    pub describe: fn(&mut Value),
    /// Its schema.
    pub shape: fn() -> &'static Shape,
    /// Some rows of a plan file into the database; the verdicts are in their order.
    pub import: Import,
    /// So many rows of a plan file at once. What is judged by all that stands together comes in together.
    pub at_once: usize,
    /// Resources by id, as JSON.
    pub fetch: Fetch,
}

/// Imports some rows of a noun.
pub type Import = for<'a> fn(
    &'a mut PgConnection,
    &'a Author,
    Mode,
    Vec<Given>,
    &'a mut Before,
) -> BoxFuture<'a, Result<Vec<Verdict>, Error>>;

impl Noun {
    const fn of<R: Resource>() -> Self {
        Self {
            kind: R::KIND,
            table: R::TABLE,
            is_append_only: R::APPEND_ONLY,
            references: R::REFERENCES,
            parents: R::PARENTS,
            light: R::LIGHT,
            routes: api::routes::<R>,
            describe: api::operations::describe::<R>,
            shape: Shape::of::<R>,
            import: |connection, author, mode, rows, before| {
                Box::pin(import_section::<R>(connection, author, mode, rows, before))
            },
            at_once: 500,
            fetch: |connection, ids| {
                Box::pin(async move {
                    let rows = repository::find_many::<R>(connection, ids).await?;
                    let values = rows.into_iter().map(serde_json::to_value).collect::<Result<_, _>>();
                    values.map_err(|error| Error::Internal(std::sync::Arc::new(error.into())))
                })
            },
        }
    }
}

/// All nouns; each stands after those that it refers to, which is the order of an import.
pub fn nouns() -> &'static [Noun] {
    static NOUNS: &[Noun] = &[
        Noun::of::<LegalAct>(),
        Noun::of::<Entity>(),
        Noun::of::<FundingSource>(),
        Noun::of::<Strategy>(),
        Noun::of::<Objective>(),
        Noun::of::<Initiative>(),
        Noun::of::<Step>(),
        Noun::of::<Assignment>(),
        Noun::of::<Timeline>(),
        Noun::of::<Milestone>(),
        Noun::of::<Dependency>(),
        Noun::of::<BudgetAllocation>(),
        Noun { at_once: usize::MAX, ..Noun::of::<BudgetMovement>() },
        Noun::of::<ExchangeRate>(),
        Noun::of::<StaffAllocation>(),
        Noun::of::<StaffCapacity>(),
        Noun::of::<ReportingCycle>(),
        Noun { routes: progress::report_routes, ..Noun::of::<ProgressReport>() },
        Noun::of::<Risk>(),
        Noun::of::<Indicator>(),
        Noun::of::<IndicatorTarget>(),
        Noun::of::<Measurement>(),
        Noun::of::<Evidence>(),
        Noun::of::<Treaty>(),
        Noun { at_once: usize::MAX, ..Noun::of::<TreatyAction>() },
        Noun::of::<Position>(),
        Noun::of::<Forum>(),
        Noun::of::<Engagement>(),
        Noun::of::<Delegation>(),
        Noun::of::<Commitment>(),
        Noun::of::<ContactPoint>(),
        Noun::of::<Contribution>(),
        Noun::of::<ContributionPartner>(),
        Noun::of::<TrainingProgramme>(),
        Noun::of::<TrainingSession>(),
        Noun::of::<Framework>(),
        Noun::of::<Assessment>(),
        Noun::of::<Answer>(),
        Noun::of::<Citation>(),
    ];
    NOUNS
}

/// All routes.
pub fn routes() -> Router<App> {
    let nouns = nouns().iter().fold(Router::new(), |router, noun| router.merge((noun.routes)()));
    nouns
        .route("/openapi.json", get(find_document))
        .route("/problems/{code}", get(api::problems::problem_page))
        .route("/livez", get(async || Json(json!({"status": "ok"}))))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/", get(async || Html(include_str!("api/welcome.html"))))
        .merge(transfer::handlers::routes())
        .merge(transfer::batch_handlers::routes())
        .merge(transfer::rates::routes())
        .merge(transfer::iati::handlers::routes())
        .merge(document::page())
        .merge(reports::routes())
        .merge(progress::routes())
        .merge(crate::documents::routes())
        .merge(crate::candidates::routes())
        .merge(record::routes())
        .merge(access::routes())
        .merge(proposals::routes())
        .merge(feeds::routes())
}

/// The OpenAPI document.
pub fn document() -> Value {
    let mut document = document::document(nouns());
    reports::describe(&mut document);
    progress::describe(&mut document);
    crate::documents::describe(&mut document);
    crate::candidates::describe(&mut document);
    record::describe(&mut document);
    access::describe(&mut document);
    transfer::handlers::describe(&mut document);
    transfer::batch_handlers::describe(&mut document);
    transfer::rates::describe(&mut document);
    transfer::iati::handlers::describe(&mut document);
    api::idempotency::describe(&mut document);
    proposals::describe(&mut document);
    feeds::describe(&mut document);
    record::webhooks::describe_tests(&mut document);
    api::typed::tell_apart(&mut document);
    document::share_responses(&mut document);
    document
}

async fn find_document(headers: HeaderMap) -> Result<Response, Error> {
    static DOCUMENT: OnceCell<Published> = OnceCell::const_new();
    let made = Published::once(&DOCUMENT, "application/json", || document().to_string().into_bytes()).await?;
    Ok(made.answer(&headers))
}

async fn ready(State(app): State<App>) -> Result<Json<Value>, Error> {
    let mut connection = app.connection().await?;
    repository::ping(&mut connection).await?;
    Ok(Json(json!({"status": "ok"})))
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let text = app.metrics.map(|handle| handle.render()).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
