//! Changes that have their position and no version in the past, because the columns of their noun do not take what is in them (migration
//! 0014). The service writes none; who writes into the table `changes` by hand can.

use sqlx::{FromRow, PgConnection};

use crate::repository::Error;

/// Such a change.
#[derive(Debug, FromRow)]
pub struct Misfit {
    /// Its place in the record.
    pub position: i64,
    /// The id of the change.
    pub id: uuid::Uuid,
    /// What was changed, such as `initiative`.
    pub kind: String,
    /// Why it does not fit, in PostgreSQL's words.
    pub why: String,
}

/// All of them, the newest first.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<Misfit>, Error> {
    Ok(sqlx::query_as(
        "select position, id, kind, why from as_of.misfits join changes using (position, kind) order by position desc",
    )
    .fetch_all(connection)
    .await?)
}

/// Keeps the metric `changes_without_version`, and logs that there are more than `known` when there are.
pub(super) async fn watch(connection: &mut PgConnection, known: &mut i64, count: i64) -> Result<(), Error> {
    metrics::gauge!("changes_without_version").set(u32::try_from(count).map_or(f64::from(u32::MAX), f64::from));
    if count > *known
        && let Some(Misfit { position, id, kind, why }) = list(connection).await?.first()
    {
        tracing::error!(count, position, %id, kind, why, "a change does not fit its noun and is in no past; `mandate doctor` lists them");
    }
    *known = count;
    Ok(())
}
