//! What a plan costs, who pays, and how the money moves.

pub mod budget_allocations;
pub mod budget_movements;
pub mod exchange_rates;
pub mod funding_sources;

pub use budget_allocations::BudgetAllocation;
pub use budget_movements::BudgetMovement;
pub use exchange_rates::ExchangeRate;
pub use funding_sources::FundingSource;

use crate::{
    repository::Faults,
    values::{Money, codelists},
};

/// Notes what is wrong with an amount beyond its form: a currency that is none, or more decimals than it has.
fn check_money(money: &Money, faults: &mut Faults) {
    match codelists::minor_units(&money.currency) {
        None => faults.add("money/currency", "unknown_code", "Give a currency in use, ISO 4217."),
        Some(units) => faults.check(
            money.amount.normalize().scale() <= units,
            "money/amount",
            "too_many_decimals",
            "Give no more decimals than the currency has.",
        ),
    }
}
