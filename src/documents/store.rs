//! Captured copies in the database: a row for each content, its bytes in parts of a megabyte. Uploads, erasures and sweepings are in the record,
//! by hash and size, for those who may see everything; the bytes are nowhere else.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::arriving::Arrived;
use crate::{
    access::keys::hex,
    repository::{Author, Error, Receipt},
};

/// The kind of its changes in the record.
pub const KIND: &str = "document";

/// A captured copy, without its bytes.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
#[schema(as = Document)]
pub(super) struct Kept {
    #[serde(skip)]
    pub(super) id: Uuid,
    /// SHA-256 of its bytes, in 64 hexadecimal digits.
    pub(super) sha256: String,
    /// How many bytes it has.
    pub(super) size: i64,
    /// What they are, as its first upload said.
    pub(super) media_type: String,
    /// When its bytes came last (RFC 3339, UTC).
    pub(super) uploaded_at: DateTime<Utc>,
    #[serde(skip)]
    pub(super) is_erased: bool,
}

/// The digests of the parts of a document, in their order.
pub(super) type Digests = Vec<[u8; 32]>;

/// What became of an upload.
pub(super) enum Upload {
    /// It is new.
    New(Kept, Receipt),
    /// Its bytes were there.
    There(Kept),
    /// It was erased, and stays so.
    Erased(Uuid),
    /// It was there, and was swept at this very moment.
    Swept,
}

const COLUMNS: &str = "id, sha256, size, media_type, uploaded_at, erased_at is not null as is_erased";

/// Keeps a document, once for each content. In a transaction: of several that bring the same bytes at once, one writes them and the others
/// wait. Bytes that were damaged are replaced.
pub(super) async fn keep(connection: &mut PgConnection, author: &Author, arrived: &Arrived) -> Result<Upload, Error> {
    let new: Option<(Uuid, Uuid, Vec<u8>)> = sqlx::query_as(
        "with new as (
             insert into documents (id, sha256, size, media_type) values ($1, $2, $3, $4)
             on conflict (sha256) do nothing returning *
         ),
         recorded as (
             insert into changes (kind, entity_id, version, action, actor, request_id, reason, after)
             select $5, id, 1, 'created', $6, $7, $8, record_of_document(to_jsonb(new)) from new returning id, leaf_hash
         )
         select new.id, recorded.id, leaf_hash from new cross join recorded",
    )
    .bind(Uuid::now_v7())
    .bind(&arrived.sha256)
    .bind(i64::try_from(arrived.size).unwrap_or(i64::MAX))
    .bind(arrived.media_type.name)
    .bind(KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some((id, change, leaf_hash)) = new {
        write_parts(connection, id, &arrived.parts).await?;
        sweep(connection).await?;
        let kept = by_hash(connection, &arrived.sha256).await?;
        note(connection, author, &arrived.sha256).await?;
        return Ok(kept.map_or(Upload::Swept, |kept| Upload::New(kept, Receipt { change, leaf_hash })));
    }
    // It cannot be swept between here and the commit, and a sweep that waits for this sees that it is young again.
    let again = "update documents set uploaded_at = now() where sha256 = $1 and erased_at is null";
    sqlx::query(again).bind(&arrived.sha256).execute(&mut *connection).await?;
    let Some(kept) = by_hash(connection, &arrived.sha256).await? else { return Ok(Upload::Swept) };
    if kept.is_erased {
        return Ok(Upload::Erased(kept.id));
    }
    note(connection, author, &arrived.sha256).await?;
    if digests(connection, &kept).await?.is_none() {
        tracing::warn!(sha256 = kept.sha256, "the kept bytes of a document were damaged; an upload has replaced them");
        sqlx::query("delete from document_parts where document_id = $1")
            .bind(kept.id)
            .execute(&mut *connection)
            .await?;
        write_parts(connection, kept.id, &arrived.parts).await?;
    }
    Ok(Upload::There(kept))
}

/// Notes who brought a document: they may name it.
async fn note(connection: &mut PgConnection, author: &Author, sha256: &str) -> Result<(), Error> {
    let sql = "insert into document_uploads select id, $2 from documents where sha256 = $1 on conflict do nothing";
    sqlx::query(sql).bind(sha256).bind(&author.principal).execute(connection).await?;
    Ok(())
}

async fn by_hash(connection: &mut PgConnection, sha256: &str) -> Result<Option<Kept>, Error> {
    let sql = sqlx::AssertSqlSafe(format!("select {COLUMNS} from documents where sha256 = $1"));
    Ok(sqlx::query_as(sql).bind(sha256).fetch_optional(connection).await?)
}

async fn write_parts(connection: &mut PgConnection, id: Uuid, parts: &[Vec<u8>]) -> Result<(), Error> {
    for (number, part) in (0_i32..).zip(parts) {
        let sql = "insert into document_parts (document_id, number, bytes) values ($1, $2, $3)";
        sqlx::query(sql).bind(id).bind(number).bind(part).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Removes what was uploaded a week ago and never named by any evidence, now or in the record.
async fn sweep(connection: &mut PgConnection) -> Result<(), Error> {
    let author = Author::service();
    sqlx::query(
        "with old as (
             delete from documents d where d.uploaded_at < now() - interval '7 days' and d.erased_at is null
                 and not exists (select from evidence e where e.document = d.sha256)
                 and not exists (select from changes c where c.kind = 'evidence' and c.after ->> 'document' = d.sha256)
             returning *
         )
         insert into changes (kind, entity_id, version, action, actor, request_id, reason, before)
         select $1, id, 2, 'deleted', $2, $3, 'no evidence has named it for a week', record_of_document(to_jsonb(old)) from old",
    )
    .bind(KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// A document, when the reading sees a piece of evidence that names it, or did at any time.
pub(super) async fn find(connection: &mut PgConnection, sha256: &str) -> Result<Option<Kept>, Error> {
    let sql = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from documents d where d.sha256 = $1 and (
             exists (select from evidence e where e.document = d.sha256)
             or exists (select from changes c where c.kind = 'evidence' and c.after ->> 'document' = d.sha256))"
    ));
    Ok(sqlx::query_as(sql).bind(sha256).fetch_optional(connection).await?)
}

/// Reads all parts, and answers their digests; `None` when together they are not what was uploaded.
pub(super) async fn digests(connection: &mut PgConnection, kept: &Kept) -> Result<Option<Digests>, Error> {
    let (mut whole, mut digests) = (Sha256::new(), Vec::new());
    let mut number = 0;
    while let Some(bytes) = part(connection, kept.id, number).await? {
        whole.update(&bytes);
        digests.push(digest(&bytes));
        number += 1;
    }
    Ok((hex(&whole.finalize()) == kept.sha256).then_some(digests))
}

/// SHA-256 of a part.
pub(super) fn digest(part: &[u8]) -> [u8; 32] {
    Sha256::digest(part).into()
}

/// A part of a document, from 0.
pub(super) async fn part(connection: &mut PgConnection, id: Uuid, number: i32) -> Result<Option<Vec<u8>>, Error> {
    let sql = "select bytes from document_parts where document_id = $1 and number = $2";
    Ok(sqlx::query_scalar(sql).bind(id).bind(number).fetch_optional(connection).await?)
}

/// What became of an erasure.
pub(super) enum Erasure {
    /// Its bytes are gone; the change says so.
    Done(Receipt),
    /// They were gone before.
    Before(Uuid),
    /// There is no such document.
    Unknown,
}

/// Removes the bytes of a document. Its row stays, so that nobody uploads it again by mistake.
pub(super) async fn erase(connection: &mut PgConnection, author: &Author, sha256: &str) -> Result<Erasure, Error> {
    let done: Option<(Uuid, Vec<u8>)> = sqlx::query_as(
        "with gone as (update documents set erased_at = now() where sha256 = $1 and erased_at is null returning *),
         parts as (delete from document_parts p using gone where p.document_id = gone.id)
         insert into changes (kind, entity_id, version, action, actor, request_id, reason, before)
         select $2, id, 2, 'deleted', $3, $4, $5, record_of_document(to_jsonb(gone)) from gone returning id, leaf_hash",
    )
    .bind(sha256)
    .bind(KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some((change, leaf_hash)) = done {
        return Ok(Erasure::Done(Receipt { change, leaf_hash }));
    }
    let id = sqlx::query_scalar("select id from documents where sha256 = $1").bind(sha256);
    Ok(id.fetch_optional(connection).await?.map_or(Erasure::Unknown, Erasure::Before))
}
