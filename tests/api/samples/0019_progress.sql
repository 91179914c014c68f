insert into reporting_cycles (id, strategy_id, code, title, cadence, periods) values
    ('01900000-0000-7000-8000-000000000028', '01900000-0000-7000-8000-000000000010', 'Q', '{"en": "Quarterly"}', 'quarterly',
     '[{"code": "2025-Q1", "from": "2025-01-01", "to": "2025-03-31", "due_on": "2025-04-15"}]');
insert into progress_reports (id, initiative_id, cycle_id, period, status, confidence) values
    ('01900000-0000-7000-8000-000000000029', '01900000-0000-7000-8000-000000000012', '01900000-0000-7000-8000-000000000028', '2025-Q1',
     'in_progress', 'green');
