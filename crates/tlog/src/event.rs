//! What a log says of itself: that another key signs from now on, and that a checkpoint was abandoned because the database was put back to an
//! older state. Each is an entry like any other; this is what stands in the `after` of its payload.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    hash::Hash,
    note::{Checkpoint, Note},
};

/// The kind of the entry that names another key.
pub const KEY_KIND: &str = "log_key";
/// The kind of the entry that begins a new epoch.
pub const EPOCH_KIND: &str = "log_epoch";

/// Another key: valid from the checkpoint on that both have signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKey {
    /// The public key that has signed until then.
    pub before: String,
    /// The public key that signs from then on.
    pub key: String,
}

/// A new epoch: what followed in the log of this checkpoint is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEpoch {
    /// The abandoned checkpoint, a signed note.
    pub checkpoint: String,
}

/// What an entry says of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Another key.
    Key(NewKey),
    /// A new epoch: the abandoned checkpoint, and why.
    Epoch(Checkpoint, String),
}

#[derive(Deserialize)]
struct Payload<T> {
    after: T,
    reason: Option<String>,
}

/// What an entry of this kind and with this payload says of the log, if it says anything.
pub(crate) fn event(kind: &str, payload: &str) -> Option<Event> {
    match kind {
        KEY_KIND => serde_json::from_str(payload).ok().map(|payload: Payload<NewKey>| Event::Key(payload.after)),
        EPOCH_KIND => {
            let payload: Payload<NewEpoch> = serde_json::from_str(payload).ok()?;
            let note: Note = payload.after.checkpoint.parse().ok()?;
            Some(Event::Epoch(note.text.parse().ok()?, payload.reason.unwrap_or_default()))
        }
        _ => None,
    }
}

/// The id of the change that abandons this checkpoint: made out of it, so that a witness can ask for it, and so that there is only one.
pub fn epoch_id(abandoned: &Checkpoint) -> Uuid {
    let hash: Hash = Sha256::digest(abandoned.to_string()).into();
    let (bytes, _) = hash.split_first_chunk().expect("a hash is longer");
    uuid::Builder::from_custom_bytes(*bytes).into_uuid()
}
