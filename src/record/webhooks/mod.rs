//! Webhooks: the feed, pushed. `webhook` and `handlers` are the subscription, `deliveries` and `requests` what became of it; `queue`,
//! `dispatcher`, `attempt` and `send` do the work; `event` and `signature` are what a receiver sees, `egress` where a delivery may go.
//!
//! How it behaves towards receivers is said in `docs/reference/webhooks.md`.

mod attempt;
mod deliveries;
mod describe;
mod dispatcher;
mod egress;
mod event;
mod handlers;
mod queue;
mod requests;
mod secrets;
mod send;
mod signature;
mod webhook;

use axum::{
    Router,
    routing::{delete, get, post},
};

pub use describe::{describe, describe_tests};
pub use dispatcher::Dispatcher;
pub use egress::{Allowed, Egress};
pub use queue::{CLAIM, PLANNING};
pub(in crate::record) use webhook::KIND;

use crate::{api::format::suffixed, app::App};

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/webhooks", get(handlers::list).post(handlers::create))
        .route("/v1/webhooks/{id}", get(handlers::find).patch(handlers::patch).delete(handlers::delete))
        .route("/v1/webhooks/{id}/secrets", get(secrets::list).post(secrets::create))
        .route("/v1/webhooks/{id}/secrets/{secret_id}", delete(secrets::end))
        .route("/v1/webhooks/{id}/redeliveries", post(requests::redeliver))
        .route("/v1/webhooks/{id}/replays", post(requests::replay))
        .route("/v1/webhooks/{id}/tests", post(requests::test))
        .route("/v1/deliveries", get(requests::list))
        .merge(suffixed("/v1/webhooks", &get(handlers::list)))
        .merge(suffixed("/v1/deliveries", &get(requests::list)))
}
