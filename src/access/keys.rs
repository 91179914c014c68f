//! API keys: `mandate_{id}_{secret}{checksum}`. The secret has 256 random bits, so a plain SHA-256 of it is kept and compared in constant
//! time; the checksum catches typos without a query and lets scanners for leaked secrets recognise a key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{FromRow, PgConnection};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Role,
    role::{Scope, Scopes},
};
use crate::repository::{Author, Error};

/// A key as it is listed: everything but the secret.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
pub struct ApiKey {
    /// The public part.
    pub id: String,
    /// What it is for; the record shows it as the actor `key:{name}`.
    pub name: String,
    /// What its bearer is.
    pub role: Role,
    /// The entity for which an editor or finance officer acts.
    pub entity_id: Option<Uuid>,
    /// What it may of what its role may; empty for all of that.
    #[sqlx(try_from = "Vec<String>")]
    #[schema(value_type = Vec<Scope>)]
    pub scopes: Scopes,
    /// When it was made (RFC 3339, UTC).
    pub created_at: DateTime<Utc>,
    /// The principal who made it, such as `key:5f1c09d2ab34`; null for the command line.
    pub created_by: Option<String>,
    /// When it ends by itself (RFC 3339, UTC). Only keys from before there was a limit have no end.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked (RFC 3339, UTC).
    pub revoked_at: Option<DateTime<Utc>>,
    /// The last day on which it was used, in the time zone of the service.
    pub last_used_on: Option<NaiveDate>,
}

/// A key that is to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// What its bearer is.
    pub role: Role,
    /// The entity, for a role of an entity.
    pub entity_id: Option<Uuid>,
    /// What it may of what its role may.
    pub scopes: Scopes,
    /// When it ends, if an instant is given.
    pub expires_at: Option<DateTime<Utc>>,
    /// Days until it ends, if they are given instead; otherwise it is a year.
    pub days: Option<i32>,
    /// Who makes it.
    pub created_by: Option<String>,
}

/// What a key is in the record.
pub const KIND: &str = "api_key";

/// A key lives so many days at most.
pub const MOST_DAYS: i32 = 365;

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

/// Makes a key of a role without an entity, for so many days, and returns its text, which is shown this once.
pub async fn create(connection: &mut PgConnection, name: &str, role: Role, days: Option<i32>) -> Result<String, Error> {
    let new = NewKey {
        name: name.to_owned(),
        role,
        entity_id: None,
        scopes: Scopes::default(),
        expires_at: None,
        days,
        created_by: None,
    };
    make(connection, &Author::at_the_command_line(None), &new).await.map(|(text, _)| text)
}

/// Makes a key: its text, which is shown this once, and what is kept of it.
pub async fn make(connection: &mut PgConnection, author: &Author, new: &NewKey) -> Result<(String, ApiKey), Error> {
    let mut random = [0_u8; 38];
    getrandom::fill(&mut random).map_err(|error| Error::Pool(format!("no random bytes: {error}")))?;
    let id = hex(&random[..6]);
    // Hyphen and underscore would make a key hard to mark with a double click.
    let secret = URL_SAFE_NO_PAD.encode(&random[6..]).replace(['-', '_'], "x");
    let body = format!("{id}_{secret}");
    let key = sqlx::query_as(
        "with new as (
             insert into api_keys (id, name, role, entity_id, scopes, secret_hash, expires_at, created_by)
             values ($1, $2, $3, $4, $5, $6, coalesce($7, now() + make_interval(days => $8)), $9) returning *
         ),
         recorded as (
             insert into changes (kind, entity_id, version, action, actor, request_id, reason, after)
             select $10, key_resource(id), 1, 'created', $11, $12, $13, record_of_key(to_jsonb(new)) from new
         )
         select * from new",
    )
    .bind(&id)
    .bind(&new.name)
    .bind(new.role)
    .bind(new.entity_id)
    .bind(new.scopes.words())
    .bind(Sha256::digest(secret.as_bytes()).to_vec())
    .bind(new.expires_at)
    .bind(new.days.unwrap_or(MOST_DAYS))
    .bind(&new.created_by)
    .bind(KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .fetch_one(connection)
    .await?;
    Ok((format!("mandate_{body}{}", checksum(&body)), key))
}

/// Which keys are wanted: all that meet every condition given.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Of one of these roles.
    pub roles: Vec<Role>,
    /// For one of these entities.
    pub entities: Vec<Uuid>,
    /// Whether they work.
    pub active: Option<bool>,
}

/// Keys, newest first.
pub async fn select(connection: &mut PgConnection, wanted: &Wanted) -> Result<Vec<ApiKey>, Error> {
    let roles: Vec<&str> = wanted.roles.iter().map(|role| role.word()).collect();
    Ok(sqlx::query_as(
        "select * from api_keys where (cardinality($1) = 0 or role = any($1)) and (cardinality($2) = 0 or entity_id = any($2))
         and ($3 is null or $3 = (revoked_at is null and (expires_at is null or expires_at > now())))
         order by created_at desc, id",
    )
    .bind(roles)
    .bind(&wanted.entities)
    .bind(wanted.active)
    .fetch_all(connection)
    .await?)
}

/// All keys, newest first.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<ApiKey>, Error> {
    select(connection, &Wanted::default()).await
}

/// A key by its id, also one that works no longer.
pub async fn find(connection: &mut PgConnection, id: &str) -> Result<Option<ApiKey>, Error> {
    Ok(sqlx::query_as("select * from api_keys where id = $1").bind(id).fetch_optional(connection).await?)
}

/// The ids of the keys that can make and revoke others, locked until the end of the transaction: of two writers who would take the last
/// ones away, one at a time looks.
pub async fn lock_rulers(connection: &mut PgConnection) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar(
        "select id from api_keys where role = 'admin' and revoked_at is null and (expires_at is null or expires_at > now())
         and (scopes = '{}' or 'access:write' = any(scopes)) order by id for update",
    )
    .fetch_all(connection)
    .await?)
}

/// Writes the name, the scopes and the end of a key that is not revoked.
pub async fn update(connection: &mut PgConnection, author: &Author, key: &ApiKey) -> Result<Option<ApiKey>, Error> {
    Ok(sqlx::query_as(
        "with old as (select * from api_keys where id = $1 and revoked_at is null for update),
         new as (
             update api_keys k set name = $2, scopes = $3, expires_at = $4
             from old where k.id = old.id and k.revoked_at is null returning k.*
         ),
         numbered as (
             insert into api_key_versions as v (key_id, version) select id, 2 from new
             on conflict (key_id) do update set version = v.version + 1 returning v.key_id as id, v.version
         ),
         recorded as (
             insert into changes (kind, entity_id, version, action, actor, request_id, reason, before, after)
             select $5, key_resource(id), numbered.version, 'updated', $6, $7, $8, record_of_key(to_jsonb(old)), record_of_key(to_jsonb(new))
             from new join old using (id) join numbered using (id)
         )
         select * from new",
    )
    .bind(&key.id)
    .bind(&key.name)
    .bind(key.scopes.words())
    .bind(key.expires_at)
    .bind(KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .fetch_optional(connection)
    .await?)
}

/// Revokes a key by its id or its name; the number of keys revoked.
pub async fn revoke(connection: &mut PgConnection, author: &Author, which: &str) -> Result<u64, Error> {
    end(connection, author, which, true).await
}

/// Revokes the key with this id; whether it was not revoked yet.
pub async fn revoke_one(connection: &mut PgConnection, author: &Author, id: &str) -> Result<bool, Error> {
    Ok(end(connection, author, id, false).await? > 0)
}

async fn end(connection: &mut PgConnection, author: &Author, which: &str, by_name: bool) -> Result<u64, Error> {
    let done = sqlx::query(
        "with old as (
             select * from api_keys where (id = $1 or $2 and name = $1) and revoked_at is null for update
         ),
         new as (
             update api_keys k set revoked_at = now()
             from old where k.id = old.id and k.revoked_at is null returning k.*
         ),
         numbered as (
             insert into api_key_versions as v (key_id, version) select id, 2 from new
             on conflict (key_id) do update set version = v.version + 1 returning v.key_id as id, v.version
         )
         insert into changes (kind, entity_id, version, action, actor, request_id, reason, before, after)
         select $3, key_resource(id), numbered.version, 'updated', $4, $5, $6, record_of_key(to_jsonb(old)), record_of_key(to_jsonb(new))
         from new join old using (id) join numbered using (id)",
    )
    .bind(which)
    .bind(by_name)
    .bind(KIND)
    .bind(&author.actor)
    .bind(&author.request_id)
    .bind(&author.reason)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Now, by the clock of the database.
pub async fn now(connection: &mut PgConnection) -> Result<DateTime<Utc>, Error> {
    Ok(sqlx::query_scalar("select now()").fetch_one(connection).await?)
}

/// Whether there is an entity with this id.
pub async fn has_entity(connection: &mut PgConnection, id: Uuid) -> Result<bool, Error> {
    Ok(sqlx::query_scalar("select exists (select from entities where id = $1)").bind(id).fetch_one(connection).await?)
}

/// Whether a text is meant as a key, right or wrong.
pub fn is_meant(text: &str) -> bool {
    text.starts_with("mandate_")
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

/// The key, when the text is that of a valid one. On its first use of a day the day is noted.
pub async fn verify(connection: &mut PgConnection, text: &str) -> Result<Option<ApiKey>, Error> {
    #[derive(FromRow)]
    struct Kept {
        secret_hash: Vec<u8>,
        used_today: bool,
        #[sqlx(flatten)]
        key: ApiKey,
    }
    let Some((id, secret)) = split(text) else {
        return Ok(None);
    };
    let kept: Option<Kept> = sqlx::query_as(
        "select *, last_used_on is not distinct from today() as used_today from api_keys
         where id = $1 and revoked_at is null and (expires_at is null or expires_at > now())",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    let hash = Sha256::digest(secret.as_bytes());
    let Some(kept) = kept.filter(|kept| bool::from(kept.secret_hash.ct_eq(&hash))) else {
        return Ok(None);
    };
    if !kept.used_today {
        let noted = sqlx::query(
            "update api_keys set last_used_on = today() where id = any(
                 select id from api_keys where id = $1 and last_used_on is distinct from today() for update skip locked)",
        );
        // A day not noted is no reason to refuse the bearer of a good key, say while the database only reads.
        if let Err(error) = noted.bind(id).execute(connection).await {
            tracing::warn!(%error, "the day on which a key was used is not noted");
        }
    }
    Ok(Some(kept.key))
}
