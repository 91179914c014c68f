//! The printed action plan.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize, Serializer};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Report, Scope, fetch};
use crate::{api::Error, values::Text};

/// What the report of the plan can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Also gives the steps, each after its initiative.
    steps: Option<bool>,
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
    /// Sums by currency and phase. Those of an initiative include its steps; empty when no money is named.
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

fn names<S: Serializer>(names: &[Text], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(Text::preferred))
}

const SQL: &str = r#",
shown as (
    select * from item where level = 'initiative' or $7::boolean
),
party as (
    select a.item_id, a.role, coalesce(to_jsonb(e.code), e.name) as name
    from assigned a join entities e on e.id = a.entity_id
),
parties as (
    select item_id, role, jsonb_agg(distinct name order by name) as names
    from party
    group by item_id, role
),
step_leads as (
    select s.initiative_id, jsonb_agg(distinct p.name order by p.name) as names
    from party p join steps s on s.id = p.item_id
    where p.role = 'lead'
    group by s.initiative_id
),
sums as (
    select m.item_id, m.currency, m.phase, sum(m.amount) as amount
    from (
        select coalesce(step_id, initiative_id) as item_id, currency, phase, amount from budget_allocations
        union all
        select s.initiative_id, b.currency, b.phase, b.amount
        from budget_allocations b join steps s on s.id = b.step_id
    ) m
    group by m.item_id, m.currency, m.phase
),
money as (
    select item_id, jsonb_agg(
        jsonb_build_object('amount', amount::text, 'currency', currency, 'phase', phase) order by currency, phase desc
    ) as sums
    from sums
    group by item_id
)
select i.id, i.strategy_id, st.code as strategy, o.code as objective_code, i.code, i.title, i.level,
    coalesce(lead.names, step_leads.names, '[]') as lead,
    coalesce(co_lead.names, '[]') as co_lead,
    coalesce(support.names, '[]') as support,
    i.deadline_text, i.deadline_kind, i.deadline_to as deadline_on,
    i.status, i.confidence, coalesce(money.sums, '[]') as money
from shown i
join strategies st on st.id = i.strategy_id
left join objectives o on o.id = i.objective_id
left join parties lead on lead.item_id = i.id and lead.role = 'lead'
left join parties co_lead on co_lead.item_id = i.id and co_lead.role = 'co_lead'
left join parties support on support.item_id = i.id and support.role = 'support'
left join step_leads on step_leads.initiative_id = i.id
left join money on money.item_id = i.id
order by natural_order(st.code) collate "C" nulls last, st.id, natural_order(o.code) collate "C" nulls last, o.id,
    natural_order(i.initiative_code) collate "C", i.initiative_id, (i.level = 'step'), natural_order(i.code) collate "C", i.id
"#;

impl Report for Parameters {
    const NAME: &'static str = "plan";
    const SUMMARY: &'static str = "The printed action plan: one row an initiative, with its steps on request.";
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        fetch(connection, scope.query(&[SQL]).bind(self.steps.unwrap_or_default())).await
    }
}
