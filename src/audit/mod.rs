//! Proof without trust: the tree, its signed checkpoints, and what verifies them. Nothing here knows the database or the service; an auditor
//! needs neither. `record::proof` builds the tree and answers for it.

pub mod chain;
pub mod command;
pub mod event;
pub mod file;
pub mod hash;
pub mod key_file;
mod line;
pub mod note;
pub mod path;
pub mod tiles;
pub mod verify;
pub mod witness;

pub use line::ERASED_KIND;
