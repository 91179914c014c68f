//! Who reports in time: periods by entities.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::error::Error;

/// The report of submissions has no parameters of its own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {}

/// The reports for one period that one entity owes or has given. A period has rows when it has begun.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = SubmissionRow)]
pub(crate) struct Row {
    /// The strategy.
    strategy_id: Uuid,
    /// The reporting cycle.
    cycle_id: Uuid,
    /// Its code.
    cycle: String,
    /// The period.
    period: String,
    /// The last day on which a report is in time; null when the period has none, and none is late or missing.
    due_on: Option<NaiveDate>,
    /// Who owes: the lead of the step, else of its initiative, else the owner of the strategy; null when there is none of them.
    entity_id: Option<Uuid>,
    /// The code of the entity.
    entity: Option<String>,
    /// How many reports are expected: of what owes one now, and of what has given one.
    expected: i64,
    /// First submitted until the day on which they were due.
    in_time: i64,
    /// First submitted later.
    late: i64,
    /// Not submitted, and not yet overdue; those that were returned are here or in `missing`.
    outstanding: i64,
    /// Not submitted, and overdue.
    missing: i64,
    /// Returned to be changed.
    returned: i64,
    /// Accepted, consolidated or published.
    accepted: i64,
    /// The last day on which one was submitted.
    last_submitted_on: Option<NaiveDate>,
}

const SQL: &str = ",
led as (
    select distinct on (item_id) item_id, entity_id from assigned
    where role = 'lead' and item_id in (select id from item union select initiative_id from item) order by item_id, entity_id
),
period as (
    select c.id as cycle_id, c.code as cycle, c.code_order, c.covers, c.strategy_id, p.*
    from reporting_cycles c, periods_of(c.periods) p
    where c.status <> 'draft' and p.starts_on <= (select today()) and c.strategy_id in (select strategy_id from item)
),
given as (
    select r.item_id, r.cycle_id, r.period, r.state, t.first_on, t.last_on
    from item i join progress_reports r on r.item_id = i.id
    left join lateral (
        select min(day_of(c.at)) as first_on, max(day_of(c.at)) as last_on from changes c
        where c.kind = 'progress_report' and c.entity_id = r.id
            and c.after ->> 'state' not in ('draft', 'returned') and coalesce(c.before ->> 'state', 'draft') in ('draft', 'returned')
    ) t on true
    where r.corrects_id is null
),
-- What was reported on for a later period was still to be reported on for those before it, whatever has become of it.
later as (
    select g.item_id, g.cycle_id, max(p.ends_on) as ends_on from given g join period p on p.cycle_id = g.cycle_id and p.code = g.period
    where g.state not in ('draft', 'returned') group by g.item_id, g.cycle_id
),
expected as (
    select p.*, coalesce(own.entity_id, above.entity_id, st.owner_id) as entity_id, g.state, g.first_on, g.last_on,
        coalesce(g.state, 'draft') not in ('draft', 'returned') as is_given
    from period p join item i on i.strategy_id = p.strategy_id and (p.covers = 'both' or p.covers = i.level || 's')
    join strategies st on st.id = i.strategy_id
    left join led own on own.item_id = i.id
    left join led above on above.item_id = i.initiative_id
    left join given g on g.item_id = i.id and g.cycle_id = p.cycle_id and g.period = p.code
    left join later l on l.item_id = i.id and l.cycle_id = p.cycle_id
    where g.state is not null or coalesce(i.starts_on <= p.ends_on, true)
        and (i.status not in ('completed', 'cancelled') or p.ends_on < l.ends_on)
        and (g.state is not null or not exists (select from withheld_progress_reports w where w.item_id = i.id and w.cycle_id = p.cycle_id))
)
select x.strategy_id, x.cycle_id, x.cycle, x.code as period, x.due_on, x.entity_id, e.code as entity, count(*) as expected,
    count(*) filter (where is_given and (due_on is null or coalesce(first_on <= due_on, false))) as in_time,
    count(*) filter (where is_given and due_on is not null and not coalesce(first_on <= due_on, false)) as late,
    count(*) filter (where not is_given and coalesce(due_on >= (select today()), true)) as outstanding,
    count(*) filter (where not is_given and due_on < (select today())) as missing,
    count(*) filter (where x.state = 'returned') as returned,
    count(*) filter (where x.state in ('accepted', 'consolidated', 'published')) as accepted,
    max(last_on) as last_submitted_on
from expected x join strategies st on st.id = x.strategy_id left join entities e on e.id = x.entity_id
group by x.strategy_id, st.code_order, x.cycle_id, x.cycle, x.code_order, x.code, x.starts_on, x.due_on, x.entity_id, e.code, e.code_order
order by st.code_order, x.strategy_id, x.code_order, x.cycle_id, x.starts_on, x.code, e.code is null, e.code_order, x.entity_id";

impl Report for Parameters {
    const NAME: &'static str = "submissions";
    const SUMMARY: &'static str = "How many progress reports each entity gave for each period: in time, late, missing.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "entities",
        "initiatives",
        "objectives",
        "progress_reports",
        "reporting_cycles",
        "steps",
        "strategies",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        answer(connection, scope.query(&[SQL, LIMIT])).await
    }
}
