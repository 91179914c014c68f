-- Natural order for digits without end. Until now a run of more than 20 digits was compared by its last 20 only.

-- `1.2` before `1.10`, whatever the case of letters: each run of digits is its length in three digits and then itself, without leading
-- zeros. Compare it with collate "C".
create or replace function natural_order(code text) returns text language sql immutable parallel safe
return coalesce(
    (select string_agg(coalesce(letters, lpad(length(ltrim(digits, '0'))::text, 3, '0') || ltrim(digits, '0')), '' order by place)
     from regexp_matches(lower(code), '([^0-9]+)|([0-9]+)', 'g') with ordinality parts (part, place),
          lateral (select part[1] as letters, part[2] as digits) named),
    code);

-- The indexes hold what the old function answered. They are made anew, because `reindex` may compute with an expression that this session
-- has kept, with the old function in it.
do $$
declare
    made record;
begin
    for made in
        select distinct objid::regclass as name, pg_get_indexdef(objid) as definition from pg_depend
        where classid = 'pg_class'::regclass and refclassid = 'pg_proc'::regclass and refobjid = 'natural_order(text)'::regprocedure
    loop
        execute format('drop index %s', made.name);
        execute made.definition;
    end loop;
end $$;
