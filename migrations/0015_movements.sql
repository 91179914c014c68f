-- Money that moves: the stages of a budget, and the ceilings between them. docs/money.md has the rules in words, docs/decisions/0013 says why
-- they stand here: whoever writes, and whatever else is written meanwhile, they hold.

-- The fiscal year of a day, named after the calendar year in which it starts. Like `today()` it follows the session, here the setting
-- `mandate.fiscal_year_start` (a month); without one it is January.
create function fiscal_year_start() returns integer language sql stable parallel safe
return coalesce(nullif(current_setting('mandate.fiscal_year_start', true), ''), '1')::integer;

create function fiscal_year(day date) returns integer language sql stable parallel safe
return extract(year from day - make_interval(months => fiscal_year_start() - 1))::integer;

-- The last day of a fiscal year.
create function fiscal_year_end(year integer) returns date language sql stable parallel safe
return (make_date(year, fiscal_year_start(), 1) + interval '1 year' - interval '1 day')::date;

create table budget_movements (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint budget_movements_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    allocation_id uuid not null constraint budget_movements_allocation_id_fkey references budget_allocations,
    kind text not null check (kind in ('allotment', 'commitment', 'verification', 'payment_order', 'payment', 'decommitment', 'reimbursement',
        'virement', 'carry_forward', 'revision', 'reversal')),
    direction text constraint budget_movements_direction_known check (direction in ('increase', 'decrease')),
    amount numeric(18,2) not null check (amount > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    dated_on date not null,
    value_on date,
    follows_id uuid constraint budget_movements_follows_id_fkey references budget_movements,
    reverses_id uuid constraint budget_movements_reverses_id_key unique constraint budget_movements_reverses_id_fkey references budget_movements,
    to_allocation_id uuid constraint budget_movements_to_allocation_id_fkey references budget_allocations,
    from_allocation_id uuid constraint budget_movements_from_allocation_id_fkey references budget_allocations,
    counterpart_id uuid constraint budget_movements_counterpart_id_fkey references budget_movements,
    counterparty text,
    reference text,
    legal_act_id uuid constraint budget_movements_legal_act_id_fkey references legal_acts,
    note jsonb,
    -- The principal, such as `key:5f1c09d2ab34`, because names may be given twice. Null for what came with a plan file that does not say.
    recorded_by text,
    search tsvector generated always as (search_document(counterparty, reference, words_of(note))) stored,
    constraint budget_movements_direction_check check ((kind = 'revision') = (direction is not null)),
    constraint budget_movements_reverses_id_check check ((kind = 'reversal') = (reverses_id is not null)),
    constraint budget_movements_to_allocation_id_check check (
        num_nonnulls(to_allocation_id, from_allocation_id) = (kind in ('virement', 'carry_forward'))::integer
        and coalesce(to_allocation_id, from_allocation_id) is distinct from allocation_id),
    constraint budget_movements_counterpart_id_check check ((kind in ('virement', 'carry_forward')) = (counterpart_id is not null))
);
create index budget_movements_search on budget_movements using gin (search);
create index budget_movements_created_at on budget_movements (created_at, id);
create index budget_movements_dated_on on budget_movements (dated_on, id);
create index budget_movements_allocation_id on budget_movements (allocation_id, kind);
create index budget_movements_follows_id on budget_movements (follows_id);
create index budget_movements_to_allocation_id on budget_movements (to_allocation_id);
create index budget_movements_from_allocation_id on budget_movements (from_allocation_id);
create index budget_movements_counterpart_id on budget_movements (counterpart_id);
create index budget_movements_legal_act_id on budget_movements (legal_act_id);
create index budget_movements_recorded_by on budget_movements (recorded_by);

-- The figure that a kind of movement changes.
create function movement_stage(kind text) returns text language sql immutable parallel safe
return case kind
    when 'allotment' then 'allotted'
    when 'commitment' then 'committed' when 'decommitment' then 'committed'
    when 'verification' then 'verified'
    when 'payment_order' then 'ordered'
    when 'payment' then 'paid' when 'reimbursement' then 'paid'
    when 'revision' then 'appropriated' when 'virement' then 'appropriated' when 'carry_forward' then 'appropriated'
end;

-- Whether it adds (1) or takes away (-1).
create function movement_sign(kind text, direction text, is_outgoing boolean) returns integer language sql immutable parallel safe
return case
    when kind in ('decommitment', 'reimbursement') then -1
    when kind in ('virement', 'carry_forward') and is_outgoing then -1
    when kind = 'revision' and direction = 'decrease' then -1
    else 1
end;

-- The sums of each allocation that has movements; not a noun and without versions, because it can be made anew out of those at any time.
-- Each figure is a ceiling of the next. The functions below refuse with words what would break one; the checks are the last resort.
create table budget_totals (
    allocation_id uuid primary key references budget_allocations on delete cascade,
    -- The amount of the allocation, and what was added to it or taken away.
    granted numeric(18,2) not null,
    moved numeric(18,2) not null default 0,
    allotted numeric(18,2) not null default 0,
    committed numeric(18,2) not null default 0,
    verified numeric(18,2) not null default 0,
    ordered numeric(18,2) not null default 0,
    paid numeric(18,2) not null default 0,
    check (allotted <= granted + moved),
    check (committed <= allotted),
    check (verified <= committed),
    check (ordered <= verified),
    check (paid <= ordered),
    check (paid >= 0)
);

-- What an allocation allows before any revision.
create function granted(phase text, amount numeric) returns numeric language sql immutable parallel safe
return case phase when 'appropriation' then amount else 0 end;

-- Which ceilings a change would break, in words.
create function broken_ceilings(before budget_totals, after budget_totals, currency text)
    returns table (pointer text, code text, detail text) language sql immutable as $$
    select '#/money/amount', 'ceiling_exceeded',
        format('%s would be %s %s, above their ceiling, %s of %s. Now %s of %s are used and %s are left; ',
            upper(left(label, 1)) || substr(label, 2), used, currency, ceiling_label, ceiling, used_before, ceiling_before, ceiling_before - used_before)
        || case when used > used_before then 'give at most what is left, or raise the ceiling first.' else 'free what is used first.' end
    from (values
        ('the allotments', after.allotted, before.allotted, 'the appropriation', after.granted + after.moved, before.granted + before.moved),
        ('the commitments', after.committed, before.committed, 'the allotments', after.allotted, before.allotted),
        ('the verified amounts', after.verified, before.verified, 'the commitments', after.committed, before.committed),
        ('the payment orders', after.ordered, before.ordered, 'the verified amounts', after.verified, before.verified),
        ('the payments', after.paid, before.paid, 'the payment orders', after.ordered, before.ordered)
    ) stage (label, used, used_before, ceiling_label, ceiling, ceiling_before)
    where used > ceiling
    union all
    select '#/money/amount', 'ceiling_exceeded',
        format('More would be taken back than is paid: %s %s are paid; give at most that.', before.paid, currency)
    where after.paid < 0
$$;

-- Refuses a write with all its faults, as JSON: MD422 for what is wrong in itself, MD409 for what the state of things does not allow.
create function refuse(faults jsonb, state text) returns void language plpgsql as $$
begin
    if faults is not null then
        raise exception using errcode = state, message = faults::text;
    end if;
end
$$;

create function record_movements() returns trigger language plpgsql as $$
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
create trigger budget_movements_record after insert on budget_movements referencing new table as recorded
    for each statement execute function record_movements();

create function keep_movements() returns trigger language plpgsql as $$
begin
    perform refuse(jsonb_build_array(jsonb_build_object('pointer', '#', 'code', 'append_only',
        'detail', 'A movement of money stays as it was recorded; record a reversal, and then what is right.')), 'MD409');
    return null;
end
$$;
create trigger budget_movements_keep before update or delete or truncate on budget_movements for each statement execute function keep_movements();

-- The ceiling follows the allocation, and what has movements keeps what they were judged by.
create function follow_allocation() returns trigger language plpgsql as $$
declare
    before budget_totals;
    after budget_totals;
    faults jsonb;
begin
    select * into before from budget_totals t where t.allocation_id = new.id for update;
    if not found then
        return null;
    end if;
    after := before;
    after.granted := granted(new.phase, new.amount);
    select jsonb_agg(to_jsonb(b)) into faults from (
        select '#/' || field as pointer, 'has_movements' as code,
            format('Money has moved on this allocation, so its %s stays %s; make another allocation.', replace(replace(field, 'money/', ''), '_', ' '), kept) as detail
        from (values ('money/currency', old.currency, new.currency), ('fiscal_year', old.fiscal_year::text, new.fiscal_year::text),
            ('phase', old.phase, new.phase)) v (field, kept, given)
        where kept <> given
        union all
        select * from broken_ceilings(before, after, old.currency)
    ) b;
    perform refuse(faults, 'MD409');
    update budget_totals t set granted = after.granted where t.allocation_id = new.id;
    return null;
end
$$;
create trigger budget_allocations_follow after update on budget_allocations for each row
    when ((old.amount, old.phase, old.currency, old.fiscal_year) is distinct from (new.amount, new.phase, new.currency, new.fiscal_year))
    execute function follow_allocation();

select cleared.track('budget_movement', 'budget_movements');
