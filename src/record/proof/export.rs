//! The log as one file, for `mandate audit verify`.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use futures_util::TryStreamExt as _;
use mandate_tlog::file::{self, FORMAT, Kept};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::log;
use crate::repository;

#[derive(FromRow)]
struct Row {
    position: i64,
    leaf: String,
    leaf_hash: Vec<u8>,
    salt: Option<Uuid>,
    payload: Option<String>,
}

/// Writes the log up to its newest checkpoint, as of one moment; the number of entries.
pub async fn export(connection: &mut PgConnection, path: &Path) -> anyhow::Result<i64> {
    let mut connection = repository::snapshot(connection).await?;
    let head = log::head(&mut connection).await?;
    let (Some(key), Some(newest)) = (head.key, head.note) else {
        bail!("the log has no checkpoint yet; `mandate serve` makes one when it has a key (MANDATE_LOG_KEY)");
    };
    let mut notes: Vec<(i64, String)> =
        sqlx::query_as(
            "select size, note from (
                 select size, 1 as place, note from proof_checkpoints where size < $1 union all select size, 2, note from proof_keys
             ) notes order by size, place",
        )
        .bind(head.size)
        .fetch_all(&mut *connection)
        .await?;
    notes.push((head.size, newest));
    let earlier_keys: Vec<String> =
        sqlx::query_scalar("select key from proof_keys order by size").fetch_all(&mut *connection).await?;
    let mut notes = notes.into_iter().peekable();
    let wrong = || format!("cannot write {}", path.display());
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).with_context(wrong)?);
    let entries = u64::try_from(head.size)?;
    file::write_line(&mut out, &file::Head { format: FORMAT.into(), key, earlier_keys, entries })
        .with_context(wrong)?;
    let mut rows = sqlx::query_as::<_, Row>(
        "select position, leaf, leaf_hash, salt,
             case when salt is not null then change_payload(before, after, reason) end as payload
         from changes where position <= $1 order by position",
    )
    .bind(head.size)
    .fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        let (leaf, payload) = ((row.leaf.as_str(), row.leaf_hash.as_slice()), (row.salt, row.payload.as_deref()));
        file::write_entry(&mut out, row.position, leaf, payload).with_context(wrong)?;
        while let Some((_, checkpoint)) = notes.next_if(|(size, _)| *size <= row.position) {
            file::write_line(&mut out, &Kept { checkpoint }).with_context(wrong)?;
        }
    }
    drop(rows);
    out.flush().and_then(|()| out.get_ref().sync_all()).with_context(wrong)?;
    connection.rollback().await?;
    Ok(head.size)
}
