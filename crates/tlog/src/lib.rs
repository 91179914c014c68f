//! Proof without trust: the tree of a log, its signed checkpoints, and what verifies them. Nothing here knows the database or the service; an
//! auditor needs neither. It prints nothing and asks no network.

pub mod chain;
pub mod event;
pub mod file;
pub mod hash;
mod line;
pub mod note;
pub mod path;
pub mod tiles;
pub mod verify;
pub mod witness;

pub use line::ERASED_KIND;
