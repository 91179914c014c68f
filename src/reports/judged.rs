//! How each initiative stands: the common table expressions of the reports on progress, after those of the scope.
//!
//! `docs/reference/progress.md` has the rules; here they stand once.

use crate::nouns::plan::ends::ends_of;

/// `judged`: each initiative in the scope with the end that counts (`planned_on`), its newest forecast (`forecast_on`), and how it stands (`standing`): `completed`, `cancelled`, `off_track`, `silent`, `at_risk`,
/// `on_track`. What belongs to an initiative is looked up through its index, and the whole is made once: joined to other names, the planner
/// would guess that there are few, and make it anew for each.
pub(super) const JUDGED: &str = concat!(
    ",
-- The last period of each cycle whose day is over, with the codes of those that end no earlier.
asked as materialized (
    select distinct on (c.id) c.id as cycle_id, c.strategy_id, c.covers, p.ends_on,
        (select array_agg(q.code) from periods_of(c.periods) q where q.ends_on >= p.ends_on) as codes
    from reporting_cycles c, periods_of(c.periods) p where c.status = 'active' and p.due_on < (select today())
    order by c.id, p.ends_on desc
),
judged as materialized (
    select i.*, e.planned_on, e.forecast_on,
        case
            when i.status in ('completed', 'cancelled') then i.status
            when i.confidence = 'red' or i.status = 'on_hold' or (e.planned_on < (select today()) and i.status <> 'continuous') then 'off_track'
            when exists (
                select from asked a where a.strategy_id = i.strategy_id and a.covers <> 'steps' and coalesce(i.starts_on <= a.ends_on, true)
                    and not exists (
                        select from progress_reports r where r.item_id = i.id and r.state not in ('draft', 'returned')
                            and r.cycle_id = a.cycle_id and r.period = any(a.codes))
            ) or i.confidence is null and not exists (
                select from progress_reports r where r.item_id = i.id and r.state not in ('draft', 'returned')
            ) and not exists (
                select from steps s join progress_reports r on r.item_id = s.id
                where s.initiative_id = i.id and r.state not in ('draft', 'returned')
            ) then 'silent'
            when i.confidence = 'amber' or e.forecast_on > e.planned_on then 'at_risk'
            else 'on_track'
        end as standing
    from item i cross join ",
    ends_of!("i.id", "i.deadline_to", "i.starts_on"),
    " e
    where i.level = 'initiative'
)"
);
