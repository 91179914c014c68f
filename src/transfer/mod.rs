//! Import and export of whole plans.
//!
//! A plan file is JSON with one section a noun, each row being the body that a `POST` of the noun takes. Export writes what import reads.

pub mod export;
pub mod handlers;
pub mod import;
pub mod plan_file;
pub mod schema;
pub mod section;
pub mod table;

pub use export::export;
pub use import::{Report, import};
