-- What is to be reached, by when, and what was measured. Values are numeric without a scale: they keep the decimals that they came with, and
-- 1.50 comes as 1.5 (`Quantity`).

create table indicators (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint indicators_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    strategy_id uuid constraint indicators_strategy_id_fkey references strategies,
    objective_id uuid constraint indicators_objective_id_fkey references objectives,
    initiative_id uuid constraint indicators_initiative_id_fkey references initiatives,
    step_id uuid constraint indicators_step_id_fkey references steps,
    entity_id uuid constraint indicators_entity_id_fkey references entities,
    code text,
    title jsonb not null,
    description jsonb,
    value_chain_stage text not null
        check (value_chain_stage in ('input', 'input_processing', 'output_processing', 'output', 'outcome', 'impact')),
    measure text not null check (measure in ('unit', 'percentage', 'nominal', 'ordinal', 'qualitative')),
    unit jsonb,
    direction text check (direction in ('ascending', 'descending')),
    aggregation text not null default 'latest' check (aggregation in ('sum', 'average', 'latest', 'none')),
    baseline_value numeric,
    baseline_descriptor jsonb,
    baseline_on date,
    baseline_source jsonb,
    check (num_nonnulls(strategy_id, objective_id, initiative_id, step_id) = 1),
    check (baseline_on is not null or num_nonnulls(baseline_value, baseline_descriptor, baseline_source) = 0),
    item_id uuid generated always as (coalesce(step_id, initiative_id)) stored,
    code_order text collate "C" not null generated always as (natural_order(coalesce(code, ''))) stored,
    search tsvector generated always as (search_document(code, words_of(title), words_of(description))) stored
);
create index indicators_search on indicators using gin (search);
create index indicators_created_at on indicators (created_at, id);
create index indicators_code on indicators (code_order, id);
create index indicators_strategy_id on indicators (strategy_id);
create index indicators_objective_id on indicators (objective_id);
create index indicators_initiative_id on indicators (initiative_id);
create index indicators_step_id on indicators (step_id);
create index indicators_entity_id on indicators (entity_id);
create index indicators_item_id on indicators (item_id);

create table indicator_targets (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint indicator_targets_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    indicator_id uuid not null constraint indicator_targets_indicator_id_fkey references indicators,
    period_from date not null,
    period_to date not null,
    value numeric,
    descriptor jsonb,
    note jsonb,
    check (period_from <= period_to),
    check (num_nonnulls(value, descriptor) > 0),
    constraint indicator_targets_period_from_key unique (indicator_id, period_from, period_to),
    search tsvector generated always as (search_document(words_of(descriptor), words_of(note))) stored
);
create index indicator_targets_search on indicator_targets using gin (search);
create index indicator_targets_created_at on indicator_targets (created_at, id);
create index indicator_targets_period_to on indicator_targets (period_to, id);

create table measurements (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint measurements_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    indicator_id uuid not null constraint measurements_indicator_id_fkey references indicators,
    period_from date not null,
    period_to date not null,
    disaggregation jsonb not null default '{}' check (jsonb_typeof(disaggregation) = 'object'),
    value numeric,
    descriptor jsonb,
    status text not null check (status in ('provisional', 'final')),
    restates_id uuid constraint measurements_restates_id_fkey references measurements,
    evidence text,
    note jsonb,
    check (period_from <= period_to),
    check (num_nonnulls(value, descriptor) > 0),
    -- What was restated is restated once, by the row after it: so of each chain one row is the current one.
    constraint measurements_restates_id_key unique (restates_id),
    search tsvector generated always as (search_document(evidence, words_of(descriptor), words_of(note))) stored
);
create index measurements_search on measurements using gin (search);
create index measurements_created_at on measurements (created_at, id);
create index measurements_period_to on measurements (period_to, id);
create index measurements_indicator_id on measurements (indicator_id, period_to);
create unique index measurements_period_from_key on measurements (indicator_id, period_from, period_to, disaggregation)
    where restates_id is null;

select cleared.track('indicator', 'indicators');
select cleared.track('indicator_target', 'indicator_targets');
select cleared.track('measurement', 'measurements');
