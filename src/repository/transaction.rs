//! Transactions: serializable ones, tried again when PostgreSQL asks for it (SQLSTATE 40001, 40P01), and snapshots.

use std::time::Duration;

use sqlx::PgConnection;

use super::Error;

/// From here to `end_snapshot` the connection only reads, and what others write meanwhile is not seen.
pub async fn begin_snapshot(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql("begin isolation level repeatable read read only").execute(connection).await?;
    Ok(())
}

/// Ends what `begin_snapshot` began.
pub async fn end_snapshot(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql("rollback").execute(connection).await?;
    Ok(())
}

/// Counts the attempts at one transaction.
#[derive(Debug, Default)]
pub struct Attempts(u32);

impl Attempts {
    const MOST: u32 = 16;

    /// Whether to try again after this outcome; waits a little, longer each time, when so.
    pub async fn again<T>(&mut self, outcome: &Result<T, Error>) -> bool {
        let transient = outcome.as_ref().is_err_and(Error::is_transient);
        self.0 += 1;
        if !transient || self.0 >= Self::MOST {
            return false;
        }
        // The last byte of a UUIDv7 is random: writers that met once shall not meet again.
        let jitter = u64::from(uuid::Uuid::now_v7().as_bytes()[15] % 16);
        tokio::time::sleep(Duration::from_millis(u64::from(self.0 * self.0) + jitter)).await;
        true
    }
}
