//! The workflow of progress reports: what a submission moves, batches of reports, obligations and their calendars.
//!
//! `writes` creates and changes reports, and `submission` moves what they are on; `owed` computes obligations, `obligations` and `calendars` answer them.

mod batches;
mod calendars;
mod obligations;
mod owed;
mod submission;
mod writes;

use axum::Router;
use serde_json::Value;

pub use writes::routes as report_routes;

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
