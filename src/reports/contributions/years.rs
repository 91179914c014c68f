//! Which years the report of contributions is about.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Scope;
use crate::{error::Error, repository::Fault};

/// From the first to the last: as asked, else those of the strategies until now, else the last five.
pub(super) async fn asked(
    connection: &mut PgConnection,
    from: Option<i32>,
    to: Option<i32>,
    scope: &Scope,
) -> Result<(i32, i32), Error> {
    let strategies: Vec<Uuid> = scope.strategy_id.iter().map(|id| id.uuid()).collect();
    let (now, first, last): (i32, Option<i32>, Option<i32>) = sqlx::query_as(
        "select extract(year from (select today()))::integer, extract(year from min(starts_on))::integer,
             extract(year from max(ends_on))::integer
         from strategies where id = any($1)",
    )
    .bind(strategies)
    .fetch_one(connection)
    .await?;
    let last = to.unwrap_or_else(|| {
        let last = last.map_or(now, |last| last.min(now));
        last.max(from.or(first).unwrap_or(last))
    });
    let first = from.unwrap_or_else(|| first.unwrap_or(now - 4).min(last));
    if first > last {
        let fault = Fault {
            pointer: "to".into(),
            code: "ends_before_start".into(),
            detail: "give a last year that is not before the first".into(),
        };
        return Err(Error::BadQuery(vec![fault]));
    }
    let first = first.max(1990);
    Ok((first, last.max(first)))
}
