//! Who owes what by when, computed from the nouns at the moment of asking; nothing of it is kept.
//!
//! Each kind of obligation is one part of the union in `OWED`, with its word in `ObligationKind`.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    base::values::Text,
    nouns::plan::ends::ends_of,
    repository::{Error, Tree, under},
};

/// What is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(super) enum ObligationKind {
    /// A report on an initiative or a step for a period of a reporting cycle.
    ProgressReport,
    /// The achievement of a milestone that has a deadline.
    Milestone,
    /// A measurement of an indicator in the period of a target.
    Measurement,
    /// Another look at an open risk that has a day for it.
    RiskReview,
    /// The end of the work on an initiative.
    Initiative,
    /// The end of the work on a step.
    Step,
}

/// How late it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(super) enum ObligationState {
    /// Its day is still to come, or is today, or it has none.
    Due,
    /// Its day is over.
    Overdue,
    /// The same, of a report on something on which no report ever was submitted, and of an indicator that never was measured.
    NeverReported,
}

/// What somebody owes.
#[derive(Debug, Serialize, FromRow, ToSchema)]
pub(super) struct Obligation {
    /// What is owed.
    #[schema(inline)]
    pub(super) kind: ObligationKind,
    /// How late it is.
    #[schema(inline)]
    pub(super) state: ObligationState,
    /// The last day on which it is in time; null of a report for a period that has no such day. Of an initiative or step the end that counts: revised, else
    /// approved, else that of its deadline.
    pub(super) due_on: Option<NaiveDate>,
    /// Of an initiative or step: the end in its newest revised timeline; null where there is none.
    pub(super) revised_on: Option<NaiveDate>,
    /// Of an initiative or step: the end in its newest forecast; null where there is none.
    pub(super) forecast_on: Option<NaiveDate>,
    /// Days since then; null when it is not overdue.
    pub(super) days_overdue: Option<i32>,
    /// Who owes it: of a measurement who measures the indicator, of a risk who watches it, else the lead of the step, else of its initiative, else the owner of the
    /// strategy; null when there is none of them.
    pub(super) entity_id: Option<Uuid>,
    /// The code of the entity.
    pub(super) entity: Option<String>,
    /// By what the entity owes it: `measures`, `watches`, `lead` or `owner`.
    pub(super) owed_as: Option<String>,
    /// The strategy.
    pub(super) strategy_id: Uuid,
    /// The initiative or step that is to be reported on; the initiative of a milestone; what an indicator or a risk is about.
    pub(super) item_id: Uuid,
    /// `initiative` or `step`; of a measurement also `strategy` or `objective`, of a risk also `strategy`.
    pub(super) level: String,
    /// The code of the item; a strategy may have none.
    pub(super) code: Option<String>,
    /// The title of the item; of a milestone or a risk its own, of a measurement that of the indicator.
    #[sqlx(json)]
    pub(super) title: Text,
    /// The reporting cycle, of a report.
    pub(super) cycle_id: Option<Uuid>,
    /// The period: of a report its code, of a measurement its first and last day (ISO 8601-1, `2026-01-01/2026-12-31`).
    pub(super) period: Option<String>,
    /// The report that is a draft or was returned, if there is one; the milestone; the target; the risk; the initiative or step itself.
    pub(super) resource_id: Option<Uuid>,
    /// `draft` or `returned`, of a report that there is.
    pub(super) report_state: Option<String>,
    /// The last day on which a report on the initiative or step was submitted, for an initiative also one on a step of it; of a measurement
    /// the last day on which one of the indicator was recorded.
    pub(super) last_heard_on: Option<NaiveDate>,
    /// When what obliges was last changed.
    #[serde(skip)]
    pub(super) changed_at: DateTime<Utc>,
}

/// Which obligations: those that meet every condition given.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Of one of these entities.
    pub(super) entities: Vec<Uuid>,
    /// Under one of these strategies.
    pub(super) strategies: Vec<Uuid>,
    /// Of one of these kinds.
    pub(super) kinds: Vec<ObligationKind>,
    /// Whether their day is over.
    pub(super) overdue: Option<bool>,
    /// The day by which that is judged; today when not given.
    pub(super) on: Option<NaiveDate>,
    /// Due after this day.
    pub(super) due_after: Option<NaiveDate>,
    /// Due before this day. Without it, reports and measurements are owed of the periods that have begun.
    pub(super) due_before: Option<NaiveDate>,
    /// In place of `due_before`: due within so many days.
    pub(super) ahead: Option<Days>,
    /// At most so many.
    pub(super) limit: i64,
}

impl Wanted {
    /// The same with all that is under its strategies and entities.
    pub(super) async fn widened(self, connection: &mut PgConnection) -> Result<Self, Error> {
        let strategies = under(connection, Tree::Strategies, self.strategies).await?;
        let entities = under(connection, Tree::Entities, self.entities).await?;
        Ok(Self { entities, strategies, ..self })
    }
}

const OWED: &str = concat!(
    "
with plan as (
    select id, owner_id, code_order from strategies
    where not is_over(status) and ($2 = '{}' or id = any($2))
),
-- All that these plans hold; what is looked up in it, is looked up among that only.
item as materialized (
    select s.id, null::uuid as initiative_id, 'strategy' as level, s.id as strategy_id, s.code, s.code_order, s.code_order as initiative_order,
        s.title, 'in_progress' as status, null::date as starts_on, null::date as deadline_to, s.updated_at, plan.code_order as strategy_order, plan.owner_id
    from strategies s join plan on plan.id = s.id
    union all
    select o.id, null, 'objective', o.strategy_id, o.code, o.code_order, o.code_order, o.title, 'in_progress', null, null, o.updated_at, plan.code_order, plan.owner_id
    from objectives o join plan on plan.id = o.strategy_id
    union all
    select i.id, i.id, 'initiative', i.strategy_id, i.code, i.code_order, i.code_order, i.title, i.status, i.starts_on, i.deadline_to, i.updated_at, plan.code_order, plan.owner_id
    from initiatives i join plan on plan.id = i.strategy_id
    union all
    select s.id, s.initiative_id, 'step', i.strategy_id, s.code, s.code_order, i.code_order, s.title, s.status, s.starts_on, s.deadline_to, s.updated_at, plan.code_order,
        plan.owner_id
    from steps s join initiatives i on i.id = s.initiative_id join plan on plan.id = i.strategy_id
    where i.status not in ('completed', 'cancelled')
),
led as materialized (
    select distinct on (a.item_id) a.item_id, a.entity_id from item i join assignments a on a.item_id = i.id
    where a.role = 'lead' and coalesce(a.valid_from <= $4, true) and coalesce(a.valid_to >= $4, true)
    order by a.item_id, a.valid_from desc nulls last, a.id
),
owed as (
    select 'progress_report' as kind, p.due_on, i.id as item_id, i.title, c.id as cycle_id, p.code as period,
        null::uuid as resource_id, c.updated_at as changed_at,
        null::uuid as indicator_id, null::uuid as charged_id, null as charged_as, null::date as revised_on, null::date as forecast_on
    from reporting_cycles c join plan on plan.id = c.strategy_id, periods_of(c.periods) p, item i
    where c.status = 'active' and i.strategy_id = c.strategy_id and i.level in ('initiative', 'step') and (c.covers = 'both' or c.covers = i.level || 's')
        and i.status not in ('completed', 'cancelled') and coalesce(i.starts_on <= p.ends_on, true)
        and (p.starts_on <= $4 or p.due_on < $7)
        and not exists (
            select from progress_reports r where r.item_id = i.id and r.cycle_id = c.id and r.period = p.code
                and r.state not in ('draft', 'returned'))
        and not exists (select from withheld_progress_reports w where w.item_id = i.id and w.cycle_id = c.id)
    union all
    select 'milestone', m.deadline_to, m.initiative_id, m.title, null, null, m.id, m.updated_at, null, null, null, null, null
    from milestones m join initiatives i on i.id = m.initiative_id join plan on plan.id = i.strategy_id
    where m.achieved_on is null and m.deadline_to is not null and i.status <> 'cancelled'
    union all
    select 'measurement', t.period_to, i.id, n.title, null, t.period_from || '/' || t.period_to, t.id, greatest(t.updated_at, n.updated_at),
        n.id, n.entity_id, 'measures', null, null
    from indicator_targets t join indicators n on n.id = t.indicator_id
    join item i on i.id = coalesce(n.step_id, n.initiative_id, n.objective_id, n.strategy_id)
    where i.status <> 'cancelled' and (t.period_from <= $4 or t.period_to < $7)
        and not exists (
            select from measurements m
            where m.indicator_id = n.id and m.period_to between t.period_from and t.period_to and m.status <> 'withdrawn'
                and not exists (select from measurements r where r.restates_id = m.id)
                and (n.aggregation <> 'none' or m.period_from = t.period_from and m.period_to = t.period_to))
        and not exists (select from withheld_measurements w where w.indicator_id = n.id)
    union all
    select 'risk_review', r.review_on, i.id, r.title, null, null, r.id, r.updated_at, null, r.owner_id, 'watches', null, null
    from risks r join item i on i.id = coalesce(r.step_id, r.initiative_id, r.strategy_id)
    where r.status = 'open' and r.review_on is not null and i.status not in ('completed', 'cancelled')
    union all
    -- The work itself, by the end that counts.
    select i.level, e.planned_on, i.id, i.title, null, null, i.id,
        greatest(i.updated_at, (select max(t.updated_at) from timelines t where t.item_id = i.id)), null, null, null, e.revised_on, e.forecast_on
    from item i cross join ",
    ends_of!("i.id", "i.deadline_to", "i.starts_on"),
    " e
    where i.level in ('initiative', 'step') and i.status not in ('completed', 'cancelled', 'continuous') and e.planned_on is not null
),
shown as materialized (
    select o.kind, o.due_on, o.revised_on, o.forecast_on, e.id as entity_id, e.code as entity,
        case when e.id is null then null when o.charged_id is not null then o.charged_as
            when coalesce(own.entity_id, above.entity_id) is null then 'owner' else 'lead' end as owed_as,
        i.strategy_id, i.strategy_order, i.id as item_id, i.initiative_id, i.initiative_order, i.level, i.code, i.code_order,
        o.title, o.cycle_id, o.period, coalesce(o.resource_id, w.id) as resource_id, w.state as report_state, o.indicator_id,
        greatest(o.changed_at, w.updated_at) as changed_at
    from owed o
    join item i on i.id = o.item_id
    left join led own on own.item_id = i.id
    left join led above on above.item_id = i.initiative_id
    left join entities e on e.id = coalesce(o.charged_id, own.entity_id, above.entity_id, i.owner_id)
    left join progress_reports w
        on w.item_id = o.item_id and w.cycle_id = o.cycle_id and w.period = o.period and w.corrects_id is null
    where ($1 = '{}' or e.id = any($1)) and ($3 = '{}' or o.kind = any($3))
        and ($5 is null or $5 = coalesce(o.due_on < $4, false)) and ($6 is null or o.due_on > $6) and ($7 is null or o.due_on < $7)
    order by o.due_on, i.strategy_order, i.strategy_id, i.initiative_order, i.initiative_id, i.level = 'step', i.code_order, i.id, o.kind desc,
        o.period, o.resource_id
    limit $8
),
-- When a report on each of these items left the hands of its writer, last; when each of these indicators was measured.
heard as materialized (
    select s.item_id, s.indicator_id, case when s.indicator_id is not null then (
        select max(day_of(m.created_at)) from measurements m where m.indicator_id = s.indicator_id
    ) else (
        select max(day_of(c.at)) from progress_reports r join changes c on c.kind = 'progress_report' and c.entity_id = r.id
        where r.item_id = any(s.item_id || array(select id from steps where initiative_id = s.item_id))
            and c.after ->> 'state' not in ('draft', 'returned') and coalesce(c.before ->> 'state', 'draft') in ('draft', 'returned')
    ) end as last_on
    from (select distinct item_id, indicator_id from shown) s
)
select s.*, h.last_on as last_heard_on, case when s.due_on < $4 then $4 - s.due_on end as days_overdue,
    case when coalesce(s.due_on >= $4, true) then 'due' when s.kind in ('progress_report', 'measurement') and h.last_on is null then 'never_reported' else 'overdue' end as state
from shown s join heard h on h.item_id = s.item_id and h.indicator_id is not distinct from s.indicator_id
order by s.due_on, s.strategy_order, s.strategy_id, s.initiative_order, s.initiative_id, s.level = 'step', s.code_order, s.item_id, s.kind desc,
    s.period, s.resource_id"
);

/// The obligations, the most urgent first.
pub(super) async fn owed(connection: &mut PgConnection, wanted: &Wanted) -> Result<Vec<Obligation>, Error> {
    let on = match wanted.on {
        Some(on) => on,
        None => sqlx::query_scalar("select today()").fetch_one(&mut *connection).await?,
    };
    // The last of these days is within them.
    let ahead = wanted.ahead.and_then(|days| on.checked_add_days(days)?.succ_opt());
    Ok(sqlx::query_as(OWED)
        .bind(&wanted.entities)
        .bind(&wanted.strategies)
        .bind(&wanted.kinds)
        .bind(on)
        .bind(wanted.overdue)
        .bind(wanted.due_after)
        .bind(ahead.or(wanted.due_before))
        .bind(wanted.limit)
        .fetch_all(connection)
        .await?)
}
