//! Feeds: one report or list with its filters, read by a token in the address, for programs that send no header with a key (spreadsheets).
//!
//! `tokens` keeps all tokens in addresses, those of calendars too (`progress::calendars`); `handing_out` makes, lists and revokes those of feeds, and
//! `reading` answers.

mod describe;
mod handing_out;
mod reading;
pub(crate) mod tokens;

use axum::{
    Router,
    routing::{delete, get},
};

pub use describe::describe;

use crate::{api::format::suffixed, app::App};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/feed-tokens", get(handing_out::list).post(handing_out::create))
        .route("/v1/feed-tokens/{id}", delete(handing_out::revoke))
        .route("/v1/feeds/{id}", get(reading::find))
        .merge(suffixed("/v1/feed-tokens", &get(handing_out::list)))
}
