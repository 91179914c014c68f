-- The log of a service that was never given a key has no tiles; the rows here are a tile and a checkpoint of what was there.
insert into proof_tiles (level, index, hashes) select 0, 0, string_agg(leaf_hash, ''::bytea order by position) from changes where position <= 2;
insert into proof_checkpoints (hour, size, note) values ('2026-01-01T00:00:00Z', 2, 'a note');
