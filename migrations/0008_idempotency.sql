-- Answers to writes that carried an Idempotency-Key. A row commits in the transaction of its effect, so it is there exactly when the effect
-- is. The columns of the answer are empty only inside that transaction.
create table idempotency_keys (
    principal text not null,
    key text not null check (length(key) between 1 and 255),
    fingerprint bytea not null,
    created_at timestamptz not null default now(),
    status integer,
    headers jsonb,
    body bytea,
    primary key (principal, key)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);
