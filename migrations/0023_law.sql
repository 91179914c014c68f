-- Treaties, what states do about them, and official positions on international law.

create table treaties (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint treaties_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    code text not null constraint treaties_code_key unique,
    name jsonb not null,
    depositary text,
    adopted_on date,
    opened_on date,
    in_force_on date,
    entry_into_force_rule jsonb,
    parent_id uuid constraint treaties_parent_id_fkey references treaties,
    url text,
    source text,
    code_order text collate "C" not null generated always as (natural_order(code)) stored,
    search tsvector generated always as (search_document(code, depositary, words_of(name), words_of(entry_into_force_rule))) stored
);
create index treaties_search on treaties using gin (search);
create index treaties_created_at on treaties (created_at, id);
create index treaties_code on treaties (code_order, id);
create index treaties_parent_id on treaties (parent_id);

create table treaty_actions (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint treaty_actions_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    treaty_id uuid not null constraint treaty_actions_treaty_id_fkey references treaties,
    country text not null check (country ~ '^[A-Z]{2}$'),
    action text not null check (action in ('invited_to_accede', 'signed', 'definitively_signed', 'ratified', 'accepted', 'approved', 'acceded', 'succeeded', 'provisionally_applied', 'provisional_application_ended', 'reservation', 'reservation_withdrawn', 'declaration', 'declaration_withdrawn', 'objection', 'objection_withdrawn', 'denounced', 'withdrawn', 'denunciation_revoked')),
    acted_on date not null,
    effective_on date,
    text jsonb,
    concerns_action_id uuid constraint treaty_actions_concerns_action_id_fkey references treaty_actions,
    legal_act_id uuid constraint treaty_actions_legal_act_id_fkey references legal_acts,
    reference text,
    url text,
    source text,
    -- A succession dates back to the day of the succession of states.
    check (effective_on >= acted_on or action = 'succeeded'),
    -- One withdrawal, one revocation, one objection of a state.
    constraint treaty_actions_concerns_action_id_key unique (concerns_action_id, action, country),
    search tsvector generated always as (search_document(country, reference, words_of(text))) stored
);
create index treaty_actions_search on treaty_actions using gin (search);
create index treaty_actions_created_at on treaty_actions (created_at, id);
create index treaty_actions_treaty_id on treaty_actions (treaty_id, country, acted_on);
create index treaty_actions_country on treaty_actions (country, acted_on);
create index treaty_actions_acted_on on treaty_actions (acted_on, id);
create index treaty_actions_legal_act_id on treaty_actions (legal_act_id);

create table positions (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint positions_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    country text not null check (country ~ '^[A-Z]{2}$'),
    title jsonb not null,
    issued_on date,
    issuer_id uuid constraint positions_issuer_id_fkey references entities,
    topics text[] not null default '{}' check (topics <@ array['applicability', 'sovereignty', 'non_intervention', 'due_diligence', 'jurisdiction', 'peaceful_settlement', 'use_of_force', 'self_defence', 'state_responsibility', 'attribution', 'retorsion', 'countermeasures', 'necessity', 'ihl', 'neutrality', 'human_rights']),
    languages text[] not null default '{}',
    text jsonb,
    -- A statement is replaced by one at most.
    supersedes_id uuid constraint positions_supersedes_id_fkey references positions constraint positions_supersedes_id_key unique,
    legal_act_id uuid constraint positions_legal_act_id_fkey references legal_acts,
    symbol text,
    delivered_at text,
    url text,
    source text,
    search tsvector generated always as (search_document(symbol, delivered_at, words_of(title), words_of(text))) stored
);
create index positions_search on positions using gin (search);
create index positions_created_at on positions (created_at, id);
create index positions_topics on positions using gin (topics);
create index positions_issued_on on positions ((coalesce(issued_on, '-infinity')), id);
create index positions_country on positions (country);
create index positions_issuer_id on positions (issuer_id);
create index positions_legal_act_id on positions (legal_act_id);

select cleared.track(kind, noun)
from (values ('treaty', 'treaties'), ('treaty_action', 'treaty_actions'), ('position', 'positions')) nouns (kind, noun);
