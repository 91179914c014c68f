//! What is to be reached and what was measured: indicators, their targets by period, and measurements.
//!
//! How far an indicator is on its way is not kept but computed, in `reports::indicators`. Many measurements at once: `transfer::batch`.

pub mod indicator_targets;
#[expect(clippy::module_inception, reason = "the area and its first resource have the same name")]
pub mod indicators;
pub mod measurements;

pub use indicator_targets::IndicatorTarget;
pub use indicators::Indicator;
pub use measurements::Measurement;
