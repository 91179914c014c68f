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
        when kind = 'strategy' and after ->> 'status' in ('closed', 'archived') and before ->> 'status' is distinct from after ->> 'status'
            then 'closing'
    end
], null);

drop trigger changes_need_a_second on changes;

-- What a proposal would write: all its changes as the record has them, without what was before. Once it is confirmed they are those that were
-- written. Of an older proposal on several things nobody knows them: it cannot be confirmed, and is seen by who sees everything.
alter table proposals
    add column changes jsonb,
    -- A hash of them: the same request is another proposal where it would write something else.
    add column content bytea not null default '';
update proposals p set changes = jsonb_build_array(jsonb_build_object('kind', p.kind, 'action', p.action, 'id', p.target_id,
    'version', p.target_version, 'after', p.after))
where p.operation in ('create_' || p.kind, 'replace_' || p.kind, 'patch_' || p.kind, 'delete_' || p.kind);
update proposals p set changes = c.held
from (
    select confirmation ->> 'proposal_id' as id, jsonb_agg(jsonb_build_object('kind', kind, 'action', action, 'id', entity_id,
        'version', case when action <> 'created' then version - 1 end, 'after', after)) as held
    from changes where confirmation is not null group by 1
) c
where c.id = p.id::text;
drop index proposals_waiting;
create unique index proposals_waiting on proposals (proposed_by, fingerprint, content) where state = 'proposed';

-- The changes of this transaction: of a request that is proposed (by its id), or of one that confirms a proposal. Null where they are more than a
-- proposal holds.
create function changes_here(request text, proposal uuid) returns jsonb language sql stable
return (
    select case when count(*) <= 1000 and sum(octet_length(coalesce(c.after::text, ''))) <= 4194304 then
        jsonb_agg(jsonb_build_object('kind', c.kind, 'action', c.action, 'id', c.entity_id, 'version', c.before -> 'version', 'after', c.after)
            order by c.ctid) end
    from public.changes c
    where c.position is null and c.at = now()
        and case when proposal is null then c.request_id = request else c.confirmation ->> 'proposal_id' = proposal::text end
);

-- Changes as they are compared: in one order, without what is another whenever they are written. What is new has a number in place of its id, also
-- where others refer to it. The service dates the forecast of a report; a forecast of today is as one of the day on which it was proposed.
create function comparable(changes jsonb, proposed_on date) returns jsonb language sql stable
return (
    with made as (
        select coalesce(jsonb_object_agg(m.id, 'new ' || m.place), '{}') as ids
        from (
            select c ->> 'id' as id, row_number() over (order by c ->> 'kind', c ->> 'id') as place
            from jsonb_array_elements(changes) c where c ->> 'action' = 'created'
        ) m
    )
    select jsonb_agg(one.change order by one.change)
    from made cross join jsonb_array_elements(changes) c
        cross join lateral (
            select c || jsonb_build_object('id', coalesce(made.ids -> (c ->> 'id'), c -> 'id'), 'after', (
                select jsonb_object_agg(f.key, case
                    when f.key = 'set_on' and c ->> 'kind' = 'timeline' and c ->> 'action' = 'created' and f.value = to_jsonb(public.today())
                        then to_jsonb(proposed_on)
                    else coalesce(made.ids -> (f.value #>> '{}'), f.value) end)
                from jsonb_each(nullif(c -> 'after', 'null')) f where f.key not in ('version', 'created_at', 'updated_at')
            )) as change
        ) one
);

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
                'action', new.action, 'version', new.before -> 'version', 'after', new.after,
                'changes', public.changes_here(new.request_id, null))::text;
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

-- What a confirmed request writes is what was proposed, whatever has become meanwhile of the names in it and of what it rests on.
create function as_proposed() returns trigger language plpgsql as $$
declare
    written jsonb := public.changes_here(null, new.id);
    moved text;
begin
    if new.changes is null or public.comparable(written, public.day_of(new.created_at)) is distinct from public.comparable(new.changes, public.today()) then
        select format('%s %s has changed since, from version %s to version %s.', w ->> 'kind', w ->> 'id', p ->> 'version', w ->> 'version')
            into moved
        from jsonb_array_elements(new.changes) p, jsonb_array_elements(written) w
        where p ->> 'id' = w ->> 'id' and p ->> 'version' <> w ->> 'version' limit 1;
        raise exception using errcode = 'MD409', message = jsonb_build_array(jsonb_build_object('pointer', '#/proposal_id',
            'code', 'not_as_proposed', 'detail', concat_ws(' ', 'What it would write is not what was proposed.', moved)))::text;
    end if;
    update public.proposals set changes = written where id = new.id;
    return null;
end
$$;
create constraint trigger proposals_as_proposed after update on proposals deferrable initially deferred for each row
    when (old.state = 'proposed' and new.state = 'confirmed')
    execute function as_proposed();

-- How a row with these fields would be classified today; what they do not say of it does not count.
create function cleared.would_be(kind text, fields jsonb) returns text language plpgsql stable as $$
declare
    into_noun name := (select t.noun from as_of.tracked t where t.kind = would_be.kind);
    told text;
begin
    if into_noun is null then
        return 'restricted';
    end if;
    execute format('select cleared.effective(jsonb_populate_record(null::public.%I, $1))', into_noun) into told using (
        select coalesce(jsonb_object_agg(f.key, f.value), '{}') from jsonb_each(fields) f
        where f.key = 'classification' or f.key in (select p.field from cleared.parents p where p.noun = into_noun));
    return told;
end
$$;

-- Whether changes are seen: everything that they change as it is today, and as they would leave it, and everything to which that refers.
-- `refers` has by kind the fields that refer to something, each with the kind of that.
create function cleared.sees_changes(changes jsonb, refers jsonb) returns boolean language plpgsql stable as $$
declare
    -- What is new with it is judged by itself, and is not there to be looked up.
    made jsonb := (select coalesce(jsonb_object_agg(c ->> 'id', true), '{}') from jsonb_array_elements(changes) c where c ->> 'action' = 'created');
begin
    return changes is not null and not exists (
        select from jsonb_array_elements(changes) c
        cross join lateral (
            select c ->> 'kind' as kind, c ->> 'id' as id, c ->> 'action' = 'created' as is_new, nullif(c -> 'after', 'null') as after
        ) r
        where not coalesce(
            coalesce(cleared.sees(cleared.today(r.kind, r.id::uuid)), r.is_new)
            and (r.after is null or cleared.sees(cleared.would_be(r.kind, r.after)))
            and not exists (
                select from jsonb_each_text(refers -> r.kind) f where r.after ->> f.key is not null
                    and not coalesce(cleared.sees(cleared.today(f.value, (r.after ->> f.key)::uuid)), made ? (r.after ->> f.key))
            ), false));
end
$$;

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
