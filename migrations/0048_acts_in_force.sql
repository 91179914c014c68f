-- Which acts need a second principal stands in the database and not in the sessions of those who write: so it is one answer for services and
-- commands, whatever each of them was started with (docs/decisions/0029).
create table acts_in_force (
    one boolean primary key default true check (one),
    acts text[] not null default '{}',
    -- When a service last said so; null until one has.
    set_at timestamptz,
    -- So often it was changed; the version in the record.
    version integer not null default 0
);
insert into acts_in_force default values;

-- The acts that a change is: those that can need a second principal. Where a step or an initiative goes, the money that stands on it goes too.
create function acts_of(kind text, before jsonb, after jsonb) returns text[] language sql stable
return array_remove(array[
    case
        when kind = 'budget_allocation' and 'appropriation' in (coalesce(before ->> 'phase', ''), coalesce(after ->> 'phase', ''))
            and public.fields_of(before, array['initiative_id', 'step_id', 'entity_id', 'funding_source_id', 'fiscal_year', 'phase', 'amount', 'currency', 'legal_act_id'])
                is distinct from
                public.fields_of(after, array['initiative_id', 'step_id', 'entity_id', 'funding_source_id', 'fiscal_year', 'phase', 'amount', 'currency', 'legal_act_id'])
            then 'appropriation'
        when kind = 'budget_movement' and (after ->> 'kind' in ('revision', 'virement', 'carry_forward') or exists (
                select from public.budget_movements m where m.id = (after ->> 'reverses_id')::uuid and m.kind = 'revision'))
            then 'appropriation'
        when kind = 'step' and before ->> 'initiative_id' <> after ->> 'initiative_id' and exists (
                select from public.budget_allocations a where a.step_id = (after ->> 'id')::uuid and a.phase = 'appropriation')
            then 'appropriation'
        when kind = 'initiative' and before ->> 'strategy_id' <> after ->> 'strategy_id' and exists (
                select from public.budget_allocations a left join public.steps s on s.id = a.step_id
                where (after ->> 'id')::uuid in (a.initiative_id, s.initiative_id) and a.phase = 'appropriation')
            then 'appropriation'
    end,
    -- The day on which dates were set decides which of several count. One that was still to come when the row was last written (older services
    -- took it) counted as the day of that writing, and so moves with every other (src/plan/ends.rs).
    case
        when kind = 'timeline'
            and (coalesce(before ->> 'basis', '') in ('approved', 'revised') or coalesce(after ->> 'basis', '') in ('approved', 'revised'))
            and (public.fields_of(before, array['initiative_id', 'step_id', 'basis', 'starts_on', 'ends_on', 'deadline_text', 'deadline_kind', 'deadline_from', 'deadline_to', 'legal_act_id', 'set_on'])
                    is distinct from
                    public.fields_of(after, array['initiative_id', 'step_id', 'basis', 'starts_on', 'ends_on', 'deadline_text', 'deadline_kind', 'deadline_from', 'deadline_to', 'legal_act_id', 'set_on'])
                or (before ->> 'set_on')::date > public.day_of((before ->> 'updated_at')::timestamptz))
            then 'approved_timeline'
    end,
    case
        when kind in ('initiative', 'step') and after ->> 'status' = 'completed' and before ->> 'status' is distinct from 'completed'
            then 'completion'
    end,
    case
        when kind = 'strategy' and after ->> 'status' in ('closed', 'archived')
            and coalesce(before ->> 'status', '') not in ('closed', 'archived')
            then 'closing'
    end
], null);

drop trigger changes_need_a_second on changes;

create or replace function need_a_second() returns trigger language plpgsql as $$
declare
    wanted text[] := (select f.acts from public.acts_in_force f);
    act text;
begin
    if wanted <> '{}' then
        select a.act into act from unnest(public.acts_of(new.kind, new.before, new.after)) with ordinality a (act, place)
        where a.act = any (wanted) order by a.place limit 1;
        if act is not null then
            raise exception using errcode = 'MD202', message = jsonb_build_object('act', act, 'kind', new.kind, 'id', new.entity_id,
                'action', new.action, 'version', new.before -> 'version', 'after', new.after)::text;
        end if;
    end if;
    return null;
end
$$;
drop function act_of(text, jsonb, jsonb);
-- At the end of the transaction: what is wrong with the write for another reason is said first. The examples of `mandate demo` are nobody's
-- decision; no client and no other command writes under that name.
create constraint trigger changes_need_a_second after insert on changes deferrable initially deferred for each row
    when (new.confirmation is null and new.actor <> 'demo'
        and new.kind in ('budget_allocation', 'budget_movement', 'timeline', 'initiative', 'step', 'strategy'))
    execute function need_a_second();

-- The acts in force that the changes of this transaction are: what they would stand as proposed for. It is for those who only try, and so never
-- come to the end of it.
create function acts_waiting() returns text[] language sql stable
return (
    select coalesce(array_agg(distinct a.act order by a.act), '{}')
    from public.changes c cross join lateral unnest(public.acts_of(c.kind, c.before, c.after)) a (act)
    where exists (select from public.acts_in_force f where f.acts <> '{}')
        and c.position is null and c.at = now() and c.confirmation is null
        and a.act = any (array(select unnest(f.acts) from public.acts_in_force f))
);
