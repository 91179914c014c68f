-- What endangers the work; and the tokens by which a calendar is read.

create table risks (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint risks_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    strategy_id uuid constraint risks_strategy_id_fkey references strategies,
    initiative_id uuid constraint risks_initiative_id_fkey references initiatives,
    step_id uuid constraint risks_step_id_fkey references steps,
    code text,
    title jsonb not null,
    description jsonb,
    level text not null check (level in ('low', 'medium', 'high', 'critical')),
    status text not null default 'open' check (status in ('open', 'accepted', 'occurred', 'closed')),
    status_reason jsonb,
    owner_id uuid constraint risks_owner_id_fkey references entities,
    mitigation jsonb,
    review_on date,
    escalated_to_id uuid constraint risks_escalated_to_id_fkey references entities,
    escalated_on date,
    escalation_reason jsonb,
    check (num_nonnulls(strategy_id, initiative_id, step_id) = 1),
    check (status not in ('accepted', 'closed') or status_reason is not null),
    check (num_nonnulls(escalated_to_id, escalated_on, escalation_reason) in (0, 3)),
    code_order text collate "C" not null generated always as (natural_order(coalesce(code, ''))) stored,
    search tsvector generated always as (search_document(code, words_of(title), words_of(description), words_of(mitigation))) stored
);
create index risks_search on risks using gin (search);
create index risks_created_at on risks (created_at, id);
create index risks_code on risks (code_order, id);
create index risks_strategy_id on risks (strategy_id);
create index risks_initiative_id on risks (initiative_id);
create index risks_step_id on risks (step_id);
create index risks_owner_id on risks (owner_id);
create index risks_escalated_to_id on risks (escalated_to_id);
create index risks_review_on on risks ((coalesce(review_on, 'infinity')), id);

select cleared.track('risk', 'risks');

-- Tokens that open the calendar of one entity and nothing else. Only a hash is kept. No foreign key: a token outlives its entity, and then
-- opens nothing.
create table calendar_tokens (
    id uuid primary key,
    entity_id uuid not null,
    name text not null,
    token_hash bytea not null constraint calendar_tokens_token_hash_key unique,
    created_at timestamptz not null default now(),
    created_by text not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create index calendar_tokens_entity_id on calendar_tokens (entity_id);
