//! Why a figure is what it is: the rows behind it, and the rule.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    lines::Lines,
    scope::{LIMIT, Scope, answer},
    sums::{By, OF_LINES, SUMMED, TREE},
};
use crate::error::Error;

/// What stands behind a figure.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
#[schema(as = SourceOfFigure)]
pub(super) struct Source {
    #[serde(skip)]
    root: Option<Uuid>,
    #[serde(skip)]
    word: Option<String>,
    /// The figure to which it adds: `estimate`, `appropriation`, `allotted`, `committed`, `verified`, `ordered` or `paid`.
    figure: String,
    /// The noun: `budget_allocation` or `budget_movement`.
    noun: String,
    /// Its id.
    id: Uuid,
    /// What it adds, a decimal string; with a minus, what it takes away.
    amount: String,
    /// Its currency.
    pub(super) currency: String,
}

/// The rule of the figures of the budget.
pub(super) const RULE: &str = "estimate and appropriation are sums of allocations; revisions, virements and carry-forwards change the appropriation; \
    allotted, committed, verified, ordered and paid are sums of movements, less what was reversed, decommitted or reimbursed; left is appropriation \
    less committed; executed_percent is paid of appropriation";

const PARTS: &str = "
),
part as (
    select k.root, k.word, l.currency, l.allocation_id, l.phase from (select ";

const OF_PART: &str = ", currency, allocation_id, phase from own_line) l(id, word, currency, allocation_id, phase)
    join (select distinct root, id, word from total) k on k.id is not distinct from l.id and k.word is not distinct from l.word
)
select p.root, p.word, case p.phase when 'estimate' then 'estimate' else 'appropriation' end as figure, 'budget_allocation' as noun, b.id,
    written(b.amount, b.currency) as amount, b.currency, b.created_at
from part p join budget_allocations b on b.id = p.allocation_id
union all
select p.root, p.word, replace(movement_stage(coalesce(r.kind, m.kind)), 'appropriated', 'appropriation'), 'budget_movement', m.id,
    written(m.amount * movement_sign(coalesce(r.kind, m.kind), coalesce(r.direction, m.direction), m.to_allocation_id is not null)
        * case m.kind when 'reversal' then -1 else 1 end, m.currency), m.currency, m.created_at
from part p join budget_movements m on m.allocation_id = p.allocation_id left join budget_movements r on r.id = m.reverses_id
where movement_stage(coalesce(r.kind, m.kind)) is not null
order by created_at, id";

/// The rows behind the figures of each key, oldest first.
pub(super) async fn sources(
    connection: &mut PgConnection,
    scope: &Scope,
    lines: &Lines,
    by: By,
) -> Result<HashMap<(Option<Uuid>, Option<String>), Vec<Source>>, Error> {
    let first = [&lines.own()[..], &[OF_LINES, by.key(), SUMMED]].concat();
    let query = lines.summed(scope, &first, &[TREE, by.branches(), PARTS, by.key(), OF_PART, LIMIT]);
    let mut found: HashMap<_, Vec<Source>> = HashMap::new();
    for source in answer::<Source>(connection, query).await? {
        found.entry((source.root, source.word.clone())).or_default().push(source);
    }
    Ok(found)
}
