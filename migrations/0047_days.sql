-- A step that moves takes its dependencies with it, and with its new initiative they may lead back to their start. Whether they do depends on
-- all others, so a step that has any stays; the lock keeps out who is just adding one (its foreign key holds the step).
create function keep_dependencies() returns trigger language plpgsql as $$
begin
    perform from steps where id = new.id for update;
    perform refuse(jsonb_build_array(jsonb_build_object('pointer', '#/initiative_id', 'code', 'has_dependencies', 'detail',
        'It has dependencies, which may not hold with another initiative; delete them, move it, and add those that still hold.')), 'MD409')
    where exists (select from dependencies where predecessor_step_id = new.id or successor_step_id = new.id);
    return null;
end
$$;
create trigger steps_keep_dependencies after update on steps for each row when (old.initiative_id <> new.initiative_id)
    execute function keep_dependencies();

-- What is said to have happened has happened: the day is not after today, where the service is. Rows that say otherwise already stay as they
-- are until their day is changed. The arguments are the fields.
create function keep_happened() returns trigger language plpgsql as $$
declare
    after jsonb := to_jsonb(new);
    before jsonb := case tg_op when 'UPDATE' then to_jsonb(old) else '{}' end;
begin
    perform refuse(jsonb_agg(jsonb_build_object('pointer', '#/' || field, 'code', 'in_future', 'detail',
        format('Today is %s, and this day is still to come; give the day on which it happened, or leave it out until it has.', today()))), 'MD422')
    from unnest(tg_argv) field
    where (after ->> field)::date > today() and after -> field is distinct from before -> field;
    return new;
end
$$;
create trigger milestones_keep_happened before insert or update on milestones for each row when (new.achieved_on is not null)
    execute function keep_happened('achieved_on');
create trigger risks_keep_happened before insert or update on risks for each row when (new.escalated_on is not null)
    execute function keep_happened('escalated_on');
create trigger commitments_keep_happened before insert or update on commitments for each row when (new.reviewed_on is not null)
    execute function keep_happened('reviewed_on');
create trigger assessments_keep_happened before insert or update on assessments for each row
    execute function keep_happened('assessed_on');
