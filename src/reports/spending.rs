//! Plan and actual by month: the S-curve.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    currency::Rate,
    lines::Lines,
    scope::{LIMIT, Scope, answer},
};
use crate::api::Error;

/// What the report of spending can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Only money of these fiscal years; may be repeated.
    fiscal_year: Vec<i32>,
    /// Whether each row names the rule and the movements behind it.
    explain: Option<bool>,
}

/// A month in a currency.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = SpendingRow)]
pub(crate) struct Row {
    /// The first day of the month.
    month: NaiveDate,
    /// ISO 4217 alphabetic code.
    currency: String,
    /// The plan: of each appropriation an even share for each month of its fiscal year, a decimal string.
    planned: String,
    /// What was allotted in the month; below zero when more was reversed.
    allotted: String,
    /// What was committed in the month, less what was decommitted or reversed.
    committed: String,
    /// What was paid in the month, less what was reimbursed or reversed.
    paid: String,
    /// The plan until the end of the month.
    planned_to_date: String,
    /// What is committed until then.
    committed_to_date: String,
    /// What is paid until then.
    paid_to_date: String,
    /// With `in`: the rates at which amounts of other currencies were converted.
    #[sqlx(json(nullable))]
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<Vec<Rate>>,
    /// With `explain`: the rule of the plan and of the figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// With `explain`: the movements of the month.
    #[serde(skip_serializing_if = "Option::is_none")]
    movement_ids: Option<Vec<Uuid>>,
}

const SQL: &str = ",
effect as (
    select m.id, date_trunc('month', m.dated_on)::date as month, l.currency, l.own_currency, movement_stage(coalesce(r.kind, m.kind)) as stage,
        coalesce(round(m.amount * l.factor, 20) / l.divisor, m.amount)
            * movement_sign(coalesce(r.kind, m.kind), coalesce(r.direction, m.direction), m.to_allocation_id is not null)
            * case m.kind when 'reversal' then -1 else 1 end as amount
    from line l join budget_movements m on m.allocation_id = l.allocation_id left join budget_movements r on r.id = m.reverses_id
),
-- What is not asked for is not made.
behind as materialized (
    select month, currency, array_agg(id order by id) as ids from effect where stage in ('allotted', 'committed', 'paid') group by month, currency
),
monthly as (
    select (fiscal_year_begin(l.fiscal_year) + make_interval(months => n))::date as month, l.currency, l.own_currency,
        sum(l.appropriated) / 12 as planned, 0::numeric as allotted, 0::numeric as committed, 0::numeric as paid
    from line l cross join generate_series(0, 11) n where l.appropriations > 0 group by 1, 2, 3
    union all
    select month, currency, own_currency, 0, coalesce(sum(amount) filter (where stage = 'allotted'), 0),
        coalesce(sum(amount) filter (where stage = 'committed'), 0), coalesce(sum(amount) filter (where stage = 'paid'), 0)
    from effect where stage in ('allotted', 'committed', 'paid') group by month, currency, own_currency
)
select month, currency, written(sum(planned), currency) as planned, written(sum(allotted), currency) as allotted, written(sum(committed), currency) as committed,
    written(sum(paid), currency) as paid, written(sum(sum(planned)) over so_far, currency) as planned_to_date,
    written(sum(sum(committed)) over so_far, currency) as committed_to_date, written(sum(sum(paid)) over so_far, currency) as paid_to_date,
    case when $11 then 'planned is a twelfth of the appropriations as revised, in each month of their fiscal year; the others are sums of movements by dated_on'
    end as rule,
    case when $11 then coalesce((select b.ids from behind b where b.month = monthly.month and b.currency = monthly.currency), '{}') end as movement_ids,
    case when $8 is not null then rates_used($8, (
        select array_agg(distinct s.own_currency) from monthly s where s.currency = monthly.currency and s.month <= monthly.month)) end as rates
from monthly group by currency, month
window so_far as (partition by currency order by month)
order by currency, month";

impl Report for Parameters {
    const NAME: &'static str = "spending";
    const SUMMARY: &'static str = "Plan and actual spending by month, with what came before (S-curve).";
    const ABOUT: About = About::Money;
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let lines = Lines::of(&mut scope, self.fiscal_year, connection).await?;
        let query = lines.query(&scope, &[SQL, LIMIT]).bind(self.explain.unwrap_or_default());
        answer(connection, query).await
    }
}
