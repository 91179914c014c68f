//! Connections. The pool is deadpool, because sqlx's own makes three round trips of each query.

use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use super::Error;

/// The pool of the service.
pub type Pool = managed::Pool<Manager>;
/// A connection lent by the pool; it goes back when dropped.
pub type Connection = managed::Object<Manager>;

/// Makes connections, and looks at those that come back.
#[derive(Debug)]
pub struct Manager {
    options: PgConnectOptions,
}

/// A connection that lay idle for longer is asked for a sign of life before it is lent.
const TRUSTED_FOR: Duration = Duration::from_millis(500);

impl managed::Manager for Manager {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect_with(&self.options).await
    }

    async fn recycle(&self, connection: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        let idle = Instant::now().duration_since(metrics.recycled.unwrap_or(metrics.created));
        if idle > TRUSTED_FOR {
            tokio::time::timeout(Duration::from_secs(2), connection.ping())
                .await
                .map_err(|_| RecycleError::message("no sign of life"))??;
        }
        Ok(())
    }
}

/// Connections to which a day ends in this time zone, by its IANA name: what `today()` answers.
pub fn in_time_zone(options: PgConnectOptions, name: &str) -> PgConnectOptions {
    options.options([("mandate.timezone", name)])
}

/// Opens a pool; no connection is made before the first is needed.
pub fn connect(options: PgConnectOptions, size: usize) -> Result<Pool, Error> {
    let options = options.application_name("mandate").options([
        ("statement_timeout", "25s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "60s"),
        ("timezone", "UTC"),
    ]);
    Pool::builder(Manager { options })
        .max_size(size)
        .runtime(deadpool::Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_secs(10)))
        .create_timeout(Some(Duration::from_secs(10)))
        .recycle_timeout(Some(Duration::from_secs(3)))
        .build()
        .map_err(|error| Error::Pool(error.to_string()))
}
