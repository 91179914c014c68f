//! Serializable transactions that try again when PostgreSQL asks for it.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

use super::Error;

const ATTEMPTS: u32 = 12;

/// Runs `work` in a serializable transaction and commits it. On a serialization failure or a deadlock the whole is tried again.
pub async fn serializable<T>(
    connection: &mut PgConnection,
    mut work: impl AsyncFnMut(&mut PgConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut attempt = 1;
    loop {
        match once(connection, &mut work).await {
            Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                tracing::debug!(attempt, "serialization failure, trying again");
                let jitter = u64::from(uuid::Uuid::now_v7().as_bytes()[15] % 16);
                tokio::time::sleep(Duration::from_millis(u64::from(attempt * attempt) + jitter)).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn once<T>(
    connection: &mut PgConnection,
    work: &mut impl AsyncFnMut(&mut PgConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut transaction = connection.begin_with("begin isolation level serializable").await?;
    let value = work(&mut transaction).await?;
    transaction.commit().await?;
    Ok(value)
}
