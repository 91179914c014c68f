//! Which part of the plan a report is about, and the common table expressions that every report begins with.

use chrono::NaiveDate;
use serde::Deserialize;
use sqlx::{
    AssertSqlSafe, FromRow, PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::currency::Wanted;
use crate::{
    base::values::{Id, Language, words},
    error::Error,
    nouns::{
        entities::entities::EntityId,
        plan::{objectives::ObjectiveId, status::Status, strategies::StrategyId},
    },
    repository::{Fault, Reference, Tree, under},
};

/// A report has so many rows at most: all of them stand in memory before the first is answered.
const MOST: usize = 100_000;

/// Which part of the plan a report is about. Each initiative and each step is judged by itself.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Scope {
    /// Of this strategy or of one anywhere under it; may be repeated.
    pub(super) strategy_id: Vec<StrategyId>,
    /// Of this objective or of one anywhere under it; may be repeated.
    pub(super) objective_id: Vec<ObjectiveId>,
    /// With this entity, or one anywhere under it, in any role: an initiative by itself or one of its steps, a step by itself or its initiative; may be repeated.
    pub(super) entity_id: Vec<EntityId>,
    /// Whether what is under a strategy (the action plans that carry it out) or an entity (its agencies) is meant too: `true` when not given.
    pub(super) under: Option<bool>,
    /// With this status; may be repeated.
    #[schema(inline)]
    pub(super) status: Vec<Status>,
    /// Due before this day.
    pub(super) deadline_before: Option<NaiveDate>,
    /// Due after this day.
    pub(super) deadline_after: Option<NaiveDate>,
    /// As the record had it at this instant (RFC 3339), or at the end of this day in the time zone of the service; read by `read_both`.
    #[schema(max_length = 40, example = "2026-01-31")]
    pub(super) as_of: Option<String>,
    /// Tells each text as a string in this language (ISO 639-1); what is not said in it, in the first language of the service that has it.
    #[schema(value_type = Option<String>, pattern = "^[a-z]{2}$", example = "ro")]
    pub(super) lang: Option<Language>,
    /// In which currency its money is told; read by itself, where the report is of money.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) wanted: Wanted,
}

/// What a report that is not about the plan can be asked besides its own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Unscoped {
    /// As the record had it at this instant (RFC 3339), or at the end of this day in the time zone of the service; read by `read_both`.
    #[schema(max_length = 40, example = "2026-01-31")]
    pub(super) as_of: Option<String>,
    /// Tells each text as a string in this language (ISO 639-1); what is not said in it, in the first language of the service that has it.
    #[schema(value_type = Option<String>, pattern = "^[a-z]{2}$", example = "ro")]
    pub(super) lang: Option<Language>,
}

/// What `strategy_id` names in a report that is not about the plan.
pub(super) const STRATEGIES: &[Reference] = &[Reference { field: "strategy_id", table: "strategies" }];

pub(super) const REFERENCES: [Reference; 3] = [
    Reference { field: "strategy_id", table: "strategies" },
    Reference { field: "objective_id", table: "objectives" },
    Reference { field: "entity_id", table: "entities" },
];

/// `every_item` holds all initiatives and steps (`ended` says whether the work on one is completed or cancelled, also by its initiative), `assigned` who has which role now. They are names for joins and never tables of their own
/// (`not materialized`), so that a report of one strategy reads the rows of that strategy only.
const ITEMS: &str = "
with recursive branch(id) as (
    select id from objectives where id = any($2)
    union
    select o.id from objectives o join branch b on o.parent_id = b.id
),
every_item as not materialized (
    select i.id, i.id as initiative_id, null::uuid as step_id, 'initiative' as level, i.strategy_id, i.objective_id,
        i.code, i.code_order, i.code_order as initiative_order, i.title, i.status, i.confidence,
        case when i.status in ('completed', 'cancelled') then i.status end as ended, i.starts_on, i.deadline_text, i.deadline_kind, i.deadline_from, i.deadline_to
    from initiatives i
    union all
    select s.id, s.initiative_id, s.id, 'step', i.strategy_id, i.objective_id,
        s.code, s.code_order, i.code_order, s.title, s.status, null,
        case when i.status in ('completed', 'cancelled') then i.status when s.status in ('completed', 'cancelled') then s.status end, s.starts_on, s.deadline_text, s.deadline_kind, s.deadline_from, s.deadline_to
    from steps s join initiatives i on i.id = s.initiative_id
),
-- An assignment that has ended is history, and one that has not begun is none yet.
assigned as not materialized (
    select item_id, entity_id, role from assignments where coalesce(valid_from <= (select today()), true) and coalesce(valid_to >= (select today()), true)
),
involved(id) as (
    select item_id from assigned where entity_id = any($3)
    union
    select s.initiative_id from assigned a join steps s on s.id = a.item_id where a.entity_id = any($3)
    union
    select s.id from assigned a join steps s on s.initiative_id = a.item_id where a.entity_id = any($3)
),
item as (
    select * from every_item where true";

/// The order of the printed plan, for a query that joins `item i`, `strategies st` and `objectives o`.
pub(super) const PRINTED: &str = "
order by st.code is null, st.code_order, st.id, o.code_order nulls last, o.id, i.initiative_order, i.initiative_id,
    i.level = 'step', i.code_order, i.id";

/// The end of the query whose rows are the answer: one more than a report may have.
pub(super) const LIMIT: &str = "
limit 100001";

/// A query for rows.
pub(super) type Rows<T> = QueryAs<'static, Postgres, T, PgArguments>;

impl Scope {
    /// The same with all that is under its strategies and entities, unless it asks for these alone.
    pub(super) async fn widened(self, connection: &mut PgConnection) -> Result<Self, Error> {
        if self.under == Some(false) {
            return Ok(self);
        }
        let strategies = under(connection, Tree::Strategies, ids(&self.strategy_id)).await?;
        let entities = under(connection, Tree::Entities, ids(&self.entity_id)).await?;
        Ok(Self { strategy_id: of_ids(strategies), entity_id: of_ids(entities), ..self })
    }

    /// Whether it narrows by strategies at most.
    pub(super) fn is_of_strategies(&self) -> bool {
        self.objective_id.is_empty()
            && self.entity_id.is_empty()
            && self.status.is_empty()
            && self.deadline_before.is_none()
            && self.deadline_after.is_none()
    }

    /// The condition under which a row `c` with a `strategy_id` or an `initiative_id` is about that part of the plan; all rows when nothing narrows.
    pub(super) fn of_work(&self) -> &'static str {
        match (self.is_of_strategies(), self.strategy_id.is_empty()) {
            (true, true) => "true",
            (true, false) => "(c.strategy_id = any($1) or c.initiative_id in (select initiative_id from item))",
            (false, _) => "c.initiative_id in (select initiative_id from item)",
        }
    }

    /// A query over `item`, `every_item` and `assigned`. The parts are constants of the reports, so no value ever is part of the
    /// text. `$1` to `$6` are the scope's; the condition of a parameter that is not given is left out, because one that is always true would
    /// hide the index from the planner.
    pub(super) fn query<T: for<'r> FromRow<'r, PgRow>>(&self, parts: &[&'static str]) -> Rows<T> {
        let conditions = [
            (self.strategy_id.is_empty(), " and strategy_id = any($1)"),
            (self.objective_id.is_empty(), " and objective_id in (select id from branch)"),
            (self.entity_id.is_empty(), " and id in (select id from involved)"),
            (self.status.is_empty(), " and status = any($4)"),
            (self.deadline_before.is_none(), " and deadline_to < $5"),
            (self.deadline_after.is_none(), " and deadline_to > $6"),
        ];
        let given: String = conditions.iter().filter(|(left_out, _)| !left_out).map(|(_, sql)| *sql).collect();
        sqlx::query_as(AssertSqlSafe([ITEMS, &given, "\n)", &parts.concat()].concat()))
            .bind(ids(&self.strategy_id))
            .bind(ids(&self.objective_id))
            .bind(ids(&self.entity_id))
            .bind(words(&self.status))
            .bind(self.deadline_before)
            .bind(self.deadline_after)
    }
}

/// The strategies that a report names by itself, with all that is under them, unless it asks for these alone.
pub(super) async fn strategies(
    connection: &mut PgConnection,
    named: &[StrategyId],
    with_under: Option<bool>,
) -> Result<Vec<Uuid>, Error> {
    match with_under {
        Some(false) => Ok(ids(named)),
        _ => Ok(under(connection, Tree::Strategies, ids(named)).await?),
    }
}

fn of_ids<T>(ids: Vec<Uuid>) -> Vec<Id<T>> {
    ids.into_iter().map(Id::from).collect()
}

/// The ids without their nouns.
pub(super) fn ids<T>(ids: &[Id<T>]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

/// The rows of the answer, from a query that ends with `LIMIT`.
pub(super) async fn answer<T>(connection: &mut PgConnection, query: Rows<T>) -> Result<Vec<T>, Error>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let rows = fetch(connection, query).await?;
    if rows.len() > MOST {
        let detail = format!(
            "the report has more than {MOST} rows; narrow it with strategy_id, objective_id, entity_id, status or a deadline"
        );
        return Err(Error::BadQuery(vec![Fault {
            pointer: "strategy_id".into(),
            code: "too_many_rows".into(),
            detail,
        }]));
    }
    Ok(rows)
}

/// All rows of a query that a report needs on its way.
pub(super) async fn fetch<T>(connection: &mut PgConnection, query: Rows<T>) -> Result<Vec<T>, Error>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    Ok(query.fetch_all(connection).await?)
}
