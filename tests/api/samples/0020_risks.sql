insert into risks (id, initiative_id, title, level) values
    ('01900000-0000-7000-8000-00000000002a', '01900000-0000-7000-8000-000000000012', '{"en": "A risk"}', 'low');
insert into calendar_tokens (id, entity_id, name, token_hash, created_by, expires_at) values
    ('01900000-0000-7000-8000-00000000002b', '01900000-0000-7000-8000-000000000002', 'Desk', '\x00', 'key:old', '2026-01-01');
