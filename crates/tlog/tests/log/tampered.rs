//! A log of twelve entries as a file, and each way to tamper with it. The tests of the service's command read it too.

use mandate_tlog::{
    file::{FORMAT, Head, Kept, write_entry, write_line},
    hash::{Frontier, Hash, leaf_hash},
    note::{Checkpoint, Note, Purpose, SignerKey},
    verify::Evidence,
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A hash in hexadecimal digits.
pub(crate) fn hex(hash: &[u8]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An entry as it is exported.
#[derive(Clone)]
pub(crate) struct Entry {
    position: i64,
    pub(crate) id: Uuid,
    leaf: String,
    pub(crate) hash: Hash,
    salt: Uuid,
    payload: String,
}

fn entry(position: u64, name: &str) -> Entry {
    let salt = Uuid::from_u128(u128::from(position) << 64);
    let payload = format!(r#"{{"after":{{"name": "{name}"}},"before":null,"reason":null}}"#);
    let hash = Sha256::new_with_prefix(salt.as_bytes()).chain_update(&payload).finalize();
    let commitment = hex(&hash);
    let (id, resource) = (Uuid::from_u128(u128::from(position)), Uuid::from_u128(9));
    let leaf = format!(
        r#"{{"action":"created","actor":"key:ă\n","at":"2026-01-01T00:00:00.000001Z","id":"{id}","kind":"entity","payload":"{commitment}","request_id":"r","resource_id":"{resource}","v":1,"version":{position}}}"#
    );
    let hash = leaf_hash(leaf.as_bytes());
    Entry { position: i64::try_from(position).unwrap(), id, leaf, hash, salt, payload }
}

pub(crate) fn key(seed: u8, origin: &str) -> SignerKey {
    SignerKey::new(origin, Purpose::Log, &[seed; 32])
}

pub(crate) const ORIGIN: &str = "test.example/log";

pub(crate) fn entries() -> Vec<Entry> {
    (1..=12).map(|position| entry(position, "as it was")).collect()
}

pub(crate) fn checkpoint(entries: &[Entry], key: &SignerKey) -> Note {
    let mut tree = Frontier::default();
    for entry in entries {
        tree.push(entry.hash);
    }
    Checkpoint { origin: key.verifier().name, size: tree.size(), root: tree.root() }.signed(key)
}

/// The file of these entries, with these checkpoints after the position that they are of.
pub(crate) fn file_of(entries: &[Entry], notes: &[Note], key: &SignerKey) -> Vec<u8> {
    let mut out = Vec::new();
    let (format, key, earlier_keys) = (FORMAT.into(), key.verifier().to_string(), Vec::new());
    let head = Head { format, key, earlier_keys, entries: entries.len() as u64 };
    write_line(&mut out, &head).unwrap();
    for (place, entry) in (1..).zip(entries) {
        let leaf_hash = entry.hash;
        write_entry(&mut out, entry.position, (&entry.leaf, &leaf_hash), (Some(entry.salt), Some(&entry.payload)))
            .unwrap();
        for note in notes.iter().filter(|note| note.text.parse::<Checkpoint>().unwrap().size == place) {
            write_line(&mut out, &Kept { checkpoint: note.to_string() }).unwrap();
        }
    }
    out
}

/// What the keeper of a log has signed: after 5 and after 12 entries.
pub(crate) fn notes() -> Vec<Note> {
    let (all, key) = (entries(), key(1, ORIGIN));
    vec![checkpoint(&all[..5], &key), checkpoint(&all, &key)]
}

fn renumbered(mut entries: Vec<Entry>) -> Vec<Entry> {
    for (place, entry) in (1..).zip(&mut entries) {
        entry.position = place;
    }
    entries
}

/// A tampering: what is done, the file, what the auditor has, the first wrong position (or the range in which it is), and words.
pub(crate) type Tampering = (&'static str, Vec<u8>, Evidence, Option<(u64, u64)>, &'static str);

pub(crate) fn tamperings() -> Vec<Tampering> {
    let (good, notes, own) = (entries(), notes(), key(1, ORIGIN));
    let of = |entries: &[Entry]| file_of(entries, &notes, &own);
    let alone = Evidence { keys: vec![own.verifier()], ..Evidence::default() };
    let with = |change: fn(&mut Vec<Entry>)| {
        let mut entries = good.clone();
        change(&mut entries);
        entries
    };
    let mut cases = vec![
        (
            "edit a payload",
            of(&with(|all| all[6].payload = all[6].payload.replace("was", "wxs"))),
            alone.clone(),
            Some((7, 7)),
            "payload is not",
        ),
        (
            "edit a leaf",
            of(&with(|all| all[6].leaf = all[6].leaf.replace("key:", "kez:"))),
            alone.clone(),
            Some((7, 7)),
            "its hash is another",
        ),
        (
            "rewrite an entry with all its hashes",
            of(&with(|all| all[6] = entry(7, "another"))),
            alone.clone(),
            Some((6, 12)),
            "signed over",
        ),
        ("drop an entry", of(&with(|all| drop(all.remove(6)))), alone.clone(), Some((7, 7)), "8 follows 6"),
        (
            "drop an entry and close the gap",
            of(&renumbered(with(|all| drop(all.remove(2))))),
            alone.clone(),
            Some((1, 5)),
            "left out",
        ),
        ("swap two entries", of(&renumbered(with(|all| all.swap(7, 8)))), alone.clone(), Some((6, 12)), "moved"),
        ("repeat an entry", of(&with(|all| all.insert(4, all[3].clone()))), alone.clone(), Some((5, 5)), "4 follows 4"),
        ("leave a gap", of(&with(|all| all[11].position = 13)), alone.clone(), Some((12, 12)), "13 follows 11"),
        (
            "insert an entry",
            of(&renumbered(with(|all| all.insert(1, entry(99, "new"))))),
            alone.clone(),
            Some((1, 5)),
            "added",
        ),
        (
            "spell a leaf otherwise",
            of(&with(|all| all[2].leaf = all[2].leaf.replace("\",\"at", "\", \"at"))),
            alone.clone(),
            Some((3, 3)),
            "canonical",
        ),
    ];
    let cut = file_of(&good[..9], &notes, &own);
    cases.push(("cut off the end", cut, alone.clone(), Some((6, 6)), "cut off"));
    let shorter = file_of(&good[..5], &notes, &own);
    let latest = Evidence { since: vec![notes[1].clone()], ..alone.clone() };
    cases.push(("put back to an older state", shorter, latest.clone(), Some((6, 6)), "checkpoint of 12"));
    let thief = key(2, ORIGIN);
    let other = file_of(&good, &[checkpoint(&good, &thief)], &thief);
    cases.push(("sign again with another key", other, alone.clone(), None, "of the key"));
    let other = file_of(&good, &[checkpoint(&good, &thief)], &own);
    cases.push(("sign only the checkpoint with another key", other, alone.clone(), Some((12, 12)), "not signed by"));
    let elsewhere = checkpoint(&good, &key(1, "other.example/log"));
    let other = file_of(&good, &[elsewhere], &own);
    cases.push((
        "take the checkpoint of another log",
        other,
        alone.clone(),
        Some((12, 12)),
        "of the log other.example",
    ));
    let forked = with(|all| all[6] = entry(7, "another"));
    let other = file_of(&forked, &[checkpoint(&forked, &own)], &own);
    cases.push(("fork the log and sign it", other.clone(), latest, Some((1, 12)), "forked"));
    let receipts = vec![(good[6].id, good[6].hash)];
    cases.push((
        "rewrite what has a receipt",
        other,
        Evidence { receipts: receipts.clone(), ..alone.clone() },
        Some((7, 7)),
        "receipt",
    ));
    let without = renumbered(with(|all| drop(all.remove(6))));
    let other = file_of(&without, &[checkpoint(&without, &own)], &own);
    cases.push(("leave out what has a receipt", other, Evidence { receipts, ..alone }, None, "not in the log"));
    cases
}
