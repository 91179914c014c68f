insert into proposals (id, act, operation, method, path, content_type, if_match, body, reason, kind, action, target_id, target_version, after, proposed_by,
    actor, fingerprint)
values ('01900000-0000-7000-8000-0000000000b0', 'completion', 'patch_initiative', 'PATCH', '/v1/initiatives/01900000-0000-7000-8000-0000000000b1',
    'application/merge-patch+json', '"1"', '{"status": "completed"}', 'done', 'initiative', 'updated', '01900000-0000-7000-8000-0000000000b1', 1,
    '{"status": "completed"}', 'key:5f1c09d2ab34', 'key:desk', '\x01');
