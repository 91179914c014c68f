//! Transactions: their isolation, their ends, and trying again when PostgreSQL asks for it (SQLSTATE 40001, 40P01).

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, Postgres, Transaction};

use super::{Error, resource::Resource};

/// What a transaction may see of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what is committed: enough for a write that is one statement.
    Committed,
    /// As if it were alone: what a rule over several rows needs.
    Serializable,
}

impl Isolation {
    /// What a write of this noun needs.
    pub fn of<R: Resource>() -> Self {
        if R::RULE.is_some() { Self::Serializable } else { Self::Committed }
    }
}

/// Begins a transaction.
pub async fn begin(connection: &mut PgConnection, isolation: Isolation) -> Result<Transaction<'_, Postgres>, Error> {
    Ok(match isolation {
        Isolation::Committed => connection.begin().await?,
        Isolation::Serializable => connection.begin_with("begin isolation level serializable").await?,
    })
}

/// Has each statement planned for the tables as they are then, until the transaction ends. A plan that is kept was made when a table was small, and
/// reads all of it for each of a thousand ids once it is large.
pub async fn plan_anew(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(connection).await?;
    Ok(())
}

/// Commits. When the answer to COMMIT is lost, nobody knows whether it happened.
pub async fn commit(transaction: Transaction<'_, Postgres>) -> Result<(), Error> {
    transaction.commit().await.map_err(|error| Error::from(error).at_commit())
}

/// Rolls back, and returns why. A transaction that is merely dropped stays open, with its locks, until the connection is used again: sqlx
/// sends the ROLLBACK with the next statement.
pub async fn give_up<E>(transaction: Transaction<'_, Postgres>, why: E) -> E {
    // If this fails the connection is broken, and the transaction with it.
    let _ = transaction.rollback().await;
    why
}

/// Counts the attempts at one transaction.
#[derive(Debug, Default)]
pub struct Attempts(u32);

impl Attempts {
    const MOST: u32 = 24;

    /// Whether to try again after a failure that may (`transient`) not come twice; waits a little, longer each time, when so.
    pub async fn again(&mut self, transient: bool) -> bool {
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
