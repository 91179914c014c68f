insert into evidence (id, kind, title, claim, about, content, strategy_id, url, retrieved_at, valid_until, languages, document, state) values
    ('01900000-0000-7000-8000-0000000000e1', 'official_website', '{"en": "A page"}', '{"en": "It has metrics"}', 'plan_content',
        'timeframes_and_metrics', (select id from strategies order by id limit 1), 'https://plan.example/', '2026-01-31T10:00:00Z', '2026-12-31', '{en}',
        '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b', 'verified');
insert into documents (id, sha256, size, media_type) values
    ('01900000-0000-7000-8000-0000000000e2', '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b', 6, 'text/plain');
insert into document_parts (document_id, number, bytes) values ('01900000-0000-7000-8000-0000000000e2', 0, 'secret');
