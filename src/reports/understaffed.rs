//! What is late, and does not have the people that it needs.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, PRINTED, Scope, answer},
};
use crate::{base::values::Text, error::Error, nouns::plan::ends::ends_of};

/// What the report of what is understaffed can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {}

/// An initiative or step that is late and not known to have the people planned for today.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = UnderstaffedRow)]
pub(crate) struct Row {
    /// The initiative or step.
    id: Uuid,
    /// `initiative` or `step`.
    level: String,
    /// The printed code.
    code: Option<String>,
    /// The title.
    #[sqlx(json)]
    title: Text,
    /// How far it is.
    status: String,
    /// The end that counts: the newest revised, else approved, else that of the deadline.
    due_on: Option<NaiveDate>,
    /// The end in the newest forecast.
    forecast_to: Option<NaiveDate>,
    /// Days since it was due, or by which the forecast is later, whichever is more.
    days_late: i32,
    /// People planned for today (FTE), a decimal string; null when none are.
    planned: Option<String>,
    /// Those known to be at work today (FTE), a decimal string; null when nothing is known.
    filled: Option<String>,
    /// `no_staff` (none planned for today), `unknown` (not known of each allocation whether it is filled), or `understaffed`.
    state: String,
}

const SQL: &str = concat!(
    ",
due as (
    select i.id, e.planned_on as due_on, e.forecast_on as forecast_to
    from item i cross join ",
    ends_of!("i.id", "i.deadline_to", "i.starts_on"),
    " e
    where i.ended is null and i.status <> 'continuous'
),
late as (
    select d.*, greatest((select today()) - due_on, forecast_to - due_on) as days_late from due d
),
staff as (
    select w.id as item_id, sum(s.fte_planned) as planned, sum(s.fte_filled) as filled, count(*) filter (where s.fte_filled is null) as unknown
    from (
        select id, id as of from item
        union all
        select i.id, s.id from item i join steps s on s.initiative_id = i.id where i.level = 'initiative'
    ) w join staff_allocations s on s.item_id = w.of
    where s.starts_on <= (select today()) and s.ends_on >= (select today())
    group by w.id
)
select i.id, i.level, i.code, i.title, i.status, l.due_on, l.forecast_to, l.days_late, s.planned::text as planned, s.filled::text as filled,
    case when s.item_id is null then 'no_staff' when s.unknown > 0 then 'unknown' else 'understaffed' end as state
from late l
join item i on i.id = l.id
join strategies st on st.id = i.strategy_id
left join objectives o on o.id = i.objective_id
left join staff s on s.item_id = i.id
where l.days_late > 0 and (s.item_id is null or s.unknown > 0 or s.filled < s.planned)
    and not exists (select from withheld_staff_allocations w where w.item_id = i.id)
    and not exists (select from steps p join withheld_staff_allocations w on w.item_id = p.id where i.level = 'initiative' and p.initiative_id = i.id)
    and not exists (select from withheld_steps w where i.level = 'initiative' and w.initiative_id = i.id)"
);

impl Report for Parameters {
    const NAME: &'static str = "understaffed";
    const SUMMARY: &'static str = "What is late, and does not have the people planned for it today.";
    const READS: &'static [&'static str] =
        &["assignments", "initiatives", "objectives", "staff_allocations", "steps", "strategies", "timelines"];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        answer(connection, scope.query(&[SQL, PRINTED, LIMIT])).await
    }
}
