-- What may change in a plan depends on the status of its strategy. docs/guard.md has the rules in words, docs/decisions/0027 says why they stand here.

-- Whether a strategy in this status is in force: amended, it still is.
create function is_in_force(status text) returns boolean language sql immutable parallel safe
return status in ('in_force', 'amended');

-- Whether a strategy in this status obliges nobody any more.
create function is_over(status text) returns boolean language sql immutable parallel safe
return status in ('closed', 'archived', 'rejected', 'withdrawn');

-- As part of a unique index the status is a part of the key: a change of it waits for those who hold the row `for key share`, which every
-- writer below it does, and they wait for it. No other change of the strategy meets them.
create unique index strategies_status_key on strategies (id, status);

-- The strategies to which a row belongs whose parents are these: ids as an array in words, by table, such as {"steps": "{..}"}. A table that is
-- not named here is a mistake of whoever asks: nothing is let through because nobody thought of it.
create function strategies_above(parents jsonb) returns uuid[] language plpgsql stable parallel safe as $$
declare
    of_answers uuid[] := (parents ->> 'answers')::uuid[];
    of_evidence uuid[] := (parents ->> 'evidence')::uuid[];
    of_assessments uuid[] := (parents ->> 'assessments')::uuid[];
    of_contributions uuid[] := (parents ->> 'contributions')::uuid[];
    of_programmes uuid[] := (parents ->> 'training_programmes')::uuid[];
    of_indicators uuid[] := (parents ->> 'indicators')::uuid[];
    of_allocations uuid[] := (parents ->> 'budget_allocations')::uuid[];
    of_cycles uuid[] := (parents ->> 'reporting_cycles')::uuid[];
    of_steps uuid[] := (parents ->> 'steps')::uuid[];
    of_initiatives uuid[] := (parents ->> 'initiatives')::uuid[];
    of_objectives uuid[] := (parents ->> 'objectives')::uuid[];
    found uuid[] := (parents ->> 'strategies')::uuid[];
begin
    if parents - '{answers,evidence,assessments,contributions,training_programmes,indicators,budget_allocations,reporting_cycles,steps,initiatives,objectives,strategies,entities,treaties,forums,engagements,commitments,frameworks}'::text[] <> '{}' then
        raise exception 'strategies_above does not know the way from each of %', parents;
    end if;
    if of_answers is not null then
        of_assessments := of_assessments || array(select t.assessment_id from public.answers t where t.id = any (of_answers));
    end if;
    if of_assessments is not null then
        found := found || array(select t.strategy_id from public.assessments t where t.id = any (of_assessments) and t.strategy_id is not null);
    end if;
    if of_evidence is not null then
        found := found || array(select t.strategy_id from public.evidence t where t.id = any (of_evidence) and t.strategy_id is not null);
    end if;
    if of_contributions is not null then
        of_initiatives := of_initiatives
            || array(select t.initiative_id from public.contributions t where t.id = any (of_contributions) and t.initiative_id is not null);
        found := found || array(select t.strategy_id from public.contributions t where t.id = any (of_contributions) and t.strategy_id is not null);
    end if;
    if of_programmes is not null then
        of_initiatives := of_initiatives
            || array(select t.initiative_id from public.training_programmes t where t.id = any (of_programmes) and t.initiative_id is not null);
        found := found || array(select t.strategy_id from public.training_programmes t where t.id = any (of_programmes) and t.strategy_id is not null);
    end if;
    if of_indicators is not null then
        of_steps := of_steps || array(select t.step_id from public.indicators t where t.id = any (of_indicators) and t.step_id is not null);
        of_initiatives := of_initiatives
            || array(select t.initiative_id from public.indicators t where t.id = any (of_indicators) and t.initiative_id is not null);
        of_objectives := of_objectives
            || array(select t.objective_id from public.indicators t where t.id = any (of_indicators) and t.objective_id is not null);
        found := found || array(select t.strategy_id from public.indicators t where t.id = any (of_indicators) and t.strategy_id is not null);
    end if;
    if of_allocations is not null then
        of_steps := of_steps || array(select t.step_id from public.budget_allocations t where t.id = any (of_allocations) and t.step_id is not null);
        of_initiatives := of_initiatives
            || array(select t.initiative_id from public.budget_allocations t where t.id = any (of_allocations) and t.initiative_id is not null);
    end if;
    if of_cycles is not null then
        found := found || array(select t.strategy_id from public.reporting_cycles t where t.id = any (of_cycles));
    end if;
    if of_steps <> '{}' then
        of_initiatives := of_initiatives || array(select t.initiative_id from public.steps t where t.id = any (of_steps));
    end if;
    if of_initiatives <> '{}' then
        found := found || array(select t.strategy_id from public.initiatives t where t.id = any (of_initiatives));
    end if;
    if of_objectives <> '{}' then
        found := found || array(select t.strategy_id from public.objectives t where t.id = any (of_objectives));
    end if;
    return found;
end
$$;

-- What the strategies that some changes leave and enter do not allow: faults with the `place` of their change; null when there is nothing. Until
-- the end of the transaction none of those strategies gets another status.
--
-- A change is {"place", "weight", "before", "after", "own"}: its parents before and after, as `strategies_above` has them, null where it was not
-- or is not; `own` is the id of a changed strategy itself. The weight is 0 for what a plan in force lets pass, 1 for what weighs there, 2
-- for another status of `own`, 3 for one that takes it out of the archive.
create function guarded(changes jsonb, has_reason boolean) returns jsonb language plpgsql as $$
declare
    change record;
    held record;
    was uuid[];
    becomes uuid[];
    here uuid[];
    places integer[] := '{}';
    weights integer[] := '{}';
    owns boolean[] := '{}';
    ids uuid[] := '{}';
    caching text := current_setting('plan_cache_mode');
    code text;
    detail text;
    faults jsonb := '[]';
begin
    -- Of many changes the first meet small tables and the last large ones: a plan that was made for those must not be used for these.
    if jsonb_array_length(changes) > 1 then
        perform set_config('plan_cache_mode', 'force_custom_plan', true);
    end if;
    for change in
        select c.place, c.weight, c.before, c.after, c.own
        from jsonb_to_recordset(changes) c (place integer, weight integer, before jsonb, after jsonb, own uuid)
    loop
        was := public.strategies_above(change.before);
        becomes := case when change.after = change.before then was else public.strategies_above(change.after) end;
        if change.before is not null and change.after is not null
            and not (coalesce(was, '{}') <@ coalesce(becomes, '{}') and coalesce(becomes, '{}') <@ coalesce(was, '{}'))
        then
            change.weight := greatest(change.weight, 1);
        end if;
        here := was || becomes;
        for each in 1 .. coalesce(cardinality(here), 0) loop
            continue when here[each] = any (here[1 : each - 1]);
            places := places || change.place;
            weights := weights || change.weight;
            owns := owns || (here[each] is not distinct from change.own);
            ids := ids || here[each];
        end loop;
    end loop;
    -- What a strategy was when this statement began does not count, but what it is once its row is held.
    for held in
        select t.id, t.status, t.created_at, coalesce(t.code, t.id::text) as name from public.strategies t where t.id = any (ids) order by t.id
        for key share of t
    loop
        -- One that came in this transaction is being entered and not changed.
        continue when held.created_at = now();
        for each in 1 .. cardinality(ids) loop
            continue when ids[each] <> held.id;
            code := 'needs_reason';
            detail := null;
            if held.status = 'archived' and not (owns[each] and weights[each] = 3) then
                code := 'archived';
                detail := 'The strategy %s is archived and stays as it is. To reopen it, change its status to closed: name in legal_act_id the act that reopens it, and say in the header Mandate-Reason why.';
            elsif has_reason then
                continue;
            elsif owns[each] and weights[each] >= 2 then
                detail := 'The status of the strategy %s changes; say in the header Mandate-Reason why.';
            elsif held.status = 'closed' then
                detail := 'The strategy %s is closed; say in the header Mandate-Reason why it still changes.';
            elsif weights[each] >= 1 and public.is_in_force(held.status) then
                detail := 'The strategy %s is in force; say in the header Mandate-Reason why it changes so.';
            end if;
            if detail is not null then
                faults := faults || jsonb_build_object('place', places[each], 'code', code, 'detail', format(detail, held.name),
                    'pointer', case code when 'archived' then '#' else 'Mandate-Reason' end);
            end if;
        end loop;
    end loop;
    if jsonb_array_length(changes) > 1 then
        perform set_config('plan_cache_mode', caching, true);
    end if;
    return nullif(faults, '[]');
end
$$;

-- Refuses what is not allowed: MD423 what is archived, else MD422.
create function guard(changes jsonb, has_reason boolean) returns boolean language plpgsql as $$
declare
    faults jsonb := public.guarded(changes, has_reason);
begin
    if faults is not null then
        perform public.refuse(faults, case when faults @> '[{"code": "archived"}]' then 'MD423' else 'MD422' end);
    end if;
    return true;
end
$$;

-- What went to another strategy, as the report of integrity looks for it.
create index changes_moved on changes (kind, entity_id) where action = 'updated' and kind in ('initiative', 'step')
    and (before ->> 'strategy_id' is distinct from after ->> 'strategy_id' or before ->> 'initiative_id' is distinct from after ->> 'initiative_id');
