//! How far the work is: the one rule of progress, for every report that gives a percent. `docs/reference/progress.md` has it in words, with an example.
//!
//! A report adds `advance(&include)` after the common table expressions of its scope and joins `advance`; a sum over initiatives that weigh the same is
//! `advance_of_many!`, a single one `advance_of_one!`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What counts besides accepted reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Include {
    /// Reports that are submitted, and not yet accepted.
    Submitted,
}

/// The work of the scope: its initiatives and steps, and the steps of its initiatives. `reported` is the last that was said of each.
const WORK: &str = ",
work as materialized (
    select id, initiative_id, level, status, ended from item
    union
    select s.id, s.initiative_id, 'step', s.status, coalesce(i.ended, case when s.status in ('completed', 'cancelled') then s.status end)
    from item i join steps s on s.initiative_id = i.id where i.level = 'initiative'
),
told_of as materialized (
    select c.id as cycle_id, p.code, p.ends_on from reporting_cycles c, periods_of(c.periods) p
),
reported as materialized (
    select distinct on (r.item_id) r.item_id, r.period, r.status, r.percent
    from work w join progress_reports r on r.item_id = w.id join told_of p on p.cycle_id = r.cycle_id and p.code = r.period
    where (r.percent is not null or r.status = 'completed') and r.state in ('accepted', 'consolidated', 'published'";

const SUBMITTED: &str = ", 'submitted'";

/// `advance`: of each initiative and step that is not cancelled its percent (null where nothing is known), how many of how many parts are known, and
/// their share. A part is a step, or an initiative that is known as a whole or has no steps. What was set back since the report is not known by it.
const ADVANCE: &str = ")
    order by r.item_id, p.ends_on desc, r.created_at desc, r.id desc
),
single_part as materialized (
    select w.id, w.initiative_id, w.level, w.status,
        case when w.status = 'completed' then 100 when r.status = 'completed' or w.status = 'not_started' then null
            else r.percent end as percent,
        case when w.status = 'completed' then 'status' else 'report ' || r.period end as source
    from work w left join reported r on r.item_id = w.id where w.ended is distinct from 'cancelled'
),
stepped as (
    select initiative_id, count(*) as parts, count(percent) as known, sum(percent) as sum
    from (
        select initiative_id, coalesce(percent, case status when 'not_started' then 0 end) as percent from single_part where level = 'step'
    ) s group by initiative_id
),
advance as materialized (
    select a.*, a.known::numeric / a.parts as share
    from (
        select p.id, p.level,
            case when p.percent is not null then p.percent::numeric when s.parts is not null then s.sum::numeric / s.parts
                when p.status = 'not_started' then 0 end as percent,
            case when p.percent is not null then 1 when s.parts is not null then s.known when p.status = 'not_started' then 1 else 0 end as known,
            case when p.percent is null and s.parts is not null then s.parts else 1 end as parts,
            case when p.percent is not null then p.source when s.parts is not null then case when s.known > 0 then 'steps' end
                when p.status = 'not_started' then 'status' end as source
        from single_part p left join stepped s on p.level = 'initiative' and s.initiative_id = p.id
    ) a
)";

/// The parts of a query that make `advance`.
pub(super) fn advance(include: &[Include]) -> [&'static str; 3] {
    [WORK, if include.contains(&Include::Submitted) { SUBMITTED } else { "" }, ADVANCE]
}

/// The columns `percent`, `at_most`, `known` and `of` for the rows `a` of `advance` in a group: each weighs the same.
macro_rules! advance_of_many {
    () => {
        "case when sum(a.known) > 0 then told_percent(coalesce(sum(a.percent), 0) / count(a.id)) end as percent,
    case when sum(a.known) > 0 then told_percent((coalesce(sum(a.percent), 0) + 100 * sum(1 - a.share)) / count(a.id)) end as at_most,
    coalesce(sum(a.known), 0)::bigint as known, coalesce(sum(a.parts), 0)::bigint as \"of\""
    };
}

/// The same columns for one row `a` of `advance`, or for what has none, because it is cancelled.
macro_rules! advance_of_one {
    () => {
        "told_percent(a.percent) as percent, told_percent(a.percent + 100 * (1 - a.share)) as at_most,
    coalesce(a.known, 0)::bigint as known, coalesce(a.parts, 0)::bigint as \"of\""
    };
}

pub(super) use {advance_of_many, advance_of_one};
