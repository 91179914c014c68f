//! Who may do what: keys, tokens of an issuer (`oidc`), roles, the policy, and the `Actor` of a request.

mod actor;
mod describe_keys;
pub mod entity;
mod entrance;
pub mod fields;
mod handlers;
pub mod keys;
mod lately;
mod me;
pub mod oidc;
pub mod own;
pub mod policy;
pub mod role;

use axum::{Router, routing::get};
use serde_json::Value;

pub use actor::{Actor, CONFIRMED_BY, Confirming, KeyCache};
pub use role::Role;

use crate::app::App;

/// The routes of keys, and of who one is.
pub fn routes() -> Router<App> {
    handlers::routes().route("/v1/me", get(me::find))
}

/// Adds the operations to the document.
pub fn describe(document: &mut Value) {
    describe_keys::describe(document);
    me::describe(document);
}
