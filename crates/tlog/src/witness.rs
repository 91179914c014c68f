//! Looks at a log from outside, again and again, and refuses one that did not only grow.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    chain::opened_by_any,
    event::{Event, epoch_id, event},
    file::Leaf,
    hash::{Hash, leaf_hash},
    line::{commitment, is_hex},
    note::{Checkpoint, Note, SignerKey, VerifierKey},
    path::{extends, includes},
};

/// Why a checkpoint was not accepted.
#[derive(Debug)]
pub enum Refusal {
    /// Nothing can be said: the service or the state cannot be read.
    Unknown(String),
    /// The log is not the one that was seen before.
    Broken(String),
}

/// The part of the service that a witness asks: the answer at a path.
pub type Fetch<'a> = &'a dyn Fn(&str) -> Result<String, String>;

#[derive(Deserialize)]
struct Consistency {
    path: Vec<String>,
}

/// What a witness has seen.
#[derive(Debug)]
pub struct Seen {
    /// The checkpoint that it keeps.
    pub note: Note,
    /// The epoch that has begun since the one before.
    pub epoch: Option<Epoch>,
}

/// A new epoch of a log that was put back to an older state.
#[derive(Debug)]
pub struct Epoch {
    /// The place of the entry that says so.
    pub position: u64,
    /// What was seen last, and is abandoned.
    pub abandoned: Checkpoint,
    /// Why, in the words of the log's keeper.
    pub why: String,
    /// The file in which the abandoned checkpoint stays.
    pub kept: PathBuf,
}

/// Fetches the newest checkpoint, compares it with the last one seen, and keeps it, cosigned when there is a key for that.
pub fn witness(
    fetch: Fetch<'_>,
    keys: &[VerifierKey],
    state: &Path,
    cosigner: Option<&SignerKey>,
) -> Result<Seen, Refusal> {
    let mut note: Note = fetch("/v1/log/checkpoint")
        .and_then(|text| text.parse().map_err(|why| format!("the answer {why}")))
        .map_err(Refusal::Unknown)?;
    let now = opened_by_any(&note, keys).map_err(Refusal::Broken)?;
    let mut epoch = None;
    if let Some(before) = last_seen(state, keys)? {
        match compare(fetch, &before, &now) {
            Err(Refusal::Broken(why)) => {
                let begun = begun(fetch, keys, before, state);
                let (newer, begun) = begun.map_err(|missing| Refusal::Broken(format!("{why}; {missing}")))?;
                (note, epoch) = (newer, Some(begun));
            }
            compared => compared?,
        }
    }
    if let Some(Epoch { kept, .. }) = &epoch {
        let copied = fs::copy(state, kept).and_then(|_| fs::File::open(kept)?.sync_all());
        copied.map_err(|error| Refusal::Unknown(format!("cannot write {}: {error}", kept.display())))?;
    }
    if let Some(cosigner) = cosigner {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        note.signatures.push(cosigner.sign(&note.text, time.as_secs()));
    }
    keep(state, &note).map_err(|error| Refusal::Unknown(format!("cannot write {}: {error}", state.display())))?;
    Ok(Seen { note, epoch })
}

#[derive(Deserialize)]
struct Proof {
    position: u64,
    leaf: String,
    salt: Option<Uuid>,
    payload: Option<String>,
    path: Vec<String>,
    checkpoint: String,
}

/// The epoch that abandons a checkpoint, proven with a newer one: an entry of the log says so.
fn begun(fetch: Fetch<'_>, keys: &[VerifierKey], abandoned: Checkpoint, state: &Path) -> Result<(Note, Epoch), String> {
    let text = fetch(&format!("/v1/changes/{}/proof", epoch_id(&abandoned)))
        .map_err(|error| format!("and no entry is shown that abandons what was seen ({error})"))?;
    let wrong = || "and the entry that should abandon what was seen does not".to_owned();
    let proof: Proof = serde_json::from_str(&text).map_err(|_| wrong())?;
    let note: Note = proof.checkpoint.parse().map_err(|_| wrong())?;
    let now = opened_by_any(&note, keys)?;
    let path: Option<Vec<Hash>> = proof.path.iter().map(hash).collect();
    let index = proof.position.checked_sub(1).ok_or_else(wrong)?;
    if !includes(leaf_hash(proof.leaf.as_bytes()), index, now.size, &path.ok_or_else(wrong)?, &now.root) {
        return Err(wrong());
    }
    let (salt, payload) = proof.salt.zip(proof.payload).ok_or_else(wrong)?;
    let leaf: Leaf<'_> = serde_json::from_str(&proof.leaf).map_err(|_| wrong())?;
    if !is_hex(&commitment(salt, &payload), leaf.payload) {
        return Err(wrong());
    }
    match event(leaf.kind, &payload) {
        Some(Event::Epoch(named, why)) if named == abandoned => {
            let kept = beside(state, &format!(".abandoned-{}", abandoned.size));
            Ok((note, Epoch { position: proof.position, abandoned, why, kept }))
        }
        _ => Err(wrong()),
    }
}

fn hash(text: &String) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// A file in the same folder.
fn beside(state: &Path, ending: &str) -> PathBuf {
    let mut name = state.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    state.with_file_name(name)
}

fn last_seen(state: &Path, keys: &[VerifierKey]) -> Result<Option<Checkpoint>, Refusal> {
    let text = match fs::read_to_string(state) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Refusal::Unknown(format!("cannot read {}: {error}", state.display()))),
    };
    let checkpoint = text.parse().map_err(str::to_owned).and_then(|note| opened_by_any(&note, keys));
    checkpoint.map(Some).map_err(|why| Refusal::Unknown(format!("{}: {why}", state.display())))
}

fn compare(fetch: Fetch<'_>, before: &Checkpoint, now: &Checkpoint) -> Result<(), Refusal> {
    let (old, new) = (before.size, now.size);
    if new < old {
        return Err(Refusal::Broken(format!(
            "the log has {new} entries and had {old}: it was put back to an older state, or replaced"
        )));
    }
    let path: Vec<Hash> = if new == old {
        Vec::new()
    } else {
        let text = fetch(&format!("/v1/log/consistency?from={old}&to={new}")).map_err(Refusal::Unknown)?;
        let answer: Consistency = serde_json::from_str(&text)
            .map_err(|_| Refusal::Unknown("the answer is no proof of consistency".into()))?;
        let path: Option<Vec<Hash>> = answer.path.iter().map(hash).collect();
        path.ok_or_else(|| Refusal::Unknown("the answer is no proof of consistency".into()))?
    };
    if extends((old, &before.root), (new, &now.root), &path) {
        return Ok(());
    }
    Err(Refusal::Broken(format!(
        "the log of {new} entries does not begin with the {old} that were seen: it was forked or rewritten"
    )))
}

/// Replaces the state as a whole, or not at all.
fn keep(state: &Path, note: &Note) -> io::Result<()> {
    let new = beside(state, ".new");
    let mut file = fs::File::create(&new)?;
    file.write_all(note.to_string().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, state)
}
