-- What the plan costs and who pays.

create table funding_sources (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint funding_sources_external_id_key unique,
    code text constraint funding_sources_code_key unique,
    name jsonb not null,
    description jsonb,
    kind text not null check (kind in ('state_budget', 'own_budget', 'eu', 'external_assistance', 'other')),
    url text,
    search tsvector generated always as (search_document(code, words_of(name), words_of(description))) stored
);
create index funding_sources_search on funding_sources using gin (search);
create index funding_sources_created_at on funding_sources (created_at, id);
create index funding_sources_code on funding_sources ((coalesce(natural_order(code), '') collate "C"), id);

create table budget_allocations (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint budget_allocations_external_id_key unique,
    initiative_id uuid constraint budget_allocations_initiative_id_fkey references initiatives,
    step_id uuid constraint budget_allocations_step_id_fkey references steps,
    entity_id uuid constraint budget_allocations_entity_id_fkey references entities,
    funding_source_id uuid constraint budget_allocations_funding_source_id_fkey references funding_sources,
    fiscal_year integer not null check (fiscal_year between 1990 and 2100),
    phase text not null check (phase in ('estimate', 'appropriation')),
    amount numeric(18,2) not null check (amount >= 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    programme_code text,
    cofog_code text,
    legal_act_id uuid constraint budget_allocations_legal_act_id_fkey references legal_acts,
    note jsonb,
    check (num_nonnulls(initiative_id, step_id) = 1),
    search tsvector generated always as (search_document(programme_code, cofog_code, words_of(note))) stored
);
create index budget_allocations_search on budget_allocations using gin (search);
create index budget_allocations_created_at on budget_allocations (created_at, id);
create index budget_allocations_initiative_id on budget_allocations (initiative_id);
create index budget_allocations_step_id on budget_allocations (step_id);
create index budget_allocations_entity_id on budget_allocations (entity_id);
create index budget_allocations_funding_source_id on budget_allocations (funding_source_id);
create index budget_allocations_legal_act_id on budget_allocations (legal_act_id);
create index budget_allocations_fiscal_year on budget_allocations (fiscal_year, id);
