-- What writers see: whose a captured copy is, what a refusal tells, and what another classification would open or close.

-- Who has brought a captured copy, by principal: they may name it in evidence, as may whoever sees evidence that names it.
create table document_uploads (
    document_id uuid not null references documents on delete cascade,
    principal text not null,
    primary key (document_id, principal)
);

-- Whether whoever writes does not see all: then the setting is that of the transaction.
create function cleared.is_limited() returns boolean language sql stable parallel safe
return coalesce(current_setting('mandate.clearance', true), '') <> '';

-- Refuses a write with all its faults, as JSON. Sums of what the writer may not see are not told.
create or replace function refuse(faults jsonb, state text) returns void language plpgsql as $$
begin
    if faults is not null then
        if cleared.is_limited() and jsonb_path_exists(faults, '$[*].code ? (@ == "ceiling_exceeded" || @ == "more_than_followed")')
            and exists (select from public.budget_movements m where not cleared.sees(m.effective_classification))
        then
            select jsonb_agg(case when f ->> 'code' in ('ceiling_exceeded', 'more_than_followed')
                then f || '{"detail": "This is more than is left. Give less, or ask who sees all of the money: a part of it is withheld from you."}'
                else f end) into faults
            from jsonb_array_elements(faults) f;
        end if;
        raise exception using errcode = state, message = faults::text;
    end if;
end
$$;

-- How a row and all that is part of it are classified, a row a noun. What is classified higher than the row itself stays behind when that is opened.
create function cleared.reach(noun name, id uuid, is_whole boolean)
    returns table (kept_in text, public bigint, internal bigint, restricted bigint, higher uuid[]) language plpgsql stable as $$
declare
    own text;
begin
    execute format('select t.effective_classification from public.%I t where t.id = $1', noun) into own using reach.id;
    return query
        select r.kept_in::text, count(*) filter (where r.effective = 'public'), count(*) filter (where r.effective = 'internal'),
            count(*) filter (where r.effective = 'restricted'),
            coalesce(array_agg(r.id order by r.id) filter (where cleared.rank(r.effective) > cleared.rank(own)), '{}')
        from (
            select reach.noun as kept_in, reach.id, own as effective
            union
            select b.kept_in, b.id, b.effective from cleared.below(reach.noun, array[reach.id]) b
        ) r
        where is_whole or cleared.sees(r.effective)
        group by r.kept_in order by 1;
end
$$;
