//! The tree as tiles of 256 hashes (C2SP tlog-tiles, height 8): a tile of level L has the roots of complete subtrees of 256^L leaves.

use std::{fmt, str::FromStr};

use crate::{
    hash::{Hash, fold, node_hash},
    path::{Node, cover},
};

/// Hashes of a full tile.
pub const WIDTH: usize = 256;

/// A tile: its level, and its place in the level, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    /// 0 for the hashes of leaves.
    pub level: u8,
    /// Its place in the level, from 0.
    pub index: u64,
}

/// The hashes of a tile, one after the other.
pub type Hashes = Vec<u8>;

/// The tile that has a subtree, and where in it: the first hash, and how many.
pub fn place(node: Node) -> (Tile, usize, usize) {
    let (level, within) = (node.height / 8, node.height % 8);
    let first = node.index << within;
    let offset = usize::try_from(first % WIDTH as u64).unwrap_or_default();
    (Tile { level: u8::try_from(level).unwrap_or(u8::MAX), index: first / WIDTH as u64 }, offset, 1 << within)
}

/// The root of a complete subtree, out of the hashes of its tile; `None` when the tile is too short.
pub fn root_in(hashes: &[u8], offset: usize, count: usize) -> Option<Hash> {
    let part = hashes.get(offset * 32..(offset + count) * 32)?;
    let mut row: Vec<Hash> = part.as_chunks().0.to_vec();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row.first().copied()
}

/// The right edge of the tree: of each level the tile that is not full yet. Leaves are added to it without reading the rest.
#[derive(Debug, Default)]
pub struct Edge {
    size: u64,
    tiles: Vec<Hashes>,
}

impl Edge {
    /// The tiles that the edge of a tree consists of, and how many hashes each has.
    pub fn needs(size: u64) -> Vec<(Tile, usize)> {
        let levels = (0..8_u8).map(|level| (level, size >> (8 * u32::from(level)))).take_while(|(_, count)| *count > 0);
        let tile = |(level, count): (u8, u64)| {
            (Tile { level, index: count / WIDTH as u64 }, usize::try_from(count % WIDTH as u64).unwrap_or_default())
        };
        levels.map(tile).collect()
    }

    /// The edge of a tree, from its tiles; `None` when one is missing or too short.
    pub fn of(size: u64, find: impl Fn(Tile) -> Option<Hashes>) -> Option<Self> {
        let mut tiles = Vec::new();
        for (tile, count) in Self::needs(size) {
            let mut hashes = if count == 0 { Hashes::new() } else { find(tile)? };
            if hashes.len() < count * 32 {
                return None;
            }
            hashes.truncate(count * 32);
            tiles.push(hashes);
        }
        Some(Self { size, tiles })
    }

    /// Adds leaves, and returns the tiles that are new or longer.
    pub fn extend(&mut self, leaves: impl IntoIterator<Item = Hash>) -> Vec<(Tile, Hashes)> {
        let mut changed = Vec::new();
        let before = Self::needs(self.size);
        for leaf in leaves {
            let mut hash = leaf;
            self.size += 1;
            for level in 0.. {
                if self.tiles.len() == level {
                    self.tiles.push(Hashes::new());
                }
                let tile = &mut self.tiles[level];
                tile.extend(hash);
                if tile.len() < WIDTH * 32 {
                    break;
                }
                let full = std::mem::take(tile);
                hash = root_in(&full, 0, WIDTH).unwrap_or(hash);
                let level = u8::try_from(level).unwrap_or(u8::MAX);
                let index = (self.size >> (8 * u32::from(level))) / WIDTH as u64 - 1;
                changed.push((Tile { level, index }, full));
            }
        }
        let part = Self::needs(self.size).into_iter().zip(&self.tiles);
        changed.extend(
            part.filter(|((tile, count), _)| *count > 0 && !before.contains(&(*tile, *count)))
                .map(|((tile, _), hashes)| (tile, hashes.clone())),
        );
        changed
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root(&self) -> Hash {
        let peaks: Vec<Hash> = cover(&(0..self.size))
            .into_iter()
            .filter_map(|node| {
                let (tile, offset, count) = place(node);
                root_in(&self.tiles[usize::from(tile.level)], offset, count)
            })
            .collect();
        fold(&peaks)
    }
}

/// What is asked for under `/v1/log/tile/`: `0/x001/067`, `1/000.p/16`, `entries/003`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilePath {
    /// The level; `None` for the entries themselves.
    pub level: Option<u8>,
    /// Its place in the level.
    pub index: u64,
    /// How many hashes or entries, 1 to 256.
    pub width: usize,
}

impl FromStr for TilePath {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (level, rest) = text.split_once('/').ok_or(())?;
        let level = if level == "entries" { None } else { Some(level.parse().map_err(|_| ())?) };
        let (digits, width) = match rest.split_once(".p/") {
            Some((digits, width)) => (digits, width.parse().map_err(|_| ())?),
            None => (rest, WIDTH),
        };
        let mut index = 0_u64;
        for group in digits.split('/') {
            let group: u64 = group.trim_start_matches('x').parse().map_err(|_| ())?;
            index = index.checked_mul(1000).and_then(|index| index.checked_add(group)).ok_or(())?;
        }
        let path = Self { level, index, width };
        // One spelling only: what is kept by caches has one address.
        let known = level.is_none_or(|level| level < 8) && (1..=WIDTH).contains(&width);
        if known && path.to_string() == text { Ok(path) } else { Err(()) }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "{level}/")?,
            None => f.write_str("entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.width < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}
