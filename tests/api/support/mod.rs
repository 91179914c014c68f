//! What the tests stand on: the private PostgreSQL, a database of one's own, and a client.

pub(crate) mod client;
mod server;

pub(crate) use client::Client;
pub(crate) use server::{CONNECTIONS, database, empty_database, service, service_over, services};
