-- Of one resource a change that has its position, and one that still waits for it.
update record_head set position = position + 1, complete_until = now();
insert into changes (kind, entity_id, version, action, actor, request_id, before, after, position, recorded_at)
    select 'entity', '01900000-0000-7000-8000-0000000000fe', 1, 'created', 'key:old', 'r-3', null::jsonb,
        '{"id": "01900000-0000-7000-8000-0000000000fe", "version": 1, "name": {"en": "Kept"}, "kind": "agency"}'::jsonb, position, complete_until
    from record_head;
insert into changes (kind, entity_id, version, action, actor, request_id, before, after) values
    ('entity', '01900000-0000-7000-8000-0000000000fe', 2, 'updated', 'key:old', 'r-4',
     '{"id": "01900000-0000-7000-8000-0000000000fe", "version": 1, "name": {"en": "Kept"}, "kind": "agency"}',
     '{"id": "01900000-0000-7000-8000-0000000000fe", "version": 2, "name": {"en": "Kept"}, "kind": "council"}');
