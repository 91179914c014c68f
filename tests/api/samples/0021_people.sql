insert into staff_allocations (id, initiative_id, entity_id, profile, starts_on, ends_on, fte_planned) values
    ('01900000-0000-7000-8000-00000000002c', '01900000-0000-7000-8000-000000000012', '01900000-0000-7000-8000-000000000002',
     'chief_information_security_officer', '2025-01-01', '2025-12-31', 1.5);
insert into staff_capacities (id, entity_id, profile, starts_on, fte) values
    ('01900000-0000-7000-8000-00000000002d', '01900000-0000-7000-8000-000000000002', 'chief_information_security_officer', '2025-01-01', 2);
