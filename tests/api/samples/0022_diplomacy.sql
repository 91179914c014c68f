insert into forums (id, code, name, kind, mandate, documents, membership) values
    ('01900000-0000-7000-8000-000000000070', 'F', '{"en": "A forum"}', 'expert_group', '{A/RES/1}',
     '[{"symbol": "A/1", "kind": "report", "year": 2015, "title": null, "url": null}]', 'member');
insert into engagements (id, forum_id, statements, follow_up_initiative_id) values
    ('01900000-0000-7000-8000-000000000071', '01900000-0000-7000-8000-000000000070',
     '[{"title": {"en": "On norms"}, "symbol": null, "url": null, "language": "en"}]', '01900000-0000-7000-8000-000000000012');
insert into delegations (id, engagement_id, entity_id) values
    ('01900000-0000-7000-8000-000000000072', '01900000-0000-7000-8000-000000000071', '01900000-0000-7000-8000-000000000002');
insert into commitments (id, catalogue, code, kind) values
    ('01900000-0000-7000-8000-000000000073', 'un_norms_2015', '13(a)', 'norm');
insert into contact_points (id, commitment_id, entity_id, kind, function) values
    ('01900000-0000-7000-8000-000000000074', '01900000-0000-7000-8000-000000000073', '01900000-0000-7000-8000-000000000002', 'policy',
     '{"en": "Duty officer"}');
