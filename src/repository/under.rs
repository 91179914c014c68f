//! What is under something of its own kind: action plans under a strategy, agencies under a ministry.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Error;

/// A noun that has its own kind under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// A strategy, and what carries it out.
    Strategies,
    /// An entity, and what belongs to it.
    Entities,
}

// `union` leaves out what was met before, so a circle ends.
const STRATEGIES: &str = "
with recursive under(id) as (
    select unnest($1::uuid[])
    union
    select s.id from under u join strategies s on s.parent_id = u.id
)
select id from under";

const ENTITIES: &str = "
with recursive under(id) as (
    select unnest($1::uuid[])
    union
    select e.id from under u join entities e on e.parent_id = u.id
)
select id from under";

/// These, and all that is anywhere under them, as the reading sees it: what is under something that it does not see is not found.
pub async fn under(connection: &mut PgConnection, tree: Tree, ids: Vec<Uuid>) -> Result<Vec<Uuid>, Error> {
    if ids.is_empty() {
        return Ok(ids);
    }
    let sql = match tree {
        Tree::Strategies => STRATEGIES,
        Tree::Entities => ENTITIES,
    };
    Ok(sqlx::query_scalar(sql).bind(ids).fetch_all(connection).await?)
}
