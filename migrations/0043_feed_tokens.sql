-- Tokens in addresses: each opens one reading and nothing else, for programs that send no header. A token of a calendar is one of them; so what was the
-- table of those is the table of all. Only a hash of each is kept.
alter table calendar_tokens rename to feed_tokens;
alter table feed_tokens rename constraint calendar_tokens_pkey to feed_tokens_pkey;
alter table feed_tokens rename constraint calendar_tokens_token_hash_key to feed_tokens_token_hash_key;
alter index calendar_tokens_entity_id rename to feed_tokens_entity_id;
alter table feed_tokens
    -- The entity whose calendar it opens.
    alter column entity_id drop not null,
    -- Or the report or list, with its filters.
    add column path text,
    add column clearance text not null default 'internal'
        constraint feed_tokens_clearance_check check (clearance in ('public', 'internal')),
    add constraint feed_tokens_path_check check (num_nonnulls(entity_id, path) = 1);
