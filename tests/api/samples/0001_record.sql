-- A resource that was deleted: only the record still knows it.
insert into changes (kind, entity_id, version, action, actor, request_id, before, after) values
    ('entity', '01900000-0000-7000-8000-0000000000ff', 1, 'created', 'key:old', 'r-1', null,
     '{"id": "01900000-0000-7000-8000-0000000000ff", "version": 1, "name": {"en": "Gone"}, "kind": "agency"}'),
    ('entity', '01900000-0000-7000-8000-0000000000ff', 2, 'deleted', 'key:old', 'r-2',
     '{"id": "01900000-0000-7000-8000-0000000000ff", "version": 1, "name": {"en": "Gone"}, "kind": "agency"}', null);
insert into api_keys (id, name, role, secret_hash) values ('old', 'old', 'viewer', '\x00');
