//! Proof without trust: the tree, its signed checkpoints, and what verifies them. Nothing here knows the database or the service; an auditor
//! needs neither. `record::proof` builds the tree and answers for it.

pub mod hash;
pub mod note;
pub mod path;
pub mod tiles;
