//! How far the work is: who reports what by when, what was reported, what endangers it.
//!
//! Nouns stand in files of their names. What a progress report does besides being kept is in `reporting` and `submission`.

pub mod progress_reports;
mod report_states;
mod reporting;
pub mod reporting_cycles;
mod submission;

pub use progress_reports::ProgressReport;
pub use reporting::routes as report_routes;
pub use reporting_cycles::ReportingCycle;
