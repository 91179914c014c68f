-- Webhooks: the feed, pushed. A webhook has a cursor like any reader of the feed; what it has passed has become deliveries.

create table webhooks (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    url text not null,
    description text,
    kinds text[] not null,
    actions text[] not null,
    resource_ids uuid[] not null,
    active boolean not null,
    -- Why the service itself made it inactive.
    inactive_reason text,
    -- All changes up to here have become deliveries, or are not wanted.
    position bigint not null,
    -- Failed attempts since the last good one.
    failures integer not null default 0
);

-- As they are, because signing needs them (docs/decisions/0009-secrets-of-webhooks.md).
create table webhook_secrets (
    id uuid primary key,
    webhook_id uuid not null references webhooks on delete cascade,
    secret bytea not null,
    created_at timestamptz not null default now(),
    ends_at timestamptz
);
create index webhook_secrets_webhook_id on webhook_secrets (webhook_id);

create table deliveries (
    id uuid primary key default gen_random_uuid(),
    webhook_id uuid not null references webhooks on delete cascade,
    position bigint not null,
    kind text not null,
    resource_id uuid not null,
    status text not null default 'waiting' check (status in ('waiting', 'delivered', 'dead')),
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    -- Not before this; while it is under way, when others may take it for lost.
    next_attempt_at timestamptz not null default now(),
    -- Whose turn it is: what comes back with another lease is not believed.
    lease uuid,
    -- Failed attempts since it was made or asked for again.
    failures integer not null default 0,
    attempts jsonb not null default '[]',
    unique (webhook_id, position)
);
create index deliveries_due on deliveries (webhook_id, next_attempt_at) where status = 'waiting';
create index deliveries_in_order on deliveries (webhook_id, resource_id, position) where status = 'waiting';
create index deliveries_dead on deliveries (webhook_id, position) where status = 'dead';
create index deliveries_delivered on deliveries (ended_at) where status = 'delivered';
create index deliveries_newest on deliveries (position desc, id desc);
