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
