//! How each initiative stands: the common table expressions of the reports on progress, after those of the scope.
//!
//! `docs/progress.md` has the rules; here they stand once.

/// `ends`: of each initiative in the scope the planned end (the latest revised timeline, else the latest approved, else the deadline) and the
/// latest forecast.
/// `judged`: each initiative in the scope with its ends and one word: `completed`, `cancelled`, `off_track`, `silent`, `at_risk`, `on_track`.
pub(super) const JUDGED: &str = ",
dated as (
    select distinct on (i.id, t.basis) i.id, t.basis, coalesce(t.ends_on, t.deadline_to) as ends_on
    from item i join timelines t on t.item_id = i.id where i.level = 'initiative'
    order by i.id, t.basis, t.set_on desc nulls last, t.created_at desc, t.id desc
),
ends as (
    select i.id, coalesce(max(d.ends_on) filter (where d.basis = 'revised'), max(d.ends_on) filter (where d.basis = 'approved'),
            i.deadline_to) as planned_on,
        max(d.ends_on) filter (where d.basis = 'forecast') as forecast_on
    from item i left join dated d on d.id = i.id where i.level = 'initiative' group by i.id, i.deadline_to
),
-- The last period of each cycle whose day is over.
asked as (
    select distinct on (c.id) c.id as cycle_id, c.strategy_id, c.covers, p.ends_on
    from reporting_cycles c, periods_of(c.periods) p where c.status = 'active' and p.due_on < (select today())
    order by c.id, p.ends_on desc
),
-- Up to which day an initiative or step has been reported on, in each cycle.
told as (
    select r.item_id, r.cycle_id, max(p.ends_on) as ends_on
    from progress_reports r join reporting_cycles c on c.id = r.cycle_id, periods_of(c.periods) p
    where p.code = r.period and r.state not in ('draft', 'returned') group by r.item_id, r.cycle_id
),
owing as (
    select distinct i.id from item i
    join asked a on a.strategy_id = i.strategy_id and a.covers <> 'steps' and coalesce(i.starts_on <= a.ends_on, true)
    left join told t on t.item_id = i.id and t.cycle_id = a.cycle_id and t.ends_on >= a.ends_on
    where i.level = 'initiative' and t.item_id is null
),
heard_of as (
    select item_id as id from told union select s.initiative_id from told t join steps s on s.id = t.item_id
),
listened as (
    select i.id, w.id is not null or i.confidence is null and h.id is null as is_silent
    from item i left join owing w on w.id = i.id left join heard_of h on h.id = i.id where i.level = 'initiative'
),
judged as (
    select i.*, e.planned_on, e.forecast_on,
        case
            when i.status in ('completed', 'cancelled') then i.status
            when i.confidence = 'red' or i.status = 'on_hold' or (e.planned_on < (select today()) and i.status <> 'continuous') then 'off_track'
            when l.is_silent then 'silent'
            when i.confidence = 'amber' or e.forecast_on > e.planned_on then 'at_risk'
            else 'on_track'
        end as standing
    from item i join ends e on e.id = i.id join listened l on l.id = i.id where i.level = 'initiative'
)";

/// `funded`: of each initiative with its steps the money in each currency: what is appropriated, where nothing is, what is estimated.
pub(super) const FUNDED: &str = ",
funded as (
    select i.id, b.currency,
        coalesce(sum(b.amount) filter (where b.phase = 'appropriation'), sum(b.amount) filter (where b.phase = 'estimate')) as amount
    from (
        select id, id as item_id from item where level = 'initiative'
        union all
        select i.id, s.id from item i join steps s on s.initiative_id = i.id where i.level = 'initiative'
    ) i join budget_allocations b on b.item_id = i.item_id
    where b.phase in ('estimate', 'appropriation') group by i.id, b.currency
)";
