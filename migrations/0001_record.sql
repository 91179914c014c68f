-- What every noun needs: the record, natural order, and search.

create extension if not exists unaccent;

-- One row for each change of each resource. Written by the same statement as the change itself, never updated, never deleted.
create table changes (
    id uuid primary key default gen_random_uuid(),
    kind text not null,
    entity_id uuid not null,
    version integer not null,
    action text not null check (action in ('created', 'updated', 'deleted')),
    at timestamptz not null default now(),
    actor text not null,
    request_id text not null,
    reason text,
    before jsonb,
    after jsonb,
    check ((action = 'created') = (before is null)),
    check ((action = 'deleted') = (after is null)),
    unique (kind, entity_id, version)
);
create index changes_external_id on changes (kind, (before ->> 'external_id')) where action = 'deleted';

-- What the record keeps of a row: everything but what is computed from it.
create function record_of(fields jsonb) returns jsonb language sql immutable parallel safe
return fields - 'search';

-- `1.2` before `1.10`, whatever the case of letters: each run of digits is padded to 20. Compare it with collate "C".
create function natural_order(code text) returns text language sql immutable parallel safe
return regexp_replace(regexp_replace(lower(code), '(\d+)', '00000000000000000000\1', 'g'), '\d*(\d{20})', '\1', 'g');

-- Search ignores diacritics in both spellings of Romanian letters (comma and cedilla below), because `unaccent` comes before the stemmer.
create text search configuration search_ro (copy = pg_catalog.romanian);
alter text search configuration search_ro
    alter mapping for asciihword, asciiword, hword, hword_asciipart, hword_part, word with unaccent, romanian_stem;
create text search configuration search_en (copy = pg_catalog.english);
alter text search configuration search_en
    alter mapping for hword, hword_part, word with unaccent, english_stem;
create text search configuration search_plain (copy = pg_catalog.simple);
alter text search configuration search_plain
    alter mapping for hword, hword_part, word with unaccent, simple;

create function words_of(words jsonb) returns text language sql immutable parallel safe
return (select string_agg(value, ' ') from jsonb_each_text(words));

create function search_document(variadic words text[]) returns tsvector language sql immutable parallel safe
return to_tsvector('public.search_ro', array_to_string(words, ' '))
    || to_tsvector('public.search_en', array_to_string(words, ' '))
    || to_tsvector('public.search_plain', array_to_string(words, ' '));

create function search_query(words text) returns tsquery language sql stable parallel safe
return websearch_to_tsquery('public.search_ro', words)
    || websearch_to_tsquery('public.search_en', words)
    || websearch_to_tsquery('public.search_plain', words);

-- Keys of the API. Only a hash of the secret is kept.
create table api_keys (
    id text primary key,
    name text not null,
    role text not null check (role in ('admin', 'editor', 'viewer')),
    secret_hash bytea not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
create index api_keys_name on api_keys (name);
