//! The behaviour of the service, through HTTP, against real PostgreSQL: one server for all tests, one database for each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]
#![expect(clippy::needless_pass_by_value, reason = "bodies written in place read better without a borrow")]

mod architecture;
mod as_of;
mod classification;
mod contract;
mod cursors;
mod document;
mod domain;
mod feed;
mod feed_order;
mod feed_stream;
mod idempotency;
mod keys;
mod matrix;
mod merge_patch;
mod migrations;
mod natural_order;
mod problems;
mod reports;
mod settings;
mod sockets;
mod stopped;
mod support;
mod tables;
mod transfer;
