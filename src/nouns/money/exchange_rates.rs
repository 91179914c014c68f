//! Exchange rates: what a currency was worth on a day, by whom. Nothing is converted without one that is named.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, ExternalId, Id, codelists},
    repository::{Faults, Resource, Row, Select, Sort, macros::set_fields},
};

/// What one unit of a currency was worth in another, on a day, by a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRate {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The currency of which one unit is valued, ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
    pub base_currency: String,
    /// The currency in which it is valued, ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$", example = "RON")]
    pub quote_currency: String,
    /// The day for which it is published.
    pub valid_on: NaiveDate,
    /// How much of the quote currency one unit of the base currency is: a decimal string, as printed.
    #[schema(pattern = r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,12})?$", example = "4.9763")]
    pub rate: String,
    /// Who published it, such as `ECB` or `BNR`.
    #[schema(format = "visible", min_length = 1, max_length = 50, pattern = r"^\S(.*\S)?$", example = "ECB")]
    pub source: String,
}

/// The id of an exchange rate.
pub type ExchangeRateId = Id<ExchangeRate>;

/// Which exchange rates.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ExchangeRateFilter)]
pub struct Filter {
    /// Of one of these currencies, ISO 4217.
    pub base_currency: Vec<String>,
    /// In one of these currencies, ISO 4217.
    pub quote_currency: Vec<String>,
    /// By one of these sources.
    pub source: Vec<String>,
    /// For a day before this one.
    pub valid_on_before: Option<NaiveDate>,
    /// For a day after this one.
    pub valid_on_after: Option<NaiveDate>,
}

impl Resource for ExchangeRate {
    const KIND: &'static str = "exchange_rate";
    const TABLE: &'static str = "exchange_rates";
    const SORTS: &'static [Sort] = &[Sort::date("valid_on", "valid_on"), Sort::CREATED, Sort::UPDATED];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        for (field, currency) in [("base_currency", &self.base_currency), ("quote_currency", &self.quote_currency)] {
            let is_known = codelists::minor_units(currency).is_some();
            faults.check(is_known, field, "unknown_code", "Give a currency in use, ISO 4217.");
        }
        let differ = self.base_currency != self.quote_currency;
        faults.check(differ, "quote_currency", "the_same", "Give two currencies; a currency is worth itself.");
        let is_some = self.rate.parse::<Decimal>().is_ok_and(|rate| !rate.is_zero());
        faults.check(is_some, "rate", "zero", "Give a rate above zero.");
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, base_currency, quote_currency, valid_on, rate, source);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("base_currency", &filter.base_currency)
            .words("quote_currency", &filter.quote_currency)
            .words("source", &filter.source)
            .days("valid_on", filter.valid_on_after, filter.valid_on_before);
    }
}
