//! The columns of a noun's table, named one by one: what PostgreSQL computes for searching, sorting and clearances stays behind, and a column that a
//! newer service adds does not disturb the prepared statements of this one.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use sqlx::PgConnection;

use super::Error;

static COLUMNS: Mutex<Option<HashMap<&'static str, &'static str>>> = Mutex::new(None);

/// The stored columns of a table, with commas between them. They are asked for once in the life of the process.
pub(super) async fn columns(connection: &mut PgConnection, table: &'static str) -> Result<&'static str, Error> {
    let known = COLUMNS.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|all| all.get(table).copied());
    if let Some(known) = known {
        return Ok(known);
    }
    let names: String = sqlx::query_scalar(
        "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
         where attrelid = cast($1 as regclass) and attnum > 0 and not attisdropped and attgenerated = ''
             and attname <> 'effective_classification'",
    )
    // The noun of today: a reading in the past has a view of the same columns, and of all of them as if they were stored.
    .bind(format!("public.{table}"))
    .fetch_one(connection)
    .await?;
    let mut all = COLUMNS.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(all.get_or_insert_default().entry(table).or_insert_with(|| names.leak()))
}
