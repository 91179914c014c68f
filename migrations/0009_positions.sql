-- The place of each change in one order for all readers. Times and sequences are given before a commit, so a reader that goes by them misses
-- what commits late; a position is given after it, by `sequence_changes`.

alter table changes
    add column position bigint,
    add column recorded_at timestamptz,
    add constraint changes_recorded check ((position is null) = (recorded_at is null));

-- What is there already stands in the order of its times, but a later version never before an earlier one, whatever the clocks said.
with ordered as (
    select id, version, kind, entity_id, max(at) over (partition by kind, entity_id order by version) as ready from changes
),
numbered as (
    select id, ready, row_number() over (order by ready, version, entity_id, kind) as place from ordered
)
update changes set position = numbered.place, recorded_at = numbered.ready from numbered where numbered.id = changes.id;

create unique index changes_position on changes (position);
create index changes_recorded_at on changes (recorded_at, position);
create index changes_waiting on changes (at) where position is null;

-- One row: the last position, and the instant up to which the record is complete. Whatever gets its position later is recorded later.
create table record_head (
    one boolean primary key default true check (one),
    position bigint not null,
    complete_until timestamptz not null
);
insert into record_head (position, complete_until)
    select coalesce(max(position), 0), coalesce(max(recorded_at), now()) from changes;

-- Gives the committed changes that wait for one their positions, about `most` of them, and says how many it gave and the last one given.
-- Whoever has the row of `record_head` does it; the others do nothing and wait for nothing. It is a function because a lock that spans several
-- statements of a client stays for a minute when the client is stopped between them.
--
-- A change is recorded at the time it was written, or just after what the record was complete until, if that is later: so whatever was
-- acknowledged before an instant is in the record of that instant, and what is complete stays as it is. The changes of one transaction have
-- one time, are taken together (`with ties`), and so are seen together.
--
-- Without changes the head moves when the record is complete until longer than `idle` ago, for those who read the past.
create function sequence_changes(most integer, idle interval default '1 second', out given bigint, out head bigint) language plpgsql as $$
declare
    last record_head;
    moment timestamptz;
begin
    given := 0;
    perform from record_head h where h.complete_until < clock_timestamp() - idle or exists (select from changes c where c.position is null);
    if found then
        select * into last from record_head h for update skip locked;
        if found then
            -- Before the next statement looks: what was acknowledged until now is seen by it.
            moment := clock_timestamp();
            with waiting as (
                select c.id, c.version, c.kind, c.entity_id, max(c.at) over (partition by c.kind, c.entity_id order by c.version) as ready
                from changes c where c.position is null
            ),
            batch as (
                select w.* from waiting w order by w.ready fetch first most rows with ties
            ),
            placed as (
                select b.id, b.ready, row_number() over (order by b.ready, b.version, b.entity_id, b.kind) as place from batch b
            ),
            numbered as (
                update changes c
                set position = last.position + placed.place,
                    recorded_at = greatest(placed.ready, last.complete_until + interval '1 microsecond')
                from placed where c.id = placed.id returning c.recorded_at
            )
            select count(*), greatest(moment, max(n.recorded_at)) into given, moment from numbered n;
            if given >= most then
                -- What is left belongs to times that are not complete yet.
                select max(c.recorded_at) into moment from changes c where c.position = last.position + given;
            end if;
            if given > 0 then
                perform as_of.keep(last.position, last.position + given);
            end if;
            update record_head h set position = h.position + given, complete_until = greatest(moment, h.complete_until);
        end if;
    end if;
    select h.position into head from record_head h;
end
$$;

-- An amount is kept as text, like in the API: as a number of JSON most readers would take it for a float, and lose its last digits.
create or replace function record_of(fields jsonb) returns jsonb language sql immutable parallel safe
return (case when fields ? 'amount' then fields || jsonb_build_object('amount', fields ->> 'amount') else fields end)
    - array['search', 'code_order', 'item_id', 'predecessor_id', 'successor_id'];
update changes set before = record_of(before), after = record_of(after) where kind = 'budget_allocation';
