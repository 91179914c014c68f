//! Plan and actual by month: the S-curve.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    currency::Rate,
    lines::{Lines, READS},
    scope::{LIMIT, Scope, answer},
};
use crate::error::Error;

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
    /// The plan: of the appropriations of a fiscal year a twelfth for each month of it, so rounded that the months add up exactly; a decimal string.
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
-- A twelfth more in each month. The last is the whole, so that the shares add up to it whatever a division leaves.
granted as (
    select fiscal_year, currency, own_currency, sum(appropriated) as amount from line where appropriations > 0 group by fiscal_year, currency, own_currency
),
monthly as (
    select (fiscal_year_begin(g.fiscal_year) + make_interval(months => n))::date as month, g.currency, g.own_currency,
        g.amount * (n + 1) / 12 - g.amount * n / 12 as planned, 0::numeric as allotted, 0::numeric as committed, 0::numeric as paid
    from granted g cross join generate_series(0, 11) n
    union all
    select month, currency, own_currency, 0, coalesce(sum(amount) filter (where stage = 'allotted'), 0),
        coalesce(sum(amount) filter (where stage = 'committed'), 0), coalesce(sum(amount) filter (where stage = 'paid'), 0)
    from effect where stage in ('allotted', 'committed', 'paid') group by month, currency, own_currency
),
-- Rounded are the sums until the end of a month; what is told of a month is the difference, so that the months add up.
so_far as (
    select month, currency, round(sum(sum(planned)) over months, currency_digits(currency)) as planned, round(sum(sum(allotted)) over months, currency_digits(currency)) as allotted,
        round(sum(sum(committed)) over months, currency_digits(currency)) as committed, round(sum(sum(paid)) over months, currency_digits(currency)) as paid
    from monthly group by currency, month
    window months as (partition by currency order by month)
)
select f.month, f.currency, written(f.planned - lag(f.planned, 1, 0::numeric) over months, f.currency) as planned,
    written(f.allotted - lag(f.allotted, 1, 0::numeric) over months, f.currency) as allotted,
    written(f.committed - lag(f.committed, 1, 0::numeric) over months, f.currency) as committed, written(f.paid - lag(f.paid, 1, 0::numeric) over months, f.currency) as paid,
    written(f.planned, f.currency) as planned_to_date, written(f.committed, f.currency) as committed_to_date, written(f.paid, f.currency) as paid_to_date,
    case when $11 then 'planned until the end of a month is so many twelfths of the appropriations as revised as months of their fiscal year are over; the others are sums of movements by dated_on; a month is the difference of two rounded sums to date'
    end as rule,
    case when $11 then coalesce((select b.ids from behind b where b.month = f.month and b.currency = f.currency), '{}') end as movement_ids,
    case when $8 is not null then rates_used($8, (
        select array_agg(distinct s.own_currency) from monthly s where s.currency = f.currency and s.month <= f.month)) end as rates
from so_far f
window months as (partition by f.currency order by f.month)
order by f.currency, f.month";

impl Report for Parameters {
    const NAME: &'static str = "spending";
    const SUMMARY: &'static str = "Plan and actual spending by month, with what came before (S-curve).";
    const ABOUT: About = About::Money;
    const READS: &'static [&'static str] = READS;
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let lines = Lines::of(&mut scope, self.fiscal_year, connection).await?;
        let query = lines.query(&scope, &[SQL, LIMIT]).bind(self.explain.unwrap_or_default());
        answer(connection, query).await
    }
}
