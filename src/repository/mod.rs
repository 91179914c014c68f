//! What is said to PostgreSQL, once for every noun. Nothing here knows HTTP.
//!
//! Reads take one statement. A write and its row in the record are one statement too, so nothing can be written unrecorded.

mod error;
mod list;
pub(crate) mod macros;
mod pool;
mod read;
mod resource;
mod transaction;
mod write;

pub use error::Error;
pub use list::{Common, Listed, Select, Sort, Window, count, languages, list};
pub use pool::{Connection, Manager, Pool, connect};
pub use read::{CODED, Entry, Key, Lookup, blockers, deleted, find, find_many, history, named_by, ping, resolve};
pub use resource::{Fault, Faults, Reference, Resource, Row, Stored};
pub use transaction::Attempts;
pub use write::{Author, delete, insert, judge, update, write};
