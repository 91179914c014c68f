//! What a plan costs, who pays, and how the money moves.

pub mod budget_allocations;
pub mod budget_movements;
pub mod cost;
pub mod exchange_rates;
pub mod funding_sources;

pub use budget_allocations::BudgetAllocation;
pub use budget_movements::BudgetMovement;
pub use exchange_rates::ExchangeRate;
pub use funding_sources::FundingSource;
