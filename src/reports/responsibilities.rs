//! Who carries how much, and what nobody leads.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error};

/// The report of responsibilities has no parameters of its own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {}

/// What an entity has in one role, by status. The row without an entity counts what has no lead.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = ResponsibilityRow)]
pub(crate) struct Row {
    /// The entity; null for initiatives and steps without a lead.
    entity_id: Option<Uuid>,
    /// The code of the entity.
    entity: Option<String>,
    /// The name of the entity.
    #[sqlx(json(nullable))]
    name: Option<Text>,
    /// The role.
    role: String,
    /// Not started.
    not_started: i64,
    /// In progress.
    in_progress: i64,
    /// Completed.
    completed: i64,
    /// On hold.
    on_hold: i64,
    /// Cancelled.
    cancelled: i64,
    /// Continuous.
    continuous: i64,
    /// All initiatives and steps.
    total: i64,
}

const SQL: &str = ",
lead as not materialized (
    select item_id from assigned where role = 'lead'
),
carried as (
    select distinct a.entity_id, a.role, i.id, i.status
    from item i join assigned a on a.item_id = i.id
    where $3 = '{}' or a.entity_id = any($3)
    union all
    select null, 'lead', i.id, i.status
    from item i
    where not exists (select from lead where lead.item_id = i.id)
        and not exists (select from steps s join lead on lead.item_id = s.id where s.initiative_id = i.id)
        and not exists (select from lead where i.level = 'step' and lead.item_id = i.initiative_id)
        -- Who may be led by somebody whom the reader does not see is not said to be led by nobody.
        and not exists (select from withheld_assignments w where w.item_id in (i.id, i.initiative_id))
        and not exists (select from steps s join withheld_assignments w on w.item_id = s.id where i.level = 'initiative' and s.initiative_id = i.id)
        and not exists (select from withheld_steps w where i.level = 'initiative' and w.initiative_id = i.id)
)
select c.entity_id, e.code as entity, e.name, c.role,
    count(*) filter (where c.status = 'not_started') as not_started,
    count(*) filter (where c.status = 'in_progress') as in_progress,
    count(*) filter (where c.status = 'completed') as completed,
    count(*) filter (where c.status = 'on_hold') as on_hold,
    count(*) filter (where c.status = 'cancelled') as cancelled,
    count(*) filter (where c.status = 'continuous') as continuous,
    count(*) as total
from carried c left join entities e on e.id = c.entity_id
group by c.entity_id, e.id, e.code, e.name, c.role
order by (c.entity_id is null) desc, natural_order(coalesce(e.code, words_of(e.name))) collate \"C\", e.id,
    array_position(array['lead', 'co_lead', 'accountable', 'support', 'implementer', 'performer', 'funder', 'consulted', 'informed', 'beneficiary'], c.role) nulls last, c.role
";

impl Report for Parameters {
    const NAME: &'static str = "responsibilities";
    const SUMMARY: &'static str = "How many initiatives and steps each entity has in each role, by status.";
    const READS: &'static [&'static str] =
        &["assignments", "entities", "initiatives", "objectives", "steps", "strategies"];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        answer(connection, scope.query(&[SQL, LIMIT])).await
    }
}
