insert into idempotency_keys (principal, key, fingerprint, status, headers, body)
    values ('key:old', 'import-2024-05-12', '\x00', 201, '{"etag": "\"1\""}', '{}');
