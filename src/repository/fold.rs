//! The sums of the budget: differences that writers left are added up into cells (migration 0016).

use sqlx::PgConnection;

use super::Error;

/// Differences taken by one statement.
const BATCH: i64 = 10_000;

/// Folds all differences that are there. Several may do so at once.
pub async fn fold(connection: &mut PgConnection) -> Result<(), Error> {
    loop {
        let taken: i64 = sqlx::query_scalar("select fold_budget(10000)").fetch_one(&mut *connection).await?;
        if taken < BATCH {
            return Ok(());
        }
    }
}
