insert into indicators (id, initiative_id, code, title, value_chain_stage, measure, direction, baseline_value, baseline_on) values
    ('01900000-0000-7000-8000-000000000025', '01900000-0000-7000-8000-000000000012', 'I1', '{"en": "Trained"}', 'output', 'unit', 'ascending',
     1.50, '2024-12-31');
insert into indicator_targets (id, indicator_id, period_from, period_to, value) values
    ('01900000-0000-7000-8000-000000000026', '01900000-0000-7000-8000-000000000025', '2025-01-01', '2025-12-31', 20);
insert into measurements (id, indicator_id, period_from, period_to, value, status) values
    ('01900000-0000-7000-8000-000000000027', '01900000-0000-7000-8000-000000000025', '2025-01-01', '2025-06-30', 7, 'final');
