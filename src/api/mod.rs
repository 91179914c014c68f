//! What is said over HTTP, once for every noun.
//!
//! A noun takes part by `routes::<Noun>()` and `Operations::of::<Noun>()`, both from the one list in `router.rs`.

pub mod answer;
mod characters;
pub mod columns;
pub mod cursor;
pub mod days;
pub mod document;
pub mod enough;
pub mod format;
pub mod guard;
pub mod handlers;
pub mod header_words;
pub mod history;
pub mod idempotency;
pub mod incoming;
pub mod json;
pub mod language;
pub mod list;
pub mod operations;
pub mod past;
pub(crate) mod patch;
pub mod precondition;
pub mod problems;
pub mod published;
pub mod query;
pub mod rehearsal;
pub(crate) mod seen;
pub mod shape;
pub mod table;
pub mod target;
pub mod typed;
mod view;

pub use crate::error::{Error, Problem};
pub use handlers::routes;
