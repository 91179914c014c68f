-- Who may do what: the roles, and what a key of the API is for.

alter table api_keys drop constraint api_keys_role_check;
update api_keys set role = 'coordinator' where role = 'editor';
alter table api_keys
    add constraint api_keys_role_check
        check (role in ('admin', 'coordinator', 'editor', 'finance', 'diplomat', 'assessor', 'auditor', 'viewer')),
    -- The entity for which an editor or a finance officer acts. No foreign key: a key outlives its entity, and then may write nothing.
    add column entity_id uuid,
    -- Empty: all that the role may.
    add column scopes text[] not null default '{}',
    add column last_used_on date,
    -- The principal who made it; null for the command line.
    add column created_by text,
    add constraint api_keys_entity_id_check check ((entity_id is not null) = (role in ('editor', 'finance')));
create index api_keys_entity_id on api_keys (entity_id);

-- How far a thing may be known. A reader who may not see all reads from the schema `cleared`, or for the past from `cleared_past`: each has a
-- view for each noun, with the noun's name and those of its rows whose classification is in the setting `mandate.clearance`. So every
-- statement is one for every reader, and who may see all pays nothing.
create schema cleared;
create schema cleared_past;

create function cleared.sees(classification text) returns boolean language sql stable parallel safe
return classification = any (string_to_array(current_setting('mandate.clearance'), ','));

-- The classification in what the record keeps of a row; from before there was any it is the default.
create function cleared.of(fields jsonb) returns text language sql immutable parallel safe
return coalesce(fields ->> 'classification', 'internal');

-- Gives a noun its past (`as_of.track`) and its views for readers who may not see all. A migration calls it for each new noun, and for one whose
-- columns it has changed, in place of `as_of.track`, which these views would stop.
create function cleared.track(kind text, noun name) returns void language plpgsql as $$
begin
    execute format('drop view if exists cleared.%I', noun);
    execute format('drop view if exists cleared_past.%I', noun);
    perform as_of.track(kind, noun);
    execute format('create view cleared.%1$I as select * from public.%1$I where cleared.sees(classification)', noun);
    -- What is classified today is so in every past.
    execute format(
        'create view cleared_past.%1$I as select * from as_of.%1$I t where cleared.sees(classification)
         and not exists (select from public.%1$I now where now.id = t.id and not cleared.sees(now.classification))', noun);
end
$$;

do $$
declare
    each record;
begin
    for each in select kind, noun from as_of.tracked loop
        execute format(
            'alter table %I add column classification text not null default ''internal''
             check (classification in (''public'', ''internal'', ''restricted''))', each.noun);
        perform cleared.track(each.kind, each.noun);
    end loop;
end
$$;

-- A change is seen when what was before, what is after, and what the thing was last may be seen.
create view cleared.changes as select c.* from public.changes c
where (c.before is null or cleared.sees(cleared.of(c.before))) and (c.after is null or cleared.sees(cleared.of(c.after)))
    and cleared.sees((
        select cleared.of(coalesce(l.after, l.before)) from public.changes l
        where l.kind = c.kind and l.entity_id = c.entity_id order by l.version desc limit 1));
create view cleared_past.changes as select c.* from cleared.changes c where c.recorded_at <= as_of.moment();
