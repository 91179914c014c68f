//! The behaviour of the service, through HTTP, against real PostgreSQL: one server for all tests, one database for each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]
#![expect(clippy::needless_pass_by_value, reason = "bodies written in place read better without a borrow")]

mod architecture;
mod as_of;
mod budget_sums;
mod check;
mod classification;
mod contract;
mod crashes;
mod cursors;
mod diff;
mod document;
mod domain;
mod faults;
mod feed;
mod feed_order;
mod feed_stream;
mod idempotency;
mod integrity;
mod keys;
mod lost_answers;
mod matrix;
mod merge_patch;
mod migrations;
mod money_reports;
mod movements;
mod movements_model;
mod natural_order;
mod problems;
mod proof;
mod proof_file;
mod proof_tree;
mod reasons;
mod reports;
mod retries;
mod settings;
mod sockets;
mod stopped;
mod support;
mod tables;
mod transfer;
mod webhooks;
mod webhooks_crash;
mod webhooks_delivery;
