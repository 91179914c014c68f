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
use crate::{api::Error, values::Text};

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
    /// The end by which it is measured: the latest revised, else approved, else planned.
    due_on: Option<NaiveDate>,
    /// The end in the latest forecast.
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

const SQL: &str = ",
ends as (
    select distinct on (t.item_id, t.basis) t.item_id, t.basis, coalesce(t.ends_on, t.deadline_to) as ends_on
    from item i join timelines t on t.item_id = i.id
    order by t.item_id, t.basis, t.set_on desc nulls last, t.created_at desc, t.id desc
),
due as (
    select i.id, coalesce(r.ends_on, a.ends_on, i.deadline_to) as due_on, f.ends_on as forecast_to
    from item i
    left join ends r on r.item_id = i.id and r.basis = 'revised'
    left join ends a on a.item_id = i.id and a.basis = 'approved'
    left join ends f on f.item_id = i.id and f.basis = 'forecast'
    where i.status not in ('completed', 'cancelled', 'continuous')
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
where l.days_late > 0 and (s.item_id is null or s.unknown > 0 or s.filled < s.planned)";

impl Report for Parameters {
    const NAME: &'static str = "understaffed";
    const SUMMARY: &'static str = "What is late, and does not have the people planned for it today.";
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        answer(connection, scope.query(&[SQL, PRINTED, LIMIT])).await
    }
}
