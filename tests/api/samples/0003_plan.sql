insert into strategies (id, external_id, code, title, country, kind, status, languages, legal_act_id) values
    ('01900000-0000-7000-8000-000000000010', 's-1', 'S', '{"en": "A strategy"}', 'XX', 'strategy', 'in_force', '{ro,en}',
     '01900000-0000-7000-8000-000000000001');
insert into objectives (id, strategy_id, code, title) values
    ('01900000-0000-7000-8000-000000000011', '01900000-0000-7000-8000-000000000010', '1', '{"en": "An objective"}');
-- The last two differ only before their last 20 digits.
insert into initiatives (id, strategy_id, objective_id, code, title, deadline_text, deadline_kind, deadline_from, deadline_to) values
    ('01900000-0000-7000-8000-000000000012', '01900000-0000-7000-8000-000000000010', '01900000-0000-7000-8000-000000000011',
     '1.1', '{"en": "An initiative"}', 'Q3 2025', 'quarter', '2025-07-01', '2025-09-30');
insert into initiatives (id, strategy_id, code, title) values
    ('01900000-0000-7000-8000-000000000013', '01900000-0000-7000-8000-000000000010', '900000000000000000001', '{"en": "Huge"}'),
    ('01900000-0000-7000-8000-000000000014', '01900000-0000-7000-8000-000000000010', '100000000000000000002', '{"en": "Less huge"}');
insert into steps (id, initiative_id, code, title) values
    ('01900000-0000-7000-8000-000000000015', '01900000-0000-7000-8000-000000000012', 'a', '{"en": "A step"}');
insert into assignments (id, initiative_id, entity_id, role) values
    ('01900000-0000-7000-8000-000000000016', '01900000-0000-7000-8000-000000000012', '01900000-0000-7000-8000-000000000002', 'lead');
insert into timelines (id, initiative_id, basis, ends_on, legal_act_id) values
    ('01900000-0000-7000-8000-000000000017', '01900000-0000-7000-8000-000000000012', 'approved', '2025-09-30',
     '01900000-0000-7000-8000-000000000001');
insert into milestones (id, initiative_id, title) values
    ('01900000-0000-7000-8000-000000000018', '01900000-0000-7000-8000-000000000012', '{"en": "A milestone"}');
insert into dependencies (id, predecessor_initiative_id, successor_initiative_id) values
    ('01900000-0000-7000-8000-000000000019', '01900000-0000-7000-8000-000000000012', '01900000-0000-7000-8000-000000000013');
