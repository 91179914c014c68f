//! Read models: flat rows that answer one question each, at `GET /v1/reports/{name}`. They write nothing and keep nothing.
//!
//! To add one: a file with its parameters, its row and its SQL, and a line in `REPORTS`.

mod budget;
mod gaps;
mod network;
mod plan;
mod responsibilities;
mod timeline;

use axum::{
    Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sqlx::{
    AssertSqlSafe, FromRow, PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    access::{Actor, Role},
    api::{
        Error,
        answer::{internal, render, tagged},
        document::{parameters, problems},
        format::Format,
        query,
        shape::schemas,
    },
    app::App,
    entities::entities::EntityId,
    plan::{objectives::ObjectiveId, status::Status, strategies::StrategyId},
    repository::Reference,
    values::Id,
};

static REPORTS: [Entry; 5] = [
    Entry::of::<plan::Parameters>(),
    Entry::of::<timeline::Parameters>(),
    Entry::of::<responsibilities::Parameters>(),
    Entry::of::<budget::Parameters>(),
    Entry::of::<gaps::Parameters>(),
];

/// A report, as the parameters that it has besides the scope.
trait Report: DeserializeOwned + ToSchema + Send + 'static {
    /// The end of its path.
    const NAME: &'static str;
    /// What it answers, in a sentence.
    const SUMMARY: &'static str;
    /// A row of the answer.
    type Row: Serialize + ToSchema + Send;

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
            routes: || Router::new().route(&format!("/v1/reports/{}", R::NAME), get(report::<R>)),
            describe: describe_one::<R>,
        }
    }
}

/// The routes of all reports.
pub fn routes() -> Router<App> {
    REPORTS.iter().fold(Router::new(), |router, report| router.merge((report.routes)()))
}

/// Adds the operations and rows of all reports to the OpenAPI document.
pub fn describe(document: &mut Value) {
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(
            json!({"name": "reports", "description": "Flat tables made from the nouns; each answers one question."}),
        );
    }
    for report in &REPORTS {
        (report.describe)(document);
    }
}

async fn report<R: Report>(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.needs(Role::Viewer)?;
    let format = Format::of(&headers)?;
    let (scope, own) = query::read_both::<Scope, R>(&app, query.as_deref(), &REFERENCES).await?;
    let mut connection = app.connection().await?;
    let rows = own.rows(scope, &mut connection).await?;
    let items = rows.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>().map_err(internal)?;
    let body = render(items, format, |items| json!({"items": items}))?;
    Ok(tagged(&headers, body, format))
}

fn describe_one<R: Report>(document: &mut Value) {
    if let Some(components) = document["components"]["schemas"].as_object_mut() {
        components.extend(schemas::<R::Row>());
    }
    let mut all = parameters::<Scope>();
    all.extend(parameters::<R>());
    all.push(json!({"name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "example": "\"3\"",
        "description": "The ETag that you have; the answer is 304 when it is still good."}));
    let mut responses: Map<String, Value> = problems(&["not_acceptable"]);
    let rows = json!({"type": "object", "required": ["items"], "properties": {
        "items": {"type": "array", "items": {"$ref": format!("#/components/schemas/{}", R::Row::name())}}}});
    let text = json!({"schema": {"type": "string"}});
    responses.insert(
        "200".into(),
        json!({"description": "All rows; a report has no pages.", "content": {
            "application/json": {"schema": rows},
            "application/x-ndjson": text, "text/csv": text, "text/plain": text}}),
    );
    responses.insert("304".into(), json!({"description": "You have it already."}));
    document["paths"][format!("/v1/reports/{}", R::NAME)] = json!({"get": {
        "operationId": format!("report_{}", R::NAME), "tags": ["reports"], "summary": R::SUMMARY,
        "parameters": all, "responses": responses}});
}

/// Which part of the plan a report is about. Each initiative and each step is judged by itself.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Scope {
    /// Of this strategy; may be repeated.
    strategy_id: Vec<StrategyId>,
    /// Of this objective or of one anywhere under it; may be repeated.
    objective_id: Vec<ObjectiveId>,
    /// With this entity in any role: an initiative by itself or one of its steps, a step by itself or its initiative; may be repeated.
    entity_id: Vec<EntityId>,
    /// With this status; may be repeated.
    #[schema(inline)]
    status: Vec<Status>,
    /// Due before this day.
    deadline_before: Option<NaiveDate>,
    /// Due after this day.
    deadline_after: Option<NaiveDate>,
}

const REFERENCES: [Reference; 3] = [
    Reference { field: "strategy_id", table: "strategies" },
    Reference { field: "objective_id", table: "objectives" },
    Reference { field: "entity_id", table: "entities" },
];

/// Common table expressions that every report begins with: `item` holds the initiatives and steps of the scope in `$1` to `$6`,
/// `every_item` those of any scope, and `assigned` who has which role now.
const ITEMS: &str = r"
with recursive branch(id) as (
    select id from objectives where id = any($2::uuid[])
    union
    select o.id from objectives o join branch b on o.parent_id = b.id
),
every_item as (
    select i.id, i.id as initiative_id, null::uuid as step_id, 'initiative' as level, i.strategy_id, i.objective_id,
        i.code, i.code as initiative_code, i.title, i.status, i.confidence,
        i.starts_on, i.deadline_text, i.deadline_kind, i.deadline_from, i.deadline_to
    from initiatives i
    union all
    select s.id, s.initiative_id, s.id, 'step', i.strategy_id, i.objective_id,
        s.code, i.code, s.title, s.status, null,
        s.starts_on, s.deadline_text, s.deadline_kind, s.deadline_from, s.deadline_to
    from steps s join initiatives i on i.id = s.initiative_id
),
-- An assignment that has ended is history.
assigned as (
    select coalesce(step_id, initiative_id) as item_id, entity_id, role
    from assignments
    where valid_to is null or valid_to >= (select today())
),
involved(id) as (
    select item_id from assigned where entity_id = any($3::uuid[])
    union
    select s.initiative_id from assigned a join steps s on s.id = a.item_id where a.entity_id = any($3::uuid[])
    union
    select s.id from assigned a join steps s on s.initiative_id = a.item_id where a.entity_id = any($3::uuid[])
),
item as (
    select * from every_item
    where ($1::uuid[] = '{}' or strategy_id = any($1))
        and ($2::uuid[] = '{}' or objective_id in (select id from branch))
        and ($3::uuid[] = '{}' or id in (select id from involved))
        and ($4::text[] = '{}' or status = any($4))
        and ($5::date is null or deadline_to < $5)
        and ($6::date is null or deadline_to > $6)
)";

type Rows<T> = QueryAs<'static, Postgres, T, PgArguments>;

impl Scope {
    /// A query over `item`. The parts are constants of this module, so no value ever is part of the text.
    fn query<T: for<'r> FromRow<'r, PgRow>>(&self, parts: &[&'static str]) -> Rows<T> {
        fn ids<T>(ids: &[Id<T>]) -> Vec<Uuid> {
            ids.iter().map(|id| id.uuid()).collect()
        }
        let statuses: Vec<String> = self
            .status
            .iter()
            .filter_map(|status| serde_json::to_value(status).ok()?.as_str().map(str::to_owned))
            .collect();
        sqlx::query_as(AssertSqlSafe([ITEMS, &parts.concat()].concat()))
            .bind(ids(&self.strategy_id))
            .bind(ids(&self.objective_id))
            .bind(ids(&self.entity_id))
            .bind(statuses)
            .bind(self.deadline_before)
            .bind(self.deadline_after)
    }
}

async fn fetch<T>(connection: &mut PgConnection, query: Rows<T>) -> Result<Vec<T>, Error>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    Ok(query.fetch_all(connection).await?)
}
