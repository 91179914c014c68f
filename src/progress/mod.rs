//! How far the work is: who reports what by when, what was reported, what endangers it.
//!
//! Nouns stand in files of their names. What a progress report does besides being kept is in `reporting` and `submission`; what is owed is
//! computed in `owed`, and told in `obligations` and `calendars`.

mod batches;
mod calendars;
mod obligations;
mod owed;
pub mod progress_reports;
mod report_states;
mod reporting;
pub mod reporting_cycles;
pub mod risks;
mod submission;

use axum::Router;
use serde_json::Value;

pub use progress_reports::ProgressReport;
pub use reporting::routes as report_routes;
pub use reporting_cycles::ReportingCycle;
pub use risks::Risk;

use crate::app::App;

/// The routes that are of no noun.
pub fn routes() -> Router<App> {
    obligations::routes().merge(batches::routes()).merge(calendars::routes())
}

/// Adds the operations that are of no noun to the OpenAPI document.
pub fn describe(document: &mut Value) {
    obligations::describe(document);
    batches::describe(document);
    calendars::describe(document);
}
