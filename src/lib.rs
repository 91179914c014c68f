//! Mandate: the open system of record for carrying out a national strategy.
//!
//! Arrows go one way: `main -> app -> router -> areas -> api -> repository -> values`. `docs/reference/architecture.md` is the map.

pub mod access;
pub mod api;
pub mod app;
pub mod arrival;
pub mod aside;
pub mod audit;
pub mod check;
pub mod config;
pub mod database;
pub mod demo;
pub mod edge;
pub mod entities;
pub mod feeds;
pub mod international;
pub mod limits;
pub mod metrics;
pub mod money;
pub mod people;
pub mod plan;
pub mod progress;
pub mod proposals;
pub mod readiness;
pub mod record;
pub mod reports;
pub mod repository;
pub mod router;
mod say;
pub mod serve;
pub mod transfer;
pub mod values;
