-- What a currency was worth, and sums of the budget that need not be made anew for each question.

create table exchange_rates (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint exchange_rates_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    base_currency text not null check (base_currency ~ '^[A-Z]{3}$'),
    quote_currency text not null constraint exchange_rates_quote_currency_form check (quote_currency ~ '^[A-Z]{3}$'),
    valid_on date not null,
    -- As printed, and a text also in the record: as a number of JSON it would lose digits.
    rate text not null check (rate::numeric > 0),
    source text not null,
    search tsvector generated always as (search_document(source, base_currency, quote_currency)) stored,
    constraint exchange_rates_quote_currency_check check (quote_currency <> base_currency),
    constraint exchange_rates_valid_on_key unique (base_currency, quote_currency, valid_on, source)
);
create index exchange_rates_search on exchange_rates using gin (search);
create index exchange_rates_created_at on exchange_rates (created_at, id);
create index exchange_rates_order on exchange_rates (valid_on, id);
create index exchange_rates_quote_currency on exchange_rates (quote_currency, base_currency, valid_on);

select cleared.track('exchange_rate', 'exchange_rates');

-- The sums of the budget: docs/decisions/0014. Every write of a line adds a difference, in its own statement, and waits for nobody;
-- `fold_budget` adds differences up into cells. A report adds the cells and what is not folded yet, and so is exact at any time.

create table budget_deltas (
    sign integer not null check (sign in (1, -1)),
    strategy_id uuid not null,
    objective_id uuid,
    entity_id uuid,
    funding_source_id uuid,
    fiscal_year integer not null,
    programme_code text,
    cofog_code text,
    phase text not null,
    currency text not null,
    -- How many allocations.
    estimates bigint not null,
    appropriations bigint not null,
    estimate numeric not null,
    appropriated numeric not null,
    allotted numeric not null,
    committed numeric not null,
    verified numeric not null,
    ordered numeric not null,
    paid numeric not null
);

create table budget_cells (
    dimension text not null,
    strategy_id uuid not null,
    id uuid,
    word text,
    currency text not null,
    estimates bigint not null,
    appropriations bigint not null,
    estimate numeric not null,
    appropriated numeric not null,
    allotted numeric not null,
    committed numeric not null,
    verified numeric not null,
    ordered numeric not null,
    paid numeric not null,
    unique nulls not distinct (dimension, strategy_id, id, word, currency)
);

-- Whether the sums are those of the reading: in the past, and for readers who may not see all, they are not.
create function keeps_sums() returns boolean language sql immutable parallel safe return true;
create function as_of.keeps_sums() returns boolean language sql immutable parallel safe return false;
create function cleared.keeps_sums() returns boolean language sql immutable parallel safe return false;

-- What an allocation adds to the sums, as things are.
create function line_of(a budget_allocations) returns setof budget_deltas language sql stable as $$
    select 1, i.strategy_id, i.objective_id, (a).entity_id, (a).funding_source_id, (a).fiscal_year, (a).programme_code, (a).cofog_code,
        (a).phase, (a).currency, ((a).phase = 'estimate')::integer::bigint, ((a).phase = 'appropriation')::integer::bigint,
        case (a).phase when 'estimate' then (a).amount else 0 end, granted((a).phase, (a).amount) + coalesce(t.moved, 0), coalesce(t.allotted, 0),
        coalesce(t.committed, 0), coalesce(t.verified, 0), coalesce(t.ordered, 0), coalesce(t.paid, 0)
    from initiatives i left join budget_totals t on t.allocation_id = (a).id
    where i.id = coalesce((a).initiative_id, (select s.initiative_id from steps s where s.id = (a).step_id))
$$;

-- Adds up differences of the same line, or takes them away.
create function note_lines(lines budget_deltas[], sign integer) returns void language sql as $$
    insert into budget_deltas
    select note_lines.sign, strategy_id, objective_id, entity_id, funding_source_id, fiscal_year, programme_code, cofog_code, phase, currency,
        sum(estimates), sum(appropriations), sum(estimate), sum(appropriated), sum(allotted), sum(committed), sum(verified), sum(ordered), sum(paid)
    from unnest(lines) l
    group by strategy_id, objective_id, entity_id, funding_source_id, fiscal_year, programme_code, cofog_code, phase, currency
$$;

-- Holds in place what an allocation stands under, so that its line and a move of that do not miss each other.
create function hold_owners(initiatives uuid[], steps uuid[]) returns void language plpgsql as $$
begin
    perform from public.steps s where s.id = any (hold_owners.steps) order by s.id for share;
    perform from public.initiatives i
        where i.id = any (hold_owners.initiatives || array(select s.initiative_id from public.steps s where s.id = any (hold_owners.steps)))
        order by i.id for share;
end
$$;

create function note_allocations() returns trigger language plpgsql as $$
declare
    -- Those whose line is another than before.
    other uuid[];
begin
    case tg_op
        when 'INSERT' then
            perform hold_owners(array(select a.initiative_id from added a), array(select a.step_id from added a));
            insert into budget_deltas
            select 1, l.strategy_id, l.objective_id, l.entity_id, l.funding_source_id, l.fiscal_year, l.programme_code, l.cofog_code, l.phase, l.currency,
                sum(l.estimates), sum(l.appropriations), sum(l.estimate), sum(l.appropriated), 0, 0, 0, 0, 0
            from added n join budget_allocations a on a.id = n.id cross join lateral line_of(a) l
            group by l.strategy_id, l.objective_id, l.entity_id, l.funding_source_id, l.fiscal_year, l.programme_code, l.cofog_code, l.phase, l.currency;
        when 'DELETE' then
            perform note_lines(array(select l from removed o cross join lateral line_of(row(o.*)::budget_allocations) l), -1);
        else
            perform hold_owners(array(select n.initiative_id from added n join removed o using (id) where o.initiative_id is distinct from n.initiative_id),
                array(select n.step_id from added n join removed o using (id) where o.step_id is distinct from n.step_id));
            other := array(select n.id from added n join removed o using (id)
                where (o.initiative_id, o.step_id, o.entity_id, o.funding_source_id, o.fiscal_year, o.programme_code, o.cofog_code, o.phase, o.currency, o.amount)
                    is distinct from (n.initiative_id, n.step_id, n.entity_id, n.funding_source_id, n.fiscal_year, n.programme_code, n.cofog_code, n.phase, n.currency, n.amount));
            perform note_lines(array(select l from removed o cross join lateral line_of(row(o.*)::budget_allocations) l where o.id = any (other)), -1);
            perform note_lines(array(select l from added n cross join lateral line_of(row(n.*)::budget_allocations) l where n.id = any (other)), 1);
    end case;
    return null;
end
$$;
create trigger budget_allocations_note_insert after insert on budget_allocations referencing new table as added
    for each statement execute function note_allocations();
create trigger budget_allocations_note_delete after delete on budget_allocations referencing old table as removed
    for each statement execute function note_allocations();
create trigger budget_allocations_note_update after update on budget_allocations referencing old table as removed new table as added
    for each statement execute function note_allocations();

-- The movements of an allocation change its totals, whose row is held until the end of the transaction.
create function note_totals() returns trigger language plpgsql as $$
begin
    insert into budget_deltas
    select 1, l.strategy_id, l.objective_id, l.entity_id, l.funding_source_id, l.fiscal_year, l.programme_code, l.cofog_code, l.phase, l.currency,
        0, 0, 0, new.moved - coalesce(old.moved, 0), new.allotted - coalesce(old.allotted, 0), new.committed - coalesce(old.committed, 0),
        new.verified - coalesce(old.verified, 0), new.ordered - coalesce(old.ordered, 0), new.paid - coalesce(old.paid, 0)
    from budget_allocations a cross join lateral line_of(a) l where a.id = new.allocation_id;
    return null;
end
$$;
create trigger budget_totals_note_insert after insert on budget_totals for each row execute function note_totals();
create trigger budget_totals_note_update after update on budget_totals for each row
    when ((old.moved, old.allotted, old.committed, old.verified, old.ordered, old.paid)
        is distinct from (new.moved, new.allotted, new.committed, new.verified, new.ordered, new.paid))
    execute function note_totals();

-- What moves takes its lines with it. The initiatives are held before the allocations, as by all others.
create function note_move() returns trigger language plpgsql as $$
declare
    lines budget_deltas[];
    there initiatives;
begin
    if tg_table_name = 'steps' then
        perform hold_owners(array[old.initiative_id, new.initiative_id], '{}');
        perform from budget_allocations a where a.step_id = new.id order by a.id for no key update;
        lines := array(select l from budget_allocations a cross join lateral line_of(a) l where a.step_id = new.id);
        select * into there from initiatives i where i.id = old.initiative_id;
    else
        perform from budget_allocations a
            where a.initiative_id = new.id or a.step_id in (select s.id from steps s where s.initiative_id = new.id) order by a.id for no key update;
        lines := array(select l from budget_allocations a cross join lateral line_of(a) l
            where a.initiative_id = new.id or a.step_id in (select s.id from steps s where s.initiative_id = new.id));
        there := old;
    end if;
    perform note_lines(lines, 1);
    insert into budget_deltas
    select -1, there.strategy_id, there.objective_id, l.entity_id, l.funding_source_id, l.fiscal_year, l.programme_code, l.cofog_code, l.phase, l.currency,
        l.estimates, l.appropriations, l.estimate, l.appropriated, l.allotted, l.committed, l.verified, l.ordered, l.paid
    from unnest(lines) l;
    return null;
end
$$;
create trigger initiatives_note_move after update on initiatives for each row
    when ((old.strategy_id, old.objective_id) is distinct from (new.strategy_id, new.objective_id)) execute function note_move();
create trigger steps_note_move after update on steps for each row
    when (old.initiative_id is distinct from new.initiative_id) execute function note_move();

-- Adds at most so many differences up into the cells, and says how many it took. Several may do so at once.
create function fold_budget(most integer) returns bigint language sql as $$
    with taken as (
        delete from budget_deltas where ctid = any (array(select d.ctid from budget_deltas d limit most for update skip locked)) returning *
    ),
    kept as (
        insert into budget_cells as c
        select k.dimension, t.strategy_id, k.id, k.word, t.currency, sum(t.sign * t.estimates), sum(t.sign * t.appropriations),
            sum(t.sign * t.estimate), sum(t.sign * t.appropriated), sum(t.sign * t.allotted), sum(t.sign * t.committed), sum(t.sign * t.verified),
            sum(t.sign * t.ordered), sum(t.sign * t.paid)
        from taken t cross join lateral (values
            ('objective', t.objective_id, null), ('entity', t.entity_id, null), ('funding_source', t.funding_source_id, null),
            ('fiscal_year', null, t.fiscal_year::text), ('phase', null, t.phase), ('programme', null, t.programme_code), ('cofog', null, t.cofog_code)
        ) k (dimension, id, word)
        group by k.dimension, t.strategy_id, k.id, k.word, t.currency
        order by 1, 2, 3, 4, 5
        on conflict (dimension, strategy_id, id, word, currency) do update set
            estimates = c.estimates + excluded.estimates, appropriations = c.appropriations + excluded.appropriations,
            estimate = c.estimate + excluded.estimate, appropriated = c.appropriated + excluded.appropriated, allotted = c.allotted + excluded.allotted,
            committed = c.committed + excluded.committed, verified = c.verified + excluded.verified, ordered = c.ordered + excluded.ordered,
            paid = c.paid + excluded.paid
    )
    select count(*) from taken
$$;

-- What is there already.
insert into budget_deltas
    select 1, l.strategy_id, l.objective_id, l.entity_id, l.funding_source_id, l.fiscal_year, l.programme_code, l.cofog_code, l.phase, l.currency,
        sum(l.estimates), sum(l.appropriations), sum(l.estimate), sum(l.appropriated), 0, 0, 0, 0, 0
    from budget_allocations a cross join lateral line_of(a) l
    group by l.strategy_id, l.objective_id, l.entity_id, l.funding_source_id, l.fiscal_year, l.programme_code, l.cofog_code, l.phase, l.currency;
