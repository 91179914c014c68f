//! Whether what was approved is what is kept: what slipped, was re-baselined, dropped, added or moved after the approval; out of the record.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error, nouns::plan::ends::ends_of};

/// What is counted together.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum By {
    /// The entity that leads, or led it last; a step without a lead is led as its initiative.
    #[default]
    Entity,
    /// The objective that it serves itself.
    Objective,
    /// The initiative or step alone.
    Item,
}

/// What the report of integrity can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// What is counted together; `entity` when not given.
    #[schema(inline)]
    by: Option<By>,
}

/// Initiatives and steps under one key. Each counts from the approval of its strategy on, as the record has it; where that has none, from its first
/// mention.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = IntegrityRow)]
pub(crate) struct Row {
    /// The entity, objective, initiative or step; null for those without a lead or objective.
    id: Option<Uuid>,
    /// Its code.
    code: Option<String>,
    /// Its name.
    #[sqlx(json(nullable))]
    name: Option<Text>,
    /// How many there are, with those that were deleted or moved to another strategy after the approval.
    items: i64,
    /// How many are expected to end later than their first baseline: the end that held at the approval, or their first.
    slipped: i64,
    /// The most days that one of them slipped; null when none did.
    longest_slip_days: Option<i32>,
    /// How many were re-baselined: after the approval another end was set, in an approved or revised timeline or in the plan itself.
    re_baselined: i64,
    /// How often, all together.
    re_baselinings: i64,
    /// How many were given up: cancelled, or deleted after the approval.
    dropped: i64,
    /// How many were first recorded after the approval.
    added_after_approval: i64,
    /// How many were moved to another strategy after the approval of the one that they left, whether they came back or not. A step moves with
    /// its initiative.
    moved_out: i64,
    /// How many were moved in from another strategy after the approval of the one that they entered.
    moved_in: i64,
}

/// `changes` is the record as the reader may see it and as far as the moment has it; what was deleted is found through its index of deletions.
const SQL: &str = concat!(
    ",
approval as not materialized (
    select c.entity_id as strategy_id, min(c.at) as at from changes c
    where c.kind = 'strategy' and (c.after ->> 'status' = 'approved' or is_in_force(c.after ->> 'status')) group by c.entity_id
),
deleted as (
    select c.kind, c.entity_id as id, c.at, c.before as was, coalesce(c.before ->> 'step_id', c.before ->> 'initiative_id')::uuid as item_id
    from changes c where c.action = 'deleted' and c.kind in ('initiative', 'step', 'assignment', 'timeline')
),
led_last as (
    select distinct on (item_id) item_id, (was ->> 'entity_id')::uuid as entity_id
    from deleted where kind = 'assignment' and was ->> 'role' = 'lead' order by item_id, at desc
),
gone as (
    select d.id, d.kind as level, d.at, coalesce(i.id, p.id, d.id) as initiative_id,
        coalesce(i.strategy_id, (p.was ->> 'strategy_id')::uuid, (d.was ->> 'strategy_id')::uuid) as strategy_id,
        coalesce(i.objective_id, (p.was ->> 'objective_id')::uuid, (d.was ->> 'objective_id')::uuid) as objective_id,
        d.was ->> 'code' as code, d.was -> 'title' as title, d.was ->> 'status' as status,
        (d.was ->> 'deadline_to')::date as deadline_to, l.entity_id
    from deleted d
    left join initiatives i on d.kind = 'step' and i.id = (d.was ->> 'initiative_id')::uuid
    left join deleted p on d.kind = 'step' and p.kind = 'initiative' and p.id = (d.was ->> 'initiative_id')::uuid
    left join led_last l on l.item_id = d.id
    where d.kind in ('initiative', 'step')
),
-- What went from one strategy to another; of steps that went with their initiative, those that are still there.
moved_alone as materialized (
    select c.kind as level, c.entity_id as id, c.at, c.before as was, c.after as becomes from changes c
    where c.action = 'updated' and c.kind in ('initiative', 'step') and (c.before ->> 'strategy_id' is distinct from c.after ->> 'strategy_id'
        or c.before ->> 'initiative_id' is distinct from c.after ->> 'initiative_id')
),
moved as materialized (
    select m.id, m.level, m.id as initiative_id, m.at, m.was, (m.was ->> 'strategy_id')::uuid as out_of,
        (m.becomes ->> 'strategy_id')::uuid as into_id, (m.was ->> 'objective_id')::uuid as objective_id
    from moved_alone m where m.level = 'initiative'
    union all
    select s.id, 'step', m.id, m.at, jsonb_build_object('code', s.code, 'title', s.title, 'status', s.status, 'deadline_to', s.deadline_to),
        (m.was ->> 'strategy_id')::uuid, (m.becomes ->> 'strategy_id')::uuid, (m.was ->> 'objective_id')::uuid
    from moved_alone m join steps s on s.initiative_id = m.id where m.level = 'initiative'
    union all
    select m.id, m.level, f.id, m.at, m.was, f.strategy_id, t.strategy_id, f.objective_id
    from moved_alone m join initiatives f on f.id = (m.was ->> 'initiative_id')::uuid join initiatives t on t.id = (m.becomes ->> 'initiative_id')::uuid
    where m.level = 'step' and f.strategy_id <> t.strategy_id
),
promise as (
    select i.id, i.level, i.strategy_id, i.objective_id, i.code, i.title, i.deadline_to, i.starts_on, i.status = 'cancelled' as dropped,
        coalesce(own.entity_id, above.entity_id) as entity_id, false as away
    from item i
    left join assigned own on own.item_id = i.id and own.role = 'lead'
    left join assigned above on i.level = 'step' and above.item_id = i.initiative_id and above.role = 'lead'
    union all
    select g.id, g.level, g.strategy_id, g.objective_id, g.code, g.title, null, null, true, coalesce(g.entity_id, above.entity_id, l.entity_id), false
    from gone g
    left join approval a on a.strategy_id = g.strategy_id
    left join assigned above on g.level = 'step' and above.item_id = g.initiative_id and above.role = 'lead'
    left join led_last l on g.level = 'step' and l.item_id = g.initiative_id
    where g.at > a.at and ($1 = '{}' or g.strategy_id = any($1)) and ($2 = '{}' or g.objective_id in (select id from branch))
        and ($3 = '{}' or coalesce(g.entity_id, above.entity_id, l.entity_id) = any($3)) and ($4 = '{}' or g.status = any($4))
        and ($5 is null or g.deadline_to < $5) and ($6 is null or g.deadline_to > $6)
    union all
    select * from (
        select distinct on (m.id, m.out_of) m.id, m.level, m.out_of, m.objective_id, m.was ->> 'code', m.was -> 'title', null::date, null::date, false,
            coalesce(own.entity_id, above.entity_id) as entity_id, true
        from moved m
        join approval a on a.strategy_id = m.out_of and m.at > a.at
        left join every_item i on i.id = m.id
        left join assigned own on own.item_id = m.id and own.role = 'lead'
        left join assigned above on m.level = 'step' and above.item_id = m.initiative_id and above.role = 'lead'
        where i.strategy_id is distinct from m.out_of and not exists (select from gone g where g.id = m.id and g.strategy_id = m.out_of)
            and ($1 = '{}' or m.out_of = any($1)) and ($2 = '{}' or m.objective_id in (select id from branch))
            and ($4 = '{}' or m.was ->> 'status' = any($4))
            and ($5 is null or (m.was ->> 'deadline_to')::date < $5) and ($6 is null or (m.was ->> 'deadline_to')::date > $6)
        order by m.id, m.out_of, m.at desc
    ) left_behind where $3 = '{}' or entity_id = any($3)
),
-- Each once, under whatever strategies it is counted.
promised as (
    select distinct id, level from promise
),
-- Every end that was ever set as the one to be measured by, and when. What was set last counts, a revision before an approved end, and that before the
-- deadline: so it is with the end that counts.
dated as (
    select p.id, c.at, 0 as place, day_of(c.at) as set_on, c.version, (c.after ->> 'deadline_to')::date as ends_on
    from promised p join changes c on c.kind = p.level and c.entity_id = p.id
    where c.action = 'created' or c.action = 'updated' and c.before -> 'deadline_to' is distinct from c.after -> 'deadline_to'
    union all
    select t.item_id, c.at, case c.after ->> 'basis' when 'revised' then 2 else 1 end,
        least(coalesce((c.after ->> 'set_on')::date, day_of(first.at)), day_of(c.at)), c.version, coalesce(c.after ->> 'ends_on', c.after ->> 'deadline_to')::date
    from (
        select p.id as item_id, t.id from promised p join timelines t on t.item_id = p.id where t.basis <> 'forecast'
        union all
        select p.id, d.id from promised p join deleted d on d.kind = 'timeline' and d.item_id = p.id
    ) t join changes c on c.kind = 'timeline' and c.entity_id = t.id
    cross join lateral (select min(f.at) as at from changes f where f.kind = 'timeline' and f.entity_id = t.id) first
    where c.after ->> 'basis' in ('approved', 'revised')
),
history as (
    select p.id, p.strategy_id, min(d.at) as first_at,
        coalesce(
            (array_agg(d.ends_on order by d.place desc, d.set_on desc, d.at desc, d.version desc) filter (where d.at <= a.at and d.ends_on is not null))[1],
            (array_agg(d.ends_on order by d.at, d.place, d.version) filter (where d.ends_on is not null))[1]) as baseline,
        count(*) filter (where d.ends_on <> d.earlier and (a.at is null or d.at > a.at)) as re_baselinings
    from promise p
    left join approval a on a.strategy_id = p.strategy_id
    join (
        select id, at, place, set_on, version, ends_on, lag(ends_on) over (partition by id order by ends_on is null, at, place, version) as earlier
        from dated
    ) d on d.id = p.id
    group by p.id, p.strategy_id
),
judged as (
    select p.id, p.level, p.strategy_id, p.objective_id, p.code, p.title, p.dropped, p.entity_id,
        case when p.away then 0 else h.re_baselinings end as re_baselinings, coalesce(h.first_at > a.at, false) as added,
        p.away or exists (select from moved m where m.id = p.id and m.out_of = p.strategy_id and m.at > a.at) as moved_out,
        exists (select from moved m where m.id = p.id and m.into_id = p.strategy_id and m.at > a.at) as moved_in,
        case when not p.dropped and not p.away then coalesce(e.forecast_on, e.planned_on) - h.baseline end as slip
    from promise p
    left join history h on h.id = p.id and h.strategy_id = p.strategy_id
    cross join ",
    ends_of!("p.id", "p.deadline_to", "p.starts_on"),
    " e
    left join approval a on a.strategy_id = p.strategy_id
)
select j.id, coalesce(n.code, j.code) as code, coalesce(n.name, j.name) as name, count(*) as items,
    count(*) filter (where slip > 0) as slipped, max(slip) filter (where slip > 0) as longest_slip_days,
    count(*) filter (where re_baselinings > 0) as re_baselined, coalesce(sum(re_baselinings), 0)::bigint as re_baselinings,
    count(*) filter (where dropped) as dropped, count(*) filter (where added) as added_after_approval,
    count(*) filter (where moved_out) as moved_out, count(*) filter (where moved_in) as moved_in
from (select slip, re_baselinings, dropped, added, moved_out, moved_in, "
);

const NAMED: &str = " from judged) j left join (select ";

const GROUPED: &str = ") n(id, code, name) on n.id = j.id
group by j.id, coalesce(n.code, j.code), coalesce(n.name, j.name)
order by coalesce(n.code, j.code) is null, natural_order(coalesce(n.code, j.code)) collate \"C\", words_of(coalesce(n.name, j.name)) nulls last,
    j.id nulls last";

impl By {
    /// The key of an item: its id, its code and name where no other table has them, and the table that has.
    fn keyed(self) -> [&'static str; 2] {
        match self {
            Self::Entity => {
                ["entity_id as id, null::text as code, null::jsonb as name", "id, code, name from entities"]
            }
            Self::Objective => {
                ["objective_id as id, null::text as code, null::jsonb as name", "id, code, title from objectives"]
            }
            Self::Item => ["id, code, title as name", "null::uuid, null::text, null::jsonb"],
        }
    }
}

impl Report for Parameters {
    const NAME: &'static str = "integrity";
    const SUMMARY: &'static str = "What slipped, was re-baselined, dropped, added or moved after the approval, by who leads it or what it serves.";
    const READS: &'static [&'static str] =
        &["assignments", "entities", "initiatives", "objectives", "steps", "strategies", "timelines"];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let [key, names] = self.by.unwrap_or_default().keyed();
        answer(connection, scope.query(&[SQL, key, NAMED, names, GROUPED, LIMIT])).await
    }
}
