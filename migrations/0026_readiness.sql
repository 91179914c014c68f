-- Readiness: frameworks by which a country is assessed, assessments, and their answers.

create table frameworks (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint frameworks_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    code text not null,
    edition text not null,
    name jsonb not null,
    description jsonb,
    owner text,
    terms text,
    source text,
    is_verified boolean not null default false,
    verification_note jsonb,
    areas jsonb not null check (jsonb_typeof(areas) = 'array'),
    tiers jsonb not null default '[]' check (jsonb_typeof(tiers) = 'array'),
    constraint frameworks_edition_key unique (code, edition),
    code_order text collate "C" not null generated always as (natural_order(code)) stored,
    search tsvector generated always as (search_document(code, edition, owner, words_of(name), words_of(description))) stored
);
create index frameworks_search on frameworks using gin (search);
create index frameworks_created_at on frameworks (created_at, id);
create index frameworks_code_order on frameworks (code_order, id);

-- The indicators of a framework in their order. The points of one that has levels, and says nothing else, are those of its highest.
create function framework_indicators(areas jsonb) returns table (
    place bigint, area text, area_name jsonb, pillar text, weight numeric, code text, name jsonb, criteria jsonb, max_points numeric, levels jsonb,
    accepted_evidence text[], is_verified boolean, verification_note jsonb, candidates jsonb)
language sql immutable parallel safe as $$
    select row_number() over (order by a.place, i.place), a.area ->> 'code', a.area -> 'name', a.area ->> 'pillar', (a.area ->> 'weight')::numeric,
        i.indicator ->> 'code', i.indicator -> 'name', nullif(i.indicator -> 'criteria', 'null'),
        coalesce((i.indicator ->> 'max_points')::numeric,
            (select max((l ->> 'points')::numeric) from jsonb_array_elements(i.indicator -> 'levels') l)),
        coalesce(i.indicator -> 'levels', '[]'), array(select jsonb_array_elements_text(i.indicator -> 'accepted_evidence')),
        coalesce((i.indicator ->> 'is_verified')::boolean, false), nullif(i.indicator -> 'verification_note', 'null'),
        coalesce(i.indicator -> 'candidates', '[]')
    from jsonb_array_elements(areas) with ordinality a(area, place), jsonb_array_elements(a.area -> 'indicators') with ordinality i(indicator, place)
$$;

-- The points that an answer says, by whichever of its three ways; none where the framework gives the indicator none.
create function points_said(levels jsonb, max_points numeric, points numeric, level text, is_met boolean) returns numeric
language sql immutable parallel safe
return case when max_points is null then null
    when level is not null then (select (l ->> 'points')::numeric from jsonb_array_elements(levels) l where l ->> 'code' = level)
    when points is not null then points
    when is_met then max_points
    when not is_met then 0 end;

create table assessments (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint assessments_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    framework_id uuid not null constraint assessments_framework_id_fkey references frameworks,
    strategy_id uuid constraint assessments_strategy_id_fkey references strategies,
    country text not null check (country ~ '^[A-Z]{2}$'),
    title jsonb not null,
    assessed_on date not null,
    state text not null default 'draft' check (state in ('draft', 'final')),
    note jsonb,
    search tsvector generated always as (search_document(words_of(title), words_of(note))) stored
);
create index assessments_search on assessments using gin (search);
create index assessments_created_at on assessments (created_at, id);
create index assessments_framework_id on assessments (framework_id);
create index assessments_strategy_id on assessments (strategy_id);
create index assessments_assessed_on on assessments (assessed_on, id);

create table answers (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint answers_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    assessment_id uuid not null constraint answers_assessment_id_fkey references assessments,
    indicator text not null,
    points numeric check (points >= 0),
    level text,
    is_met boolean,
    justification jsonb,
    initiative_id uuid constraint answers_initiative_id_fkey references initiatives,
    expected_points numeric check (expected_points >= 0),
    expected_level text,
    check (num_nonnulls(points, level, is_met) = 1),
    constraint answers_indicator_key unique (assessment_id, indicator),
    indicator_order text collate "C" not null generated always as (natural_order(indicator)) stored,
    search tsvector generated always as (search_document(indicator, words_of(justification))) stored
);
create index answers_search on answers using gin (search);
create index answers_created_at on answers (created_at, id);
create index answers_indicator_order on answers (indicator_order, id);
create index answers_initiative_id on answers (initiative_id);

select cleared.track(kind, noun)
from (values ('framework', 'frameworks'), ('assessment', 'assessments'), ('answer', 'answers')) nouns (kind, noun);
