-- People as numbers.

create table staff_allocations (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint staff_allocations_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    initiative_id uuid constraint staff_allocations_initiative_id_fkey references initiatives,
    step_id uuid constraint staff_allocations_step_id_fkey references steps,
    entity_id uuid not null constraint staff_allocations_entity_id_fkey references entities,
    profile text not null,
    starts_on date not null,
    ends_on date not null,
    fte_planned numeric(8,2) not null check (fte_planned >= 0),
    fte_filled numeric(8,2) check (fte_filled >= 0),
    amount numeric(18,2) check (amount >= 0),
    currency text check (currency ~ '^[A-Z]{3}$'),
    note jsonb,
    check (num_nonnulls(initiative_id, step_id) = 1),
    check ((amount is null) = (currency is null)),
    item_id uuid not null generated always as (coalesce(step_id, initiative_id)) stored,
    search tsvector generated always as (search_document(profile, words_of(note))) stored
);
create index staff_allocations_search on staff_allocations using gin (search);
create index staff_allocations_created_at on staff_allocations (created_at, id);
create index staff_allocations_item_id on staff_allocations (item_id);
create index staff_allocations_initiative_id on staff_allocations (initiative_id);
create index staff_allocations_step_id on staff_allocations (step_id);
create index staff_allocations_entity_id on staff_allocations (entity_id, profile);

create table staff_capacities (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint staff_capacities_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    entity_id uuid not null constraint staff_capacities_entity_id_fkey references entities,
    profile text not null,
    starts_on date not null,
    ends_on date,
    fte numeric(8,2) not null check (fte >= 0),
    note jsonb,
    search tsvector generated always as (search_document(profile, words_of(note))) stored
);
create index staff_capacities_search on staff_capacities using gin (search);
create index staff_capacities_created_at on staff_capacities (created_at, id);
create index staff_capacities_entity_id on staff_capacities (entity_id, profile);

select cleared.track(kind, noun)
from (values ('staff_allocation', 'staff_allocations'), ('staff_capacity', 'staff_capacities')) nouns (kind, noun);
