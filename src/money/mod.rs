pub use crate::plan::{BudgetAllocation, FundingSource};
