//! The end that counts: by which day an initiative or a step is to be done, out of its own deadline and its timelines. Every reading that says
//! when something is to end, or that it is late, asks here, so no two of them differ.

/// Writes a lateral subquery over the timelines of one item: its id, its own deadline and its own start, as SQL.
///
/// It answers `approved_on`, `revised_on`, `forecast_on` (the end in the newest timeline of that basis that speaks of one), `planned_on` (the end
/// that counts: revised, else approved, else the own deadline) and `planned_from` (likewise the start). Where the timeline that counts has a
/// deadline without a day, as "permanent", there is no planned end.
///
/// The newest is the one that was set last: on the day in `set_on`, which cannot be later than the day it was recorded, else on the day it was recorded.
macro_rules! ends_of {
    ($item:literal, $deadline:literal, $start:literal) => {
        concat!(
            "lateral (
    select (array_agg(t.ends_on order by t.place) filter (where t.speaks and t.basis = 'approved'))[1] as approved_on,
        (array_agg(t.ends_on order by t.place) filter (where t.speaks and t.basis = 'revised'))[1] as revised_on,
        (array_agg(t.ends_on order by t.place) filter (where t.speaks and t.basis = 'forecast'))[1] as forecast_on,
        case
            when bool_or(t.speaks and t.basis = 'revised') then (array_agg(t.ends_on order by t.place) filter (where t.speaks and t.basis = 'revised'))[1]
            when bool_or(t.speaks and t.basis = 'approved') then (array_agg(t.ends_on order by t.place) filter (where t.speaks and t.basis = 'approved'))[1]
            else ",
            $deadline,
            "
        end as planned_on,
        coalesce((array_agg(t.starts_on order by t.place) filter (where t.basis = 'revised' and t.starts_on is not null))[1],
            (array_agg(t.starts_on order by t.place) filter (where t.basis = 'approved' and t.starts_on is not null))[1], ",
            $start,
            ") as planned_from
    from (
        select basis, starts_on, coalesce(ends_on, deadline_to) as ends_on, num_nonnulls(ends_on, deadline_text) > 0 as speaks,
            row_number() over (order by least(coalesce(set_on, day_of(created_at)), day_of(updated_at)) desc, created_at desc, id desc) as place
        from timelines where item_id = ",
            $item,
            "
    ) t
)"
        )
    };
}

pub(crate) use ends_of;
