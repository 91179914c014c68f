//! The printed action plan.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize, Serializer};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    advance::{Include, advance, advance_of_one},
    lines::moved,
    scope::{LIMIT, PRINTED, Scope, answer},
};
use crate::{base::values::Text, error::Error};

/// What the report of the plan can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Also gives the steps, each after its initiative.
    steps: Option<bool>,
    /// Also takes reports into account that are submitted and not yet accepted: `submitted`.
    #[schema(inline)]
    include: Vec<Include>,
}

/// One line of the action plan.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = PlanRow)]
pub(crate) struct Row {
    /// The initiative or step.
    id: Uuid,
    /// The strategy.
    strategy_id: Uuid,
    /// The code of the strategy.
    strategy: Option<String>,
    /// The code of the objective, if it is under one.
    objective_code: Option<String>,
    /// The printed code.
    code: Option<String>,
    /// The title.
    #[sqlx(json)]
    title: Text,
    /// `initiative` or `step`.
    level: String,
    /// Who leads; for an initiative without a lead of its own, the leads of its steps. Codes, or names where there is no code.
    #[sqlx(json)]
    #[serde(serialize_with = "names")]
    #[schema(value_type = Vec<String>)]
    lead: Vec<Text>,
    /// Who leads together with the lead.
    #[sqlx(json)]
    #[serde(serialize_with = "names")]
    #[schema(value_type = Vec<String>)]
    co_lead: Vec<Text>,
    /// Who supports.
    #[sqlx(json)]
    #[serde(serialize_with = "names")]
    #[schema(value_type = Vec<String>)]
    support: Vec<Text>,
    /// The deadline in the words of the plan.
    deadline_text: Option<String>,
    /// The kind of deadline.
    deadline_kind: Option<String>,
    /// The last day of the deadline, where it is a day.
    deadline_on: Option<NaiveDate>,
    /// How far it is.
    status: String,
    /// How sure it is to be done in time; of initiatives only.
    confidence: Option<String>,
    /// How far it is, in percent to one decimal: what is known to be done of all the work (`docs/reference/progress.md`); null where nothing is known.
    percent: Option<f64>,
    /// How far it can be at most: as if all that is not known were done.
    at_most: Option<f64>,
    /// Of how many parts it is known how far they are.
    known: i64,
    /// How many parts there are: steps, and initiatives without steps or known as a whole; cancelled ones are none.
    of: i64,
    /// Sums by currency and phase, appropriations as revised. Those of an initiative include its steps; empty when no money is named.
    #[sqlx(json)]
    money: Vec<PlanMoney>,
}

/// A sum of the plan.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct PlanMoney {
    /// A decimal string.
    amount: String,
    /// ISO 4217 alphabetic code.
    currency: String,
    /// `estimate` or `appropriation`.
    phase: String,
}

/// The words of each in the most preferred language.
pub(super) fn names<S: Serializer>(names: &[Text], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(Text::preferred))
}

/// `shown`: the initiatives, and the steps where they are asked for.
pub(super) const SHOWN: &str = ",
shown as (
    select * from item where level = 'initiative' or $7::boolean
)";

/// `parties` and `step_leads`: who leads what is shown, alone and together, and supports it.
pub(super) const PARTIES: &str = ",
party as (
    select i.id as item_id, a.role, coalesce(to_jsonb(e.code), e.name) as name
    from shown i join assigned a on a.item_id = i.id join entities e on e.id = a.entity_id
),
-- One row an item: joined once a role, the table would be looked through for each item and role.
parties as (
    select item_id,
        jsonb_agg(distinct name order by name) filter (where role = 'lead') as lead,
        jsonb_agg(distinct name order by name) filter (where role = 'co_lead') as co_lead,
        jsonb_agg(distinct name order by name) filter (where role = 'support') as support
    from party
    group by item_id
),
step_leads as (
    select i.id, jsonb_agg(distinct coalesce(to_jsonb(e.code), e.name) order by coalesce(to_jsonb(e.code), e.name)) as names
    from shown i join steps s on s.initiative_id = i.id join assigned a on a.item_id = s.id join entities e on e.id = a.entity_id
    where i.level = 'initiative' and a.role = 'lead'
    group by i.id
)";

const SQL: &str = ",
sums as (
    select item_id, currency, phase, sum(amount) as amount
    from (
        select w.item_id, b.currency, b.phase, b.amount + case b.phase when 'appropriation' then coalesce(m.moved, 0) else 0 end as amount
        from (
            select id as item_id, id as of from shown
            union all
            select i.id, s.id from shown i join steps s on s.initiative_id = i.id where i.level = 'initiative'
        ) w join budget_allocations b on b.item_id = w.of";

const SUMS: &str = concat!(
    "
    ) lines
    group by item_id, currency, phase
),
totals as (
    select item_id, jsonb_agg(
        jsonb_build_object('amount', written(amount, currency), 'currency', currency, 'phase', phase) order by currency, phase desc
    ) as sums
    from sums
    group by item_id
)
select i.id, i.strategy_id, st.code as strategy, o.code as objective_code, i.code, i.title, i.level,
    coalesce(p.lead, step_leads.names, '[]') as lead, coalesce(p.co_lead, '[]') as co_lead, coalesce(p.support, '[]') as support,
    i.deadline_text, i.deadline_kind, i.deadline_to as deadline_on,
    i.status, i.confidence, coalesce(totals.sums, '[]') as money, ",
    advance_of_one!(),
    "
from shown i
join strategies st on st.id = i.strategy_id
left join objectives o on o.id = i.objective_id
left join parties p on p.item_id = i.id
left join step_leads on step_leads.id = i.id
left join totals on totals.item_id = i.id
left join advance a on a.id = i.id
"
);

impl Report for Parameters {
    const NAME: &'static str = "plan";
    const SUMMARY: &'static str = "The printed action plan: one row an initiative, with its steps on request.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "budget_allocations",
        "budget_movements",
        "entities",
        "initiatives",
        "objectives",
        "steps",
        "strategies",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let moved = moved(connection).await?;
        let parts = [&[SHOWN], &advance(&self.include)[..], &[PARTIES, SQL, moved, SUMS, PRINTED, LIMIT]].concat();
        answer(connection, scope.query(&parts).bind(self.steps.unwrap_or_default())).await
    }
}
