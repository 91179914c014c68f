//! Four eyes (`MANDATE_FOUR_EYES`): acts that stand as proposed until a second principal confirms them.
//!
//! Which acts those are stands in the database, which refuses to commit such a change without a confirmation (migrations 0033, 0048). `waiting` is the layer that then keeps the request as a
//! proposal and answers 202; `confirmations` sends it through the routes once more, in the name of both. `docs/reference/access.md` says how it behaves.

mod act;
mod confirmations;
mod copy;
mod describe;
mod handlers;
mod in_force;
mod store;
mod waiting;

use axum::{
    Router,
    routing::{get, post},
};

pub use act::Act;
pub use describe::describe;
pub use in_force::{put_in_force, told};
pub use store::{IN_FORCE, in_force, waiting_for};
pub use waiting::wait;

use crate::{api::format::suffixed, app::App};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/proposals", get(handlers::list))
        .route("/v1/proposals/{id}", get(handlers::find))
        .route("/v1/confirmations", post(confirmations::create))
        .merge(suffixed("/v1/proposals", &get(handlers::list)))
}
