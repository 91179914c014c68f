//! What a plan costs and who pays.

pub mod budget_allocations;
pub mod cost;
pub mod funding_sources;

pub use budget_allocations::BudgetAllocation;
pub use funding_sources::FundingSource;
