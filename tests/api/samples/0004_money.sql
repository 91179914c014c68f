insert into funding_sources (id, name, kind) values
    ('01900000-0000-7000-8000-000000000020', '{"en": "State budget"}', 'state_budget');
insert into budget_allocations (id, step_id, funding_source_id, fiscal_year, phase, amount, currency) values
    ('01900000-0000-7000-8000-000000000021', '01900000-0000-7000-8000-000000000015', '01900000-0000-7000-8000-000000000020',
     2025, 'estimate', 120000.50, 'RON');
