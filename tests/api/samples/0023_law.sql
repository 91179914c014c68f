insert into treaties (id, code, name, opened_on) values
    ('01900000-0000-7000-8000-000000000080', 'T-1', '{"en": "A treaty"}', '2001-11-23');
insert into treaty_actions (id, treaty_id, country, action, acted_on) values
    ('01900000-0000-7000-8000-000000000081', '01900000-0000-7000-8000-000000000080', 'XX', 'signed', '2022-11-30');
insert into positions (id, country, title, topics, languages) values
    ('01900000-0000-7000-8000-000000000082', 'XX', '{"en": "A position"}', '{sovereignty,human_rights}', '{en}');
