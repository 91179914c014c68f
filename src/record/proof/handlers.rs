//! The log over HTTP: its checkpoint and tiles as C2SP tlog-tiles has them, and proofs ready made for those who keep no tiles.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mandate_tlog::{
    hash::Hash,
    note::SignerKey,
    path,
    tiles::{Tile, TilePath, WIDTH},
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{super::changes::ACCESS_KINDS, log};
use crate::{
    access::Actor,
    api::{
        answer::internal,
        query::{self, NoParameters},
    },
    app::App,
    error::Error,
    repository::{self, Fault},
};

/// That a change is in the log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Proof {
    /// The id of the change.
    id: Uuid,
    /// Its place among all changes, from 1; in the tree it is the leaf number `position` - 1.
    position: i64,
    /// The entry of the log: canonical JSON (RFC 8785), as the very text that is hashed.
    leaf: String,
    /// SHA-256 of a zero byte and the leaf, in base64.
    leaf_hash: String,
    /// What is hashed together with the payload; null when it is erased.
    salt: Option<Uuid>,
    /// What was before and after, and why, as the very text of which `leaf` has the hash: SHA-256 of the 16 bytes of the salt and this text.
    /// Null when it is erased.
    payload: Option<String>,
    /// The audit path (RFC 9162, 2.1.3) in the tree of the checkpoint, lowest first, in base64.
    path: Vec<String>,
    /// The newest checkpoint: a signed note.
    checkpoint: String,
}

/// That a tree begins with an earlier one.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Consistency {
    /// The size of the earlier tree.
    from: u64,
    /// The size of the later tree.
    to: u64,
    /// The consistency proof (RFC 9162, 2.1.4), in base64.
    path: Vec<String>,
}

/// Which two trees.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ConsistencyParameters {
    /// The size of the checkpoint that you have; 0 when not given.
    #[schema(minimum = 0, example = 0)]
    from: Option<u64>,
    /// The size of a later checkpoint; the newest when not given.
    #[schema(minimum = 0, example = 0)]
    to: Option<u64>,
}

fn signer(app: &App) -> Result<&SignerKey, Error> {
    app.record.log_key().ok_or_else(|| {
        Error::NotFound(
            "this service keeps no log, because it has no key to sign it; `mandate audit key create` makes one, and MANDATE_LOG_KEY names it"
                .into(),
        )
    })
}

async fn begin(app: &App, actor: &Actor, operation: &str) -> Result<repository::Connection, Error> {
    actor.may(operation)?;
    signer(app)?;
    app.connection().await
}

/// The newest checkpoint and its size.
async fn newest(connection: &mut PgConnection) -> Result<(u64, String), Error> {
    let head = log::head(connection).await?;
    let note = head.note.ok_or_else(|| Error::NotFound("the log is empty: no change has been recorded yet".into()))?;
    Ok((u64::try_from(head.size).map_err(internal)?, note))
}

fn plain(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// The newest checkpoint.
pub(super) async fn checkpoint(
    State(app): State<App>,
    actor: Actor,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    query::read::<NoParameters>(query.as_deref())?;
    let mut connection = begin(&app, &actor, "find_checkpoint").await?;
    Ok(plain(newest(&mut connection).await?.1))
}

/// The key that verifies checkpoints.
pub(super) async fn key(State(app): State<App>, actor: Actor, RawQuery(query): RawQuery) -> Result<Response, Error> {
    actor.may("find_log_key")?;
    query::read::<NoParameters>(query.as_deref())?;
    Ok(plain(format!("{}\n", signer(&app)?.verifier())))
}

/// A tile of hashes or of entries.
pub(super) async fn tile(
    State(app): State<App>,
    actor: Actor,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    query::read::<NoParameters>(query.as_deref())?;
    let mut connection =
        begin(&app, &actor, if path.starts_with("entries/") { "find_entries" } else { "find_tile" }).await?;
    let path: TilePath = path.parse().map_err(|()| {
        Error::NotFound(
            "there is no such tile; a tile is written as /v1/log/tile/0/000, with fewer than 256 hashes as /v1/log/tile/0/000.p/12, \
             entries as /v1/log/tile/entries/000"
                .into(),
        )
    })?;
    let short = || Error::NotFound("the log does not reach that far yet; its size is in /v1/log/checkpoint".into());
    let bytes = match path.level {
        Some(level) => {
            let tiles = log::read(&mut connection, &[Tile { level, index: path.index }]).await?;
            let hashes = tiles.into_iter().next().map(|(_, hashes)| hashes).ok_or_else(short)?;
            hashes.get(..path.width * 32).ok_or_else(short)?.to_vec()
        }
        None => entries(&mut connection, path).await?.ok_or_else(short)?,
    };
    let mut response = ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response();
    let kept = HeaderValue::from_static("private, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(response)
}

/// Each entry after its length in two bytes.
async fn entries(connection: &mut PgConnection, path: TilePath) -> Result<Option<Vec<u8>>, Error> {
    let Some(first) = path.index.checked_mul(WIDTH as u64).and_then(|first| i64::try_from(first).ok()) else {
        return Ok(None);
    };
    let last = i64::try_from(path.width).ok().and_then(|width| first.checked_add(width));
    let head = log::head(connection).await?;
    let Some(last) = last.filter(|last| *last <= head.size) else { return Ok(None) };
    let leaves: Vec<String> =
        sqlx::query_scalar("select leaf from changes where position > $1 and position <= $2 order by position")
            .bind(first)
            .bind(last)
            .fetch_all(connection)
            .await?;
    let mut bytes = Vec::new();
    for leaf in &leaves {
        bytes.extend(u16::try_from(leaf.len()).map_err(internal)?.to_be_bytes());
        bytes.extend(leaf.as_bytes());
    }
    Ok((leaves.len() == path.width).then_some(bytes))
}

fn in_base64(hashes: Option<Vec<Hash>>) -> Result<Vec<String>, Error> {
    let hashes = hashes.ok_or_else(|| internal(anyhow::anyhow!("tiles of the log are missing")))?;
    Ok(hashes.iter().map(|hash| STANDARD.encode(hash)).collect())
}

/// That a tree begins with an earlier one.
pub(super) async fn consistency(
    State(app): State<App>,
    actor: Actor,
    RawQuery(query): RawQuery,
) -> Result<Json<Consistency>, Error> {
    let parameters: ConsistencyParameters = query::read(query.as_deref())?;
    let mut connection = begin(&app, &actor, "find_consistency").await?;
    let (size, _) = newest(&mut connection).await?;
    let to = parameters.to.unwrap_or(size);
    let from = parameters.from.unwrap_or(0);
    let fault = |name: &str, code: &str, detail: String| {
        Err(Error::BadQuery(vec![Fault { pointer: name.into(), code: code.into(), detail }]))
    };
    if to > size {
        return fault("to", "log_is_shorter", format!("the log has {size} entries; give at most that"));
    }
    if from > to {
        let detail = format!(
            "the later tree has {to} entries; give at most that. A log that was longer once was put back or replaced"
        );
        return fault("from", "log_is_shorter", detail);
    }
    let path = in_base64(log::hashes(&mut connection, &path::consistency(from, to)).await?)?;
    Ok(Json(Consistency { from, to, path }))
}

#[derive(FromRow)]
struct Logged {
    kind: String,
    position: Option<i64>,
    leaf: String,
    leaf_hash: Vec<u8>,
    salt: Option<Uuid>,
    payload: Option<String>,
}

/// That a change is in the log.
pub(super) async fn proof(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Proof>, Error> {
    query::read::<NoParameters>(query.as_deref())?;
    let mut connection = begin(&app, &actor, "find_proof").await?;
    let nothing = || Error::NotFound("there is no change with this id; /v1/changes lists them".into());
    let id: Uuid = id.parse().map_err(|_| nothing())?;
    let found: Option<Logged> = sqlx::query_as(
        "select kind, position, leaf, leaf_hash, salt,
             case when salt is not null then change_payload(before, after, reason) end as payload
         from changes where id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    let is_seen = |change: &Logged| actor.sees_access() || !ACCESS_KINDS.contains(&change.kind.as_str());
    let change = found.filter(is_seen).ok_or_else(nothing)?;
    let waits = || Error::Unavailable("the change is recorded, and not yet in the log; try again".into());
    let position = change.position.ok_or_else(waits)?;
    let index = u64::try_from(position - 1).map_err(internal)?;
    let head = log::head(&mut connection).await?;
    let (size, checkpoint) = match head.note {
        Some(note) if head.size >= position => (u64::try_from(head.size).map_err(internal)?, note),
        _ => return Err(waits()),
    };
    let path = in_base64(log::hashes(&mut connection, &path::inclusion(index, size)).await?)?;
    let leaf_hash = STANDARD.encode(&change.leaf_hash);
    Ok(Json(Proof {
        id,
        position,
        leaf: change.leaf,
        leaf_hash,
        salt: change.salt,
        payload: change.payload,
        path,
        checkpoint,
    }))
}
