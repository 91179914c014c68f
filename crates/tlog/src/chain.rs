//! The keys that signed a log, one after the other. An entry of the log names the next one, and a checkpoint that covers this entry is signed
//! by both: so whoever trusts one of the keys trusts the others.

use crate::{
    event::NewKey,
    note::{Checkpoint, Note, VerifierKey},
    verify::opened,
};

/// The keys, and which of them it is at the entry that is being read.
#[derive(Debug)]
pub(crate) struct Chain {
    keys: Vec<VerifierKey>,
    at: usize,
    /// What the entries since the last change have named.
    named: Vec<NewKey>,
}

impl Chain {
    /// The keys in their order.
    pub(crate) fn new(keys: Vec<VerifierKey>) -> Self {
        Self { keys, at: 0, named: Vec::new() }
    }

    /// All of them.
    pub(crate) fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// An entry names a key.
    pub(crate) fn named(&mut self, key: NewKey) {
        self.named.push(key);
    }

    /// The checkpoint, when the key whose turn it is has signed it. When the next one has too, it is that one's turn.
    pub(crate) fn open(&mut self, note: &Note) -> Result<Checkpoint, String> {
        let Some(current) = self.keys.get(self.at) else { return Err("no key has signed it".into()) };
        let checkpoint = opened(note, current)?;
        if let Some(next) = self.keys.get(self.at + 1).filter(|next| next.has_signed(note)) {
            let change = NewKey { before: current.to_string(), key: next.to_string() };
            if !self.named.contains(&change) {
                return Err(format!("the checkpoint is also signed by {next}, and no entry before it names this key"));
            }
            self.at += 1;
            self.named.clear();
        }
        Ok(checkpoint)
    }

    /// At the end of the log every key has had its turn.
    pub(crate) fn finish(&self) -> Result<(), String> {
        match self.keys.get(self.at + 1) {
            None => Ok(()),
            Some(key) => {
                Err(format!("the file names the key {key}, and no checkpoint says that it followed the one before"))
            }
        }
    }
}

/// The checkpoint, when one of the keys has signed the note and it is of that key's log.
pub fn opened_by_any(note: &Note, keys: &[VerifierKey]) -> Result<Checkpoint, String> {
    let mut why = "no key is given".to_owned();
    for key in keys {
        match opened(note, key) {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(reason) => why = reason,
        }
    }
    Err(why)
}
