-- Who may do what: the roles, and what a key of the API is for.

alter table api_keys drop constraint api_keys_role_check;
update api_keys set role = 'coordinator' where role = 'editor';
alter table api_keys
    add constraint api_keys_role_check
        check (role in ('admin', 'coordinator', 'editor', 'finance', 'diplomat', 'assessor', 'auditor', 'viewer')),
    -- The entity for which an editor or a finance officer acts. No foreign key: a key outlives its entity, and then may write nothing.
    add column entity_id uuid,
    -- Empty: all that the role may.
    add column scopes text[] not null default '{}',
    add column last_used_on date,
    -- The principal who made it; null for the command line.
    add column created_by text,
    add constraint api_keys_entity_id_check check ((entity_id is not null) = (role in ('editor', 'finance')));
create index api_keys_entity_id on api_keys (entity_id);
