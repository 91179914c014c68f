//! What the log says of itself: that another key signs it (`rotate`), and that a database put back to an older state has abandoned what
//! others have seen of it (`begin_epoch`). Both are entries of the log.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use mandate_tlog::{
    event::{EPOCH_KIND, KEY_KIND, NewEpoch, NewKey, epoch_id},
    note::{Checkpoint, Note, Purpose, SignerKey},
};
use serde::Serialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::log::{self, Step};
use crate::repository::{Author, Error};

/// When a service works on the same, it is asked again after this.
const PAUSE: Duration = Duration::from_millis(20);

/// Lets another key sign, and says from which size on. Old and new sign the checkpoint in between. Stopped anywhere it can be run again:
/// until that checkpoint the old key goes on.
pub async fn rotate(
    connection: &mut PgConnection,
    author: &Author,
    old: &SignerKey,
    new: &SignerKey,
) -> anyhow::Result<i64> {
    let (before, key) = (old.verifier(), new.verifier());
    ensure!(
        key.purpose == Purpose::Log,
        "the new key is that of a witness; `mandate audit key create PATH` makes one for a log"
    );
    ensure!(
        key.name == before.name,
        "the new key names the log {}, and its name is {}: it stays",
        key.name,
        before.name
    );
    let change = NewKey { before: before.to_string(), key: key.to_string() };
    let used =
        "select exists (select from proof_keys where key = $1) or exists (select from proof_head where key = $1)";
    let used: bool = sqlx::query_scalar(used).bind(&change.key).fetch_one(&mut *connection).await?;
    ensure!(!used, "the key {} has signed this log already; make a new one", change.key);
    let head = log::head(connection).await?;
    let signs =
        head.key.context("the log has no entry yet; give the service the new key, and there is nothing to change")?;
    ensure!(
        signs == change.before,
        "the log is signed by {signs}, not by {}; MANDATE_LOG_KEY names the wrong file",
        change.before
    );
    let id = Uuid::now_v7();
    add(connection, author, (id, KEY_KIND), &change).await?;
    let position = positioned(connection, id).await?;
    loop {
        let step = log::extend(connection, old).await?;
        ensure!(step != Step::Damaged, "tiles or positions are missing; `mandate audit export` and `verify` say more");
        let head = log::head(connection).await?;
        if head.key.as_ref() != Some(&change.before) {
            bail!("somebody else has changed the key meanwhile");
        }
        if head.size >= position && succeed(connection, &head, (old, new), &change).await? {
            return Ok(head.size);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The newest checkpoint is signed by both, and the next is the new key's; false when the log has grown meanwhile.
async fn succeed(
    connection: &mut PgConnection,
    head: &log::Head,
    (old, new): (&SignerKey, &SignerKey),
    change: &NewKey,
) -> anyhow::Result<bool> {
    let note: Option<Note> = head.note.as_ref().and_then(|note| note.parse().ok());
    let checkpoint: Option<Checkpoint> = note.and_then(|note| note.text.parse().ok());
    let checkpoint = checkpoint.context("the newest checkpoint of the log cannot be read")?;
    let done = sqlx::query(
        "with moved as (update proof_head set key = $3, note = $4 where size = $1 and key = $2 returning size)
         insert into proof_keys (size, key, note) select size, $2, $4 from moved",
    )
    .bind(head.size)
    .bind(&change.before)
    .bind(&change.key)
    .bind(checkpoint.signed_by(&[old, new]).to_string())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Records that a checkpoint which others have seen is abandoned, because the database was put back to a state before it.
pub async fn begin_epoch(connection: &mut PgConnection, author: &Author, note: &Note) -> anyhow::Result<Checkpoint> {
    let abandoned: Checkpoint = note.text.parse().map_err(|why| anyhow::anyhow!("the file {why}"))?;
    let head = log::head(connection).await?;
    if let Some(own) = head.note.as_ref().and_then(|note| note.parse::<Note>().ok()?.text.parse::<Checkpoint>().ok()) {
        ensure!(
            own.origin == abandoned.origin,
            "the checkpoint is of the log {}, and this is {}",
            abandoned.origin,
            own.origin
        );
    }
    if i64::try_from(abandoned.size).is_ok_and(|size| size <= head.size) {
        let roots = log::hashes(connection, std::slice::from_ref(&(0..abandoned.size))).await?;
        let root = roots.and_then(|roots| roots.first().copied());
        ensure!(root != Some(abandoned.root), "the log goes on from this checkpoint; there is nothing to abandon");
    }
    let epoch = NewEpoch { checkpoint: note.to_string() };
    match add(connection, author, (epoch_id(&abandoned), EPOCH_KIND), &epoch).await {
        Err(error) if error.sqlstate().as_deref() == Some("23505") => bail!("this checkpoint is abandoned already"),
        outcome => outcome?,
    }
    Ok(abandoned)
}

/// Adds such an entry to the record.
async fn add(
    connection: &mut PgConnection,
    author: &Author,
    (id, kind): (Uuid, &str),
    after: &impl Serialize,
) -> Result<(), Error> {
    sqlx::query(
        "insert into changes (id, kind, entity_id, version, action, actor, request_id, reason, after)
         values ($1, $2, $1, 1, 'created', $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(kind)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .bind(Json(after))
    .execute(connection)
    .await?;
    Ok(())
}

/// The position of a change, once it has one.
async fn positioned(connection: &mut PgConnection, id: Uuid) -> Result<i64, Error> {
    loop {
        sqlx::query("select sequence_changes(1000)").execute(&mut *connection).await?;
        let position = sqlx::query_scalar("select position from changes where id = $1").bind(id);
        if let Some(position) = position.fetch_one(&mut *connection).await? {
            return Ok(position);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
