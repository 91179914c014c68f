//! Where money is missing, unused, or about to lapse. What is cancelled lacks none.

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
use crate::{
    base::values::{Text, words},
    error::Error,
};

/// What is wrong with the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Gap {
    /// The estimates are above the appropriations, and the initiative is not completed.
    Unfunded,
    /// The fiscal year is over, and not all was paid.
    Underspent,
    /// The fiscal year ends soon, not all is committed, and the initiative is not completed.
    Lapsing,
}

/// What the report of funding gaps can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Only these gaps; may be repeated.
    #[schema(inline)]
    kind: Vec<Gap>,
    /// Within how many days the end of a fiscal year is soon; 90 when not given.
    #[schema(minimum = 1, maximum = 366)]
    lapsing_within: Option<i32>,
    /// Whether each row names the rule and the allocations behind it.
    explain: Option<bool>,
}

/// A gap of an initiative with its steps, in a fiscal year and a currency.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = FundingGapRow)]
pub(crate) struct Row {
    /// `unfunded`, `underspent` or `lapsing`.
    kind: String,
    /// The initiative.
    initiative_id: Uuid,
    /// Its code.
    code: Option<String>,
    /// Its title.
    #[sqlx(json)]
    title: Text,
    /// The fiscal year.
    fiscal_year: i32,
    /// Its last day.
    ends_on: NaiveDate,
    /// ISO 4217 alphabetic code.
    currency: String,
    /// What is missing, unpaid or not committed: a decimal string.
    amount: String,
    /// The sum of the estimates; null when there is none.
    estimate: Option<String>,
    /// The sum of the appropriations as revised; null when there is none.
    appropriation: Option<String>,
    /// What is committed.
    committed: String,
    /// What is paid.
    paid: String,
    /// With `in`: the rates at which amounts of other currencies were converted.
    #[sqlx(json(nullable))]
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<Vec<Rate>>,
    /// With `explain`: how the amount comes about.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// With `explain`: the allocations that were summed.
    #[serde(skip_serializing_if = "Option::is_none")]
    allocation_ids: Option<Vec<Uuid>>,
}

const SQL: &str = ",
place as (
    select initiative_id, fiscal_year, fiscal_year_end(fiscal_year) as ends_on, currency, sum(estimate) as estimate, sum(appropriated) as appropriated,
        sum(estimates) > 0 as is_estimated, sum(appropriations) > 0 as is_granted, sum(committed) as committed, sum(paid) as paid,
        array_agg(allocation_id order by allocation_id) as allocation_ids, array_agg(distinct own_currency) as own_currencies
    from line where ended is distinct from 'cancelled' group by initiative_id, fiscal_year, currency
)
select g.kind, p.initiative_id, i.code, i.title, p.fiscal_year, p.ends_on, p.currency, written(g.amount, p.currency) as amount,
    case when p.is_estimated then written(p.estimate, p.currency) end as estimate,
    case when p.is_granted then written(p.appropriated, p.currency) end as appropriation, written(p.committed, p.currency) as committed,
    written(p.paid, p.currency) as paid, case when $13 then g.rule end as rule, case when $13 then p.allocation_ids end as allocation_ids,
    rates_used($8, p.own_currencies) as rates
from place p
join initiatives i on i.id = p.initiative_id
cross join lateral (values
    ('unfunded', i.status <> 'completed' and p.estimate > p.appropriated, p.estimate - p.appropriated, 'estimate less appropriation'),
    ('underspent', p.ends_on < (select today()) and p.appropriated > p.paid, p.appropriated - p.paid, 'appropriation less paid, after the fiscal year'),
    ('lapsing', i.status <> 'completed' and p.ends_on between (select today()) and (select today()) + $12 and p.appropriated > p.committed, p.appropriated - p.committed,
        'appropriation less committed, before the end of the fiscal year')
) g (kind, is_found, amount, rule)
where g.is_found
    and not exists (select from withheld_budget_allocations w where w.item_id = i.id)
    and not exists (select from steps s join withheld_budget_allocations w on w.item_id = s.id where s.initiative_id = i.id)
    and not exists (select from withheld_steps w where w.initiative_id = i.id)
    and not exists (select from withheld_budget_movements w where w.allocation_id = any (p.allocation_ids))
    and round(g.amount, currency_digits(p.currency)) > 0 and ($11 = '{}' or g.kind = any($11))
order by p.fiscal_year, i.code_order, i.id, p.currency, g.kind";

impl Report for Parameters {
    const NAME: &'static str = "funding-gaps";
    const SUMMARY: &'static str = "Initiatives that lack money, did not use it, or are about to lose it.";
    const ABOUT: About = About::Money;
    const READS: &'static [&'static str] = READS;
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let lines = Lines::of(&mut scope, Vec::new(), connection).await?;
        let query = lines.query(&scope, &[SQL, LIMIT]).bind(words(&self.kind));
        let query = query.bind(self.lapsing_within.unwrap_or(90)).bind(self.explain.unwrap_or_default());
        answer(connection, query).await
    }
}
