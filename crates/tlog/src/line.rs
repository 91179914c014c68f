//! One line of the file by itself: is it well formed, and does it agree with itself?

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    event::{Event, event},
    file::{Entry, Kept, Leaf},
    hash::{Hash, leaf_hash},
};

/// A line that agrees with itself.
#[derive(Debug)]
pub(crate) enum Line {
    /// An entry.
    Entry(Known),
    /// A checkpoint: the text of the signed note.
    Checkpoint(String),
}

/// What is kept of an entry.
#[derive(Debug)]
pub(crate) struct Known {
    /// Its place, from 1.
    pub(crate) position: u64,
    /// The id of the change.
    pub(crate) id: Uuid,
    /// The hash of the leaf.
    pub(crate) hash: Hash,
    /// Its payload is erased.
    pub(crate) is_erased: bool,
    /// It says that this change was erased.
    pub(crate) erases: Option<Uuid>,
    /// What it says of the log.
    pub(crate) event: Option<Event>,
}

/// A line that does not, and the position that it claims.
#[derive(Debug)]
pub(crate) struct Faulty {
    /// The position, where it can be read.
    pub(crate) position: Option<u64>,
    /// What is wrong.
    pub(crate) words: &'static str,
}

/// The kind that stands in the record of an erasure; its `resource_id` is the id of the change that was erased.
pub const ERASED_KIND: &str = "change";

/// Reads a line. `buffer` is working memory.
pub(crate) fn read(line: &str, buffer: &mut Vec<u8>) -> Result<Line, Faulty> {
    if line.starts_with("{\"checkpoint\"") {
        let kept: Kept = serde_json::from_str(line)
            .map_err(|_| Faulty { position: None, words: "a line with a checkpoint cannot be read" })?;
        return Ok(Line::Checkpoint(kept.checkpoint));
    }
    let entry: Entry<'_> =
        serde_json::from_str(line).map_err(|_| Faulty { position: None, words: "a line cannot be read" })?;
    let faulty = |words| Faulty { position: Some(entry.position), words };
    let text = entry.leaf.get();
    let leaf: Leaf<'_> = serde_json::from_str(text).map_err(|_| faulty("the leaf is not one of this form"))?;
    buffer.clear();
    let written = serde_json::to_writer(&mut *buffer, &leaf);
    if written.is_err() || buffer != text.as_bytes() || leaf.v != 1 {
        return Err(faulty("the leaf is not canonical JSON of this form"));
    }
    let hash = leaf_hash(text.as_bytes());
    if !is_base64(&hash, entry.leaf_hash) {
        return Err(faulty("the leaf is not the one that was recorded: its hash is another"));
    }
    match (entry.salt, entry.payload) {
        (Some(salt), Some(payload)) => {
            if !is_hex(&commitment(salt, payload.get()), leaf.payload) {
                return Err(faulty("the payload is not the one that was recorded: the leaf has another hash of it"));
            }
        }
        (None, None) => {}
        _ => return Err(faulty("salt and payload are erased together, or not at all")),
    }
    let erases = (leaf.kind == ERASED_KIND && leaf.action == "deleted").then_some(leaf.resource_id);
    let event = entry.payload.and_then(|payload| event(leaf.kind, payload.get()));
    let (position, id, is_erased) = (entry.position, leaf.id, entry.salt.is_none());
    Ok(Line::Entry(Known { position, id, hash, is_erased, erases, event }))
}

/// What a leaf says of its payload: SHA-256 over the salt and it.
pub(crate) fn commitment(salt: Uuid, payload: &str) -> Hash {
    Sha256::new_with_prefix(salt.as_bytes()).chain_update(payload).finalize().into()
}

fn is_base64(hash: &Hash, text: &str) -> bool {
    let mut out = [0; 44];
    STANDARD.encode_slice(hash, &mut out).is_ok() && out[..] == *text.as_bytes()
}

/// Whether it is this hash in hexadecimal digits.
pub(crate) fn is_hex(hash: &Hash, text: &str) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.len() == 64
        && hash
            .iter()
            .zip(text.as_bytes().chunks(2))
            .all(|(byte, pair)| pair == [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
}
