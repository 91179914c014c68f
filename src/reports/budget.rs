//! The budget by one dimension: planned, appropriated, allotted, committed, paid, and what is left. Amounts of different currencies are never
//! added: each has its own row, unless a currency and a day of rates are named.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    currency::Rate,
    explain::{self, Source},
    lines::{Lines, READS, kept},
    scope::{LIMIT, Scope, answer},
    sums::{By, OF_LINES, SUMMED, TREE},
};
use crate::{base::values::Text, error::Error};

/// What the report of the budget can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// What to sum by; `objective` when not given.
    #[schema(inline)]
    by: Option<By>,
    /// Only money of these fiscal years; may be repeated.
    fiscal_year: Vec<i32>,
    /// Whether each row lists the rows and the rule behind it.
    explain: Option<bool>,
}

/// Sums under one key in one currency. All of the key is null for allocations that have none, so that the sums are complete.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = BudgetRow)]
pub(crate) struct Row {
    /// The objective, entity, source or initiative.
    id: Option<Uuid>,
    /// Its code; or the year, phase, programme or function.
    code: Option<String>,
    /// Its name.
    #[sqlx(json(nullable))]
    name: Option<Text>,
    /// ISO 4217 alphabetic code.
    currency: String,
    /// What is planned: the sum of the estimates, a decimal string; null when there is none. Of an objective: with all under it.
    estimate: Option<String>,
    /// The sum of the appropriations as revised, a decimal string; null when there is none. Of an objective: with all under it.
    appropriation: Option<String>,
    /// Of the appropriations: what is allotted; null when there is none.
    allotted: Option<String>,
    /// Of the appropriations: what is committed; null when there is none.
    committed: Option<String>,
    /// Of the appropriations: what is verified; null when there is none.
    verified: Option<String>,
    /// Of the appropriations: what is ordered to be paid; null when there is none.
    ordered: Option<String>,
    /// Of the appropriations: what is paid; null when there is none.
    paid: Option<String>,
    /// Of the appropriations: what is not committed; null when there is none.
    left: Option<String>,
    /// How much of the appropriations is paid, in percent with one decimal; null when they are zero or there is none.
    executed_percent: Option<String>,
    /// Of an objective: the estimates on itself only. Null in other reports.
    own_estimate: Option<String>,
    /// Of an objective: the appropriations on itself only. Null in other reports.
    own_appropriation: Option<String>,
    /// How many allocations were summed.
    lines: i64,
    /// With `in`: the rates at which amounts of other currencies were converted.
    #[sqlx(json(nullable))]
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<Vec<Rate>>,
    /// With `explain`: the rule of the figures.
    #[sqlx(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    /// With `explain`: the rows behind the figures.
    #[sqlx(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<Vec<Source>>,
    #[serde(skip)]
    word: Option<String>,
}

const ANSWER: &str = "
)
select t.root as id, t.word, coalesce(n.code, t.word) as code, n.name, t.currency,
    case when sum(estimates) > 0 then written(sum(estimate), t.currency) end as estimate,
    case when sum(appropriations) > 0 then written(sum(appropriated), t.currency) end as appropriation,
    case when sum(appropriations) > 0 then written(sum(allotted), t.currency) end as allotted,
    case when sum(appropriations) > 0 then written(sum(committed), t.currency) end as committed,
    case when sum(appropriations) > 0 then written(sum(verified), t.currency) end as verified,
    case when sum(appropriations) > 0 then written(sum(ordered), t.currency) end as ordered,
    case when sum(appropriations) > 0 then written(sum(paid), t.currency) end as paid,
    case when sum(appropriations) > 0 then written(sum(appropriated) - sum(committed), t.currency) end as left,
    case when sum(appropriations) > 0 then round(sum(paid) * 100 / nullif(sum(appropriated), 0), 1)::text end as executed_percent,
    case when sum(estimates) filter (where own) > 0 then written(sum(estimate) filter (where own), t.currency) end as own_estimate,
    case when sum(appropriations) filter (where own) > 0 then written(sum(appropriated) filter (where own), t.currency) end as own_appropriation,
    (sum(estimates) + sum(appropriations))::bigint as lines, rates_used($8, array_agg(distinct t.own_currency)) as rates
from total t left join (select ";

const NAMED: &str = ") n(id, code, name, code_order) on n.id = t.root
group by t.root, t.word, n.code, n.name, n.code_order, t.currency
order by coalesce(n.code, t.word) is null, coalesce(n.code_order, natural_order(t.word) collate \"C\"),
    words_of(n.name) nulls last, t.root nulls last, t.currency";

impl Report for Parameters {
    const NAME: &'static str = "budget";
    const SUMMARY: &'static str =
        "What is planned, appropriated, allotted, committed, paid and left, by one dimension.";
    const ABOUT: About = About::Money;
    const READS: &'static [&'static str] = READS;
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let by = self.by.unwrap_or_default();
        let lines = Lines::of(&mut scope, self.fiscal_year, connection).await?;
        let end = [TREE, by.branches(), ANSWER, by.names(), NAMED, LIMIT];
        let query = if let Some(dimension) = by.dimension().filter(|_| lines.are_whole) {
            lines.summed(&scope, &kept(by, &scope), &end).bind(dimension)
        } else {
            lines.summed(&scope, &[&lines.own()[..], &[OF_LINES, by.key(), SUMMED]].concat(), &end)
        };
        let mut rows: Vec<Row> = answer(connection, query).await?;
        if self.explain == Some(true) {
            let mut sources = explain::sources(connection, &scope, &lines, by).await?;
            for row in &mut rows {
                row.rule = Some(explain::RULE);
                let behind = sources.entry((row.id, row.word.clone())).or_default();
                let of_row = |source: &&Source| lines.is_converted() || source.currency == row.currency;
                row.sources = Some(behind.iter().filter(of_row).cloned().collect());
            }
        }
        Ok(rows)
    }
}
