//! The log over the record: the sequencer extends it (`log`), readers get its parts and proofs (`handlers`), and the command line writes it
//! into a file (`export`), erases what may not be kept (`erase`), and goes on with another key or after a restore (`succession`). What an
//! auditor verifies it with is in `audit`.

mod document;
pub mod erase;
pub mod export;
mod handlers;
pub(super) mod log;
pub mod succession;

use axum::{Router, routing::get};

pub(super) use document::describe;

use crate::app::App;

/// The routes of the log.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/log/checkpoint", get(handlers::checkpoint))
        .route("/v1/log/key", get(handlers::key))
        .route("/v1/log/tile/{*path}", get(handlers::tile))
        .route("/v1/log/consistency", get(handlers::consistency))
        .route("/v1/changes/{id}/proof", get(handlers::proof))
}
