-- What reads need at hand is computed once, when a row is written: the order of codes (in an index alone PostgreSQL would compute it again
-- for every row that it answers), and which initiative or step a row is about.

create or replace function record_of(fields jsonb) returns jsonb language sql immutable parallel safe
return fields - array['search', 'code_order', 'item_id', 'predecessor_id', 'successor_id'];

drop index strategies_code, objectives_code, objectives_strategy_id_code, initiatives_code, initiatives_strategy_id_code,
    steps_code, steps_initiative_id_code, milestones_code, funding_sources_code, entities_code;

alter table strategies add code_order text collate "C" not null generated always as (natural_order(coalesce(code, ''))) stored;
alter table objectives add code_order text collate "C" not null generated always as (natural_order(code)) stored;
alter table initiatives add code_order text collate "C" not null generated always as (natural_order(code)) stored;
alter table steps add code_order text collate "C" not null generated always as (natural_order(code)) stored;
alter table milestones add code_order text collate "C" not null generated always as (natural_order(coalesce(code, ''))) stored;
alter table funding_sources add code_order text collate "C" not null generated always as (natural_order(coalesce(code, ''))) stored;
alter table entities add code_order text collate "C" not null generated always as (natural_order(coalesce(code, ''))) stored;
alter table legal_acts add code_order text collate "C" not null generated always as (natural_order(number)) stored;

create index strategies_code on strategies (code_order, id);
create index objectives_code on objectives (code_order, id);
create index objectives_strategy_id_code on objectives (strategy_id, code_order, id);
create index initiatives_code on initiatives (code_order, id);
create index initiatives_strategy_id_code on initiatives (strategy_id, code_order, id);
create index steps_code on steps (code_order, id);
create index steps_initiative_id_code on steps (initiative_id, code_order, id);
create index milestones_code on milestones (code_order, id);
create index funding_sources_code on funding_sources (code_order, id);
create index entities_code on entities (code_order, id);
create index legal_acts_number on legal_acts (code_order, id);

alter table assignments add item_id uuid not null generated always as (coalesce(step_id, initiative_id)) stored;
alter table timelines add item_id uuid not null generated always as (coalesce(step_id, initiative_id)) stored;
alter table budget_allocations add item_id uuid not null generated always as (coalesce(step_id, initiative_id)) stored;
alter table dependencies
    add predecessor_id uuid not null generated always as (coalesce(predecessor_step_id, predecessor_initiative_id)) stored,
    add successor_id uuid not null generated always as (coalesce(successor_step_id, successor_initiative_id)) stored;

create index assignments_item_id on assignments (item_id, role);
create index timelines_item_id on timelines (item_id, basis);
create index budget_allocations_item_id on budget_allocations (item_id);
create index dependencies_predecessor_id on dependencies (predecessor_id);
create index dependencies_successor_id on dependencies (successor_id);

-- Lists of initiatives and steps are most often asked for by deadline; a page of them is read from one place of the index.
drop index initiatives_deadline_to, steps_deadline_to, initiatives_strategy_id, initiatives_strategy_id_status, steps_initiative_id;
create index initiatives_deadline on initiatives ((coalesce(deadline_to, 'infinity')), id);
create index initiatives_strategy_id_deadline on initiatives (strategy_id, (coalesce(deadline_to, 'infinity')), id);
create index initiatives_strategy_id_status_deadline on initiatives (strategy_id, status, (coalesce(deadline_to, 'infinity')), id);
create index steps_deadline on steps ((coalesce(deadline_to, 'infinity')), id);
