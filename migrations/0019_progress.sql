-- Who reports what, for which period, by when; and what was reported.

-- The day of an instant, in the time zone of the service.
create function day_of(instant timestamptz) returns date language sql stable parallel safe
return (instant at time zone coalesce(nullif(current_setting('mandate.timezone', true), ''), 'UTC'))::date;

-- The closed list of periods of a cycle, as rows.
create function periods_of(periods jsonb) returns table (code text, starts_on date, ends_on date, due_on date)
language sql stable parallel safe as $$
    select p.code, p."from", p."to", p.due_on from jsonb_to_recordset(periods) as p (code text, "from" date, "to" date, due_on date)
$$;

create table reporting_cycles (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint reporting_cycles_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    strategy_id uuid not null constraint reporting_cycles_strategy_id_fkey references strategies,
    code text not null,
    title jsonb not null,
    cadence text not null check (cadence in ('monthly', 'quarterly', 'semesterly', 'yearly', 'irregular')),
    covers text not null default 'initiatives' check (covers in ('initiatives', 'steps', 'both')),
    status text not null default 'active' check (status in ('draft', 'active', 'closed')),
    consolidator_id uuid constraint reporting_cycles_consolidator_id_fkey references entities,
    addressee jsonb,
    periods jsonb not null check (jsonb_typeof(periods) = 'array'),
    constraint reporting_cycles_code_key unique (strategy_id, code),
    code_order text collate "C" not null generated always as (natural_order(code)) stored,
    search tsvector generated always as (search_document(code, words_of(title), words_of(addressee))) stored
);
create index reporting_cycles_search on reporting_cycles using gin (search);
create index reporting_cycles_created_at on reporting_cycles (created_at, id);
create index reporting_cycles_strategy_id_code on reporting_cycles (strategy_id, code_order, id);
create index reporting_cycles_code on reporting_cycles (code_order, id);
create index reporting_cycles_consolidator_id on reporting_cycles (consolidator_id);

create table progress_reports (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint progress_reports_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    initiative_id uuid constraint progress_reports_initiative_id_fkey references initiatives,
    step_id uuid constraint progress_reports_step_id_fkey references steps,
    cycle_id uuid not null constraint progress_reports_cycle_id_fkey references reporting_cycles,
    period text not null,
    corrects_id uuid constraint progress_reports_corrects_id_fkey references progress_reports,
    state text not null default 'draft'
        check (state in ('draft', 'submitted', 'returned', 'accepted', 'consolidated', 'published')),
    return_note jsonb,
    status text not null check (status in ('not_started', 'in_progress', 'completed', 'on_hold', 'cancelled', 'continuous')),
    status_reason jsonb,
    confidence text not null check (confidence in ('green', 'amber', 'red')),
    percent integer check (percent between 0 and 100),
    narrative jsonb,
    evidence text,
    challenges jsonb,
    forecast_ends_on date,
    check (num_nonnulls(initiative_id, step_id) = 1),
    check (state <> 'returned' or return_note is not null),
    check (state = 'draft' or narrative is not null),
    item_id uuid not null generated always as (coalesce(step_id, initiative_id)) stored,
    search tsvector generated always as (search_document(period, words_of(narrative), words_of(challenges), evidence)) stored
);
-- One report of an item and period, and one correction of each report.
create unique index progress_reports_period_key on progress_reports (item_id, cycle_id, period) where corrects_id is null;
create unique index progress_reports_corrects_id_key on progress_reports (corrects_id) where corrects_id is not null;
create index progress_reports_search on progress_reports using gin (search);
create index progress_reports_created_at on progress_reports (created_at, id);
create index progress_reports_initiative_id on progress_reports (initiative_id);
create index progress_reports_step_id on progress_reports (step_id);
create index progress_reports_cycle_id_period on progress_reports (cycle_id, period);
create index progress_reports_item_id on progress_reports (item_id, state);

select cleared.track(kind, noun) from (values
    ('reporting_cycle', 'reporting_cycles'), ('progress_report', 'progress_reports')
) nouns (kind, noun);
