//! Which changes owe the record a reason: those that weigh, once the strategy is in force.

use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::{
    Error,
    resource::{Resource, Row},
    write::Author,
};

/// The parents by which a row is known to belong to a strategy.
const PARENTS: [&str; 6] = ["strategy_id", "objective_id", "initiative_id", "step_id", "indicator_id", "allocation_id"];

/// A strategy that came in the same transaction is being entered and not changed.
const IN_FORCE: &str = "
select distinct g.index
from jsonb_to_recordset($1)
    g(index bigint, strategy_id uuid, objective_id uuid, initiative_id uuid, step_id uuid, indicator_id uuid, allocation_id uuid)
left join indicators n on n.id = g.indicator_id
left join budget_allocations b on b.id = g.allocation_id
left join steps s on s.id = coalesce(g.step_id, n.step_id, b.step_id)
left join initiatives i on i.id = coalesce(g.initiative_id, n.initiative_id, b.initiative_id, s.initiative_id)
left join objectives o on o.id = coalesce(g.objective_id, n.objective_id)
join strategies st on st.id = coalesce(g.strategy_id, n.strategy_id, i.strategy_id, o.strategy_id)
where st.status = 'in_force' and st.created_at < now()
order by g.index";

/// The changes that cannot be made without a reason, by their index; none when the author gives one. Each is the row before, unless it is new, and
/// the row after, unless it is deleted.
pub async fn without_reason<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    changes: impl Iterator<Item = (Option<&R>, Option<&R>)>,
) -> Result<Vec<usize>, Error> {
    if author.reason.is_some() {
        return Ok(Vec::new());
    }
    let sides: Vec<Value> = changes
        .enumerate()
        .filter(|(_, (before, after))| R::needs_reason(*before, *after))
        .flat_map(|(index, (before, after))| [before, after].map(|side| side.map(|side| parents(index, side))))
        .flatten()
        .collect();
    if sides.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<i64> = sqlx::query_scalar(IN_FORCE).bind(Json(sides)).fetch_all(connection).await?;
    Ok(found.into_iter().filter_map(|index| usize::try_from(index).ok()).collect())
}

fn parents<R: Resource>(index: usize, side: &R) -> Value {
    let mut row = Row::of(side).values;
    row.retain(|name, _| PARENTS.contains(&name.as_str()));
    row.insert("index".into(), index.into());
    Value::Object(row)
}
