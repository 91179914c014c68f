-- Acts that need a second principal (MANDATE_FOUR_EYES). Where the setting `mandate.four_eyes` of a connection names the act that a change is, the
-- change cannot be committed before somebody else has confirmed it. It is asked here, of every change of the record, so that no door is forgotten.

-- Requests that wait for a second principal, and what became of them. They stay.
create table proposals (
    id uuid primary key,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    act text not null,
    operation text not null,
    method text not null,
    path text not null,
    content_type text,
    if_match text,
    body bytea not null,
    reason text,
    -- The first change for which somebody else is needed.
    kind text not null,
    action text not null,
    target_id uuid not null,
    target_version integer,
    after jsonb,
    proposed_by text not null,
    actor text not null,
    idempotency_key text,
    fingerprint bytea not null,
    state text not null default 'proposed'
        constraint proposals_state_check check (state in ('proposed', 'confirmed', 'rejected', 'withdrawn', 'stale')),
    decided_by text,
    decided_actor text,
    decided_at timestamptz,
    decision_reason text,
    problem text,
    -- The transaction that confirmed it, which may consist of several changes.
    confirmed_in text
);
create unique index proposals_waiting on proposals (proposed_by, fingerprint) where state = 'proposed';
create index proposals_idempotency_key on proposals (proposed_by, idempotency_key) where idempotency_key is not null;
create index proposals_target_id on proposals (target_id);

-- Who confirmed a change: its proposal, and the principal and the name of the second.
alter table changes add column confirmation jsonb;
create trigger changes_keep_confirmation before update of confirmation on changes
    for each statement execute function refuse_rewriting();

-- Some fields of a row.
create function fields_of(fields jsonb, names text[]) returns jsonb language sql immutable parallel safe
return (select jsonb_object_agg(name, fields -> name) from unnest(names) name);

-- The act that a change is, if it is one that can need a second principal.
create function act_of(kind text, before jsonb, after jsonb) returns text language sql stable
return case
    when kind = 'budget_allocation' and 'appropriation' in (coalesce(before ->> 'phase', ''), coalesce(after ->> 'phase', ''))
        and public.fields_of(before, array['initiative_id', 'step_id', 'entity_id', 'funding_source_id', 'fiscal_year', 'phase', 'amount', 'currency', 'legal_act_id'])
            is distinct from
            public.fields_of(after, array['initiative_id', 'step_id', 'entity_id', 'funding_source_id', 'fiscal_year', 'phase', 'amount', 'currency', 'legal_act_id'])
        then 'appropriation'
    when kind = 'budget_movement' and (after ->> 'kind' in ('revision', 'virement', 'carry_forward') or exists (
            select from public.budget_movements m where m.id = (after ->> 'reverses_id')::uuid and m.kind = 'revision'))
        then 'appropriation'
    when kind = 'timeline'
        and (coalesce(before ->> 'basis', '') in ('approved', 'revised') or coalesce(after ->> 'basis', '') in ('approved', 'revised'))
        and public.fields_of(before, array['initiative_id', 'step_id', 'basis', 'starts_on', 'ends_on', 'deadline_text', 'deadline_kind', 'deadline_from', 'deadline_to', 'legal_act_id'])
            is distinct from
            public.fields_of(after, array['initiative_id', 'step_id', 'basis', 'starts_on', 'ends_on', 'deadline_text', 'deadline_kind', 'deadline_from', 'deadline_to', 'legal_act_id'])
        then 'approved_timeline'
    when kind in ('initiative', 'step') and after ->> 'status' = 'completed' and before ->> 'status' is distinct from 'completed'
        then 'completion'
    when kind = 'strategy' and after ->> 'status' in ('closed', 'archived')
        and coalesce(before ->> 'status', '') not in ('closed', 'archived')
        then 'closing'
end;

create function need_a_second() returns trigger language plpgsql as $$
declare
    act text := act_of(new.kind, new.before, new.after);
begin
    if act = any (string_to_array(current_setting('mandate.four_eyes', true), ',')) then
        raise exception using errcode = 'MD202', message = jsonb_build_object('act', act, 'kind', new.kind, 'id', new.entity_id,
            'action', new.action, 'version', new.before -> 'version', 'after', new.after)::text;
    end if;
    return null;
end
$$;
-- At the end of the transaction: what is wrong with the write for another reason is said first.
create constraint trigger changes_need_a_second after insert on changes deferrable initially deferred for each row
    when (new.confirmation is null and coalesce(current_setting('mandate.four_eyes', true), '') <> '')
    execute function need_a_second();

-- The change of a confirmed proposal is also its decision: both, or neither.
create function confirm_proposal() returns trigger language plpgsql as $$
begin
    update proposals p set state = 'confirmed', confirmed_in = pg_current_xact_id()::text, decided_at = now(), updated_at = now(),
        decided_by = new.confirmation ->> 'principal', decided_actor = new.confirmation ->> 'actor'
    where p.id = (new.confirmation ->> 'proposal_id')::uuid and p.proposed_by <> new.confirmation ->> 'principal'
        and (p.state = 'proposed' or p.confirmed_in = pg_current_xact_id()::text);
    if not found then
        raise exception using errcode = 'MD409',
            message = '[{"pointer": "#/proposal_id", "code": "decided", "detail": "It has been decided meanwhile; read it again."}]';
    end if;
    return null;
end
$$;
create trigger changes_confirm after insert on changes for each row when (new.confirmation is not null)
    execute function confirm_proposal();
