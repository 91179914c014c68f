//! Serializable transactions are tried again when PostgreSQL asks for it (SQLSTATE 40001, 40P01).

use std::time::Duration;

use super::Error;

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
