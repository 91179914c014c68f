//! Amounts in one currency: only when it is asked for, only at rates that are there, and with each rate named.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;

use crate::{base::values::codelists, error::Error, repository::Fault};

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

/// What every report of money can be asked: into which currency to convert, at the rates of which day, and whose.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = WantedCurrency)]
pub(crate) struct Wanted {
    /// Into which currency to convert, ISO 4217; `rates_on` too. Without it each currency has a row of its own.
    #[serde(rename = "in")]
    #[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
    currency: Option<String>,
    /// The day of the exchange rates. A rate that is missing is an error.
    #[serde(rename = "rates_on")]
    on: Option<NaiveDate>,
    /// Whose exchange rates, such as `ECB`; needed where several have one for the day.
    #[serde(rename = "rates_source")]
    #[schema(min_length = 1, max_length = 50)]
    source: Option<String>,
}

/// The rates into one currency, by the currency from which they lead.
#[derive(Debug)]
pub(super) struct Rates {
    currency: String,
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
        currencies: &[String],
    ) -> Result<Option<Rates>, Error> {
        let Some((into, on)) = self.check()? else { return Ok(None) };
        let from: Vec<&str> = currencies.iter().map(String::as_str).filter(|currency| *currency != into).collect();
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
    /// The rates as rows of `rate` in SQL: an amount in `own_currency` is worth so many times `factor` by `divisor` in `currency`.
    pub(super) fn rows(&self) -> Value {
        let own = json!({"own_currency": self.currency, "currency": self.currency, "factor": "1", "divisor": "1"});
        let others = self.by_currency.iter().map(|(from, rate)| {
            let (factor, divisor) =
                if rate.base_currency == *from { (rate.rate.as_str(), "1") } else { ("1", rate.rate.as_str()) };
            json!({"own_currency": from, "currency": self.currency, "factor": factor, "divisor": divisor, "rate": rate})
        });
        std::iter::once(own).chain(others).collect()
    }

    /// With how many decimals the currency is written.
    pub(super) fn places(&self) -> u32 {
        codelists::minor_units(&self.currency).unwrap_or(2)
    }
}
