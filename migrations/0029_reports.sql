-- What the reports need of the database.

-- An amount as reports write it: rounded half away from zero to the places of its currency, with two decimals at least.
create function written(amount numeric, places integer) returns text language sql immutable parallel safe
    return round(round(amount, places), greatest(places, 2))::text;

-- Of the rates at which a report converts, those of these currencies; null where it does not convert.
create function rates_used(rates jsonb, currencies text[]) returns jsonb language sql immutable parallel safe
    return case when rates is not null then coalesce((
        select jsonb_agg(r -> 'rate' order by r ->> 'own_currency') from jsonb_array_elements(rates) r
        where r -> 'rate' is not null and r ->> 'own_currency' = any(currencies)), '[]') end;

-- When a report left the hands of its writer, out of the record: `submissions` and the obligations ask with this very condition.
create index changes_submissions on changes (entity_id, at, recorded_at)
    where kind = 'progress_report' and after ->> 'state' not in ('draft', 'returned') and coalesce(before ->> 'state', 'draft') in ('draft', 'returned');

-- A movement that is reversed itself may follow one that is reversed: so it is when a whole ledger is written at once.
create or replace function record_movements() returns trigger language plpgsql as $$
declare
    faults jsonb;
begin
    -- From here on the movements of these allocations come one after the other, and their amounts stay; each query sees what came before.
    perform from budget_allocations a where a.id in (select r.allocation_id from recorded r) order by a.id for no key update;

    select jsonb_agg(jsonb_build_object('pointer', v.pointer, 'code', v.code, 'detail', v.detail) order by m.id, v.pointer) into faults
    from recorded m
    join budget_allocations a on a.id = m.allocation_id
    left join budget_allocations t on t.id = m.to_allocation_id
    left join budget_movements r on r.id = m.reverses_id
    left join budget_movements f on f.id = m.follows_id
    left join budget_movements c on c.id = m.counterpart_id
    cross join lateral (values
        (a.phase <> 'appropriation', '#/allocation_id', 'not_appropriated',
            'An estimate takes no movements; name an allocation in the phase appropriation.'),
        (m.currency <> a.currency, '#/money/currency', 'other_currency',
            format('The allocation is in %s; give the amount in that.', a.currency)),
        (case
            when m.kind = 'carry_forward' or m.from_allocation_id is not null then false
            when coalesce(r.kind, m.kind) in ('commitment', 'decommitment') then m.dated_on > fiscal_year_end(a.fiscal_year)
            else fiscal_year(m.dated_on) <> a.fiscal_year
        end, '#/dated_on', 'outside_fiscal_year',
            format('The money is of the fiscal year %s, which ends on %s; give a day in it.', a.fiscal_year, fiscal_year_end(a.fiscal_year))),
        (r.allocation_id <> m.allocation_id or (r.amount, r.currency) <> (m.amount, m.currency), '#/reverses_id', 'not_the_same',
            format('A reversal takes back the whole of a movement: %s %s on the allocation %s.', r.amount, r.currency, r.allocation_id)),
        (r.kind in ('reversal', 'virement', 'carry_forward'), '#/reverses_id', 'not_reversible',
            'A reversal is undone by the movement itself, recorded anew, and a virement or carry-forward by one in the other direction.'),
        (f.allocation_id <> m.allocation_id, '#/follows_id', 'other_allocation', 'It is a movement of another allocation; name one of this.'),
        (f.kind <> case m.kind when 'commitment' then 'allotment' when 'verification' then 'commitment' when 'payment_order' then 'verification'
            when 'payment' then 'payment_order' when 'decommitment' then 'commitment' when 'reimbursement' then 'payment' end,
            '#/follows_id', 'wrong_kind', format('A %s does not follow a %s; see docs/money.md for what follows what.', m.kind, f.kind)),
        (m.counterpart_id is not null and (c.counterpart_id, c.kind, c.amount, c.currency, c.allocation_id, coalesce(c.to_allocation_id, c.from_allocation_id))
            is distinct from (m.id, m.kind, m.amount, m.currency, coalesce(m.to_allocation_id, m.from_allocation_id), m.allocation_id)
            or num_nonnulls(c.to_allocation_id, m.to_allocation_id) <> 1 and m.counterpart_id is not null,
            '#/counterpart_id', 'not_a_pair', 'It is not the other half of this movement; give both halves together.'),
        (m.kind = 'virement' and t.fiscal_year <> a.fiscal_year, '#/to_allocation_id', 'other_fiscal_year',
            'A virement stays in its fiscal year; record a carry_forward into a later one.'),
        (m.kind = 'carry_forward' and t.fiscal_year <= a.fiscal_year, '#/to_allocation_id', 'not_later',
            'Money is carried forward into a later fiscal year; record a virement within one.')
    ) v (broken, pointer, code, detail)
    where v.broken;
    perform refuse(faults, 'MD422');

    with effects as (
        select m.allocation_id,
            sum(m.signed) filter (where m.stage = 'appropriated') as moved, sum(m.signed) filter (where m.stage = 'allotted') as allotted,
            sum(m.signed) filter (where m.stage = 'committed') as committed, sum(m.signed) filter (where m.stage = 'verified') as verified,
            sum(m.signed) filter (where m.stage = 'ordered') as ordered, sum(m.signed) filter (where m.stage = 'paid') as paid
        from (
            select m.allocation_id, movement_stage(coalesce(r.kind, m.kind)) as stage,
                m.amount * movement_sign(coalesce(r.kind, m.kind), coalesce(r.direction, m.direction), m.to_allocation_id is not null)
                    * case m.kind when 'reversal' then -1 else 1 end as signed
            from recorded m left join budget_movements r on r.id = m.reverses_id
        ) m group by m.allocation_id
    ),
    sums as (
        select a.currency,
            row(a.id, granted(a.phase, a.amount), coalesce(t.moved, 0), coalesce(t.allotted, 0), coalesce(t.committed, 0), coalesce(t.verified, 0),
                coalesce(t.ordered, 0), coalesce(t.paid, 0))::budget_totals as before,
            row(a.id, granted(a.phase, a.amount), coalesce(t.moved, 0) + coalesce(e.moved, 0), coalesce(t.allotted, 0) + coalesce(e.allotted, 0),
                coalesce(t.committed, 0) + coalesce(e.committed, 0), coalesce(t.verified, 0) + coalesce(e.verified, 0),
                coalesce(t.ordered, 0) + coalesce(e.ordered, 0), coalesce(t.paid, 0) + coalesce(e.paid, 0))::budget_totals as after
        from effects e join budget_allocations a on a.id = e.allocation_id left join budget_totals t on t.allocation_id = a.id
    ),
    broken as (
        select b.* from sums s, broken_ceilings(s.before, s.after, s.currency) b
        union all
        select '#/follows_id', 'separation_of_duties',
            'The payment order was recorded by the same key; who orders a payment does not record it: let another do so.'
        from recorded m join budget_movements f on f.id = m.follows_id where m.kind = 'payment' and m.recorded_by = f.recorded_by
        union all
        select '#/follows_id', 'reversed', 'The movement that it follows is reversed; name one that is not.'
        from recorded m where exists (select from budget_movements r where r.reverses_id = m.follows_id)
            and not exists (select from budget_movements r where r.reverses_id = m.id)
        union all
        select '#/reverses_id', 'followed', 'Other movements follow it; reverse those first.'
        from recorded m where m.kind = 'reversal' and exists (
            select from budget_movements f where f.follows_id = m.reverses_id
                and not exists (select from budget_movements r where r.reverses_id = f.id))
        union all
        select '#/money/amount', 'more_than_followed',
            format('With this, %s %s would follow a %s of %s; give at most what is left of it.', sum(o.amount), f.currency, f.kind, f.amount)
        from (select distinct follows_id, kind from recorded where follows_id is not null) m
        join budget_movements f on f.id = m.follows_id
        join budget_movements o on o.follows_id = f.id and o.kind = m.kind
            and not exists (select from budget_movements r where r.reverses_id = o.id)
        group by f.id having sum(o.amount) > f.amount
    ),
    kept as (
        insert into budget_totals select (s.after).* from sums s where not exists (select from broken)
        on conflict (allocation_id) do update set granted = excluded.granted, moved = excluded.moved, allotted = excluded.allotted,
            committed = excluded.committed, verified = excluded.verified, ordered = excluded.ordered, paid = excluded.paid
    )
    select jsonb_agg(to_jsonb(b)) into faults from broken b;
    perform refuse(faults, 'MD409');
    return null;
end
$$;

-- An appropriation on which money has moved changes by a revision, which has an act or a reason, and not by writing another amount over it.
create or replace function follow_allocation() returns trigger language plpgsql as $$
declare
    faults jsonb;
begin
    perform from budget_totals t where t.allocation_id = new.id for update;
    if not found then
        return null;
    end if;
    select jsonb_agg(jsonb_build_object('pointer', '#/' || field, 'code', 'has_movements', 'detail',
        format('Money has moved on this allocation, so its %s stays %s; %s.', replace(replace(field, 'money/', ''), '_', ' '), kept,
            case field when 'money/amount' then 'record a revision, with its act or its reason' else 'make another allocation' end)) order by field) into faults
    from (values ('money/amount', old.amount::text, new.amount::text), ('money/currency', old.currency, new.currency),
        ('fiscal_year', old.fiscal_year::text, new.fiscal_year::text), ('phase', old.phase, new.phase)) v (field, kept, given)
    where kept <> given;
    perform refuse(faults, 'MD409');
    return null;
end
$$;
