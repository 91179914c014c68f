//! Where it is worst: objectives by entities.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    advance::{Include, advance, advance_of_many},
    judged::JUDGED,
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error};

/// What the matrix can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Also takes reports into account that are submitted and not yet accepted: `submitted`.
    #[schema(inline)]
    include: Vec<Include>,
}

/// The initiatives on one objective that one entity leads. Each initiative is in one row.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = MatrixRow)]
pub(crate) struct Row {
    /// The strategy.
    strategy_id: Uuid,
    /// The objective that they serve themselves; null for initiatives without one.
    objective_id: Option<Uuid>,
    /// The code of the objective.
    objective: Option<String>,
    /// The title of the objective.
    #[sqlx(json(nullable))]
    title: Option<Text>,
    /// The entity that leads; null for initiatives without a lead.
    entity_id: Option<Uuid>,
    /// The code of the entity.
    entity: Option<String>,
    /// The name of the entity.
    #[sqlx(json(nullable))]
    name: Option<Text>,
    /// The worst that one of them is: `off_track`, `silent`, `at_risk`, `on_track`, `completed`, `cancelled`, in this order.
    worst: String,
    /// On track.
    on_track: i64,
    /// At risk.
    at_risk: i64,
    /// Off track.
    off_track: i64,
    /// Silent.
    silent: i64,
    /// Completed.
    completed: i64,
    /// Cancelled.
    cancelled: i64,
    /// All of them.
    total: i64,
    /// How far it is, in percent to one decimal: what is known to be done of all the work (`docs/reference/progress.md`); null where nothing is known.
    percent: Option<f64>,
    /// How far it can be at most: as if all that is not known were done.
    at_most: Option<f64>,
    /// Of how many parts it is known how far they are.
    known: i64,
    /// How many parts there are: steps, and initiatives without steps or known as a whole; cancelled ones are none.
    of: i64,
}

const SQL: &str = concat!(
    "
select j.strategy_id, j.objective_id, o.code as objective, o.title, l.entity_id, e.code as entity, e.name,
    (array['off_track', 'silent', 'at_risk', 'on_track', 'completed', 'cancelled'])[
        min(array_position(array['off_track', 'silent', 'at_risk', 'on_track', 'completed', 'cancelled'], standing))] as worst,
    count(*) filter (where standing = 'on_track') as on_track, count(*) filter (where standing = 'at_risk') as at_risk,
    count(*) filter (where standing = 'off_track') as off_track, count(*) filter (where standing = 'silent') as silent,
    count(*) filter (where standing = 'completed') as completed, count(*) filter (where standing = 'cancelled') as cancelled,
    count(*) as total, ",
    advance_of_many!(),
    "
from judged j
left join advance a on a.id = j.id
join strategies st on st.id = j.strategy_id
left join objectives o on o.id = j.objective_id
left join lateral (select entity_id from assigned a where a.item_id = j.id and a.role = 'lead' order by entity_id limit 1) l on true
left join entities e on e.id = l.entity_id
group by j.strategy_id, st.id, st.code, st.code_order, j.objective_id, o.code, o.title, o.code_order, l.entity_id, e.code, e.name, e.code_order
order by st.code is null, st.code_order, st.id, o.code_order nulls last, j.objective_id, e.code is null, e.code_order, words_of(e.name), l.entity_id"
);

impl Report for Parameters {
    const NAME: &'static str = "matrix";
    const SUMMARY: &'static str = "Objectives by leading entities: the worst standing and the counts.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "entities",
        "initiatives",
        "objectives",
        "progress_reports",
        "reporting_cycles",
        "steps",
        "strategies",
        "timelines",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        answer(connection, scope.query(&[&[JUDGED], &advance(&self.include)[..], &[SQL, LIMIT]].concat())).await
    }
}
