//! Where to look first: delay times money.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    advance::{Include, advance, advance_of_one},
    currency::Rate,
    judged::JUDGED,
    lines::Lines,
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error};

/// What the report of attention can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Also takes reports into account that are submitted and not yet accepted: `submitted`.
    #[schema(inline)]
    include: Vec<Include>,
}

/// An initiative that is late, in one currency; without money it has one row, and no score.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = AttentionRow)]
pub(crate) struct Row {
    /// The initiative.
    id: Uuid,
    /// The strategy.
    strategy_id: Uuid,
    /// Its code.
    code: String,
    /// Its title.
    #[sqlx(json)]
    title: Text,
    /// `on_track`, `at_risk`, `off_track` or `silent`.
    standing: String,
    /// How sure its lead is.
    confidence: Option<String>,
    /// When it is to end.
    planned_on: NaiveDate,
    /// When it is expected to end.
    forecast_on: Option<NaiveDate>,
    /// Days from the planned end to the forecast, or to today where that is later.
    delay_days: i32,
    /// How far it is, in percent to one decimal: what is known to be done of all the work (`docs/reference/progress.md`); null where nothing is known.
    percent: Option<f64>,
    /// How far it can be at most: as if all that is not known were done.
    at_most: Option<f64>,
    /// Of how many parts it is known how far they are.
    known: i64,
    /// How many parts there are: steps, and initiatives without steps or known as a whole; cancelled ones are none.
    of: i64,
    /// What is appropriated for it and its steps, as revised, or else estimated: a decimal string; null where nothing is.
    amount: Option<String>,
    /// ISO 4217 alphabetic code. Scores of different currencies are not compared.
    currency: Option<String>,
    /// The delay times the money, a decimal string; null without money.
    score: Option<String>,
    /// How the score is made.
    formula: String,
    /// With `in`: the rates at which amounts of other currencies were converted.
    #[sqlx(json(nullable))]
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<Vec<Rate>>,
}

const SQL: &str = concat!(
    ",
late as (
    select j.*, greatest(j.forecast_on, (select today())) - j.planned_on as delay_days from judged j
    where j.standing not in ('completed', 'cancelled') and j.status <> 'continuous'
)
select l.id, l.strategy_id, l.code, l.title, l.standing, l.confidence, l.planned_on, l.forecast_on, l.delay_days, ",
    advance_of_one!(),
    ",
    written(f.amount, f.currency) as amount, f.currency, written(l.delay_days * f.amount, f.currency) as score,
    case when f.amount is null then 'no money is known: no score' else format('%s days * %s %s', l.delay_days, written(f.amount, f.currency), f.currency) end as formula,
    rates_used($8, coalesce(f.own_currencies, '{}')) as rates
from late l join strategies st on st.id = l.strategy_id left join funded f on f.id = l.id left join advance a on a.id = l.id
where l.delay_days > 0
order by f.currency nulls last, l.delay_days * f.amount desc nulls last, l.delay_days desc, st.code_order, l.code_order, l.id"
);

impl Report for Parameters {
    const NAME: &'static str = "attention";
    const SUMMARY: &'static str = "Late initiatives by the days of delay times the money, with the formula.";
    const ABOUT: About = About::Money;
    const READS: &'static [&'static str] = &[
        "assignments",
        "budget_allocations",
        "budget_movements",
        "entities",
        "exchange_rates",
        "funding_sources",
        "initiatives",
        "objectives",
        "progress_reports",
        "reporting_cycles",
        "steps",
        "strategies",
        "timelines",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let lines = Lines::of_work(&scope, connection).await?;
        answer(connection, lines.funded(&scope, &[&[JUDGED], &advance(&self.include)[..], &[SQL, LIMIT]].concat()))
            .await
    }
}
