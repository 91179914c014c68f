-- The plan.

create table strategies (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint strategies_external_id_key unique,
    code text constraint strategies_code_key unique,
    title jsonb not null,
    description jsonb,
    country text not null check (country ~ '^[A-Z]{2}$'),
    kind text not null check (kind in ('strategy', 'action_plan')),
    status text not null default 'draft' check (status in ('draft', 'consultation', 'submitted', 'approved', 'in_force', 'amended', 'closed', 'archived', 'rejected', 'withdrawn')),
    starts_on date,
    ends_on date,
    vision jsonb,
    mission jsonb,
    languages text[] not null default '{}',
    legal_act_id uuid constraint strategies_legal_act_id_fkey references legal_acts,
    annex text,
    supersedes_id uuid constraint strategies_supersedes_id_fkey references strategies,
    parent_id uuid constraint strategies_parent_id_fkey references strategies,
    owner_id uuid constraint strategies_owner_id_fkey references entities,
    source text,
    completeness text check (completeness in ('complete', 'partial')),
    evidence_state text check (evidence_state in ('proposed', 'verified', 'disputed', 'withdrawn')),
    evidence_note jsonb,
    check (legal_act_id is not null or status not in ('approved', 'in_force')),
    check (starts_on <= ends_on),
    search tsvector generated always as (search_document(code, words_of(title), words_of(description), words_of(vision), words_of(mission))) stored
);
create index strategies_search on strategies using gin (search);
create index strategies_created_at on strategies (created_at, id);
create index strategies_legal_act_id on strategies (legal_act_id);
create index strategies_supersedes_id on strategies (supersedes_id);
create index strategies_parent_id on strategies (parent_id);
create index strategies_owner_id on strategies (owner_id);
create index strategies_code on strategies ((coalesce(natural_order(code), '') collate "C"), id);

create table objectives (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint objectives_external_id_key unique,
    strategy_id uuid not null constraint objectives_strategy_id_fkey references strategies,
    parent_id uuid,
    code text not null,
    title jsonb not null,
    description jsonb,
    constraint objectives_code_key unique (strategy_id, code),
    constraint objectives_strategy_id_id_key unique (strategy_id, id),
    constraint objectives_parent_id_fkey foreign key (strategy_id, parent_id) references objectives (strategy_id, id),
    search tsvector generated always as (search_document(code, words_of(title), words_of(description))) stored
);
create index objectives_search on objectives using gin (search);
create index objectives_created_at on objectives (created_at, id);
create index objectives_strategy_id on objectives (strategy_id);
create index objectives_parent_id on objectives (parent_id);
create index objectives_strategy_id_code on objectives (strategy_id, (natural_order(code) collate "C"), id);
create index objectives_code on objectives ((natural_order(code) collate "C"), id);

create table initiatives (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint initiatives_external_id_key unique,
    strategy_id uuid not null constraint initiatives_strategy_id_fkey references strategies,
    objective_id uuid,
    code text not null,
    title jsonb not null,
    description jsonb,
    status text not null default 'not_started' check (status in ('not_started', 'in_progress', 'completed', 'on_hold', 'cancelled', 'continuous')),
    status_reason jsonb,
    evidence text,
    confidence text check (confidence in ('green', 'amber', 'red')),
    confidence_reason jsonb,
    starts_on date,
    deadline_text text,
    deadline_kind text,
    deadline_from date,
    deadline_to date,
    obligation text,
    funding_note jsonb,
    constraint initiatives_code_key unique (strategy_id, code),
    constraint initiatives_objective_id_fkey foreign key (strategy_id, objective_id) references objectives (strategy_id, id),
    check (status <> 'completed' or evidence is not null),
    check (status <> 'cancelled' or status_reason is not null),
    check (confidence not in ('amber', 'red') or confidence_reason is not null),
    check ((deadline_text is null) = (deadline_kind is null)),
    check (deadline_from <= deadline_to),
    search tsvector generated always as (search_document(code, words_of(title), words_of(description), words_of(funding_note), obligation, deadline_text)) stored
);
create index initiatives_search on initiatives using gin (search);
create index initiatives_created_at on initiatives (created_at, id);
create index initiatives_strategy_id on initiatives (strategy_id);
create index initiatives_objective_id on initiatives (objective_id);
create index initiatives_strategy_id_code on initiatives (strategy_id, (natural_order(code) collate "C"), id);
create index initiatives_code on initiatives ((natural_order(code) collate "C"), id);
create index initiatives_deadline_to on initiatives (deadline_to, id);
create index initiatives_strategy_id_status on initiatives (strategy_id, status);

create table steps (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint steps_external_id_key unique,
    initiative_id uuid not null constraint steps_initiative_id_fkey references initiatives,
    code text not null,
    title jsonb not null,
    description jsonb,
    status text not null default 'not_started' check (status in ('not_started', 'in_progress', 'completed', 'on_hold', 'cancelled', 'continuous')),
    status_reason jsonb,
    evidence text,
    starts_on date,
    deadline_text text,
    deadline_kind text,
    deadline_from date,
    deadline_to date,
    measurement jsonb,
    reporting_mechanism jsonb,
    obligation text,
    constraint steps_code_key unique (initiative_id, code),
    check (status <> 'completed' or evidence is not null),
    check (status <> 'cancelled' or status_reason is not null),
    check ((deadline_text is null) = (deadline_kind is null)),
    check (deadline_from <= deadline_to),
    search tsvector generated always as (search_document(code, words_of(title), words_of(description), words_of(measurement), words_of(reporting_mechanism), obligation, deadline_text)) stored
);
create index steps_search on steps using gin (search);
create index steps_created_at on steps (created_at, id);
create index steps_initiative_id on steps (initiative_id);
create index steps_initiative_id_code on steps (initiative_id, (natural_order(code) collate "C"), id);
create index steps_code on steps ((natural_order(code) collate "C"), id);
create index steps_deadline_to on steps (deadline_to, id);

create table assignments (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint assignments_external_id_key unique,
    initiative_id uuid constraint assignments_initiative_id_fkey references initiatives,
    step_id uuid constraint assignments_step_id_fkey references steps,
    entity_id uuid not null constraint assignments_entity_id_fkey references entities,
    role text not null check (role in ('lead', 'co_lead', 'accountable', 'support', 'consulted', 'informed', 'performer', 'beneficiary', 'funder', 'implementer')),
    source_label text,
    valid_from date,
    valid_to date,
    note jsonb,
    check (num_nonnulls(initiative_id, step_id) = 1),
    check (valid_from <= valid_to),
    constraint assignments_role_key unique nulls not distinct (initiative_id, step_id, entity_id, role, valid_from),
    search tsvector generated always as (search_document(source_label, words_of(note))) stored
);
create index assignments_search on assignments using gin (search);
create index assignments_created_at on assignments (created_at, id);
create index assignments_initiative_id on assignments (initiative_id);
create index assignments_step_id on assignments (step_id);
create index assignments_entity_id on assignments (entity_id);
-- A lead that has an end is history, which may hold any number of them.
create unique index assignments_lead_key on assignments (initiative_id, step_id) nulls not distinct
    where role = 'lead' and valid_to is null;

create table timelines (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint timelines_external_id_key unique,
    initiative_id uuid constraint timelines_initiative_id_fkey references initiatives,
    step_id uuid constraint timelines_step_id_fkey references steps,
    basis text not null check (basis in ('approved', 'revised', 'forecast')),
    starts_on date,
    ends_on date,
    deadline_text text,
    deadline_kind text,
    deadline_from date,
    deadline_to date,
    legal_act_id uuid constraint timelines_legal_act_id_fkey references legal_acts,
    reason jsonb,
    set_on date,
    check (num_nonnulls(initiative_id, step_id) = 1),
    check (starts_on <= ends_on),
    check (num_nonnulls(starts_on, ends_on, deadline_text) > 0),
    check (basis <> 'approved' or legal_act_id is not null),
    check (basis <> 'revised' or reason is not null),
    check ((deadline_text is null) = (deadline_kind is null)),
    check (deadline_from <= deadline_to),
    search tsvector generated always as (search_document(deadline_text, words_of(reason))) stored
);
create index timelines_search on timelines using gin (search);
create index timelines_created_at on timelines (created_at, id);
create index timelines_initiative_id on timelines (initiative_id);
create index timelines_step_id on timelines (step_id);
create index timelines_legal_act_id on timelines (legal_act_id);
create index timelines_ends_on on timelines (ends_on, id);

create table milestones (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint milestones_external_id_key unique,
    initiative_id uuid not null constraint milestones_initiative_id_fkey references initiatives,
    code text,
    title jsonb not null,
    description jsonb,
    deadline_text text,
    deadline_kind text,
    deadline_from date,
    deadline_to date,
    achieved_on date,
    evidence text,
    constraint milestones_code_key unique (initiative_id, code),
    check (achieved_on is null or evidence is not null),
    check ((deadline_text is null) = (deadline_kind is null)),
    check (deadline_from <= deadline_to),
    search tsvector generated always as (search_document(code, words_of(title), words_of(description), deadline_text)) stored
);
create index milestones_search on milestones using gin (search);
create index milestones_created_at on milestones (created_at, id);
create index milestones_initiative_id on milestones (initiative_id);
create index milestones_code on milestones ((coalesce(natural_order(code), '') collate "C"), id);
create index milestones_deadline_to on milestones (deadline_to, id);

create table dependencies (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint dependencies_external_id_key unique,
    predecessor_initiative_id uuid constraint dependencies_predecessor_initiative_id_fkey references initiatives,
    predecessor_step_id uuid constraint dependencies_predecessor_step_id_fkey references steps,
    successor_initiative_id uuid constraint dependencies_successor_initiative_id_fkey references initiatives,
    successor_step_id uuid constraint dependencies_successor_step_id_fkey references steps,
    kind text not null default 'finish_start' check (kind in ('finish_start', 'start_start', 'finish_finish', 'start_finish')),
    lag_days integer not null default 0 check (lag_days between -3650 and 3650),
    note jsonb,
    check (num_nonnulls(predecessor_initiative_id, predecessor_step_id) = 1),
    check (num_nonnulls(successor_initiative_id, successor_step_id) = 1),
    constraint dependencies_pair_key unique nulls not distinct
        (predecessor_initiative_id, predecessor_step_id, successor_initiative_id, successor_step_id),
    search tsvector generated always as (search_document(words_of(note))) stored
);
create index dependencies_search on dependencies using gin (search);
create index dependencies_created_at on dependencies (created_at, id);
create index dependencies_predecessor_initiative_id on dependencies (predecessor_initiative_id);
create index dependencies_predecessor_step_id on dependencies (predecessor_step_id);
create index dependencies_successor_initiative_id on dependencies (successor_initiative_id);
create index dependencies_successor_step_id on dependencies (successor_step_id);
