-- Cyber diplomacy: forums, what was done there and by whom, what was promised, and who is called.

create table forums (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint forums_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    code text not null constraint forums_code_key unique,
    name jsonb not null,
    description jsonb,
    kind text not null check (kind in ('expert_group', 'open_ended_working_group', 'treaty_negotiation', 'treaty_body', 'regional_cbm',
        'capacity_building_platform', 'eu_body', 'organisation', 'conference', 'other')),
    body jsonb,
    parent_id uuid constraint forums_parent_id_fkey references forums,
    mandate text[] not null default '{}',
    starts_on date,
    ends_on date,
    status text check (status in ('planned', 'active', 'concluded')),
    documents jsonb not null default '[]' check (jsonb_typeof(documents) = 'array'),
    url text,
    source text,
    membership text check (membership in ('none', 'member', 'observer', 'participant')),
    member_from date,
    member_to date,
    check (starts_on <= ends_on),
    check (member_from <= member_to),
    code_order text collate "C" not null generated always as (natural_order(code)) stored,
    search tsvector generated always as (search_document(code, words_of(name), words_of(description), words_of(body))) stored
);
create index forums_search on forums using gin (search);
create index forums_created_at on forums (created_at, id);
create index forums_code_order on forums (code_order, id);
create index forums_parent_id on forums (parent_id);
create index forums_membership on forums (membership);

-- The words of statements, as they are searched.
create function words_of_statements(statements jsonb) returns text language sql immutable parallel safe
return (
    select string_agg(concat_ws(' ', words_of(nullif(s -> 'title', 'null')), s ->> 'symbol'), ' ') from jsonb_array_elements(statements) s
);

create table engagements (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint engagements_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    forum_id uuid not null constraint engagements_forum_id_fkey references forums,
    session text,
    title jsonb,
    starts_on date,
    ends_on date,
    place jsonb,
    modality text check (modality in ('in_person', 'remote', 'hybrid', 'written')),
    capacity text check (capacity in ('member', 'observer', 'participant', 'expert', 'chair', 'vice_chair', 'rapporteur', 'host')),
    statements jsonb not null default '[]' check (jsonb_typeof(statements) = 'array'),
    outcome jsonb,
    outcome_symbol text,
    follow_up_initiative_id uuid constraint engagements_follow_up_initiative_id_fkey references initiatives,
    no_follow_up_reason jsonb,
    objective_id uuid constraint engagements_objective_id_fkey references objectives,
    legal_act_id uuid constraint engagements_legal_act_id_fkey references legal_acts,
    source text,
    check (starts_on <= ends_on),
    check (num_nonnulls(follow_up_initiative_id, no_follow_up_reason) < 2),
    search tsvector generated always as (
        search_document(session, words_of(title), words_of(place), words_of(outcome), outcome_symbol, words_of_statements(statements))) stored
);
create index engagements_search on engagements using gin (search);
create index engagements_created_at on engagements (created_at, id);
create index engagements_forum_id on engagements (forum_id, starts_on);
create index engagements_starts_on on engagements ((coalesce(starts_on, '-infinity')), id);
create index engagements_follow_up_initiative_id on engagements (follow_up_initiative_id);
create index engagements_objective_id on engagements (objective_id);
create index engagements_legal_act_id on engagements (legal_act_id);

-- Whether the state gave something to the forum: it spoke or wrote, or led or held the session. To be there is none.
create function is_contribution(statements jsonb, capacity text) returns boolean language sql immutable parallel safe
return jsonb_array_length(statements) > 0 or coalesce(capacity in ('chair', 'vice_chair', 'rapporteur', 'host'), false);

create table delegations (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint delegations_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    engagement_id uuid not null constraint delegations_engagement_id_fkey references engagements,
    entity_id uuid not null constraint delegations_entity_id_fkey references entities,
    role text not null default 'member' check (role in ('head', 'member', 'adviser', 'observer')),
    size integer check (size > 0),
    note jsonb,
    constraint delegations_entity_id_key unique (engagement_id, entity_id),
    search tsvector generated always as (search_document(words_of(note))) stored
);
create index delegations_search on delegations using gin (search);
create index delegations_created_at on delegations (created_at, id);
create index delegations_entity_id on delegations (entity_id);
create unique index delegations_role_key on delegations (engagement_id) where role = 'head';

create table commitments (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint commitments_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    catalogue text not null,
    code text not null,
    kind text not null check (kind in ('norm', 'confidence_building_measure', 'other')),
    title jsonb,
    source_document text,
    forum_id uuid constraint commitments_forum_id_fkey references forums,
    state text not null default 'unknown' check (state in ('unknown', 'not_started', 'partial', 'implemented', 'not_applicable')),
    measures_taken jsonb,
    challenges jsonb,
    gaps jsonb,
    entity_id uuid constraint commitments_entity_id_fkey references entities,
    initiative_id uuid constraint commitments_initiative_id_fkey references initiatives,
    reviewed_on date,
    source text,
    check (state not in ('partial', 'implemented') or measures_taken is not null),
    constraint commitments_code_key unique (catalogue, code),
    code_order text collate "C" not null generated always as (natural_order(code)) stored,
    search tsvector generated always as (
        search_document(catalogue, code, words_of(title), words_of(measures_taken), words_of(challenges), words_of(gaps))) stored
);
create index commitments_search on commitments using gin (search);
create index commitments_created_at on commitments (created_at, id);
create index commitments_catalogue_code on commitments (catalogue, code_order, id);
create index commitments_code_order on commitments (code_order, id);
create index commitments_forum_id on commitments (forum_id);
create index commitments_entity_id on commitments (entity_id);
create index commitments_initiative_id on commitments (initiative_id);

create table contact_points (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint contact_points_external_id_key unique,
    classification text not null default 'restricted' check (classification in ('public', 'internal', 'restricted')),
    commitment_id uuid constraint contact_points_commitment_id_fkey references commitments,
    forum_id uuid constraint contact_points_forum_id_fkey references forums,
    entity_id uuid not null constraint contact_points_entity_id_fkey references entities,
    kind text not null check (kind in ('policy', 'technical', 'diplomatic', 'other')),
    function jsonb not null,
    channel text,
    valid_from date,
    valid_to date,
    check (num_nonnulls(commitment_id, forum_id) = 1),
    check (valid_from <= valid_to),
    search tsvector generated always as (search_document(words_of(function), channel)) stored
);
create index contact_points_search on contact_points using gin (search);
create index contact_points_created_at on contact_points (created_at, id);
create index contact_points_commitment_id on contact_points (commitment_id);
create index contact_points_forum_id on contact_points (forum_id);
create index contact_points_entity_id on contact_points (entity_id);

select cleared.track(kind, noun) from (values
    ('forum', 'forums'), ('engagement', 'engagements'), ('delegation', 'delegations'), ('commitment', 'commitments'),
    ('contact_point', 'contact_points')
) nouns (kind, noun);
