-- Amounts have the decimals of their currency (ISO 4217): none in JPY, three in KWD, four in CLF. The list of the service
-- (src/values/codelists/iso4217.txt) is the origin; a test holds this function against it.

create function currency_digits(currency text) returns integer language sql immutable parallel safe
return case
    when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 0
    when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
    when currency in ('CLF', 'UYW') then 4
    else 2
end;

-- An amount as everything writes it: rounded half away from zero to the decimals of its currency, and with all of them.
create function written(amount numeric, currency text) returns text language sql immutable parallel safe
return round(amount, currency_digits(currency))::text;

-- Which ceilings a change would break, in words.
create or replace function broken_ceilings(before budget_totals, after budget_totals, currency text)
    returns table (pointer text, code text, detail text) language sql immutable as $$
    select '#/money/amount', 'ceiling_exceeded', case
        when used > used_before then
            format('%s would be %s %s, above their ceiling, %s of %s. Now %s of %s are used and %s are left; ',
                upper(left(label, 1)) || substr(label, 2), written(used, currency), currency, ceiling_label, written(ceiling, currency),
                written(used_before, currency), written(ceiling_before, currency), written(ceiling_before - used_before, currency))
            || 'give at most what is left, or raise the ceiling first.'
        else
            format('%s would be %s %s, below %s of %s that stand on it. At most %s can be taken away; ',
                upper(left(ceiling_label, 1)) || substr(ceiling_label, 2), written(ceiling, currency), currency, label, written(used, currency),
                written(ceiling_before - used, currency))
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
        format('More would be taken back than is paid: %s %s are paid; give at most that.', written(before.paid, currency), currency)
    where after.paid < 0
$$;

-- The columns take as many decimals as any currency has. What is there stays as it is written: no table is written anew. Views and triggers over the
-- columns stand in the way, whichever there are by now; `cleared.track` makes the views again.
do $$
declare
    noun text;
    each record;
    definition text;
    triggers text[] := '{}';
begin
    foreach noun in array array['budget_allocations', 'budget_movements', 'staff_allocations'] loop
        foreach definition in array array['cleared_past.withheld_', 'cleared.withheld_', 'as_of.withheld_', 'public.withheld_', 'cleared_past.', 'cleared.', 'as_of.'] loop
            execute 'drop view if exists ' || definition || noun;
        end loop;
    end loop;
    for each in
        select t.tgname, t.tgrelid::regclass as kept_in, pg_get_triggerdef(t.oid) as definition from pg_trigger t
        where not t.tgisinternal and t.tgrelid in ('budget_allocations'::regclass, 'budget_movements'::regclass, 'staff_allocations'::regclass, 'budget_totals'::regclass)
    loop
        triggers := triggers || each.definition;
        execute format('drop trigger %I on %s', each.tgname, each.kept_in);
    end loop;
    alter table budget_allocations
        alter column amount type numeric,
        add constraint budget_allocations_amount_digits check (amount < 1e16 and scale(amount) <= 4);
    alter table budget_movements
        alter column amount type numeric,
        add constraint budget_movements_amount_digits check (amount < 1e16 and scale(amount) <= 4);
    alter table staff_allocations
        alter column amount type numeric,
        add constraint staff_allocations_amount_digits check (amount < 1e16 and scale(amount) <= 4);
    alter table budget_totals
        alter column granted type numeric, alter column moved type numeric, alter column allotted type numeric, alter column committed type numeric,
        alter column verified type numeric, alter column ordered type numeric, alter column paid type numeric;
    foreach definition in array triggers loop
        execute definition;
    end loop;
end
$$;
select cleared.track(kind, noun) from (values
    ('budget_allocation', 'budget_allocations'), ('budget_movement', 'budget_movements'), ('staff_allocation', 'staff_allocations')) nouns (kind, noun);
