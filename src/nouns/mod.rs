//! The resources of the API: one file each, with the struct of the fields that a client writes.

pub mod entities;
pub mod indicators;
pub mod international;
pub mod money;
pub mod people;
pub mod plan;
pub mod progress;
pub mod readiness;
