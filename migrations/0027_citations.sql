-- Which evidence an answer rests on. One piece serves many answers.

create table citations (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint citations_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    answer_id uuid not null constraint citations_answer_id_fkey references answers,
    evidence_id uuid not null constraint citations_evidence_id_fkey references evidence,
    note jsonb,
    constraint citations_evidence_id_key unique (answer_id, evidence_id),
    search tsvector generated always as (search_document(words_of(note))) stored
);
create index citations_search on citations using gin (search);
create index citations_created_at on citations (created_at, id);
create index citations_evidence_id on citations (evidence_id);

select cleared.track('citation', 'citations');
