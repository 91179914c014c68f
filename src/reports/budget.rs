//! The budget by one dimension: planned, appropriated, allotted, committed, paid, and what is left. Amounts of different currencies are never
//! added: each has its own row, unless a currency and a day of rates are named.

use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    currency::{Rate, Rates, Wanted, too_large},
    explain::{self, Source},
    scope::{LIMIT, Scope, answer},
    sums::{By, CELLS, FOLDED, KEPT, LINES, MOVED, MOVED_KEPT, OF_ENTITIES, OF_LINES, STRATEGIES, SUMMED, TREE},
};
use crate::{
    api::{Error, answer::internal},
    values::Text,
};

/// What the report of the budget can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// What to sum by; `objective` when not given.
    #[schema(inline)]
    by: Option<By>,
    /// Into which currency to convert, ISO 4217; `rates_on` too. Without it each currency has a row of its own.
    #[serde(rename = "in")]
    #[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
    into: Option<String>,
    /// The day of the exchange rates. A rate that is missing is an error.
    rates_on: Option<NaiveDate>,
    /// Whose exchange rates, such as `ECB`; needed where several have one for the day.
    #[schema(min_length = 1, max_length = 50)]
    rates_source: Option<String>,
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
    #[sqlx(skip)]
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
    case when sum(estimates) > 0 then round(sum(estimate), 2)::text end as estimate,
    case when sum(appropriations) > 0 then round(sum(appropriated), 2)::text end as appropriation,
    case when sum(appropriations) > 0 then round(sum(allotted), 2)::text end as allotted,
    case when sum(appropriations) > 0 then round(sum(committed), 2)::text end as committed,
    case when sum(appropriations) > 0 then round(sum(verified), 2)::text end as verified,
    case when sum(appropriations) > 0 then round(sum(ordered), 2)::text end as ordered,
    case when sum(appropriations) > 0 then round(sum(paid), 2)::text end as paid,
    case when sum(appropriations) > 0 then round(sum(appropriated) - sum(committed), 2)::text end as left,
    case when sum(appropriations) > 0 then round(sum(paid) * 100 / nullif(sum(appropriated), 0), 1)::text end as executed_percent,
    case when sum(estimates) filter (where own) > 0 then round(sum(estimate) filter (where own), 2)::text end as own_estimate,
    case when sum(appropriations) filter (where own) > 0 then round(sum(appropriated) filter (where own), 2)::text end as own_appropriation,
    (sum(estimates) + sum(appropriations))::bigint as lines
from total t left join (select ";

const NAMED: &str = ") n(id, code, name, code_order) on n.id = t.root
group by t.root, t.word, n.code, n.name, n.code_order, t.currency
order by coalesce(n.code, t.word) is null, coalesce(n.code_order, natural_order(t.word) collate \"C\"),
    words_of(n.name) nulls last, t.root nulls last, t.currency";

impl Report for Parameters {
    const NAME: &'static str = "budget";
    const SUMMARY: &'static str =
        "What is planned, appropriated, allotted, committed, paid and left, by one dimension.";
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let wanted = Wanted { currency: self.into, on: self.rates_on, source: self.rates_source };
        wanted.check()?;
        let by = self.by.unwrap_or_default();
        let keeps_sums: bool = sqlx::query_scalar("select keeps_sums()").fetch_one(&mut *connection).await?;
        let is_wide = scope.is_of_strategies();
        // Here the entity is the one whose money it is, not one that takes part in the work.
        let entities: Vec<Uuid> = std::mem::take(&mut scope.entity_id).iter().map(|id| id.uuid()).collect();
        let end = [TREE, by.branches(), ANSWER, by.names(), NAMED, LIMIT];
        let mut rows: Vec<Row> = if let Some(dimension) = by.dimension().filter(|_| keeps_sums && is_wide) {
            let strategies = if scope.strategy_id.is_empty() { "" } else { STRATEGIES };
            let parts = [&[CELLS, by.key(), FOLDED, strategies, KEPT][..], &end].concat();
            answer(connection, scope.query(&parts).bind(entities.clone()).bind(dimension)).await?
        } else {
            let moved = if keeps_sums { MOVED_KEPT } else { MOVED };
            let parts = [&[LINES, moved, OF_ENTITIES, OF_LINES, by.key(), SUMMED][..], &end].concat();
            answer(connection, scope.query(&parts).bind(entities.clone())).await?
        };
        if let Some(rates) = wanted.find(connection, rows.iter().map(|row| row.currency.as_str())).await? {
            rows = converted(rows, &rates)?;
        }
        if self.explain == Some(true) {
            let mut sources = explain::sources(connection, &scope, entities, by).await?;
            for row in &mut rows {
                row.rule = Some(explain::RULE);
                let behind = sources.entry((row.id, row.word.clone())).or_default();
                let is_whole = row.rates.is_some();
                row.sources =
                    Some(behind.iter().filter(|source| is_whole || source.currency == row.currency).cloned().collect());
            }
        }
        Ok(rows)
    }
}

/// One row a key, in the currency of the rates.
fn converted(rows: Vec<Row>, rates: &Rates) -> Result<Vec<Row>, Error> {
    let mut whole: Vec<(Row, [Option<Decimal>; 9])> = Vec::new();
    for row in rows {
        let currency = row.currency.clone();
        let mut figures = [None; 9];
        let mut rate = None;
        for (place, figure) in figures.iter_mut().zip(row.figures()) {
            if let Some(text) = figure {
                let (worth, at) = rates.convert(text.parse().map_err(internal)?, &currency)?;
                *place = Some(worth);
                rate = at;
            }
        }
        if let Some((last, sums)) = whole.last_mut().filter(|(last, _)| (last.id, &last.word) == (row.id, &row.word)) {
            for (sum, figure) in sums.iter_mut().zip(figures) {
                *sum = match (*sum, figure) {
                    (Some(a), Some(b)) => Some(a.checked_add(b).ok_or_else(|| too_large(&currency))?),
                    (one, other) => one.or(other),
                };
            }
            last.lines += row.lines;
            last.rates.get_or_insert_default().extend(rate.cloned());
        } else {
            let rates_used = Some(rate.cloned().into_iter().collect());
            whole.push((Row { currency: rates.currency.clone(), rates: rates_used, ..row }, figures));
        }
    }
    Ok(whole.into_iter().map(|(row, sums)| row.with(sums, rates)).collect())
}

impl Row {
    /// The amounts, in one order with `with`.
    fn figures(&self) -> [Option<&String>; 9] {
        [
            &self.estimate,
            &self.appropriation,
            &self.allotted,
            &self.committed,
            &self.verified,
            &self.ordered,
            &self.paid,
            &self.own_estimate,
            &self.own_appropriation,
        ]
        .map(Option::as_ref)
    }

    fn with(self, sums: [Option<Decimal>; 9], rates: &Rates) -> Self {
        let [_, granted, _, committed, _, _, paid, ..] = sums;
        let left = granted.zip(committed).map(|(granted, committed)| rates.rounded(granted - committed));
        let executed =
            granted.zip(paid).and_then(|(granted, paid)| paid.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(granted));
        let written = sums.map(|sum| sum.map(|sum| rates.rounded(sum)));
        let [estimate, appropriation, allotted, committed, verified, ordered, paid, own_estimate, own_appropriation] =
            written;
        let executed_percent = executed
            .map(|percent| format!("{:.1}", percent.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero)));
        Self {
            estimate,
            appropriation,
            allotted,
            committed,
            verified,
            ordered,
            paid,
            left,
            executed_percent,
            own_estimate,
            own_appropriation,
            ..self
        }
    }
}
