-- What waited gets its position, and with it a version in the past.
select sequence_changes(10);
