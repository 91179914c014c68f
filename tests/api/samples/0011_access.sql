insert into api_keys (id, name, role, entity_id, scopes, secret_hash, expires_at, revoked_at, last_used_on, created_by) values
    ('a0000001', 'treasury', 'finance', '01900000-0000-7000-8000-000000000002', '{money:write,plan:read}', '\x00', now() + interval '1 year', null,
     '2026-01-01', 'key:old'),
    ('a0000002', 'embassy', 'diplomat', null, '{}', '\x00', null, now(), null, null);
update entities set classification = 'restricted' where id = '01900000-0000-7000-8000-000000000003';
