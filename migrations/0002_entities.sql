-- Legal acts and entities: what the plan and the money point to.

create table legal_acts (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint legal_acts_external_id_key unique,
    country text not null check (country ~ '^[A-Z]{2}$'),
    issuer text not null,
    act_type text not null,
    number text not null,
    date date not null,
    title jsonb,
    description jsonb,
    gazette text,
    gazette_number text,
    gazette_date date,
    url text,
    status text not null default 'in_force' check (status in ('draft', 'in_force', 'amended', 'repealed', 'superseded')),
    amends_id uuid constraint legal_acts_amends_id_fkey references legal_acts,
    repeals_id uuid constraint legal_acts_repeals_id_fkey references legal_acts,
    implements_id uuid constraint legal_acts_implements_id_fkey references legal_acts,
    constraint legal_acts_identity_key unique (country, issuer, act_type, number, date),
    search tsvector generated always as (search_document(issuer, number, gazette, words_of(title), words_of(description))) stored
);
create index legal_acts_search on legal_acts using gin (search);
create index legal_acts_created_at on legal_acts (created_at, id);
create index legal_acts_amends_id on legal_acts (amends_id);
create index legal_acts_repeals_id on legal_acts (repeals_id);
create index legal_acts_implements_id on legal_acts (implements_id);
create index legal_acts_date on legal_acts (date, id);

create table entities (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint entities_external_id_key unique,
    code text constraint entities_code_key unique,
    name jsonb not null,
    description jsonb,
    kind text not null check (kind in ('ministry', 'agency', 'council', 'collective', 'private', 'ngo', 'international', 'academic', 'other')),
    country text check (country ~ '^[A-Z]{2}$'),
    parent_id uuid constraint entities_parent_id_fkey references entities,
    successor_id uuid constraint entities_successor_id_fkey references entities,
    valid_from date,
    valid_to date,
    url text,
    check (valid_from <= valid_to),
    search tsvector generated always as (search_document(code, words_of(name), words_of(description))) stored
);
create index entities_search on entities using gin (search);
create index entities_created_at on entities (created_at, id);
create index entities_parent_id on entities (parent_id);
create index entities_successor_id on entities (successor_id);
create index entities_code on entities ((coalesce(natural_order(code), '') collate "C"), id);
