-- One fictitious plan register. Half of all initiatives stand in one large strategy, the others in strategies of 1,000.
-- `scale.initiatives` says how many there are. Ids count, so that a load can name any row without asking for it.
insert into legal_acts (id, country, issuer, act_type, number, date, title)
values ('00000000-0000-7000-8001-000000000001', 'XX', 'Parliament', 'law', '1', '2024-01-01', '{"en": "Act on the plan"}');

insert into entities (id, code, name, kind)
select ('00000000-0000-7000-8002-' || lpad(to_hex(n), 12, '0'))::uuid, 'E-' || n, jsonb_build_object('en', 'Agency ' || n), 'agency'
from generate_series(1, 200) n;

insert into funding_sources (id, code, name, kind)
select ('00000000-0000-7000-8003-' || lpad(to_hex(n), 12, '0'))::uuid, 'F-' || n, jsonb_build_object('en', 'Source ' || n), 'state_budget'
from generate_series(1, 5) n;

insert into strategies (id, code, title, country, kind, status, legal_act_id, languages)
select ('00000000-0000-7000-8004-' || lpad(to_hex(n), 12, '0'))::uuid, 'S-' || n, jsonb_build_object('en', 'Strategy ' || n), 'XX',
    'action_plan', 'in_force', '00000000-0000-7000-8001-000000000001', '{en}'
from generate_series(0, greatest(current_setting('scale.initiatives')::int / 2000, 1)) n;

insert into objectives (id, strategy_id, code, title)
select ('00000000-0000-7000-8005-' || lpad(to_hex(s.n * 100 + o), 12, '0'))::uuid, s.id, 'O.' || o, jsonb_build_object('en', 'Objective ' || o)
from (select id, row_number() over (order by id) - 1 as n from strategies) s, generate_series(1, 20) o;

-- Strategy 0 is the large one.
insert into initiatives (id, created_at, updated_at, strategy_id, objective_id, code, title, description, status, evidence, status_reason,
    starts_on, deadline_text, deadline_kind, deadline_from, deadline_to)
select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, at, at,
    ('00000000-0000-7000-8004-' || lpad(to_hex(s), 12, '0'))::uuid,
    ('00000000-0000-7000-8005-' || lpad(to_hex(s * 100 + n % 20 + 1), 12, '0'))::uuid,
    (n % 20 + 1) || '.' || n, jsonb_build_object('en', 'Initiative ' || n || ' on incident reporting'),
    jsonb_build_object('en', 'Operators report incidents of class ' || n % 97 || ' to the centre within the set time.'),
    status, case when status = 'completed' then 'https://example.org/' || n end,
    case when status = 'cancelled' then '{"en": "merged with another"}'::jsonb end,
    date '2024-01-01' + n % 700, to_char(due, 'YYYY-MM-DD'), 'exact', due, due
from (
    select n, timestamptz '2024-01-01' + n * interval '1 second' as at,
        case when n % 2 = 0 then 0 else 1 + n / 2000 end as s,
        (array['not_started', 'in_progress', 'completed', 'on_hold', 'cancelled', 'continuous'])[1 + n % 97 % 6] as status,
        date '2025-01-01' + n % 1009 as due
    from generate_series(0, current_setting('scale.initiatives')::int - 1) n
) rows;

insert into assignments (id, created_at, updated_at, initiative_id, entity_id, role)
select ('00000000-0000-7000-8006-' || lpad(to_hex(n * 2 + r), 12, '0'))::uuid, timestamptz '2024-01-01' + n * interval '1 second', now(),
    ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    ('00000000-0000-7000-8002-' || lpad(to_hex(1 + (n + r * 7) % 200), 12, '0'))::uuid, (array['lead', 'support'])[r + 1]
from generate_series(0, current_setting('scale.initiatives')::int - 1) n, generate_series(0, 1) r;

insert into budget_allocations (id, created_at, updated_at, initiative_id, entity_id, funding_source_id, fiscal_year, phase, amount, currency)
select ('00000000-0000-7000-8007-' || lpad(to_hex(n * 3 + r), 12, '0'))::uuid, timestamptz '2024-01-01' + n * interval '1 second', now(),
    ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    ('00000000-0000-7000-8002-' || lpad(to_hex(1 + n % 200), 12, '0'))::uuid,
    ('00000000-0000-7000-8003-' || lpad(to_hex(1 + n % 5), 12, '0'))::uuid,
    2025 + (n + r) % 4, (array['estimate', 'appropriation'])[1 + r % 2], 1000 + n % 5000, 'XTS'
from generate_series(0, current_setting('scale.initiatives')::int - 1) n, generate_series(0, 2) r;

-- One that many move at once.
insert into budget_allocations (id, initiative_id, fiscal_year, phase, amount, currency)
values ('00000000-0000-7000-8007-ffffffffffff', '00000000-0000-7000-8000-000000000000', 2025, 'appropriation', 1000000000000, 'EUR');

-- A quarter of the initiatives have reported, a tenth are measured.
insert into reporting_cycles (id, strategy_id, code, title, cadence, periods)
select ('00000000-0000-7000-8008-' || right(id::text, 12))::uuid, id, 'Q', '{"en": "Quarterly"}', 'quarterly',
    '[{"code": "2025-Q1", "from": "2025-01-01", "to": "2025-03-31", "due_on": "2025-04-15"}]'
from strategies;

insert into progress_reports (id, initiative_id, cycle_id, period, state, status, confidence, percent, narrative)
select ('00000000-0000-7000-8009-' || right(id::text, 12))::uuid, id, ('00000000-0000-7000-8008-' || right(strategy_id::text, 12))::uuid,
    '2025-Q1', 'accepted', status, (array['green', 'amber', 'red'])[1 + n % 3], n % 101, '{"en": "As planned."}'
from (select id, strategy_id, status, row_number() over (order by id) as n from initiatives) i where n % 4 = 0;

insert into indicators (id, initiative_id, code, title, value_chain_stage, measure, direction, baseline_value, baseline_on)
select ('00000000-0000-7000-800a-' || right(id::text, 12))::uuid, id, 'I', '{"en": "Trained"}', 'output', 'unit', 'ascending', 1, '2024-12-31'
from (select id, row_number() over (order by id) as n from initiatives) i where n % 10 = 0;

insert into indicator_targets (id, indicator_id, period_from, period_to, value)
select ('00000000-0000-7000-800b-' || right(id::text, 12))::uuid, id, '2025-01-01', '2025-12-31', 100 from indicators;

insert into measurements (id, indicator_id, period_from, period_to, value, status)
select ('00000000-0000-7000-800c-' || right(id::text, 12))::uuid, id, '2025-01-01', '2025-12-31', 80, 'final' from indicators;

-- An assessment of 50 indicators, answered, with 1,000 pieces of evidence, and rules that look through these and the plan.
insert into frameworks (id, code, edition, name, areas)
select '00000000-0000-7000-8010-000000000001', 'F', '1', '{"en": "Framework"}', jsonb_agg(area)
from (
    select jsonb_build_object('code', a::text, 'name', jsonb_build_object('en', 'Area ' || a), 'indicators', jsonb_agg(jsonb_build_object(
        'code', a || '.' || i, 'name', jsonb_build_object('en', 'Indicator ' || i), 'max_points', '3', 'levels', '[]'::jsonb,
        'accepted_evidence', '["legal_act", "official_document"]'::jsonb,
        'candidates', case i when 1 then '[{"record": "evidence", "about": ["plan"]}]' when 2 then '[{"record": "strategy"}]'
            when 3 then case a when 1 then '[{"record": "approved_plan", "needs": ["steps", "money"]}]' else '[]' end else '[]' end::jsonb) order by i)) as area
    from generate_series(1, 10) a, generate_series(1, 5) i group by a
) areas;

insert into assessments (id, framework_id, strategy_id, country, title, assessed_on)
values ('00000000-0000-7000-8011-000000000001', '00000000-0000-7000-8010-000000000001', '00000000-0000-7000-8004-000000000001', 'XX',
    '{"en": "Assessment"}', '2025-01-01');

insert into answers (id, assessment_id, indicator, points)
select ('00000000-0000-7000-8012-' || lpad(to_hex(a * 5 + i), 12, '0'))::uuid, '00000000-0000-7000-8011-000000000001', a || '.' || i, 2
from generate_series(1, 10) a, generate_series(1, 5) i;

insert into evidence (id, kind, title, claim, about, country, url, retrieved_at, state, state_reason, valid_until)
select ('00000000-0000-7000-8013-' || lpad(to_hex(n), 12, '0'))::uuid, (array['legal_act', 'official_website'])[1 + n % 2], jsonb_build_object('en', 'Page ' || n),
    '{"en": "It is so"}', (array['plan', 'other', 'commitment', 'official_position'])[1 + n % 4], 'XX', 'https://example.org/' || n, '2025-01-01',
    (array['verified', 'proposed', 'verified', 'disputed'])[1 + n / 4 % 4], case when n / 4 % 4 = 3 then '{"en": "Doubted"}'::jsonb end, case when n % 3 = 0 then date '2099-12-31' end
from generate_series(1, 1000) n;

insert into citations (id, answer_id, evidence_id)
select ('00000000-0000-7000-8014-' || lpad(to_hex(n), 12, '0'))::uuid, ('00000000-0000-7000-8012-' || lpad(to_hex(6 + n % 50), 12, '0'))::uuid,
    ('00000000-0000-7000-8013-' || lpad(to_hex(n), 12, '0'))::uuid
from generate_series(1, 1000) n;

-- Each initiative in `scale.versions` versions, one a day, with its leaf: that trigger runs here too.
alter table changes enable always trigger changes_leaf;
insert into changes (kind, entity_id, version, action, at, actor, request_id, before, after, position, recorded_at)
select 'initiative', id, v, case when v = 1 then 'created' else 'updated' end, at, 'key:bench', '', case when v > 1 then '{}'::jsonb end,
    record_of(to_jsonb(i)) || jsonb_build_object('version', v, 'updated_at', at), row_number() over (order by v, id), at
from initiatives i, generate_series(1, current_setting('scale.versions')::int) v,
    lateral (select timestamptz '2025-01-01' + v * interval '1 day' as at) day;
alter table changes enable trigger changes_leaf;
update initiatives set version = current_setting('scale.versions')::int;
update record_head set position = (select max(position) from changes), complete_until = '2025-02-01';
