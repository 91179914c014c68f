-- Any past moment. The schema `as_of` has a view for each noun, with the noun's name and columns and the rows that were recorded at the moment
-- in the setting `mandate.as_of`: a reading that has the schema first in its `search_path` needs no other statements than one of today.
--
-- Behind each view stands a table of versions, because an index over the record's JSON could not serve the sort orders. It holds nothing that
-- the record does not: `as_of.track` makes it, and can make it again at any time; `as_of.keep` adds what was recorded since.

create schema as_of;

-- The nouns that have a past.
create table as_of.tracked (
    kind text primary key,
    noun name not null unique,
    -- What is written, in the order of the table, with commas.
    columns text not null,
    -- What a column has that was added after a row was recorded.
    defaults jsonb not null
);

create function as_of.moment() returns timestamptz language sql stable parallel safe
return current_setting('mandate.as_of')::timestamptz;

-- Of a noun, the versions that were recorded after one position and until another.
create function as_of.fill(kind text, since bigint, upto bigint) returns void language plpgsql as $$
declare
    t as_of.tracked;
begin
    select * into strict t from as_of.tracked k where k.kind = fill.kind;
    execute format(
        'update as_of.%1$I v set recorded_to = f.recorded_at
         from (
             select c.entity_id, min(c.recorded_at) as recorded_at from public.changes c
             where c.position > $1 and c.position <= $2 and c.kind = $3 group by c.entity_id
         ) f
         where v.id = f.entity_id and v.recorded_to = ''infinity''',
        t.noun || '_versions')
        using since, upto, fill.kind;
    execute format(
        'insert into as_of.%1$I (%2$s, recorded_from, recorded_to)
         select %3$s, f.recorded_at, f.until
         from (
             select c.recorded_at, c.after, lead(c.recorded_at, 1, ''infinity'') over (partition by c.entity_id order by c.position) as until
             from public.changes c where c.position > $1 and c.position <= $2 and c.kind = $3
         ) f, jsonb_populate_record(null::public.%4$I, $4 || f.after) r
         where f.after is not null and f.until > f.recorded_at',
        t.noun || '_versions', t.columns, regexp_replace(t.columns, '(^|, )', '\1r.', 'g'), t.noun)
        using since, upto, fill.kind, t.defaults;
end
$$;

-- All that was recorded after one position and until another.
create function as_of.keep(since bigint, upto bigint) returns void language plpgsql as $$
declare
    each text;
begin
    for each in
        select distinct c.kind from public.changes c join as_of.tracked k on k.kind = c.kind
        where c.position > since and c.position <= upto
    loop
        perform as_of.fill(each, since, upto);
    end loop;
end
$$;

-- Gives a noun a past, or makes it anew out of the record. A migration calls it for each new noun, and for one whose columns it has changed;
-- where that would take too long because the record is very large, it changes the table of versions and the view by itself instead.
create function as_of.track(kind text, noun name) returns void language plpgsql as $$
declare
    versions name := noun || '_versions';
    whole text;
    named text;
    made record;
    one jsonb;
    preset jsonb := '{}';
begin
    execute format('drop view if exists as_of.%I', noun);
    execute format('drop table if exists as_of.%I', versions);
    execute format(
        'create table as_of.%I (like public.%I including generated, recorded_from timestamptz not null, recorded_to timestamptz not null)',
        versions, noun);
    select string_agg(quote_ident(attname), ', ' order by attnum),
        string_agg(quote_ident(attname), ', ' order by attnum) filter (where attgenerated = '')
        into whole, named
        from pg_attribute where attrelid = format('public.%I', noun)::regclass and attnum > 0 and not attisdropped;
    for made in
        select a.attname as name, pg_get_expr(d.adbin, d.adrelid) as expression from pg_attrdef d
        join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where d.adrelid = format('public.%I', noun)::regclass and a.attgenerated = ''
    loop
        execute format('select jsonb_build_object(%L, %s)', made.name, made.expression) into one;
        preset := preset || one;
    end loop;
    insert into as_of.tracked values (track.kind, track.noun, named, preset)
        on conflict on constraint tracked_pkey do update set columns = excluded.columns, defaults = excluded.defaults;
    perform as_of.fill(track.kind, 0, h.position) from public.record_head h;
    execute format('create unique index on as_of.%I (id) where recorded_to = ''infinity''', versions);
    execute format('create index on as_of.%I (id, recorded_to, recorded_from)', versions);
    -- The orders and searches that the noun has; the times stand in the index, so that only rows of the moment are fetched.
    for made in
        select m.amname as method, keys.list from pg_index i
        join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam,
            lateral (
                select string_agg(format('(%s)', pg_get_indexdef(i.indexrelid, place, false)), ', ' order by place) as list
                from generate_series(1, i.indnkeyatts) place
            ) keys
        where i.indrelid = format('public.%I', noun)::regclass and i.indpred is null and not i.indisprimary
    loop
        execute format('create index on as_of.%I using %s (%s%s)', versions, made.method, made.list,
            case when made.method = 'btree' then ', recorded_to, recorded_from' else '' end);
    end loop;
    execute format('create view as_of.%I as select %s from as_of.%I where recorded_from <= as_of.moment() and recorded_to > as_of.moment()',
        noun, whole, versions);
end
$$;

select as_of.track(kind, noun) from (values
    ('legal_act', 'legal_acts'), ('entity', 'entities'), ('funding_source', 'funding_sources'), ('strategy', 'strategies'),
    ('objective', 'objectives'), ('initiative', 'initiatives'), ('step', 'steps'), ('assignment', 'assignments'),
    ('timeline', 'timelines'), ('milestone', 'milestones'), ('dependency', 'dependencies'), ('budget_allocation', 'budget_allocations')
) nouns (kind, noun);

-- The record itself, as far as it went. What is not recorded yet is in no past.
create view as_of.changes as select * from public.changes where recorded_at <= as_of.moment();

-- The day of the moment, in place of `today()`.
create function as_of.today() returns date language sql stable parallel safe
return (as_of.moment() at time zone coalesce(nullif(current_setting('mandate.timezone', true), ''), 'UTC'))::date;
