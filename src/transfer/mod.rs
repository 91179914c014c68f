//! Import and export of whole plans.
//!
//! A plan file is JSON with one section a noun, each row being the body that a `POST` of the noun takes. Export writes what import reads.
//! `folder` is the same as CSV files, `table` maps a table of another system; `docs/reference/plan-file.md` is the reference of all three.

pub mod batch;
pub mod batch_handlers;
pub mod difference;
mod directory;
pub mod export;
pub mod folder;
pub mod handlers;
pub mod how;
pub mod iati;
pub mod import;
mod meter;
mod moved;
mod names;
pub mod origin;
pub mod plan_file;
pub mod present;
pub mod progress;
pub mod rates;
pub mod report;
pub mod schema;
pub mod section;
pub mod sheet;
pub mod table;

pub use export::export;
pub use import::{Report, import};
