-- One sight. The classification of a row may be left open: then it is that of what the row is part of. What is judged is the effective
-- classification, the highest of its own and of those above it. It stands beside the row, where readers look, and triggers keep it.

-- Who sees all has no such setting.
create or replace function cleared.sees(classification text) returns boolean language sql stable parallel safe
return classification = any (string_to_array(current_setting('mandate.clearance', true), ','));

-- Through which fields a noun is part of another (`Resource::PARENTS`).
create table cleared.parents (
    noun name not null,
    field name not null,
    parent name not null,
    primary key (noun, field)
);
insert into cleared.parents (noun, field, parent) values
    ('strategies', 'parent_id', 'strategies'),
    ('objectives', 'strategy_id', 'strategies'), ('objectives', 'parent_id', 'objectives'),
    ('initiatives', 'strategy_id', 'strategies'), ('initiatives', 'objective_id', 'objectives'),
    ('steps', 'initiative_id', 'initiatives'),
    ('assignments', 'initiative_id', 'initiatives'), ('assignments', 'step_id', 'steps'),
    ('timelines', 'initiative_id', 'initiatives'), ('timelines', 'step_id', 'steps'),
    ('milestones', 'initiative_id', 'initiatives'),
    ('dependencies', 'predecessor_initiative_id', 'initiatives'), ('dependencies', 'predecessor_step_id', 'steps'),
    ('dependencies', 'successor_initiative_id', 'initiatives'), ('dependencies', 'successor_step_id', 'steps'),
    ('budget_allocations', 'initiative_id', 'initiatives'), ('budget_allocations', 'step_id', 'steps'),
    ('budget_movements', 'allocation_id', 'budget_allocations'), ('budget_movements', 'to_allocation_id', 'budget_allocations'),
    ('budget_movements', 'from_allocation_id', 'budget_allocations'),
    ('staff_allocations', 'initiative_id', 'initiatives'), ('staff_allocations', 'step_id', 'steps'),
    ('staff_capacities', 'entity_id', 'entities'),
    ('reporting_cycles', 'strategy_id', 'strategies'),
    ('progress_reports', 'initiative_id', 'initiatives'), ('progress_reports', 'step_id', 'steps'), ('progress_reports', 'cycle_id', 'reporting_cycles'),
    ('risks', 'strategy_id', 'strategies'), ('risks', 'initiative_id', 'initiatives'), ('risks', 'step_id', 'steps'),
    ('indicators', 'strategy_id', 'strategies'), ('indicators', 'objective_id', 'objectives'), ('indicators', 'initiative_id', 'initiatives'),
    ('indicators', 'step_id', 'steps'),
    ('indicator_targets', 'indicator_id', 'indicators'),
    ('measurements', 'indicator_id', 'indicators'),
    ('evidence', 'strategy_id', 'strategies'),
    ('treaties', 'parent_id', 'treaties'),
    ('treaty_actions', 'treaty_id', 'treaties'),
    ('forums', 'parent_id', 'forums'),
    ('engagements', 'forum_id', 'forums'),
    ('delegations', 'engagement_id', 'engagements'),
    ('commitments', 'forum_id', 'forums'),
    ('contact_points', 'commitment_id', 'commitments'), ('contact_points', 'forum_id', 'forums'),
    ('contributions', 'strategy_id', 'strategies'), ('contributions', 'initiative_id', 'initiatives'),
    ('contribution_partners', 'contribution_id', 'contributions'),
    ('training_programmes', 'strategy_id', 'strategies'), ('training_programmes', 'initiative_id', 'initiatives'),
    ('training_sessions', 'programme_id', 'training_programmes'),
    ('assessments', 'framework_id', 'frameworks'), ('assessments', 'strategy_id', 'strategies'),
    ('answers', 'assessment_id', 'assessments'),
    ('citations', 'answer_id', 'answers'), ('citations', 'evidence_id', 'evidence');

-- What an open classification means where nothing is above: `internal`, but of a point of contact `restricted`, whatever is above.
create function cleared.unsaid(noun name) returns text language sql immutable parallel safe
return case noun when 'contact_points' then 'restricted' else 'internal' end;

create function cleared.rank(classification text) returns integer language sql immutable parallel safe
return case classification when 'public' then 1 when 'internal' then 2 when 'restricted' then 3 end;

-- The higher of two; null is none.
create function cleared.higher(one text, other text) returns text language sql immutable parallel safe
return case when coalesce(cleared.rank(one), 0) >= coalesce(cleared.rank(other), 0) then one else other end;

-- The highest of what is above a row `t`, as an expression of SQL; null where nothing is.
create function cleared.above(noun name) returns text language plpgsql stable as $$
declare
    each record;
    above text := 'null::text';
begin
    for each in select p.field, p.parent from cleared.parents p where p.noun = above.noun order by p.field loop
        above := format('cleared.higher(%s, (select p.effective_classification from public.%I p where p.id = t.%I))', above, each.parent, each.field);
    end loop;
    return above;
end
$$;

-- The own classification of a row `t`, as an expression of SQL; what is open and below nothing has the default.
create function cleared.own(noun name) returns text language plpgsql stable as $$
declare
    fields text;
begin
    select string_agg(format('t.%I', p.field), ', ' order by p.field) into fields from cleared.parents p where p.noun = own.noun;
    if fields is null or cleared.unsaid(noun) <> 'internal' then
        return format('coalesce(t.classification, %L)', cleared.unsaid(noun));
    end if;
    return format('coalesce(t.classification, case when num_nonnulls(%s) = 0 then %L else ''public'' end)', fields, cleared.unsaid(noun));
end
$$;

-- What has been told of a change: the highest effective classification before and after it. Older changes have only the own ones.
alter table changes add column classification text;
create function cleared.told(classification text, before jsonb, after jsonb) returns text language sql immutable parallel safe
return coalesce(classification, cleared.higher(
    case when before is not null then cleared.of(before) end, case when after is not null then cleared.of(after) end), 'internal');

-- Nothing that is computed from a row is recorded of it.
create or replace function record_of(fields jsonb) returns jsonb language sql immutable parallel safe
return (case when fields ? 'amount' then fields || jsonb_build_object('amount', fields ->> 'amount') else fields end)
    - array['search', 'code_order', 'item_id', 'predecessor_id', 'successor_id', 'effective_classification'];

-- Writes the triggers by which a noun has its effective classification, and hands it down.
--
-- Who writes below something holds that (as its foreign key does); who classifies something anew first makes those wait, and then goes through
-- all that is below. So neither misses the other.
create function cleared.inherit(noun name) returns void language plpgsql as $$
declare
    each record;
    looks text := '';
    moves text := 'old.classification is distinct from new.classification or old.effective_classification is distinct from new.effective_classification';
    flows text := '';
begin
    execute format('create or replace function cleared.effective(t public.%1$I) returns text language sql stable as
        $f$ select cleared.higher(%2$s, %3$s) $f$', noun, cleared.own(noun), cleared.above(noun));

    for each in select p.field, p.parent from cleared.parents p where p.noun = inherit.noun order by p.field loop
        looks := looks || format('
    if new.%2$I is not null then
        select p.effective_classification into one from public.%1$I p where p.id = new.%2$I for key share;
        -- What comes later in the same statement hands down what is missing here.
        is_whole := is_whole and found;
        above := cleared.higher(above, coalesce(one, ''restricted''));
    end if;', each.parent, each.field);
        moves := moves || format(' or old.%1$I is distinct from new.%1$I', each.field);
    end loop;
    execute format($f$
create or replace function cleared.%1$I() returns trigger language plpgsql as $b$
declare
    one text;
    above text;
    is_whole boolean := true;
begin%2$s
    if is_whole and cleared.rank(new.classification) < cleared.rank(above) and (tg_op = 'INSERT' or new.classification is distinct from old.classification) then
        perform public.refuse(jsonb_build_array(jsonb_build_object('pointer', '#/classification', 'code', 'below_parent', 'detail',
            format('What it is part of is %%s; give %%s, or leave it out and it is the same.', above,
                case above when 'internal' then 'internal or restricted' else above end))), 'MD422');
    end if;
    new.effective_classification := cleared.higher(%3$s, above);
    if tg_op = 'UPDATE' and new.effective_classification <> old.effective_classification then
        perform from public.%4$I t where t.id = new.id for update;
    end if;
    return new;
end
$b$
$f$, noun || '_classify', looks, replace(cleared.own(noun), 't.', 'new.'), noun);
    execute format('create or replace trigger %1$I before insert on public.%2$I for each row execute function cleared.%3$I()',
        noun || '_classify_insert', noun, noun || '_classify');
    execute format('create or replace trigger %1$I before update on public.%2$I for each row when (%4$s) execute function cleared.%3$I()',
        noun || '_classify_update', noun, noun || '_classify', moves);

    for each in select p.noun, p.field from cleared.parents p
        join pg_attribute a on a.attrelid = to_regclass(format('public.%I', p.noun)) and a.attname = 'effective_classification'
        where p.parent = inherit.noun order by p.noun, p.field
    loop
        flows := flows || format('
    update public.%1$I t set effective_classification = cleared.effective(t)
        where t.%2$I = $1 and t.effective_classification <> cleared.effective(t);', each.noun, each.field);
    end loop;
    if flows <> '' then
        execute format('create or replace function cleared.%1$I(above uuid) returns void language plpgsql as $b$
begin%2$s
end
$b$', noun || '_below', flows);
        execute format('create or replace function cleared.%1$I() returns trigger language plpgsql as $b$
begin
    perform cleared.%2$I(new.id);
    return null;
end
$b$', noun || '_hand_down', noun || '_below');
        execute format('create or replace trigger %1$I after update on public.%2$I for each row
            when (old.effective_classification <> new.effective_classification) execute function cleared.%3$I()',
            noun || '_hand_down', noun, noun || '_hand_down');
        -- Of rows of one statement the upper may come after the lower.
        if exists (select from cleared.parents p where p.noun = inherit.noun and p.parent = inherit.noun) then
            execute format('create or replace trigger %1$I after insert on public.%2$I for each row execute function cleared.%3$I()',
                noun || '_hand_down_new', noun, noun || '_hand_down');
        end if;
    end if;
end
$$;

-- All rows that are part of these, anywhere below them; one that is part of several of them comes several times.
create function cleared.below(noun name, ids uuid[]) returns table (kept_in name, id uuid, effective text) language plpgsql stable as $$
declare
    each record;
    found_ids uuid[];
begin
    for each in select p.noun, p.field from cleared.parents p where p.parent = below.noun order by p.noun, p.field loop
        execute format('select array_agg(t.id) from public.%I t where t.%I = any ($1)', each.noun, each.field) into found_ids using below.ids;
        if found_ids is not null then
            return query execute format('select %L::name, t.id, t.effective_classification from public.%I t where t.id = any ($1)', each.noun, each.noun)
                using found_ids;
            return query select * from cleared.below(each.noun, found_ids);
        end if;
    end loop;
end
$$;

-- All that was recorded after one position and until another. A serializable transaction that classifies something anew does not see what others
-- wrote below it meanwhile; that is handed down here, once both are committed.
create or replace function as_of.keep(since bigint, upto bigint) returns void language plpgsql as $$
declare
    each record;
    part record;
begin
    for each in
        select distinct c.kind from public.changes c join as_of.tracked k on k.kind = c.kind
        where c.position > since and c.position <= upto
    loop
        perform as_of.fill(each.kind, since, upto);
    end loop;
    for each in
        select distinct k.noun, c.entity_id as id from public.changes c join as_of.tracked k on k.kind = c.kind
        where c.position > since and c.position <= upto and c.action = 'updated'
            and exists (select from cleared.parents p where p.parent = k.noun)
            and exists (
                select from (select 'classification' as field union all select p.field from cleared.parents p where p.noun = k.noun) f
                where c.before -> f.field::text is distinct from c.after -> f.field::text)
    loop
        for part in select w.kept_in, array_agg(distinct w.id) as ids from cleared.below(each.noun, array[each.id]) w group by w.kept_in loop
            execute format('update public.%I t set effective_classification = cleared.effective(t)
                where t.id = any ($1) and t.effective_classification <> cleared.effective(t)', part.kept_in) using part.ids;
        end loop;
    end loop;
end
$$;

-- Writes the function that says how a thing is classified today, be it there or not: what was deleted is as it was then, and as what it was
-- part of is today.
create function cleared.look_up() returns void language plpgsql as $$
declare
    each record;
    branches text := '';
begin
    for each in select t.kind, t.noun from as_of.tracked t order by t.kind loop
        branches := branches || format('
        when %L then select t.effective_classification into told from public.%I t where t.id = today.id;', each.kind, each.noun);
    end loop;
    execute format($f$
create or replace function cleared.today(kind text, id uuid) returns text language plpgsql stable parallel safe as $b$
declare
    told text;
    last record;
    each record;
begin
    case today.kind%s
        else null;
    end case;
    if told is not null then
        return told;
    end if;
    select cleared.told(c.classification, c.before, c.after) as told, coalesce(c.before, c.after) as fields into last
        from public.changes c where c.kind = today.kind and c.entity_id = today.id order by c.version desc limit 1;
    if not found then
        return null;
    end if;
    told := last.told;
    for each in
        select k.kind, (last.fields ->> p.field::text)::uuid as id from cleared.parents p
        join as_of.tracked t on t.noun = p.noun join as_of.tracked k on k.noun = p.parent
        where t.kind = today.kind and last.fields ->> p.field::text is not null
    loop
        told := cleared.higher(told, cleared.today(each.kind, each.id));
    end loop;
    return told;
end
$b$
$f$, branches);
end
$$;

-- As before, but for the effective classification: that of the past follows from what was above then.
create or replace function as_of.track(kind text, noun name) returns void language plpgsql as $$
declare
    versions name := noun || '_versions';
    whole text;
    named text;
    made record;
    one jsonb;
    -- From before there was any.
    preset jsonb := '{"classification": "internal"}';
begin
    execute format('drop view if exists as_of.%I', noun);
    execute format('drop table if exists as_of.%I', versions);
    execute format(
        'create table as_of.%I (like public.%I including generated, recorded_from timestamptz not null, recorded_to timestamptz not null)',
        versions, noun);
    execute format('alter table as_of.%I drop column if exists effective_classification', versions);
    select string_agg(quote_ident(attname), ', ' order by attnum),
        string_agg(quote_ident(attname), ', ' order by attnum) filter (where attgenerated = '')
        into whole, named
        from pg_attribute where attrelid = format('public.%I', noun)::regclass and attnum > 0 and not attisdropped
            and attname <> 'effective_classification';
    for made in
        select a.attname as name, pg_get_expr(d.adbin, d.adrelid) as expression from pg_attrdef d
        join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where d.adrelid = format('public.%I', noun)::regclass and a.attgenerated = '' and a.attname <> 'effective_classification'
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

-- Whether a row `t` of the past is seen, as an expression of SQL: when its own classification of then is, and what it was part of then is, and what
-- it is today. What is classified today is so in every past.
create function cleared.seen_then(kind text, noun name) returns text language plpgsql stable as $$
declare
    each record;
    seen text := format('cleared.sees(%s) and coalesce(
            (select cleared.sees(now.effective_classification) from public.%I now where now.id = t.id), cleared.sees(cleared.today(%L, t.id)))',
        cleared.own(noun), noun, kind);
begin
    for each in select p.field, p.parent from cleared.parents p where p.noun = seen_then.noun order by p.field loop
        seen := seen || format(' and (t.%1$I is null or cleared_past.%2$I(t.%1$I))', each.field, 'sees_' || each.parent);
    end loop;
    return seen;
end
$$;

-- Writes the function that says so of a row by its id, for those that are part of it.
create function cleared.look_back(kind text, noun name) returns void language plpgsql as $$
begin
    execute format('create or replace function cleared_past.%1$I(id uuid) returns boolean language plpgsql stable parallel safe as $b$
begin
    return exists (select from as_of.%2$I t where t.id = $1 and %3$s);
end
$b$', 'sees_' || noun, noun, cleared.seen_then(kind, noun));
end
$$;

-- The columns of a noun, as a reader sees them: whoever is nobody does not see who it was.
create function cleared.columns(noun name) returns text language sql stable as $$
    select string_agg(case a.attname when 'recorded_by' then 'case when cleared.sees(''internal'') then t.recorded_by end as recorded_by'
        else format('t.%I', a.attname) end, ', ' order by a.attnum)
    from pg_attribute a where a.attrelid = format('public.%I', columns.noun)::regclass and a.attnum > 0 and not a.attisdropped
        and a.attname <> 'effective_classification'
$$;

-- Writes the views of a noun for readers who may not see all; and in every schema of readings one of what such a reader does not see, with nothing
-- but ids: so a report can tell what is not there from what is withheld.
create function cleared.show(kind text, noun name) returns void language plpgsql as $$
declare
    ids text;
    seen text := cleared.seen_then(kind, noun);
begin
    select string_agg(format('t.%I', a.attname), ', ' order by a.attnum) into ids from pg_attribute a
        where a.attrelid = format('public.%I', noun)::regclass and a.attnum > 0 and not a.attisdropped and a.atttypid = 'uuid'::regtype;
    execute format('create view cleared.%1$I as select %2$s, t.effective_classification from public.%1$I t where cleared.sees(t.effective_classification)',
        noun, cleared.columns(noun));
    execute format('create view cleared_past.%1$I as select %2$s from as_of.%1$I t where %3$s', noun, cleared.columns(noun), seen);
    execute format('create view public.%1$I as select %2$s from public.%3$I t where false', 'withheld_' || noun, ids, noun);
    execute format('create view as_of.%1$I as select %2$s from as_of.%3$I t where false', 'withheld_' || noun, ids, noun);
    execute format('create view cleared.%1$I as select %2$s from public.%3$I t where not cleared.sees(t.effective_classification)',
        'withheld_' || noun, ids, noun);
    execute format('create view cleared_past.%1$I as select %2$s from as_of.%3$I t where not coalesce(%4$s, false)',
        'withheld_' || noun, ids, noun, seen);
end
$$;

-- Gives a noun its effective classification, its past (`as_of.track`), and its views for readers who may not see all. A migration calls it for
-- each new noun, once what that is part of stands in `cleared.parents`, and for one whose columns it has changed.
create or replace function cleared.track(kind text, noun name) returns void language plpgsql as $$
declare
    each text;
begin
    foreach each in array array['public', 'as_of', 'cleared', 'cleared_past'] loop
        execute format('drop view if exists %I.%I', each, 'withheld_' || noun);
    end loop;
    execute format('drop view if exists cleared.%I', noun);
    execute format('drop view if exists cleared_past.%I', noun);
    execute format('alter table public.%I alter column classification drop not null, alter column classification drop default', noun);
    execute format('alter table public.%I add column if not exists effective_classification text not null default ''restricted''', noun);
    perform as_of.track(kind, noun);
    perform cleared.look_up();
    perform cleared.inherit(above.parent) from (select distinct p.parent from cleared.parents p where p.noun = track.noun and p.parent <> track.noun) above;
    perform cleared.inherit(noun);
    perform cleared.look_back(kind, noun);
    perform cleared.show(kind, noun);
end
$$;

-- A movement stays as it was recorded; only what it inherits follows what is above.
drop trigger budget_movements_keep on budget_movements;

do $$
declare
    each record;
    many bigint;
    moved bigint;
begin
    for each in select t.noun from as_of.tracked t loop
        execute format('drop view cleared.%I', each.noun);
        execute format('drop view cleared_past.%I', each.noun);
        execute format('alter table public.%I alter column classification drop not null, alter column classification drop default', each.noun);
        execute format('alter table public.%I add column effective_classification text not null default ''restricted''', each.noun);
        -- The tables of versions stay: the record is as it was.
        execute format('alter table as_of.%I alter column classification drop not null', each.noun || '_versions');
        execute format('update public.%I set effective_classification = classification', each.noun);
    end loop;
    loop
        moved := 0;
        for each in select p.noun, p.field, p.parent from cleared.parents p loop
            execute format('update public.%1$I c set effective_classification = p.effective_classification from public.%2$I p
                where p.id = c.%3$I and cleared.rank(p.effective_classification) > cleared.rank(c.effective_classification)',
                each.noun, each.parent, each.field);
            get diagnostics many = row_count;
            moved := moved + many;
        end loop;
        exit when moved = 0;
    end loop;
    -- What is as what it is part of, or would be below it, inherits from now on. Nothing is opened by that.
    for each in select t.kind, t.noun from as_of.tracked t loop
        if cleared.unsaid(each.noun) = 'internal' then
            execute format('update public.%I t set classification = null where cleared.rank(classification) <= cleared.rank(%s)',
                each.noun, cleared.above(each.noun));
        end if;
    end loop;
    perform cleared.look_up();
    for each in select t.kind, t.noun from as_of.tracked t loop
        perform cleared.inherit(each.noun);
        perform cleared.look_back(each.kind, each.noun);
    end loop;
    for each in select t.kind, t.noun from as_of.tracked t loop
        perform cleared.show(each.kind, each.noun);
    end loop;
    select string_agg(quote_ident(a.attname), ', ') as columns into each from pg_attribute a
        where a.attrelid = 'budget_movements'::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            and a.attname <> 'effective_classification';
    execute format('create trigger budget_movements_keep before update of %s on budget_movements for each statement execute function keep_movements()',
        each.columns);
end
$$;
create trigger budget_movements_stay before delete or truncate on budget_movements for each statement execute function keep_movements();

-- What is shown of the fields that a change has: whoever is nobody does not see who it was.
create function shown(fields jsonb) returns jsonb language sql immutable parallel safe return fields;
create function cleared.shown(fields jsonb) returns jsonb language sql stable parallel safe
return case when cleared.sees('internal') then fields else fields - 'recorded_by' end;
create function cleared_past.shown(fields jsonb) returns jsonb language sql stable parallel safe return cleared.shown(fields);

-- A change is seen when it was told to such readers, and when the thing is today: as the row, or as it was when it was deleted. Whoever is nobody
-- does not see who it was, why, and in which request.
create or replace view as_of.changes as select * from public.changes where recorded_at <= as_of.moment();
create function cleared.show_changes() returns void language plpgsql as $$
declare
    shown text;
begin
    select string_agg(case when a.attname in ('actor', 'request_id', 'reason', 'leaf')
            then format('case when cleared.sees(''internal'') then c.%1$I end as %1$I', a.attname)
            else format('c.%I', a.attname) end, ', ' order by a.attnum)
        into shown from pg_attribute a where a.attrelid = 'public.changes'::regclass and a.attnum > 0 and not a.attisdropped;
    drop view if exists cleared_past.changes;
    drop view if exists cleared.changes;
    execute format('create view cleared.changes as select %s from public.changes c
        where cleared.sees(cleared.told(c.classification, c.before, c.after)) and cleared.sees(cleared.today(c.kind, c.entity_id))', shown);
    create view cleared_past.changes as select c.* from cleared.changes c where c.recorded_at <= as_of.moment();
end
$$;
select cleared.show_changes();
