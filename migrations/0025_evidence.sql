-- What is put forward to prove something, and the captured copies of documents.

create table evidence (
    id uuid primary key,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    external_id text constraint evidence_external_id_key unique,
    classification text not null default 'internal' check (classification in ('public', 'internal', 'restricted')),
    kind text not null check (kind in ('legal_act', 'official_document', 'official_website', 'other_public_source', 'secondary_source',
        'internal_document', 'dataset', 'statement')),
    title jsonb not null,
    claim jsonb not null,
    about text not null check (about in ('plan', 'plan_content', 'treaty_membership', 'official_position', 'forum_engagement',
        'capacity_contribution', 'commitment', 'readiness_indicator', 'other')),
    content text check (content in ('steps_and_entities', 'timelines_and_financial_resources', 'human_and_financial_resources',
        'timeframes_and_metrics', 'priorities_into_initiatives')),
    country text,
    url text,
    publisher text,
    published_on date,
    quote text,
    quote_language text,
    legal_act_id uuid constraint evidence_legal_act_id_fkey references legal_acts,
    annex text,
    strategy_id uuid constraint evidence_strategy_id_fkey references strategies,
    document_symbol text,
    retrieved_at timestamptz,
    valid_until date,
    languages text[] not null default '{}',
    -- SHA-256 of the captured copy. No foreign key: evidence can come in a plan file, and its copy later or never.
    document text check (document ~ '^[0-9a-f]{64}$'),
    state text not null default 'proposed' check (state in ('proposed', 'verified', 'disputed', 'withdrawn')),
    state_reason jsonb,
    supersedes_id uuid constraint evidence_supersedes_id_fkey references evidence,
    source_note jsonb,
    check ((content is not null) = (about = 'plan_content')),
    check (state not in ('disputed', 'withdrawn') or state_reason is not null),
    check (state <> 'verified' or num_nonnulls(url, document, legal_act_id) > 0),
    check (state <> 'verified' or url is null or retrieved_at is not null),
    search tsvector generated always as (search_document(words_of(title), words_of(claim), quote, publisher, document_symbol, annex,
        words_of(source_note))) stored
);
create index evidence_search on evidence using gin (search);
create index evidence_created_at on evidence (created_at, id);
create index evidence_about on evidence (about, content);
create index evidence_legal_act_id on evidence (legal_act_id);
create index evidence_strategy_id on evidence (strategy_id);
create index evidence_supersedes_id on evidence (supersedes_id);
create index evidence_document on evidence (document);
create index evidence_valid_until on evidence ((coalesce(valid_until, 'infinity')), id);

select cleared.track('evidence', 'evidence');

-- How a piece of evidence stands on a day. What was verified and is valid no longer is `expired`: the calendar says so, and nobody writes it.
create function evidence_standing(state text, valid_until date, day date) returns text language sql immutable parallel safe
return case when state = 'verified' and valid_until < day then 'expired' else state end;

-- Captured copies of documents, by their content; their bytes stand in parts. What was erased keeps its row, so that it is known to be.
create table documents (
    id uuid primary key,
    sha256 text not null constraint documents_sha256_key unique check (sha256 ~ '^[0-9a-f]{64}$'),
    size bigint not null check (size > 0),
    media_type text not null,
    -- When its bytes came last.
    uploaded_at timestamptz not null default now(),
    erased_at timestamptz
);
create index documents_uploaded_at on documents (uploaded_at) where erased_at is null;
create table document_parts (
    document_id uuid not null references documents on delete cascade,
    number integer not null,
    bytes bytea not null,
    primary key (document_id, number)
);

-- What the record keeps of a document: for those who may see everything, because some are named by what is restricted.
create function record_of_document(document jsonb) returns jsonb language sql immutable parallel safe
return jsonb_build_object('sha256', document -> 'sha256', 'size', document -> 'size', 'media_type', document -> 'media_type',
    'classification', 'restricted');

-- Which documents the record ever named: whoever may see that change may see the document.
create index changes_document on changes ((after ->> 'document')) where kind = 'evidence';

-- What is kept of a captured copy: `none` was captured, it is `held`, `erased`, or `missing`.
create function copy_of(document text) returns text language sql stable parallel safe
return case when document is null then 'none'
    else coalesce((select case when d.erased_at is null then 'held' else 'erased' end from public.documents d where d.sha256 = document), 'missing') end;
