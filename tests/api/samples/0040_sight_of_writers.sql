insert into document_uploads (document_id, principal) select id, 'key:5f1c09d2ab34' from documents;
