insert into budget_allocations (id, initiative_id, fiscal_year, phase, amount, currency) values
    ('01900000-0000-7000-8000-000000000022', '01900000-0000-7000-8000-000000000012', 2025, 'appropriation', 1000, 'RON');
insert into budget_movements (id, allocation_id, kind, amount, currency, dated_on) values
    ('01900000-0000-7000-8000-000000000023', '01900000-0000-7000-8000-000000000022', 'allotment', 300, 'RON', '2025-02-01');
