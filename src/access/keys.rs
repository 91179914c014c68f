//! API keys: `mandate_{id}_{secret}{checksum}`. The secret has 256 random bits, so a plain SHA-256 of it is kept and compared in constant
//! time; the checksum catches typos without a query and lets scanners for leaked secrets recognise a key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgConnection};
use subtle::ConstantTimeEq;

use super::Role;
use crate::repository::Error;

/// A key as it is listed: everything but the secret.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct ApiKey {
    /// The public part.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn checksum(body: &str) -> String {
    format!("{:08x}", crc32fast::hash(body.as_bytes()))
}

/// Makes a key and returns its text, which is shown this once.
pub async fn create(connection: &mut PgConnection, name: &str, role: Role, days: Option<i32>) -> Result<String, Error> {
    let mut random = [0_u8; 38];
    getrandom::fill(&mut random).map_err(|error| Error::Pool(format!("no random bytes: {error}")))?;
    let id = hex(&random[..6]);
    // Hyphen and underscore would make a key hard to mark with a double click.
    let secret = URL_SAFE_NO_PAD.encode(&random[6..]).replace(['-', '_'], "x");
    let body = format!("{id}_{secret}");
    sqlx::query(
        "insert into api_keys (id, name, role, secret_hash, expires_at)
         values ($1, $2, $3, $4, now() + make_interval(days => $5))",
    )
    .bind(&id)
    .bind(name)
    .bind(role)
    .bind(Sha256::digest(secret.as_bytes()).to_vec())
    .bind(days)
    .execute(connection)
    .await?;
    Ok(format!("mandate_{body}{}", checksum(&body)))
}

/// All keys, newest first.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<ApiKey>, Error> {
    Ok(sqlx::query_as("select * from api_keys order by created_at desc, id").fetch_all(connection).await?)
}

/// Revokes a key by its id or its name; the number of keys revoked.
pub async fn revoke(connection: &mut PgConnection, which: &str) -> Result<u64, Error> {
    let done =
        sqlx::query("update api_keys set revoked_at = now() where (id = $1 or name = $1) and revoked_at is null")
            .bind(which)
            .execute(connection)
            .await?;
    Ok(done.rows_affected())
}

/// Takes a key's text apart; `None` when it cannot be a key.
pub fn split(text: &str) -> Option<(&str, &str)> {
    let body = text.strip_prefix("mandate_")?;
    let (body, sum) = body.split_at_checked(body.len().checked_sub(8)?)?;
    if checksum(body).as_bytes().ct_eq(sum.as_bytes()).unwrap_u8() == 0 {
        return None;
    }
    body.split_once('_')
}

/// The key, when the text is that of a valid one.
pub async fn verify(connection: &mut PgConnection, text: &str) -> Result<Option<ApiKey>, Error> {
    #[derive(FromRow)]
    struct Kept {
        secret_hash: Vec<u8>,
        #[sqlx(flatten)]
        key: ApiKey,
    }
    let Some((id, secret)) = split(text) else {
        return Ok(None);
    };
    let kept: Option<Kept> = sqlx::query_as(
        "select * from api_keys where id = $1 and revoked_at is null and (expires_at is null or expires_at > now())",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    let hash = Sha256::digest(secret.as_bytes());
    Ok(kept.filter(|kept| bool::from(kept.secret_hash.ct_eq(&hash))).map(|kept| kept.key))
}
