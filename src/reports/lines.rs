//! The lines of money in a scope: allocations with what has moved on them, each in its own currency or all in the one that is asked for.
//!
//! A report of money begins with `Lines::of` and adds its SQL over `line` to `Lines::query`.

use serde_json::Value;
use sqlx::{FromRow, PgConnection, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{
    currency::Rates,
    scope::{Rows, Scope, fetch, ids},
    sums::{By, CELLS, FOLDED, KEPT, STRATEGIES},
};
use crate::error::Error;

/// The tables that the lines of money and their names are read from.
pub(super) const READS: &[&str] = &[
    "assignments",
    "budget_allocations",
    "budget_movements",
    "entities",
    "exchange_rates",
    "funding_sources",
    "initiatives",
    "objectives",
    "steps",
    "strategies",
];

/// Allocations with what has moved on them. `$7` holds the entities whose money it is, `$10` the fiscal years.
const LINES: &str = "
, own_line as not materialized (
    select b.id as allocation_id, i.ended, i.initiative_id, i.objective_id, b.entity_id, b.funding_source_id, b.fiscal_year, b.programme_code,
        b.cofog_code, b.phase, b.currency, (b.phase = 'estimate')::integer as estimates, (b.phase = 'appropriation')::integer as appropriations,
        case b.phase when 'estimate' then b.amount else 0 end as estimate,
        case b.phase when 'appropriation' then b.amount else 0 end + coalesce(m.moved, 0) as appropriated,
        coalesce(m.allotted, 0) as allotted, coalesce(m.committed, 0) as committed, coalesce(m.verified, 0) as verified,
        coalesce(m.ordered, 0) as ordered, coalesce(m.paid, 0) as paid
    from item i join budget_allocations b on b.item_id = i.id";

/// What moved, out of the movements: as true in the past, and for readers who may not see all.
const MOVED: &str = "
    left join lateral (
        select sum(amount) filter (where stage = 'appropriated') as moved, sum(amount) filter (where stage = 'allotted') as allotted,
            sum(amount) filter (where stage = 'committed') as committed, sum(amount) filter (where stage = 'verified') as verified,
            sum(amount) filter (where stage = 'ordered') as ordered, sum(amount) filter (where stage = 'paid') as paid
        from (
            select movement_stage(coalesce(r.kind, m.kind)) as stage,
                m.amount * movement_sign(coalesce(r.kind, m.kind), coalesce(r.direction, m.direction), m.to_allocation_id is not null)
                    * case m.kind when 'reversal' then -1 else 1 end as amount
            from budget_movements m left join budget_movements r on r.id = m.reverses_id where m.allocation_id = b.id
        ) effect
    ) m on b.phase = 'appropriation'";

/// What moved, as it is kept.
const MOVED_KEPT: &str = "
    left join budget_totals m on m.allocation_id = b.id";

/// The end of `LINES`.
const OF_ENTITIES: &str = "
    where ($7 = '{}' or b.entity_id = any($7)) and ($10 = '{}' or b.fiscal_year = any($10))
)";

/// Each line in its own currency.
const APART: &str = ",
line as not materialized (select *, currency as own_currency, null::numeric as factor, null::numeric as divisor from own_line)";

/// The rates that are bound to `$8`.
const RATES: &str = ",
rate as materialized (
    select * from jsonb_to_recordset($8) r(own_currency text, currency text, factor numeric, divisor numeric)
)";

/// All lines in one currency. Twenty decimals are kept on the way: only sums are rounded, to the places in `$9`.
const CONVERTED: &str = ",
line as not materialized (
    select l.allocation_id, l.ended, l.initiative_id, l.objective_id, l.entity_id, l.funding_source_id, l.fiscal_year, l.programme_code, l.cofog_code,
        l.phase, r.currency, l.estimates, l.appropriations, round(l.estimate * r.factor, 20) / r.divisor as estimate,
        round(l.appropriated * r.factor, 20) / r.divisor as appropriated, round(l.allotted * r.factor, 20) / r.divisor as allotted,
        round(l.committed * r.factor, 20) / r.divisor as committed, round(l.verified * r.factor, 20) / r.divisor as verified,
        round(l.ordered * r.factor, 20) / r.divisor as ordered, round(l.paid * r.factor, 20) / r.divisor as paid,
        l.currency as own_currency, r.factor, r.divisor
    from own_line l join rate r on r.own_currency = l.currency
)";

/// Each sum in its own currency.
const SUMS_APART: &str = ",
summed as (select *, currency as own_currency from apart)";

/// All sums in one currency.
const SUMS_CONVERTED: &str = ",
summed as (
    select s.id, s.word, r.currency, s.estimates, s.appropriations, round(s.estimate * r.factor, 20) / r.divisor as estimate,
        round(s.appropriated * r.factor, 20) / r.divisor as appropriated, round(s.allotted * r.factor, 20) / r.divisor as allotted,
        round(s.committed * r.factor, 20) / r.divisor as committed, round(s.verified * r.factor, 20) / r.divisor as verified,
        round(s.ordered * r.factor, 20) / r.divisor as ordered, round(s.paid * r.factor, 20) / r.divisor as paid, s.currency as own_currency
    from apart s join rate r on r.own_currency = s.currency
)";

/// `own_funded`: of each initiative with its steps the money in each currency, appropriated as revised, and estimated.
const FUNDED: &str = ",
own_funded as materialized (
    select i.id, b.currency, sum(b.amount + coalesce(m.moved, 0)) filter (where b.phase = 'appropriation') as granted,
        sum(b.amount) filter (where b.phase = 'estimate') as estimated
    from (
        select id, id as item_id from item where level = 'initiative'
        union all
        select i.id, s.id from item i join steps s on s.initiative_id = i.id where i.level = 'initiative'
    ) i join budget_allocations b on b.item_id = i.item_id";

/// The end of `FUNDED`.
const OF_EACH: &str = "
    where b.phase in ('estimate', 'appropriation') group by i.id, b.currency
)";

/// `funded`: what is appropriated; where nothing is, what is estimated. Each currency apart.
const FUNDED_APART: &str = ",
funded as materialized (
    select id, currency, coalesce(granted, estimated) as amount, array[currency] as own_currencies from own_funded
)";

/// The same in one currency. What is appropriated in one stands for what is estimated in another.
const FUNDED_CONVERTED: &str = ",
funded as materialized (
    select f.id, r.currency, array_agg(f.currency) as own_currencies,
        round(coalesce(sum(round(f.granted * r.factor, 20) / r.divisor), sum(round(f.estimated * r.factor, 20) / r.divisor)), $9) as amount
    from own_funded f join rate r on r.own_currency = f.currency group by f.id, r.currency
)";

const CURRENCIES_OF_WORK: &str = "
select distinct currency from own_funded order by currency";

const CURRENCIES: &str = "
select distinct currency from own_line order by currency";

const CURRENCIES_KEPT: &str = "
select distinct currency from apart order by currency";

/// The lines of money in a scope.
pub(super) struct Lines {
    entities: Vec<Uuid>,
    fiscal_years: Vec<i32>,
    /// Whether the sums that are kept are those of the reading.
    are_kept: bool,
    /// Whether all lines of whole strategies are meant, so that the sums by one dimension can be read where they are kept.
    pub(super) are_whole: bool,
    rates: Option<Rates>,
}

impl Lines {
    /// The lines of the scope in these fiscal years (none: in all), with the rates where a currency is asked for. Here the entity of the scope is the
    /// one whose money it is.
    pub(super) async fn of(
        scope: &mut Scope,
        fiscal_years: Vec<i32>,
        connection: &mut PgConnection,
    ) -> Result<Self, Error> {
        let is_wide = scope.is_of_strategies() && fiscal_years.is_empty();
        let entities = ids(&std::mem::take(&mut scope.entity_id));
        let lines = Self { entities, fiscal_years, ..Self::begun(is_wide, connection).await? };
        if lines.are_whole {
            let by = By::FiscalYear;
            let parts = [&kept(by, scope)[..], &[CURRENCIES_KEPT]].concat();
            let currencies = lines.bound(scope, &parts).bind(by.dimension());
            lines.at_rates(scope, currencies, connection).await
        } else {
            let currencies = lines.bound(scope, &[&lines.own()[..], &[CURRENCIES]].concat());
            lines.at_rates(scope, currencies, connection).await
        }
    }

    /// The money of the work in the scope, for `funded`. Here the entity of the scope is one that takes part in it.
    pub(super) async fn of_work(scope: &Scope, connection: &mut PgConnection) -> Result<Self, Error> {
        let lines = Self::begun(false, connection).await?;
        let currencies = lines.bound(scope, &[&lines.own_funded()[..], &[CURRENCIES_OF_WORK]].concat());
        lines.at_rates(scope, currencies, connection).await
    }

    async fn begun(is_wide: bool, connection: &mut PgConnection) -> Result<Self, Error> {
        let are_kept = keeps_sums(connection).await?;
        Ok(Self {
            entities: Vec::new(),
            fiscal_years: Vec::new(),
            are_kept,
            are_whole: are_kept && is_wide,
            rates: None,
        })
    }

    /// With the rates for the currencies that the query finds, where one is asked for.
    async fn at_rates(
        self,
        scope: &Scope,
        currencies: Rows<(String,)>,
        connection: &mut PgConnection,
    ) -> Result<Self, Error> {
        if scope.wanted.check()?.is_none() {
            return Ok(self);
        }
        let found: Vec<String> = fetch(connection, currencies).await?.into_iter().map(|(currency,)| currency).collect();
        Ok(Self { rates: scope.wanted.find(connection, &found).await?, ..self })
    }

    /// A query over `line`. What it needs besides is bound from `$11` on.
    pub(super) fn query<T: for<'r> FromRow<'r, PgRow>>(&self, scope: &Scope, rest: &[&'static str]) -> Rows<T> {
        let line: &[&str] = if self.is_converted() { &[RATES, CONVERTED] } else { &[APART] };
        self.bound(scope, &[&self.own()[..], line, rest].concat())
    }

    /// A query over `summed`, the sums that `first` makes as `apart`.
    pub(super) fn summed<T: for<'r> FromRow<'r, PgRow>>(
        &self,
        scope: &Scope,
        first: &[&'static str],
        rest: &[&'static str],
    ) -> Rows<T> {
        let sums: &[&str] = if self.is_converted() { &[RATES, SUMS_CONVERTED] } else { &[SUMS_APART] };
        self.bound(scope, &[first, sums, rest].concat())
    }

    /// A query over `funded`. What it needs besides is bound from `$11` on.
    pub(super) fn funded<T: for<'r> FromRow<'r, PgRow>>(&self, scope: &Scope, rest: &[&'static str]) -> Rows<T> {
        let funded: &[&str] = if self.is_converted() { &[RATES, FUNDED_CONVERTED] } else { &[FUNDED_APART] };
        self.bound(scope, &[&self.own_funded()[..], funded, rest].concat())
    }

    /// What makes `own_line`.
    pub(super) fn own(&self) -> [&'static str; 3] {
        [LINES, moved_on(self.are_kept), OF_ENTITIES]
    }

    fn own_funded(&self) -> [&'static str; 3] {
        [FUNDED, moved_on(self.are_kept), OF_EACH]
    }

    fn bound<T: for<'r> FromRow<'r, PgRow>>(&self, scope: &Scope, parts: &[&'static str]) -> Rows<T> {
        let rates: Option<Json<Value>> = self.rates.as_ref().map(|rates| Json(rates.rows()));
        let places = self.rates.as_ref().map_or(2, Rates::places);
        let places = i32::try_from(places).unwrap_or(2);
        let query = scope.query(parts).bind(self.entities.clone()).bind(rates).bind(places);
        query.bind(self.fiscal_years.clone())
    }

    /// Whether all is in one currency.
    pub(super) fn is_converted(&self) -> bool {
        self.rates.is_some()
    }
}

/// Whether the sums that are kept are those of this reading.
async fn keeps_sums(connection: &mut PgConnection) -> Result<bool, Error> {
    Ok(sqlx::query_scalar("select keeps_sums()").fetch_one(connection).await?)
}

fn moved_on(are_kept: bool) -> &'static str {
    if are_kept { MOVED_KEPT } else { MOVED }
}

/// What has moved on allocations `b`, as `m`; for a report that sums allocations in its own way.
pub(super) async fn moved(connection: &mut PgConnection) -> Result<&'static str, Error> {
    Ok(moved_on(keeps_sums(connection).await?))
}

/// The sums by one dimension where they are kept, as `apart`; `$11` is the dimension.
pub(super) fn kept(by: By, scope: &Scope) -> [&'static str; 5] {
    [CELLS, by.key(), FOLDED, if scope.strategy_id.is_empty() { "" } else { STRATEGIES }, KEPT]
}
