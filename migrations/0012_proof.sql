-- Proof. Each change has a leaf, made and kept in the statement that records it; leaves are the entries of a log (RFC 6962) in the order of
-- positions. What may have to be erased one day (before, after, reason) is not in the leaf: the leaf holds a salted hash of it.

alter table changes
    add column salt uuid,
    add column leaf text,
    add column leaf_hash bytea;

-- The erasable part of a change, as the very text that is hashed.
create function change_payload(before jsonb, after jsonb, reason text) returns text language sql stable parallel safe
return '{"after":' || coalesce(after::text, 'null') || ',"before":' || coalesce(before::text, 'null')
    || ',"reason":' || coalesce(to_json(reason)::text, 'null') || '}';

-- The leaf: canonical JSON (RFC 8785), names in order, no spaces; PostgreSQL escapes strings as that does. It is made here and not by who
-- writes, so that nothing is recorded without one; what a restore brings is kept.
create function change_leaf() returns trigger language plpgsql as $$
begin
    if new.leaf is null then
        new.salt := gen_random_uuid();
        new.leaf := '{"action":' || to_json(new.action)::text
            || ',"actor":' || to_json(new.actor)::text
            || ',"at":"' || to_char(new.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            || '","id":"' || new.id::text
            || '","kind":' || to_json(new.kind)::text
            || ',"payload":"' || encode(sha256(uuid_send(new.salt)
                || convert_to(public.change_payload(new.before, new.after, new.reason), 'UTF8')), 'hex')
            || '","request_id":' || to_json(new.request_id)::text
            || ',"resource_id":"' || new.entity_id::text
            || '","v":1,"version":' || new.version::text || '}';
        new.leaf_hash := sha256('\x00'::bytea || convert_to(new.leaf, 'UTF8'));
    end if;
    return new;
end
$$;

-- What is there already gets its leaf now.
create trigger changes_leaf before update on changes for each row execute function change_leaf();
update changes set leaf = null;
drop trigger changes_leaf on changes;
create trigger changes_leaf before insert on changes for each row execute function change_leaf();

-- A change without salt is erased. Otherwise a creation has no before, and a deletion no after.
alter table changes drop constraint changes_check;
alter table changes drop constraint changes_check1;
alter table changes
    alter column leaf set not null,
    alter column leaf_hash set not null,
    add constraint changes_leaf_size check (octet_length(leaf) <= 65535),
    add constraint changes_payload check (
        case when salt is null then num_nonnulls(before, after, reason) = 0
        else (action = 'created') = (before is null) and (action = 'deleted') = (after is null) end);

-- The service never rewrites the record, and these refuse it to whoever tries by mistake. An owner of the table can remove them; that it
-- was rewritten then shows in the proof.
create function refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception 'the record is only added to; `mandate audit erase` removes the content of a change'
        using errcode = 'integrity_constraint_violation';
end
$$;
create trigger changes_stay before delete or truncate on changes for each statement execute function refuse_rewriting();
create trigger changes_keep_facts
    before update of id, kind, entity_id, version, action, at, actor, request_id, leaf, leaf_hash on changes
    for each statement execute function refuse_rewriting();
create trigger changes_keep_position before update of position, recorded_at on changes
    for each row when (old.position is not null) execute function refuse_rewriting();
create trigger changes_erase_only before update of salt, before, after, reason on changes
    for each row when (num_nonnulls(new.salt, new.before, new.after, new.reason) > 0) execute function refuse_rewriting();

-- How far the tree is, by whose key (C2SP vkey), and the newest checkpoint (C2SP signed note).
create table proof_head (
    one boolean primary key default true check (one),
    size bigint not null,
    key text,
    note text,
    check ((size = 0) = (note is null))
);
insert into proof_head (size) values (0);

-- The tree as tiles of up to 256 hashes (C2SP tlog-tiles, height 8). A tile grows until it is full, and then stays.
create table proof_tiles (
    level smallint not null,
    index bigint not null,
    hashes bytea not null check (octet_length(hashes) % 32 = 0 and octet_length(hashes) between 32 and 8192),
    primary key (level, index)
);
alter table proof_tiles alter column hashes set storage external;

-- The last checkpoint of each hour with a change.
create table proof_checkpoints (
    hour timestamptz primary key,
    size bigint not null,
    note text not null
);

-- Takes the version that an erased change made out of the past.
create function as_of.forget(kind text, id uuid, version integer) returns void language plpgsql as $$
declare
    noun name;
begin
    select t.noun into noun from as_of.tracked t where t.kind = forget.kind;
    if found then
        execute format('delete from as_of.%I v where v.id = $1 and v.version = $2', noun || '_versions') using forget.id, forget.version;
    end if;
end
$$;
