insert into proof_keys (size, key, note) values (1, 'the key before', 'a note by both');
insert into api_key_versions (key_id, version) values ('a0000001', 2);
