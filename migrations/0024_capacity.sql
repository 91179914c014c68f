-- Capacity building: given to others, received from them, and taught at home.

create table contributions (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint contributions_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    direction text not null check (direction in ('given', 'received')),
    title jsonb not null,
    description jsonb,
    objectives jsonb,
    target_groups jsonb,
    status text not null check (status in ('pipeline', 'implementation', 'finalisation', 'closed', 'cancelled', 'suspended')),
    planned_starts_on date,
    actual_starts_on date,
    planned_ends_on date,
    actual_ends_on date,
    modality text check (modality in ('training', 'expertise', 'equipment', 'funding', 'secondment', 'other')),
    lead_id uuid constraint contributions_lead_id_fkey references entities,
    strategy_id uuid constraint contributions_strategy_id_fkey references strategies,
    initiative_id uuid constraint contributions_initiative_id_fkey references initiatives,
    recipients jsonb not null default '[]' check (jsonb_typeof(recipients) = 'array'),
    themes jsonb not null default '[]' check (jsonb_typeof(themes) = 'array'),
    default_currency text check (default_currency ~ '^[A-Z]{3}$'),
    budgets jsonb not null default '[]' check (jsonb_typeof(budgets) = 'array'),
    planned_disbursements jsonb not null default '[]' check (jsonb_typeof(planned_disbursements) = 'array'),
    transactions jsonb not null default '[]' check (jsonb_typeof(transactions) = 'array'),
    results jsonb not null default '[]' check (jsonb_typeof(results) = 'array'),
    trainees jsonb not null default '[]' check (jsonb_typeof(trainees) = 'array'),
    documents jsonb not null default '[]' check (jsonb_typeof(documents) = 'array'),
    source text,
    check (num_nonnulls(strategy_id, initiative_id) <= 1),
    check (planned_starts_on <= planned_ends_on),
    check (actual_starts_on <= actual_ends_on),
    starts_on date generated always as (coalesce(actual_starts_on, planned_starts_on)) stored,
    ends_on date generated always as (coalesce(actual_ends_on, planned_ends_on)) stored,
    search tsvector generated always as (search_document(words_of(title), words_of(description), words_of(objectives), words_of(target_groups), source)) stored
);
create index contributions_search on contributions using gin (search);
create index contributions_created_at on contributions (created_at, id);
create index contributions_direction on contributions (direction, starts_on);
create index contributions_lead_id on contributions (lead_id);
create index contributions_strategy_id on contributions (strategy_id);
create index contributions_initiative_id on contributions (initiative_id);

create table contribution_partners (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint contribution_partners_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    contribution_id uuid not null constraint contribution_partners_contribution_id_fkey references contributions,
    role text not null check (role in ('funding', 'accountable', 'extending', 'implementing', 'beneficiary')),
    entity_id uuid constraint contribution_partners_entity_id_fkey references entities,
    name jsonb,
    reference text,
    organisation_type text,
    activity_reference text,
    check (num_nonnulls(entity_id, name) = 1),
    -- Of those with a name alone nobody can say whether two are the same.
    constraint contribution_partners_role_key unique (contribution_id, entity_id, role),
    search tsvector generated always as (search_document(reference, words_of(name), activity_reference)) stored
);
create index contribution_partners_search on contribution_partners using gin (search);
create index contribution_partners_created_at on contribution_partners (created_at, id);
create index contribution_partners_entity_id on contribution_partners (entity_id);

create table training_programmes (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint training_programmes_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    strategy_id uuid constraint training_programmes_strategy_id_fkey references strategies,
    initiative_id uuid constraint training_programmes_initiative_id_fkey references initiatives,
    title jsonb not null,
    description jsonb,
    audience text not null check (audience in ('pupils', 'students', 'teachers', 'civil_servants', 'specialists', 'leaders', 'business', 'public', 'other')),
    level text check (level in ('awareness', 'basic', 'intermediate', 'advanced', 'expert')),
    provider_id uuid constraint training_programmes_provider_id_fkey references entities,
    indicator_id uuid constraint training_programmes_indicator_id_fkey references indicators,
    starts_on date,
    ends_on date,
    check (num_nonnulls(strategy_id, initiative_id) = 1),
    check (starts_on <= ends_on),
    search tsvector generated always as (search_document(words_of(title), words_of(description))) stored
);
create index training_programmes_search on training_programmes using gin (search);
create index training_programmes_created_at on training_programmes (created_at, id);
create index training_programmes_strategy_id on training_programmes (strategy_id);
create index training_programmes_initiative_id on training_programmes (initiative_id);
create index training_programmes_provider_id on training_programmes (provider_id);
create index training_programmes_indicator_id on training_programmes (indicator_id);

create table training_sessions (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint training_sessions_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    programme_id uuid not null constraint training_sessions_programme_id_fkey references training_programmes,
    title jsonb,
    starts_on date not null,
    ends_on date not null,
    place jsonb,
    modality text check (modality in ('in_person', 'online', 'hybrid')),
    status text not null default 'planned' check (status in ('planned', 'held', 'cancelled')),
    places integer check (places > 0),
    participants integer check (participants >= 0),
    women integer check (women >= 0),
    men integer check (men >= 0),
    note jsonb,
    check (starts_on <= ends_on),
    check (status = 'held' or num_nonnulls(participants, women, men) = 0),
    search tsvector generated always as (search_document(words_of(title), words_of(place), words_of(note))) stored
);
create index training_sessions_search on training_sessions using gin (search);
create index training_sessions_created_at on training_sessions (created_at, id);
create index training_sessions_starts_on on training_sessions (starts_on, id);
create index training_sessions_programme_id on training_sessions (programme_id, starts_on);

select cleared.track(kind, noun) from (values
    ('contribution', 'contributions'), ('contribution_partner', 'contribution_partners'),
    ('training_programme', 'training_programmes'), ('training_session', 'training_sessions')
) nouns (kind, noun);
