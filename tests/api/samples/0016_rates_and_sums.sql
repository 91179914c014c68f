insert into exchange_rates (id, base_currency, quote_currency, valid_on, rate, source) values
    ('01900000-0000-7000-8000-000000000024', 'EUR', 'RON', '2025-02-03', '4.9770', 'A bank of examples');
-- As the fold would have left them.
insert into budget_cells (dimension, strategy_id, word, currency, estimates, appropriations, estimate, appropriated, allotted, committed, verified,
    ordered, paid) values ('programme', '01900000-0000-7000-8000-0000000000aa', 'folded', 'RON', 0, 1, 0, 5, 0, 0, 0, 0, 0);
