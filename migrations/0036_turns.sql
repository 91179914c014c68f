-- Whose turn it is: of what waits for one webhook about one resource, the first. Only that can be sent; what is behind it is not looked at, so that
-- a claim costs the same however much waits, and by whatever statistics it is planned.

alter table deliveries add column turn boolean not null default false;
alter table deliveries add constraint deliveries_turn_waits check (not turn or status = 'waiting');

drop index deliveries_due;
create index deliveries_turn on deliveries (webhook_id, next_attempt_at, position) where turn;

-- Who changes what waits for a webhook holds its row, and looks only then. Otherwise of two, one of whom ends the first delivery while the other
-- makes the second, neither would see the other's, and the second would never have its turn.

-- Gives each turn of a webhook to the first that waits.
create function give_turns(hook uuid) returns void language plpgsql as $$
begin
    perform from webhooks where id = hook for no key update;
    update deliveries d set turn = not d.turn
    from (
        select id, turn, row_number() over (partition by resource_id order by position) = 1 as is_first
        from deliveries where webhook_id = hook and status = 'waiting'
    ) waiting
    where d.id = waiting.id and waiting.turn <> waiting.is_first;
end
$$;

-- Turns the next changes of the feed into deliveries of the webhook that is furthest behind. False when none is behind.
create function fan_out_deliveries(page bigint) returns boolean language plpgsql as $$
declare
    hook webhooks;
    upto bigint;
begin
    select * into hook from webhooks where active and position < (select position from record_head)
    order by position limit 1 for no key update skip locked;
    if not found then
        return false;
    end if;
    select least(position, hook.position + page) into upto from record_head;
    insert into deliveries (webhook_id, position, kind, resource_id, turn)
    select hook.id, c.position, c.kind, c.entity_id,
        earlier.waits is null and row_number() over (partition by c.entity_id order by c.position) = 1
    from changes c
    left join lateral (
        select true as waits from deliveries e
        where e.webhook_id = hook.id and e.resource_id = c.entity_id and e.status = 'waiting' limit 1
    ) earlier on true
    where c.position > hook.position and c.position <= upto
        and webhook_takes(hook.kinds, c.kind) and (hook.actions = '{}' or c.action = any(hook.actions))
        and (hook.resource_ids = '{}' or c.entity_id = any(hook.resource_ids))
        and not exists (select from deliveries e where e.webhook_id = hook.id and e.position = c.position);
    update webhooks set position = upto where id = hook.id;
    return true;
end
$$;

-- Writes down an attempt. What is not under this lease any more is left alone. What ends passes its turn on.
create function settle_delivery(one uuid, held uuid, outcome text, pause double precision, attempt jsonb) returns void language plpgsql as $$
declare
    done deliveries;
begin
    select * into done from deliveries where id = one and lease = held;
    if not found then
        return;
    end if;
    if outcome <> 'waiting' then
        perform from webhooks where id = done.webhook_id for no key update;
    end if;
    update deliveries set status = outcome, lease = null, turn = turn and outcome = 'waiting',
        next_attempt_at = now() + make_interval(secs => pause * (1 + random() * 0.2)),
        ended_at = case when outcome = 'waiting' then null else now() end,
        failures = case when outcome = 'delivered' then 0 else failures + 1 end,
        attempts = (case when jsonb_array_length(attempts) >= 40 then attempts - 0 else attempts end) || attempt
    where id = one and lease = held;
    if not found then
        return;
    end if;
    if outcome <> 'waiting' then
        update deliveries d set turn = true from (
            select id from deliveries
            where webhook_id = done.webhook_id and resource_id = done.resource_id and status = 'waiting' order by position limit 1
        ) next
        where d.id = next.id and not d.turn;
    end if;
    update webhooks set failures = case when outcome = 'delivered' then 0 else least(failures + 1, 1000) end
    where id = done.webhook_id and not (outcome = 'delivered' and failures = 0);
end
$$;

-- Puts one delivery, or all that are dead, on their way again, with all attempts before them. Says how many.
create function redeliver_deliveries(hook uuid, one uuid) returns bigint language plpgsql as $$
declare
    many bigint;
begin
    perform from webhooks where id = hook for no key update;
    update deliveries set status = 'waiting', ended_at = null, next_attempt_at = now(), lease = null, failures = 0
    where webhook_id = hook and (id = one or (one is null and status = 'dead'));
    get diagnostics many = row_count;
    perform give_turns(hook);
    return many;
end
$$;

-- Puts the wanted changes of a range on their way, again where they were before. Says how many.
create function replay_deliveries(hook uuid, since bigint, until bigint) returns bigint language plpgsql as $$
declare
    many bigint;
begin
    perform from webhooks where id = hook for no key update;
    insert into deliveries (webhook_id, position, kind, resource_id)
    select w.id, c.position, c.kind, c.entity_id
    from webhooks w join changes c on c.position > since and c.position <= until
    where w.id = hook and webhook_takes(w.kinds, c.kind) and (w.actions = '{}' or c.action = any(w.actions))
        and (w.resource_ids = '{}' or c.entity_id = any(w.resource_ids))
    order by c.position
    on conflict (webhook_id, position) do update
        set status = 'waiting', ended_at = null, next_attempt_at = now(), lease = null, failures = 0;
    get diagnostics many = row_count;
    perform give_turns(hook);
    return many;
end
$$;

select give_turns(id) from webhooks;
