-- What the reports need of the database; and the rules of money that came out of a review of the whole.

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

-- What is allotted and not committed can be given back, to go elsewhere or into a later year.
alter table budget_movements
    drop constraint budget_movements_kind_check,
    add constraint budget_movements_kind_check check (kind in ('allotment', 'commitment', 'verification', 'payment_order', 'payment', 'deallotment',
        'decommitment', 'reimbursement', 'virement', 'carry_forward', 'revision', 'reversal'));

-- Whether a kind of movement takes back a part of what it follows.
create function takes_back(kind text) returns boolean language sql immutable parallel safe
return kind in ('deallotment', 'decommitment', 'reimbursement');

create or replace function movement_stage(kind text) returns text language sql immutable parallel safe
return case kind
    when 'allotment' then 'allotted' when 'deallotment' then 'allotted'
    when 'commitment' then 'committed' when 'decommitment' then 'committed'
    when 'verification' then 'verified'
    when 'payment_order' then 'ordered'
    when 'payment' then 'paid' when 'reimbursement' then 'paid'
    when 'revision' then 'appropriated' when 'virement' then 'appropriated' when 'carry_forward' then 'appropriated'
end;

create or replace function movement_sign(kind text, direction text, is_outgoing boolean) returns integer language sql immutable parallel safe
return case
    when takes_back(kind) then -1
    when kind in ('virement', 'carry_forward') and is_outgoing then -1
    when kind = 'revision' and direction = 'decrease' then -1
    else 1
end;

-- Which ceilings a change would break, in words: a figure that rises above its ceiling, or a ceiling that sinks below what it covers.
create or replace function broken_ceilings(before budget_totals, after budget_totals, currency text)
    returns table (pointer text, code text, detail text) language sql immutable as $$
    select '#/money/amount', 'ceiling_exceeded', case
        when used > used_before then
            format('%s would be %s %s, above their ceiling, %s of %s. Now %s of %s are used and %s are left; ',
                upper(left(label, 1)) || substr(label, 2), used, currency, ceiling_label, ceiling, used_before, ceiling_before, ceiling_before - used_before)
            || 'give at most what is left, or raise the ceiling first.'
        else
            format('%s would be %s %s, below %s of %s that stand on it. At most %s can be taken away; ',
                upper(left(ceiling_label, 1)) || substr(ceiling_label, 2), ceiling, currency, label, used, ceiling_before - used)
            || 'give at most that, or take back of those first.'
        end
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
            when 'payment' then 'payment_order' when 'deallotment' then 'allotment' when 'decommitment' then 'commitment' when 'reimbursement' then 'payment' end,
            '#/follows_id', 'wrong_kind', format('A %s does not follow a %s; see docs/money.md for what follows what.', m.kind, f.kind)),
        (m.counterpart_id is not null and (c.counterpart_id, c.kind, c.amount, c.currency, c.allocation_id, coalesce(c.to_allocation_id, c.from_allocation_id))
            is distinct from (m.id, m.kind, m.amount, m.currency, coalesce(m.to_allocation_id, m.from_allocation_id), m.allocation_id)
            or num_nonnulls(c.to_allocation_id, m.to_allocation_id) <> 1 and m.counterpart_id is not null,
            '#/counterpart_id', 'not_a_pair', 'It is not the other half of this movement; give both halves together.'),
        (m.dated_on > today(), '#/dated_on', 'in_future',
            'That day is still to come; record it when it is done, and say in value_on from when it counts.'),
        (f.dated_on > m.dated_on, '#/dated_on', 'before_followed',
            format('What it follows is of %s; give that day or a later one.', f.dated_on)),
        (r.dated_on > m.dated_on, '#/dated_on', 'before_reversed',
            format('What it takes back is of %s; give that day or a later one.', r.dated_on)),
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
            format('With this, %s %s would follow a %s of %s; give at most what is left of it.', sum(n.amount), f.currency, replace(f.kind, '_', ' '), f.amount)
        from (
            select follows_id from recorded where follows_id is not null
            union
            -- What was taken back is not, once that is reversed: then its room is needed again.
            select p.follows_id from recorded v join budget_movements b on b.id = v.reverses_id join budget_movements p on p.id = b.follows_id
            where takes_back(b.kind) and p.follows_id is not null
        ) m
        join budget_movements f on f.id = m.follows_id
        cross join lateral (
            -- What was taken back of a follower can follow again: a payment of which a part came back leaves room for another.
            select o.amount - case when takes_back(o.kind) then 0 else coalesce((
                select sum(b.amount) from budget_movements b
                where b.follows_id = o.id and takes_back(b.kind) and not exists (select from budget_movements r where r.reverses_id = b.id)), 0) end as amount
            from budget_movements o where o.follows_id = f.id and not exists (select from budget_movements r where r.reverses_id = o.id)
        ) n
        group by f.id having sum(n.amount) > f.amount
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

-- Movements stay as they were written, their classification too: what moves on an allocation that one may not see is not seen either.
create or replace function cleared.track(kind text, noun name) returns void language plpgsql as $$
declare
    beside text := case noun when 'budget_movements' then
        ' and exists (select from public.budget_allocations a where a.id = t.allocation_id and cleared.sees(a.classification))' else '' end;
begin
    execute format('drop view if exists cleared.%I', noun);
    execute format('drop view if exists cleared_past.%I', noun);
    perform as_of.track(kind, noun);
    execute format('create view cleared.%1$I as select * from public.%1$I t where cleared.sees(classification)%2$s', noun, beside);
    -- What is classified today is so in every past.
    execute format(
        'create view cleared_past.%1$I as select * from as_of.%1$I t where cleared.sees(classification)%2$s
         and not exists (select from public.%1$I now where now.id = t.id and not cleared.sees(now.classification))', noun, beside);
end
$$;
select cleared.track('budget_movement', 'budget_movements');

create or replace view cleared.changes as select c.* from public.changes c
where (c.before is null or cleared.sees(cleared.of(c.before))) and (c.after is null or cleared.sees(cleared.of(c.after)))
    and cleared.sees((
        select cleared.of(coalesce(l.after, l.before)) from public.changes l
        where l.kind = c.kind and l.entity_id = c.entity_id order by l.version desc limit 1))
    and (c.kind <> 'budget_movement' or exists (
        select from public.budget_allocations a where a.id = (coalesce(c.after, c.before) ->> 'allocation_id')::uuid and cleared.sees(a.classification)));

-- What a final measurement said can be taken back without another value.
alter table measurements
    drop constraint measurements_status_check,
    add constraint measurements_status_check check (status in ('provisional', 'final', 'withdrawn')),
    drop constraint measurements_check1,
    add constraint measurements_value_check check ((status = 'withdrawn') = (num_nonnulls(value, descriptor) = 0)),
    add constraint measurements_restates_id_check check (status <> 'withdrawn' or restates_id is not null);

-- Work that was reported on stays in its strategy: its reports are of the cycles of that. The argument is the field that would move it.
create function keep_reported() returns trigger language plpgsql as $$
declare
    -- A step has no steps, and an initiative is under no other.
    items uuid[] := new.id || array(select s.id from steps s where s.initiative_id = new.id);
    goal uuid := (select i.strategy_id from initiatives i where i.id = coalesce((to_jsonb(new) ->> 'initiative_id')::uuid, new.id));
begin
    perform refuse(jsonb_agg(jsonb_build_object('pointer', '#/' || tg_argv[0], 'code', 'has_reports', 'detail',
        format('There are reports on it, or on a step of it, in the cycle %s of its strategy; it stays with that.', v.code))), 'MD409')
    from (
        select c.code from progress_reports r join reporting_cycles c on c.id = r.cycle_id
        where r.item_id = any (items) and c.strategy_id <> goal order by c.code limit 1
    ) v;
    return null;
end
$$;
create trigger initiatives_keep_reported after update on initiatives for each row when (old.strategy_id <> new.strategy_id)
    execute function keep_reported('strategy_id');
create trigger steps_keep_reported after update on steps for each row when (old.initiative_id <> new.initiative_id)
    execute function keep_reported('initiative_id');

-- What an indicator is about, as the obligations look for it.
create index indicators_about on indicators (coalesce(step_id, initiative_id, objective_id, strategy_id));
