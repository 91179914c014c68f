insert into contributions (id, direction, title, status, recipients, initiative_id) values
    ('01900000-0000-7000-8000-000000000090', 'given', '{"en": "Help"}', 'pipeline', '[{"country": "MD", "region": null, "percentage": null}]',
     '01900000-0000-7000-8000-000000000012');
insert into contribution_partners (id, contribution_id, role, entity_id) values
    ('01900000-0000-7000-8000-000000000091', '01900000-0000-7000-8000-000000000090', 'funding', '01900000-0000-7000-8000-000000000002');
insert into training_programmes (id, initiative_id, title, audience) values
    ('01900000-0000-7000-8000-000000000092', '01900000-0000-7000-8000-000000000012', '{"en": "Lessons"}', 'pupils');
insert into training_sessions (id, programme_id, starts_on, ends_on, status) values
    ('01900000-0000-7000-8000-000000000093', '01900000-0000-7000-8000-000000000092', '2025-03-01', '2025-03-02', 'planned');
