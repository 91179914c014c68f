-- The log as far as two entries, by the key of the tests; the service goes on from there.
insert into proof_tiles (level, index, hashes) select 0, 0, string_agg(leaf_hash, ''::bytea order by position) from changes where position <= 2;
insert into proof_checkpoints (hour, size, note) values ('2026-01-01T00:00:00Z', 2, 'a note');
update proof_head set size = 2, key = 'test.example/log+88b09be8+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs', note = 'a note';
