//! What an action plan has to provide, by NCSI 1.5, and what of it stands in the register.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::error::Error;

/// The report of contents has no parameters of its own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {}

/// One of the five contents of a plan.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = PlanContentRow)]
pub(crate) struct Row {
    /// The strategy or action plan.
    strategy_id: Uuid,
    /// Its code.
    strategy: Option<String>,
    /// Its annex, where it is one of its act.
    annex: Option<String>,
    /// The content: `steps_and_entities`, `timelines_and_financial_resources`, `human_and_financial_resources`, `timeframes_and_metrics` or
    /// `priorities_into_initiatives`.
    content: String,
    /// `provided`: every initiative has both parts; `partly`: some have some; `claimed`: none has any, and evidence says that the plan provides it;
    /// `absent`: none has any, and nothing says so.
    state: String,
    /// How many initiatives have each part, by themselves or by one of their steps, without the cancelled, such as `steps 3 of 4, entities 4 of 4`.
    found: String,
    /// How the evidence on it stands today, such as `1 disputed, 1 verified`; null when there is none.
    evidence: Option<String>,
    /// That evidence.
    evidence_ids: Vec<Uuid>,
}

const SQL: &str = ",
-- What is given up provides nothing.
pursued as (
    select * from item where ended is distinct from 'cancelled'
),
told as (
    select a.item_id, 'entities' as part from assignments a
    union all select item_id, 'money' from budget_allocations
    union all select item_id, 'people' from staff_allocations
    union all select item_id, 'metrics' from indicators where item_id is not null
    union all select item_id, 'times' from timelines
),
covered as (
    select i.strategy_id, i.initiative_id, t.part from pursued i join told t on t.item_id = i.id
    union
    select strategy_id, initiative_id, 'times' from pursued where deadline_text is not null or starts_on is not null
    union
    select strategy_id, initiative_id, 'steps' from pursued where level = 'step'
    union
    select strategy_id, initiative_id, 'initiatives' from pursued where objective_id is not null
),
counted as (
    select strategy_id, part, count(distinct initiative_id) as found from covered group by strategy_id, part
),
size as (
    select s.id, s.code, s.code_order, s.annex, (select count(*) from pursued i where i.strategy_id = s.id and i.level = 'initiative') as initiatives
    from strategies s where $1 = '{}' or s.id = any($1)
),
content as (
    select s.id, c.place, c.content, bool_or(coalesce(n.found, 0) > 0) as is_begun, bool_and(coalesce(n.found, 0) = s.initiatives and n.found > 0) as is_whole,
        string_agg(p.name || ' ' || coalesce(n.found, 0) || ' of ' || s.initiatives, ', ' order by p.place) as found
    from size s
    cross join (values (1, 'steps_and_entities', array['steps', 'entities']), (2, 'timelines_and_financial_resources', array['times', 'money']),
        (3, 'human_and_financial_resources', array['people', 'money']), (4, 'timeframes_and_metrics', array['times', 'metrics']),
        (5, 'priorities_into_initiatives', array['initiatives'])) c (place, content, parts)
    cross join lateral unnest(c.parts) with ordinality p (name, place)
    left join counted n on n.strategy_id = s.id and n.part = p.name
    group by s.id, c.place, c.content
)
select s.id as strategy_id, s.code as strategy, s.annex, c.content,
    case when c.is_whole then 'provided' when c.is_begun then 'partly' when coalesce(e.stands, false) then 'claimed' else 'absent' end as state,
    c.found, e.words as evidence, coalesce(e.ids, '{}') as evidence_ids
from content c join size s on s.id = c.id
left join lateral (
    select string_agg(many || ' ' || standing, ', ' order by standing) as words, bool_or(standing <> 'withdrawn') as stands,
        array(select x.id from evidence x where x.strategy_id = s.id and x.content = c.content order by x.created_at, x.id) as ids
    from (
        select evidence_standing(e.state, e.valid_until, (select today())) as standing, count(*) as many
        from evidence e where e.strategy_id = s.id and e.content = c.content group by 1
    ) e
) e on true
order by s.code is null, s.code_order, s.id, c.place";

impl Report for Parameters {
    const NAME: &'static str = "plan-contents";
    const SUMMARY: &'static str = "The five contents that an action plan provides (NCSI 1.5): what stands in the register, and what is only claimed.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "budget_allocations",
        "evidence",
        "indicators",
        "initiatives",
        "objectives",
        "staff_allocations",
        "steps",
        "strategies",
        "timelines",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        answer(connection, scope.query(&[SQL, LIMIT])).await
    }
}
