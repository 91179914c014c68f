//! Where a plan contradicts itself over several rows, or was written before a rule was there: found here, because refusing it would refuse the
//! one that came second.

use chrono::NaiveDate;
use sqlx::{FromRow, PgConnection};

use super::{
    gaps::Row,
    scope::{LIMIT, Scope, answer, fetch},
};
use crate::{
    base::values::words,
    error::Error,
    nouns::plan::deadlines::{Deadline, DeadlineKind},
};

const SQL: &str = ",
open as (
    select i.*, greatest(i.deadline_to, i.starts_on) as last_day, least(i.starts_on, i.deadline_from, i.deadline_to) as first_day
    from item i where i.ended is distinct from 'cancelled'
),
lead as (
    select a.item_id, a.valid_from, a.valid_to, a.id, a.entity_id from assignments a where a.role = 'lead' and a.item_id in (select id from open)
),
finding as (
    select 1 as place, 'step_after_initiative' as kind, s.level as noun, s.id, s.code, s.title, s.strategy_id, s.initiative_order, s.code_order,
        'it is due on ' || s.last_day || ', and its initiative already on ' || i.deadline_to as detail
    from open s join initiatives i on i.id = s.initiative_id
    where s.level = 'step' and s.last_day > i.deadline_to and i.status <> 'cancelled' and i.deadline_kind <> 'first_due_then_continuous'
    union all
    select 2, 'outside_strategy', i.level, i.id, i.code, i.title, i.strategy_id, i.initiative_order, i.code_order,
        case when i.last_day > st.ends_on then 'it is due on ' || i.last_day || ', and the plan ends on ' || st.ends_on
            else 'it begins on ' || i.first_day || ', and the plan on ' || st.starts_on end
    from open i join strategies st on st.id = i.strategy_id
    where i.last_day > st.ends_on or i.first_day < st.starts_on
    union all
    select 3, 'lead_dissolved', i.level, i.id, i.code, i.title, i.strategy_id, i.initiative_order, i.code_order,
        'its lead ' || coalesce(e.code, (select v from jsonb_each_text(e.name) n(k, v) order by k limit 1)) || ' existed until ' || e.valid_to
    from open i join assigned a on a.item_id = i.id and a.role = 'lead' join entities e on e.id = a.entity_id
    where e.valid_to < (select today()) and i.status <> 'completed'
    union all
    select 4, 'leads_overlap', i.level, i.id, i.code, i.title, i.strategy_id, i.initiative_order, i.code_order,
        'several lead it on the same days: ' || string_agg(distinct coalesce(e.code, (select v from jsonb_each_text(e.name) n(k, v) order by k limit 1)), ', ')
    from open i join lead a on a.item_id = i.id join entities e on e.id = a.entity_id
    where exists (select from lead b where b.item_id = a.item_id and b.id <> a.id
        and daterange(b.valid_from, b.valid_to, '[]') && daterange(a.valid_from, a.valid_to, '[]'))
    group by i.level, i.id, i.code, i.title, i.strategy_id, i.initiative_order, i.code_order
    union all
    select 5, 'deadline_disagrees', i.level, i.id, i.code, i.title, i.strategy_id, i.initiative_order, i.code_order,
        format('its words are %s, and its days %s to %s', i.deadline_text, coalesce(i.deadline_from::text, '-'), coalesce(i.deadline_to::text, '-'))
    from open i
    where (i.deadline_text, i.deadline_kind, coalesce(i.deadline_from, '-infinity'), coalesce(i.deadline_to, '-infinity')) in (
        select words, kind, coalesce(first, '-infinity'), coalesce(last, '-infinity')
        from unnest($7::text[], $8::text[], $9::date[], $10::date[]) bad(words, kind, first, last))
    union all
    select 6, 'code_not_plain', i.level, i.id, i.code, i.title, i.strategy_id, i.initiative_order, i.code_order,
        'its code has a character that cannot be seen, or letters with their marks apart; write it anew'
    from open i
    where i.code is not nfc normalized or i.code ~ '[\\u0001-\\u001f\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0]'
)
select f.kind, f.noun, f.id, f.code, f.title, f.detail
from finding f join strategies st on st.id = f.strategy_id
order by f.place, st.code is null, st.code_order, st.id, f.initiative_order, f.noun = 'step', f.code_order, f.id";

/// How deadlines are worded, each way once, with the days that stand beside the words.
const WORDED: &str = "
select distinct deadline_text, deadline_kind, deadline_from, deadline_to from item
where deadline_text is not null and coalesce(deadline_from, deadline_to) is not null and ended is distinct from 'cancelled'";

#[derive(Debug, Clone, FromRow)]
struct Worded {
    #[sqlx(rename = "deadline_text")]
    text: String,
    #[sqlx(rename = "deadline_kind")]
    kind: DeadlineKind,
    #[sqlx(rename = "deadline_from")]
    from: Option<NaiveDate>,
    #[sqlx(rename = "deadline_to")]
    to: Option<NaiveDate>,
}

/// All that is found in that part of the plan.
pub(super) async fn rows(scope: &Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
    let worded: Vec<Worded> = fetch(connection, scope.query(&[WORDED])).await?;
    let is_bad = |way: &Worded| {
        let Worded { text, kind, from, to } = way.clone();
        let deadline = Deadline { text, kind, from, to };
        deadline.disagreement().is_some() || !deadline.faults().is_empty()
    };
    let bad: Vec<Worded> = worded.into_iter().filter(is_bad).collect();
    let kinds: Vec<DeadlineKind> = bad.iter().map(|way| way.kind).collect();
    let query = scope
        .query(&[SQL, LIMIT])
        .bind(bad.iter().map(|way| way.text.clone()).collect::<Vec<_>>())
        .bind(words(&kinds))
        .bind(bad.iter().map(|way| way.from).collect::<Vec<_>>())
        .bind(bad.iter().map(|way| way.to).collect::<Vec<_>>());
    answer(connection, query).await
}
