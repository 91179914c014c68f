insert into legal_acts (id, country, issuer, act_type, number, date, title) values
    ('01900000-0000-7000-8000-000000000001', 'XX', 'Government', 'decision', '1321', '2021-12-30', '{"ro": "Hotărârea"}');
insert into entities (id, external_id, code, name, kind, country) values
    ('01900000-0000-7000-8000-000000000002', 'e-1', 'M', '{"ro": "Ministerul", "en": "The ministry"}', 'ministry', 'XX');
insert into entities (id, name, kind, parent_id, valid_from, valid_to) values
    ('01900000-0000-7000-8000-000000000003', '{"en": "The agency"}', 'agency', '01900000-0000-7000-8000-000000000002', '2011-01-01', '2021-09-30');
