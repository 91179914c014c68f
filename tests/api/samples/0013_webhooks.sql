insert into webhooks (id, url, description, kinds, actions, resource_ids, active, position)
    values ('0190aaaa-0000-7000-8000-00000000d001', 'https://receiver.example/mandate', 'Night batch', '{entity}', '{}', '{}', false, 0);
insert into webhook_secrets (id, webhook_id, secret)
    values ('0190aaaa-0000-7000-8000-00000000d002', '0190aaaa-0000-7000-8000-00000000d001', '\x00');
insert into deliveries (id, webhook_id, position, kind, resource_id, status, ended_at)
    values ('0190aaaa-0000-7000-8000-00000000d003', '0190aaaa-0000-7000-8000-00000000d001', 1, 'entity', '0190aaaa-0000-7000-8000-00000000d004', 'delivered', now());
