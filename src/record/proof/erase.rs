//! Erases the content of changes, where the law demands it. The leaves stay, and with them the proof; and each erasure is a change of its own
//! in the record, of the kind `change`, so that nobody erases in silence. What the log says of itself stays: a verifier needs it.

use mandate_tlog::{
    ERASED_KIND,
    event::{EPOCH_KIND, KEY_KIND},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::repository::{self, Author, Error, Isolation};

/// What is to be erased.
#[derive(Debug, Clone)]
pub enum What {
    /// One change, by its id.
    Change(Uuid),
    /// All changes of one resource that was deleted: its kind and id.
    Deleted(String, Uuid),
}

/// Erases; the number of changes that had content until now. One statement does both, so neither happens alone.
pub async fn erase(connection: &mut PgConnection, author: &Author, what: &What) -> Result<u64, Error> {
    let (change, kind, resource) = match what {
        What::Change(id) => (Some(id), None, None),
        What::Deleted(kind, id) => (None, Some(kind), Some(id)),
    };
    let mut transaction = repository::begin(connection, Isolation::Committed).await?;
    let erased: Vec<(String, Uuid, i32)> = sqlx::query_as(
        "with erased as (
             update changes c set before = null, after = null, reason = null, salt = null
             where c.salt is not null and c.kind <> all($8) and (c.id = $1 or c.kind = $2 and c.entity_id = $3 and exists (
                 select from changes d where d.kind = $2 and d.entity_id = $3 and d.action = 'deleted'))
             returning c.id, c.kind, c.entity_id, c.version
         ),
         told as (insert into changes (kind, entity_id, version, action, actor, request_id, reason, before)
         select $4, id, 1, 'deleted', $5, $6, $7, jsonb_build_object('kind', kind, 'resource_id', entity_id, 'version', version)
         from erased)
         select kind, entity_id, version from erased",
    )
    .bind(change)
    .bind(kind)
    .bind(resource)
    .bind(ERASED_KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .bind([KEY_KIND, EPOCH_KIND])
    .fetch_all(&mut *transaction)
    .await?;
    for (kind, id, version) in &erased {
        let forgotten = sqlx::query("select as_of.forget($1, $2, $3)").bind(kind).bind(id).bind(version);
        forgotten.execute(&mut *transaction).await?;
    }
    repository::commit(transaction).await?;
    Ok(erased.len() as u64)
}
