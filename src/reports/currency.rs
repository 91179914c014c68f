//! Amounts in one currency: only when it is asked for, only at rates that are there, and with each rate named.

use std::collections::HashMap;

use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;

use crate::{api::Error, repository::Fault, values::codelists};

/// A rate at which amounts were converted.
#[expect(clippy::struct_field_names, reason = "the fields are those of the noun")]
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, FromRow, ToSchema)]
#[schema(as = RateUsed)]
pub(super) struct Rate {
    /// The currency of which one unit is valued.
    base_currency: String,
    /// The currency in which it is valued.
    quote_currency: String,
    /// What one unit was worth, a decimal string.
    rate: String,
    /// The day for which it was published.
    valid_on: NaiveDate,
    /// By whom.
    source: String,
}

/// What was asked: the currency, the day of the rates, and whose they are.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) currency: Option<String>,
    pub(super) on: Option<NaiveDate>,
    pub(super) source: Option<String>,
}

/// The rates into one currency, by the currency from which they lead.
#[derive(Debug)]
pub(super) struct Rates {
    pub(super) currency: String,
    by_currency: HashMap<String, Rate>,
}

const FIND: &str = "
select base_currency, quote_currency, rate, valid_on, source from exchange_rates
where valid_on = $1 and ((base_currency = $2 and quote_currency = any($3)) or (quote_currency = $2 and base_currency = any($3)))
    and ($4::text is null or source = $4)
order by base_currency = $2, source";

const NEAREST: &str = "
select max(valid_on) from exchange_rates
where valid_on < $1 and ((base_currency = $2 and quote_currency = $3) or (quote_currency = $2 and base_currency = $3))
    and ($4::text is null or source = $4)";

fn fault(parameter: &str, code: &str, detail: String) -> Fault {
    Fault { pointer: parameter.into(), code: code.into(), detail }
}

/// Says that sums in a currency are more than can be converted.
pub(super) fn too_large(currency: &str) -> Error {
    Error::BadQuery(vec![fault("in", "out_of_range", format!("the sums in {currency} are too large to convert"))])
}

impl Wanted {
    /// The currency and the day, when a conversion is wanted at all.
    pub(super) fn check(&self) -> Result<Option<(&str, NaiveDate)>, Error> {
        let mut faults = Vec::new();
        match (&self.currency, self.on) {
            (None, None) if self.source.is_none() => return Ok(None),
            (Some(currency), Some(on)) if codelists::is_currency(currency) => return Ok(Some((currency, on))),
            (Some(currency), _) if !codelists::is_currency(currency) => {
                faults.push(fault("in", "unknown_code", "give a currency in use, ISO 4217".into()));
            }
            (None, _) => faults.push(fault("in", "required", "say into which currency, such as `in=EUR`".into())),
            _ => {}
        }
        if self.on.is_none() && self.currency.is_some() {
            let detail = "say of which day the rates shall be, such as `rates_on=2025-06-30`";
            faults.push(fault("rates_on", "required", detail.into()));
        }
        Err(Error::BadQuery(faults))
    }

    /// The rates for amounts in these currencies. One that is missing is a fault, and so are several among which nobody has chosen.
    pub(super) async fn find(
        &self,
        connection: &mut PgConnection,
        currencies: impl Iterator<Item = &str>,
    ) -> Result<Option<Rates>, Error> {
        let Some((into, on)) = self.check()? else { return Ok(None) };
        let mut from: Vec<&str> = currencies.filter(|currency| *currency != into).collect();
        from.sort_unstable();
        from.dedup();
        let found: Vec<Rate> =
            sqlx::query_as(FIND).bind(on).bind(into).bind(&from).bind(&self.source).fetch_all(&mut *connection).await?;
        let mut by_currency: HashMap<String, Rate> = HashMap::new();
        let mut faults = Vec::new();
        for rate in found {
            let other = if rate.base_currency == into { &rate.quote_currency } else { &rate.base_currency };
            match by_currency.get(other) {
                Some(first) if first.source != rate.source => {
                    let detail = format!(
                        "{} and {} have a rate of {other} for {on}; choose with `rates_source=`",
                        first.source, rate.source
                    );
                    faults.push(fault("rates_source", "several_rates", detail));
                }
                Some(_) => {}
                None => {
                    by_currency.insert(other.clone(), rate);
                }
            }
        }
        for missing in from.iter().filter(|currency| !by_currency.contains_key(**currency)) {
            let nearest: Option<NaiveDate> = sqlx::query_scalar(NEAREST)
                .bind(on)
                .bind(into)
                .bind(missing)
                .bind(&self.source)
                .fetch_one(&mut *connection)
                .await?;
            let hint = nearest.map_or_else(
                || "import or create one".to_owned(),
                |day| format!("the last before it is of {day}; ask for `rates_on={day}`, or create one"),
            );
            let detail = format!("there is no rate between {missing} and {into} for {on}; {hint}");
            faults.push(fault("rates_on", "no_rate", detail));
        }
        if faults.is_empty() {
            Ok(Some(Rates { currency: into.to_owned(), by_currency }))
        } else {
            Err(Error::BadQuery(faults))
        }
    }
}

impl Rates {
    /// An amount in the currency of the report, not yet rounded; and the rate, unless it is in that currency already.
    pub(super) fn convert(&self, amount: Decimal, currency: &str) -> Result<(Decimal, Option<&Rate>), Error> {
        if currency == self.currency {
            return Ok((amount, None));
        }
        let found = self.by_currency.get(currency).and_then(|rate| {
            let number = rate.rate.parse::<Decimal>().ok()?;
            let worth =
                if rate.base_currency == currency { amount.checked_mul(number) } else { amount.checked_div(number) };
            Some((worth?, Some(rate)))
        });
        found.ok_or_else(|| too_large(currency))
    }

    /// Rounded to the smallest unit of the currency, half away from zero, and written with at least two decimals.
    pub(super) fn rounded(&self, amount: Decimal) -> String {
        let units = codelists::minor_units(&self.currency).unwrap_or(2);
        let mut rounded = amount.round_dp_with_strategy(units, RoundingStrategy::MidpointAwayFromZero);
        rounded.rescale(units.max(2));
        rounded.to_string()
    }
}
