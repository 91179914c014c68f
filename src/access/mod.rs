//! Who may do what: keys, roles, and the `Actor` of a request.

mod actor;
pub mod keys;

pub use actor::{Actor, KeyCache, Role};
