//! Writes that a client may send twice: the key is claimed first, and kept with the answer in the transaction of the effect.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{Connection as _, FromRow, PgConnection, Postgres, Transaction, types::Json};

use super::{Error, transaction::Isolation};

/// A key with the request that it stands for.
#[derive(Debug)]
pub struct Claim<'a> {
    /// Whose key it is; others have keys of their own by the same name.
    pub principal: String,
    /// As the client chose it.
    pub key: &'a str,
    /// What the client asked for, as a hash: a key stands for one request.
    pub fingerprint: [u8; 32],
}

/// An answer, as it was given and will be given again.
#[derive(Debug, FromRow)]
pub struct Kept {
    /// The hash of the request.
    pub fingerprint: Vec<u8>,
    /// The HTTP status.
    pub status: i32,
    /// Some of its headers.
    pub headers: Json<BTreeMap<String, String>>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// Begins the transaction of a write with a key, and claims the key: `Some` is the answer that it got before.
///
/// Of two requests with one key the later waits for the earlier, a moment only, and then fails with `Error::Claimed`. What lasts longer is
/// told to the client instead of holding a connection.
pub async fn claim<'c>(
    connection: &'c mut PgConnection,
    isolation: Isolation,
    claim: &Claim<'_>,
) -> Result<(Transaction<'c, Postgres>, Option<Kept>), Error> {
    let mut transaction = connection
        .begin_with(match isolation {
            Isolation::Committed => "begin; set local lock_timeout = '500ms'",
            Isolation::Serializable => "begin isolation level serializable; set local lock_timeout = '500ms'",
        })
        .await?;
    // Beyond its time a key is as good as new, whether or not it has been swept.
    let claimed = sqlx::query(
        "insert into idempotency_keys as k (principal, key, fingerprint) values ($1, $2, $3)
         on conflict (principal, key) do update
         set fingerprint = excluded.fingerprint, created_at = now(), status = null, headers = null, body = null
         where k.created_at < now() - interval '48 hours'",
    )
    .bind(&claim.principal)
    .bind(claim.key)
    .bind(claim.fingerprint.as_slice())
    .execute(&mut *transaction)
    .await
    .map_err(Error::from);
    let outcome = match claimed {
        Ok(done) if done.rows_affected() > 0 => ready(&mut transaction).await.map(|()| None),
        Ok(_) => kept(&mut transaction, claim).await.map(Some),
        Err(error) if error.sqlstate().as_deref() == Some("55P03") => Err(Error::Claimed),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(kept) => Ok((transaction, kept)),
        Err(error) => Err(super::transaction::give_up(transaction, error).await),
    }
}

/// The effect may wait for locks as long as that of any write.
async fn ready(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql("set local lock_timeout to default").execute(connection).await?;
    Ok(())
}

async fn kept(connection: &mut PgConnection, claim: &Claim<'_>) -> Result<Kept, Error> {
    let kept = sqlx::query_as(
        "select fingerprint, status, headers, body from idempotency_keys where principal = $1 and key = $2",
    );
    // Swept in between: the client will find it free.
    kept.bind(&claim.principal).bind(claim.key).fetch_optional(connection).await?.ok_or(Error::Claimed)
}

/// Keeps the answer beside its effect.
pub async fn keep(
    connection: &mut PgConnection,
    claim: &Claim<'_>,
    status: u16,
    headers: BTreeMap<String, String>,
    body: &[u8],
) -> Result<(), Error> {
    sqlx::query("update idempotency_keys set status = $3, headers = $4, body = $5 where principal = $1 and key = $2")
        .bind(&claim.principal)
        .bind(claim.key)
        .bind(i32::from(status))
        .bind(Json(headers))
        .bind(body)
        .execute(connection)
        .await?;
    Ok(())
}

/// Now and then forgets keys whose time is over: more at a time than can have come since the last time, and never very many.
pub async fn sweep(connection: &mut PgConnection) -> Result<(), Error> {
    static WRITES: AtomicU32 = AtomicU32::new(0);
    if !WRITES.fetch_add(1, Ordering::Relaxed).is_multiple_of(64) {
        return Ok(());
    }
    sqlx::query(
        "delete from idempotency_keys where (principal, key) in
         (select principal, key from idempotency_keys where created_at < now() - interval '48 hours'
          order by created_at limit 500 for update skip locked)",
    )
    .execute(connection)
    .await?;
    Ok(())
}
