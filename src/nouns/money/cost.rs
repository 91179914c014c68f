//! The two columns of money: `amount`, `currency`.

use rust_decimal::Decimal;

use crate::{
    base::values::{Money, codelists, excess_digits},
    repository::{Faults, Row},
};

/// As read; a noun says `#[sqlx(flatten, try_from = "CostColumns")]`.
#[derive(sqlx::FromRow)]
pub(crate) struct CostColumns {
    amount: Option<Decimal>,
    currency: Option<String>,
}

impl From<CostColumns> for Option<Money> {
    fn from(columns: CostColumns) -> Self {
        let (amount, currency) = columns.amount.zip(columns.currency)?;
        Some(Money { amount, currency })
    }
}

/// Fills the columns.
pub(crate) fn set(row: &mut Row, cost: Option<&Money>) {
    row.set("amount", &cost.map(Money::written)).set("currency", &cost.map(|cost| &cost.currency));
}

/// Notes what is wrong with the money of `cost`.
pub(crate) fn check(cost: Option<&Money>, faults: &mut Faults) {
    if let Some(cost) = cost {
        check_money("cost", cost, faults);
    }
}

/// Notes an unknown currency, or more decimals than it has.
pub(crate) fn check_money(field: &str, money: &Money, faults: &mut Faults) {
    if !codelists::is_currency(&money.currency) {
        faults.add(&format!("{field}/currency"), "unknown_code", "Give a currency in use, ISO 4217.");
    } else if let Some(detail) = excess_digits(money.amount, &money.currency) {
        faults.add(&format!("{field}/amount"), "too_many_decimals", detail);
    }
}
