insert into frameworks (id, code, edition, name, areas) values
    ('01900000-0000-7000-8000-0000000000a0', 'INDEX', '1', '{"en": "An index"}',
     '[{"code": "1", "name": {"en": "Policy"}, "indicators": [{"code": "1.1", "name": {"en": "A plan"}, "max_points": "3"}]}]');
insert into assessments (id, framework_id, country, title, assessed_on) values
    ('01900000-0000-7000-8000-0000000000a1', '01900000-0000-7000-8000-0000000000a0', 'XX', '{"en": "How it stands"}', '2026-01-31');
insert into answers (id, assessment_id, indicator, points) values
    ('01900000-0000-7000-8000-0000000000a2', '01900000-0000-7000-8000-0000000000a1', '1.1', 3);
