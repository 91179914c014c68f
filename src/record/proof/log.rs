//! The log in the database: how far it is, its tiles, and the next step of its growth.

use mandate_tlog::{
    hash::{Hash, fold},
    note::{Checkpoint, SignerKey},
    path::{Node, cover},
    tiles::{Edge, Hashes, Tile, place, root_in},
};
use sqlx::{FromRow, PgConnection};

use crate::repository::Error;

/// How far the log is.
#[derive(Debug, Clone, FromRow)]
pub(in crate::record) struct Head {
    /// The number of its entries.
    pub(in crate::record) size: i64,
    /// The public key of who signs it.
    pub(in crate::record) key: Option<String>,
    /// The newest checkpoint.
    pub(in crate::record) note: Option<String>,
}

/// Entries added in one step.
const BATCH: i64 = 4096;

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::record) enum Step {
    /// All that has a position is in the log.
    Done,
    /// There may be more.
    More,
    /// Another key signs this log.
    OtherKey,
    /// Tiles are missing, or positions.
    Damaged,
}

/// How far it is.
pub(in crate::record) async fn head(connection: &mut PgConnection) -> Result<Head, Error> {
    Ok(sqlx::query_as("select size, key, note from proof_head").fetch_one(connection).await?)
}

/// Adds the entries that have got their positions, with their tiles and a checkpoint, in one statement that does nothing when another
/// process was faster: so no lock is held between statements, and whoever is stopped anywhere leaves the log as it was or as it should be.
pub(in crate::record) async fn extend(connection: &mut PgConnection, key: &SignerKey) -> Result<Step, Error> {
    let head = head(connection).await?;
    let leaves: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select position, leaf_hash from changes where position > $1 order by position limit $2")
            .bind(head.size)
            .bind(BATCH)
            .fetch_all(&mut *connection)
            .await?;
    if leaves.is_empty() {
        return Ok(Step::Done);
    }
    let verifier = key.verifier();
    let public = verifier.to_string();
    if head.key.as_ref().is_some_and(|other| *other != public) {
        return Ok(Step::OtherKey);
    }
    let Some(mut edge) = edge(connection, head.size).await? else { return Ok(Step::Damaged) };
    let dense = leaves.iter().zip(head.size + 1..).all(|((position, _), expected)| *position == expected);
    let hashes: Option<Vec<Hash>> = leaves.into_iter().map(|(_, hash)| hash.try_into().ok()).collect();
    let Some(hashes) = hashes.filter(|_| dense) else { return Ok(Step::Damaged) };
    let more = i64::try_from(hashes.len()).is_ok_and(|added| added == BATCH);
    let tiles = edge.extend(hashes);
    let note = Checkpoint { origin: verifier.name, size: edge.size(), root: edge.root() }.signed(key).to_string();
    save(connection, &head, (&edge, &public, &note), tiles).await?;
    Ok(if more { Step::More } else { Step::Done })
}

async fn save(
    connection: &mut PgConnection,
    before: &Head,
    (edge, key, note): (&Edge, &str, &str),
    tiles: Vec<(Tile, Hashes)>,
) -> Result<(), Error> {
    let (mut levels, mut indices, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for (tile, hashes) in tiles {
        levels.push(i16::from(tile.level));
        indices.push(number(tile.index));
        all.push(hashes);
    }
    sqlx::query(
        "with moved as (
             update proof_head set size = $2, key = $3, note = $4
             where size = $1 and (key is null or key = $3) returning size
         ),
         grown as (
             insert into proof_tiles (level, index, hashes)
             select tile.* from unnest($5::smallint[], $6::bigint[], $7::bytea[]) as tile cross join moved
             on conflict (level, index) do update set hashes = excluded.hashes
         )
         insert into proof_checkpoints (hour, size, note)
         select date_trunc('hour', now(), 'UTC'), size, $4 from moved
         on conflict (hour) do update set size = excluded.size, note = excluded.note",
    )
    .bind(before.size)
    .bind(number(edge.size()))
    .bind(key)
    .bind(note)
    .bind(levels)
    .bind(indices)
    .bind(all)
    .execute(connection)
    .await?;
    Ok(())
}

fn number(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

async fn edge(connection: &mut PgConnection, size: i64) -> Result<Option<Edge>, Error> {
    let Ok(size) = u64::try_from(size) else { return Ok(None) };
    let needed: Vec<Tile> = Edge::needs(size).into_iter().map(|(tile, _)| tile).collect();
    let tiles = read(connection, &needed).await?;
    Ok(Edge::of(size, |tile| find(&tiles, tile).cloned()))
}

fn find(tiles: &[(Tile, Hashes)], tile: Tile) -> Option<&Hashes> {
    tiles.iter().find(|(known, _)| *known == tile).map(|(_, hashes)| hashes)
}

/// Those of the tiles that there are.
pub(super) async fn read(connection: &mut PgConnection, tiles: &[Tile]) -> Result<Vec<(Tile, Hashes)>, Error> {
    let levels: Vec<i16> = tiles.iter().map(|tile| tile.level.into()).collect();
    let indices: Vec<i64> = tiles.iter().map(|tile| number(tile.index)).collect();
    let rows: Vec<(i16, i64, Hashes)> = sqlx::query_as(
        "select level, index, hashes from proof_tiles
         where (level, index) in (select * from unnest($1::smallint[], $2::bigint[]))",
    )
    .bind(levels)
    .bind(indices)
    .fetch_all(connection)
    .await?;
    let tile = |(level, index, hashes)| {
        Some((Tile { level: u8::try_from(level).ok()?, index: u64::try_from(index).ok()? }, hashes))
    };
    Ok(rows.into_iter().filter_map(tile).collect())
}

/// The hashes of ranges of entries; `None` when tiles are missing.
pub(super) async fn hashes(
    connection: &mut PgConnection,
    ranges: &[std::ops::Range<u64>],
) -> Result<Option<Vec<Hash>>, Error> {
    let nodes: Vec<Vec<Node>> = ranges.iter().map(cover).collect();
    let mut needed: Vec<Tile> = nodes.iter().flatten().map(|node| place(*node).0).collect();
    needed.sort_by_key(|tile| (tile.level, tile.index));
    needed.dedup();
    let tiles = read(connection, &needed).await?;
    let hash = |node: &Node| {
        let (tile, offset, count) = place(*node);
        root_in(find(&tiles, tile)?, offset, count)
    };
    let range = |nodes: &Vec<Node>| Some(fold(&nodes.iter().map(hash).collect::<Option<Vec<_>>>()?));
    Ok(nodes.iter().map(range).collect())
}
