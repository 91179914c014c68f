//! The rule over all that a state did about a treaty: what can come after what (Vienna Convention on the Law of Treaties, articles 11 to 25, 54,
//! 56, 68).
//!
//! The acts of a state about a treaty are read in the order of their days; those of one day in the order of `order!`. A denunciation or
//! withdrawal that was not revoked ends a cycle, after which the state can sign and consent anew.

/// The order of acts: by day, and within a day as they can follow each other (a state may denounce and accede again on one day).
macro_rules! order {
    () => {
        "acted_on, array_position(array['invited_to_accede', 'signed', 'denounced', 'withdrawn', 'definitively_signed', 'ratified', 'accepted', \
         'approved', 'acceded', 'succeeded'], action) nulls last, created_at, id"
    };
}

/// By what a state expresses its consent to be bound.
macro_rules! binding {
    () => {
        "('definitively_signed', 'ratified', 'accepted', 'approved', 'acceded', 'succeeded')"
    };
}

/// How states stand to treaties on a day, for a query that has `asked(country, day)`: their acts until then (`placed`), the cycles of each (`standing`),
/// and of each that which counts most (`chosen`). From one denunciation to the next is a cycle; several count on one day when a state consents anew
/// before its denunciation takes effect. The ranks are: 0 nothing, 1 denounced, 2 signed, 3 bound, 4 denunciation pending, 5 in force.
macro_rules! standing {
    () => {
        concat!(
            ",
act as not materialized (
    select a.*, q.day, a.action in ('signed', 'definitively_signed') as signs, a.action in ",
    $crate::nouns::international::ledger::binding!(),
    " as binds,
        a.action in ('denounced', 'withdrawn') and not exists (
            select from treaty_actions r
            where r.concerns_action_id = a.id and r.action = 'denunciation_revoked' and r.acted_on <= q.day) as ends
    from asked q join treaty_actions a on a.country = q.country
        -- A succession dates back.
        and least(a.acted_on, case when a.action = 'succeeded' then a.effective_on end) <= q.day
),
placed as (
    select *, count(*) filter (where ends) over (
        partition by treaty_id, country order by ",
    $crate::nouns::international::ledger::order!(),
    " rows between unbounded preceding and 1 preceding) as cycle,
        row_number() over (partition by treaty_id, country order by ",
    $crate::nouns::international::ledger::order!(),
    ") as place
    from act
)",
            ",
cycle as (
    select c.*, case
        when notified_on is null then null
        when notified_end is not null then notified_end
        -- It took its consent back before there was anything to end.
        when is_withdrawal and (from_on is null or from_on > notified_on) then notified_on end as ends_on
    from (
        select treaty_id, country, day, cycle, min(acted_on) filter (where signs) as signed_on, min(acted_on) filter (where binds) as bound_on,
            min(effective_on) filter (where binds) as from_on, min(acted_on) filter (where ends) as notified_on,
            min(effective_on) filter (where ends) as notified_end, coalesce(bool_or(ends and action = 'withdrawn'), false) as is_withdrawal
        from placed group by treaty_id, country, day, cycle
    ) c
),
standing as (
    select c.*, coalesce(from_on <= day, false) and (ends_on is null or ends_on > day) as is_in_force, case
        when bound_on is null then case when signed_on is null then 0 else 2 end
        when notified_on is null then case when from_on <= day then 5 else 3 end
        when ends_on is null or ends_on > day then 4
        else 1 end as rank
    from cycle c
),
chosen as (
    select distinct on (treaty_id, country) * from standing order by treaty_id, country, rank desc, cycle desc
)"
        )
    };
}

/// The faults of every ledger (treaty and state) in which an action of `$1` stands or stood, or whose treaty or named action is in `$1`.
macro_rules! ledger {
    () => {
        concat!(
            "select * from (with touched as ( \
               select treaty_id, country from treaty_actions where id = any($1) or treaty_id = any($1) or concerns_action_id = any($1) \
               union select cast(before ->> 'treaty_id' as uuid), before ->> 'country' from changes \
                 where kind = 'treaty_action' and entity_id = any($1) and before is not null), \
             act as ( \
               select a.*, a.action in ('signed', 'definitively_signed') as signs, \
                 a.action in ",
            $crate::nouns::international::ledger::binding!(),
            " as binds, a.action in ('denounced', 'withdrawn') and not exists ( \
                   select from treaty_actions r where r.concerns_action_id = a.id and r.action = 'denunciation_revoked') as ends \
               from treaty_actions a join touched using (treaty_id, country)), \
             placed as ( \
               select *, count(*) filter (where ends) over ( \
                 partition by treaty_id, country order by ",
            $crate::nouns::international::ledger::order!(),
            " rows between unbounded preceding and 1 preceding) as cycle from act), \
             seen as ( \
               select *, count(*) filter (where signs) over earlier as signatures, count(*) filter (where binds) over earlier as consents, \
                 max(effective_on) filter (where binds) over earlier as bound_from, \
                 count(*) filter (where action = 'provisionally_applied') over earlier as applications \
               from placed window earlier as (partition by treaty_id, country, cycle order by ",
            $crate::nouns::international::ledger::order!(),
            " rows between unbounded preceding and 1 preceding)) \
             select case when s.id = any($1) then f.pointer else '#' end, f.code, \
               case when s.id = any($1) or s.effective_classification <> 'restricted' \
                 then format('%s, %s on %s: %s', s.country, replace(s.action, '_', ' '), s.acted_on, f.detail) \
                 else format('another act of %s: %s', s.country, f.detail) end \
             from seen s join treaties t on t.id = s.treaty_id left join treaty_actions c on c.id = s.concerns_action_id \
             left join seen d on d.id = c.id, \
             lateral (values \
               (s.signs and s.signatures > 0, '#/action', 'already_signed', 'it has signed already; leave the second signature out.'), \
               ((s.binds or s.action in ('signed', 'invited_to_accede')) and s.consents > 0, '#/action', 'already_bound', \
                 'it has expressed its consent already; only after a denunciation can it do so anew.'), \
               (s.action = 'ratified' and s.signatures = 0, '#/action', 'not_signed', \
                 'a state ratifies what it has signed; record the signature first, or an accession.'), \
               (s.action in ('denounced', 'withdrawn') and s.consents = 0, '#/action', 'not_bound', \
                 'it is not bound; record first how it expressed its consent.'), \
               (s.action = 'denounced' and s.bound_from > s.acted_on, '#/acted_on', 'not_in_force', \
                 'it is not in force for it yet; what takes a consent back before that is withdrawn.'), \
               (s.action = 'reservation' and s.signatures + s.consents = 0, '#/action', 'not_signed', \
                 'a reservation is made when signing or when expressing consent; record that first, with the same day or an earlier one.'), \
               (s.action = 'provisionally_applied' and s.bound_from <= s.acted_on, '#/action', 'in_force', \
                 'it is in force for it already; nothing is left to apply provisionally.'), \
               (s.action = 'provisional_application_ended' and s.applications = 0, '#/action', 'not_applied', \
                 'it does not apply it provisionally; record first since when it does.'), \
               (s.acted_on > today(), '#/acted_on', 'in_future', 'that day is still to come; record it when it is done.'), \
               (s.acted_on < t.adopted_on, '#/acted_on', 'before_adoption', \
                 format('the treaty was adopted on %s only; correct one of the days.', t.adopted_on)), \
               ((s.signs or s.binds) and s.acted_on < t.opened_on, '#/acted_on', 'before_opening', \
                 format('the treaty was opened for signature on %s only; correct one of the days.', t.opened_on)), \
               (s.binds and s.effective_on < t.in_force_on, '#/effective_on', 'before_entry_into_force', \
                 format('the treaty is in force since %s only, and for no state before that.', t.in_force_on)), \
               (c.treaty_id <> s.treaty_id, '#/concerns_action_id', 'other_treaty', 'name an action about the same treaty.'), \
               (c.action <> all (case s.action when 'objection' then array['reservation'] when 'denunciation_revoked' then array['denounced', \
                   'withdrawn'] else array[replace(s.action, '_withdrawn', '')] end), '#/concerns_action_id', 'wrong_action', \
                 format('it names one that is: %s.', replace(c.action, '_', ' '))), \
               (s.action = 'objection' and c.country = s.country, '#/concerns_action_id', 'own_reservation', \
                 'a state objects to the reservation of another; its own it withdraws.'), \
               (s.action <> 'objection' and c.country <> s.country, '#/concerns_action_id', 'other_country', \
                 'name an action of the same state.'), \
               (c.acted_on > s.acted_on, '#/acted_on', 'before_action', \
                 format('what it is about was done on %s only; correct one of the days.', c.acted_on)), \
               (s.action = 'denunciation_revoked' and coalesce(c.effective_on, case when c.action = 'withdrawn' and not coalesce(d.bound_from <= c.acted_on, \
                   false) then c.acted_on end) <= s.acted_on, '#/acted_on', 'took_effect', \
                 format('the denunciation took effect on %s; after that a state can only consent anew.', coalesce(c.effective_on, c.acted_on))) \
             ) f(broken, pointer, code, detail) where f.broken) as ledger"
        )
    };
}

pub(super) use ledger;
pub(crate) use {binding, order, standing};
