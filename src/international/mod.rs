//! What is done with other countries.
//!
//! To add a noun: see `docs/adding-a-noun.md`.

pub mod contribution_partners;
pub mod contributions;

pub use contribution_partners::ContributionPartner;
pub use contributions::Contribution;
