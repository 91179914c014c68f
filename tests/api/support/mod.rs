//! What the tests stand on: the private PostgreSQL, a database of one's own, and a client.

pub(crate) mod client;
pub(crate) mod issuer;
pub(crate) mod proxy;
pub(crate) mod receiver;
mod server;

pub(crate) use client::{Call, Client};
pub(crate) use server::{
    CONNECTIONS, database, edge, empty_database, log_key, replicas, service, service_changed, service_over,
    service_with_heartbeat, service_with_tokens, services, services_over, silent_key,
};
