//! What the plan leaves open, and where it contradicts itself. Silence is a finding, not a zero; what is completed or cancelled leaves nothing open.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{
    base::values::{Text, word},
    error::Error,
    nouns::plan::ends::ends_of,
};

/// A kind of gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Neither the initiative nor one of its steps has a lead.
    InitiativeWithoutLead,
    /// The initiative has no deadline.
    InitiativeWithoutDeadline,
    /// Neither the initiative nor one of its steps has an allocation.
    InitiativeWithoutMoney,
    /// Neither the initiative nor one of its steps has people allocated.
    InitiativeWithoutPeople,
    /// The initiative has no step.
    InitiativeWithoutStep,
    /// The words of the deadline are not understood.
    DeadlineUnparsed,
    /// There is no initiative on the objective or under it that is not cancelled.
    ObjectiveWithoutInitiative,
    /// The strategy is not approved by a legal act.
    StrategyWithoutLegalAct,
    /// The dates of two items break the dependency between them.
    DependencyContradictsDates,
}

impl Kind {
    /// As it is written.
    pub(super) fn word(self) -> String {
        word(self)
    }
}

/// What the report of gaps can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Only gaps of this kind; may be repeated.
    #[schema(inline)]
    pub(super) kind: Vec<Kind>,
}

/// One gap.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = GapRow)]
pub(crate) struct Row {
    /// The kind of gap.
    pub(super) kind: String,
    /// What has it: `initiative`, `step`, `objective`, `strategy` or `dependency`.
    pub(super) noun: String,
    /// Its id.
    pub(super) id: Uuid,
    /// Its code; of a dependency the codes of both sides.
    pub(super) code: Option<String>,
    /// Its title; of a dependency the title of the successor.
    #[sqlx(json(nullable))]
    pub(super) title: Option<Text>,
    /// What is missing or wrong.
    pub(super) detail: String,
}

// `$7` holds the kinds. Objectives and strategies have no entity, status or deadline: a scope by these leaves them out.
const SQL: &str = concat!(
    ",
-- What is completed or cancelled leaves nothing to be done.
initiative as (
    select * from item where level = 'initiative' and ended is null
),
whole as (
    select $3 = '{}' and $4 = '{}' and $5 is null and $6 is null as yes
),
lead as not materialized (
    select item_id from assigned where role = 'lead'
),
used(id) as (
    select o.id from objectives o
    where ($1 = '{}' or o.strategy_id = any($1)) and exists (select from initiatives i where i.objective_id = o.id and i.status <> 'cancelled')
    union
    -- What the reader does not see may well be there: nothing is said to be missing for it.
    select objective_id from withheld_initiatives where objective_id is not null
    union
    select parent_id from withheld_objectives where parent_id is not null
    union
    select o.parent_id from used u join objectives o on o.id = u.id where o.parent_id is not null
),
near as (
    select id, kind, lag_days, predecessor_id, successor_id from dependencies where predecessor_id in (select id from item)
    union
    select id, kind, lag_days, predecessor_id, successor_id from dependencies where successor_id in (select id from item)
),
-- What is given up waits for nothing and holds up nothing, and what is done neither.
near_end(id) as (
    select predecessor_id from near
    union
    select successor_id from near
),
side as (
    select i.id, i.code, i.code_order, i.title, i.strategy_id, e.planned_from as starts_on, e.planned_on as ends_on
    from near_end n join every_item i on i.id = n.id cross join ",
    ends_of!("i.id", "i.deadline_to", "i.starts_on"),
    " e where i.ended is null
),
-- In whole days, the last day included: what waits for an end can start on the day after.
link as (
    select d.id, d.kind as kind, d.lag_days, p.id as predecessor_id, s.id as successor_id,
        p.code as predecessor_code, p.code_order as predecessor_order, s.code as successor_code, s.title, s.strategy_id,
        case d.kind when 'finish_start' then p.ends_on + 1 when 'finish_finish' then p.ends_on when 'start_start' then p.starts_on
            else p.starts_on - 1 end + d.lag_days as earliest,
        -- A successor without a start still has to end after it may begin.
        case when d.kind in ('finish_start', 'start_start') then coalesce(s.starts_on, s.ends_on) else s.ends_on end as given,
        case when d.kind in ('finish_start', 'start_start') and s.starts_on is not null then 'start' else 'end' end as which
    from near d
    join side p on p.id = d.predecessor_id
    join side s on s.id = d.successor_id
),
gap as (
    select 1 as place, 'initiative_without_lead' as kind, 'initiative' as noun, id, code, code_order, title, strategy_id,
        'no entity has the role lead on it or on one of its steps' as detail
    from initiative i
    where not exists (select from lead where lead.item_id = i.id)
        and not exists (select from steps s join lead on lead.item_id = s.id where s.initiative_id = i.id)
        and not exists (select from withheld_assignments w where w.item_id = i.id)
        and not exists (select from steps s join withheld_assignments w on w.item_id = s.id where s.initiative_id = i.id)
        and not exists (select from withheld_steps w where w.initiative_id = i.id)
    union all
    select 2, 'initiative_without_deadline', 'initiative', id, code, code_order, title, strategy_id, 'it has no deadline'
    from initiative where deadline_text is null and deadline_to is null
    union all
    select 3, 'initiative_without_money', 'initiative', id, code, code_order, title, strategy_id,
        'no money is allocated to it or to one of its steps'
    from initiative i
    where not exists (select from budget_allocations m where m.item_id = i.id)
        and not exists (select from steps s join budget_allocations m on m.item_id = s.id where s.initiative_id = i.id)
        and not exists (select from withheld_budget_allocations w where w.item_id = i.id)
        and not exists (select from steps s join withheld_budget_allocations w on w.item_id = s.id where s.initiative_id = i.id)
        and not exists (select from withheld_steps w where w.initiative_id = i.id)
    union all
    select 4, 'initiative_without_people', 'initiative', id, code, code_order, title, strategy_id,
        'no people are allocated to it or to one of its steps'
    from initiative i
    where not exists (select from staff_allocations p where p.item_id = i.id)
        and not exists (select from steps s join staff_allocations p on p.item_id = s.id where s.initiative_id = i.id)
        and not exists (select from withheld_staff_allocations w where w.item_id = i.id)
        and not exists (select from steps s join withheld_staff_allocations w on w.item_id = s.id where s.initiative_id = i.id)
        and not exists (select from withheld_steps w where w.initiative_id = i.id)
    union all
    select 5, 'initiative_without_step', 'initiative', id, code, code_order, title, strategy_id, 'it has no step'
    from initiative i where not exists (select 1 from steps s where s.initiative_id = i.id)
        and not exists (select from withheld_steps w where w.initiative_id = i.id)
    union all
    select 6, 'deadline_unparsed', level, id, code, code_order, title, strategy_id, 'not understood: ' || coalesce(deadline_text, '')
    from item where deadline_kind = 'unparsed' and ended is null
    union all
    select 7, 'objective_without_initiative', 'objective', o.id, o.code, o.code_order, o.title, o.strategy_id,
        'there is no initiative on it or under it'
    from objectives o, whole
    where whole.yes and ($1 = '{}' or o.strategy_id = any($1))
        and ($2 = '{}' or o.id in (select id from branch)) and o.id not in (select id from used)
    union all
    select 8, 'strategy_without_legal_act', 'strategy', s.id, s.code, s.code_order, s.title, s.id, 'no legal act approves it'
    from strategies s, whole
    where whole.yes and $2 = '{}' and ($1 = '{}' or s.id = any($1)) and s.legal_act_id is null
    union all
    select 9, 'dependency_contradicts_dates', 'dependency', l.id, l.predecessor_code || ' -> ' || l.successor_code,
        l.predecessor_order, l.title,
        l.strategy_id, l.kind || ' allows its ' || l.which || ' from ' || l.earliest || ' on; it is ' || l.given
    from link l
    where l.given < l.earliest
)
select g.kind, g.noun, g.id, g.code, g.title, g.detail
from gap g left join strategies st on st.id = g.strategy_id
where $7 = '{}' or g.kind = any($7)
order by g.place, st.code is null, st.code_order, st.id, g.code_order, g.code, g.id
"
);

impl Report for Parameters {
    const NAME: &'static str = "gaps";
    const SUMMARY: &'static str = "What the plan leaves open or contradicts.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "budget_allocations",
        "dependencies",
        "initiatives",
        "objectives",
        "staff_allocations",
        "steps",
        "strategies",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let kinds: Vec<String> = self.kind.iter().map(|kind| kind.word()).collect();
        answer(connection, scope.query(&[SQL, LIMIT]).bind(kinds)).await
    }
}
