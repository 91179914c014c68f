//! Mandate: the open system of record for carrying out a national strategy.
//!
//! `docs/reference/architecture.md` lists the modules from the bottom to the top; each imports only those below it.

pub mod access;
pub mod api;
pub mod app;
pub mod base;
pub mod candidates;
pub mod cli;
pub mod documents;
pub mod edge;
pub mod error;
pub mod feeds;
pub mod nouns;
pub mod proposals;
pub mod record;
pub mod reporting;
pub mod reports;
pub mod repository;
pub mod router;
mod say;
pub mod transfer;
