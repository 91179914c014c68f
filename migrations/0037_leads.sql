-- One lead at a time: of the leads of an initiative or a step no two have a day in common, whoever writes, however many at once. An
-- exclusion constraint needs GiST to compare ids, which PostgreSQL does without an extension only for ranges: so an id is a range of one.
create type uuid_range as range (subtype = uuid);

drop index assignments_lead_key;
do $$
declare
    -- Leads that overlap an earlier one already are left out as they stand (`reports/quality` names them): a row that is changed in its
    -- period, or written anew, is judged like any other.
    exempt text := (
        select string_agg(format(
            ' and not (id = %L and valid_from is not distinct from %L::date and valid_to is not distinct from %L::date)',
            later.id, later.valid_from, later.valid_to), '' order by later.id)
        from assignments later
        where later.role = 'lead' and exists (
            select from assignments earlier
            where earlier.role = 'lead' and earlier.item_id = later.item_id
                and (earlier.created_at, earlier.id) < (later.created_at, later.id)
                and daterange(earlier.valid_from, earlier.valid_to, '[]') && daterange(later.valid_from, later.valid_to, '[]')));
begin
    execute format(
        'alter table assignments add constraint assignments_role_excl exclude using gist (
            uuid_range(item_id, item_id, ''[]'') with =, daterange(valid_from, valid_to, ''[]'') with &&)
         where (role = ''lead''%s) deferrable initially immediate', coalesce(exempt, ''));
end
$$;
