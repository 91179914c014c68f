-- What a record meets in a long life: changes written by hand that do not fit, and other keys of its log.

-- Changes whose fields the columns of their noun do not take, so that they have no version in the past, and why. They stop no other. The service
-- writes none; a hand in the database can. As everything in this schema it is made anew by `as_of.track`.
create table as_of.misfits (
    position bigint primary key,
    kind text not null,
    why text not null
);

-- Of a noun, the versions that were recorded after one position and until another. When one does not fit, the range is halved until it is found.
create or replace function as_of.fill(kind text, since bigint, upto bigint) returns void language plpgsql as $$
declare
    t as_of.tracked;
    middle bigint := (since + upto) / 2;
begin
    select * into strict t from as_of.tracked k where k.kind = fill.kind;
    delete from as_of.misfits m where m.kind = fill.kind and m.position > since and m.position <= upto;
    -- Outside of what may fail: also what does not fit ends the version before it.
    execute format(
        'update as_of.%1$I v set recorded_to = f.recorded_at
         from (
             select c.entity_id, min(c.recorded_at) as recorded_at from public.changes c
             where c.position > $1 and c.position <= $2 and c.kind = $3 group by c.entity_id
         ) f
         where v.id = f.entity_id and v.recorded_to = ''infinity''',
        t.noun || '_versions')
        using since, upto, fill.kind;
    begin
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
    -- What the values are to blame for, and nothing else: a full disk or a lost lock is to be tried again.
    exception when data_exception or integrity_constraint_violation or program_limit_exceeded then
        if upto - since = 1 then
            insert into as_of.misfits values (upto, fill.kind, sqlerrm);
        else
            perform as_of.fill(fill.kind, since, middle);
            perform as_of.fill(fill.kind, middle, upto);
        end if;
    end;
end
$$;

-- Takes the version that an erased change made out of the past.
create or replace function as_of.forget(kind text, id uuid, version integer) returns void language plpgsql as $$
declare
    noun name;
begin
    select t.noun into noun from as_of.tracked t where t.kind = forget.kind;
    if found then
        execute format('delete from as_of.%I v where v.id = $1 and v.version = $2', noun || '_versions') using forget.id, forget.version;
    end if;
    delete from as_of.misfits m using public.changes c
        where c.position = m.position and c.kind = forget.kind and c.entity_id = forget.id and c.version = forget.version;
end
$$;

-- The keys that signed the log before the one in `proof_head`, each with the checkpoint that it and the next one have signed.
create table proof_keys (
    size bigint primary key,
    key text not null unique,
    note text not null
);

-- Keys and webhooks are in the record too, as the kinds `api_key` and `webhook`: restricted, and without what is secret.
-- Versions stand beside the keys: a column more would disturb the prepared statements of a service that still runs.
create table api_key_versions (
    key_id text primary key references api_keys on delete cascade,
    version integer not null
);

-- The id of a key as that of a resource; the last twelve digits are the key's.
create function key_resource(id text) returns uuid language sql immutable parallel safe
return case when id ~ '^[0-9a-f]{12}$' then lpad(id, 32, '0') else md5(id) end::uuid;

create function record_of_key(fields jsonb) returns jsonb language sql immutable parallel safe
return fields - array['secret_hash', 'last_used_on'] || '{"classification": "restricted"}';

-- Of the address only scheme and host: the rest may be as secret as a password.
create function record_of_webhook(fields jsonb) returns jsonb language sql immutable parallel safe
return fields - array['position', 'failures']
    || jsonb_build_object('url', regexp_replace(fields ->> 'url', '^(\w+://)(?:[^/?#]*@)?([^/?#]*).*$', '\1\2'), 'classification', 'restricted');

-- Whether a webhook with these kinds takes a change of this one. Who may do what is told only to receivers that name it.
create function webhook_takes(kinds text[], kind text) returns boolean language sql immutable parallel safe
return kind = any (kinds) or (kinds = '{}' and kind not in ('api_key', 'webhook'));
