//! Whether a file is the whole log that its key has signed. It needs no server and no database.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    io::{BufRead, Read},
    num::NonZero,
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use uuid::Uuid;

use crate::{
    chain::{Chain, opened_by_any},
    event::Event,
    file::{FORMAT, Head},
    hash::{Frontier, Hash},
    line::{self, Faulty, Known, Line},
    note::{Checkpoint, Note, VerifierKey},
};

/// What the auditor has from elsewhere.
#[derive(Debug, Default, Clone)]
pub struct Evidence {
    /// Keys of the log: the one that signs, or one that did.
    pub keys: Vec<VerifierKey>,
    /// Earlier checkpoints.
    pub since: Vec<Note>,
    /// Receipts: the id of a change and the hash of its leaf.
    pub receipts: Vec<(Uuid, Hash)>,
}

/// What was shown.
#[derive(Debug)]
pub struct Proven {
    /// The newest checkpoint.
    pub checkpoint: Checkpoint,
    /// Who signed the log, the first key first.
    pub keys: Vec<VerifierKey>,
    /// How many checkpoints the entries agree with.
    pub checkpoints: usize,
    /// How many entries are erased.
    pub erased: u64,
    /// The epochs that were begun: where, the abandoned checkpoint, and why.
    pub epochs: Vec<(u64, Checkpoint, String)>,
    /// The earlier checkpoints of the auditor that are among the abandoned ones.
    pub abandoned: Vec<Checkpoint>,
}

/// Why a file is no proof.
#[derive(Debug)]
pub enum Failure {
    /// It cannot be read, or is no such file.
    Unreadable(String),
    /// The first position that is wrong, and if it is not known exactly, the last that may be the first.
    Wrong(Option<(u64, u64)>, String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "cannot be verified: {why}"),
            Self::Wrong(None, why) => write!(f, "NOT PROVEN: {why}"),
            Self::Wrong(Some((first, last)), why) if first == last => write!(f, "NOT PROVEN: position {first}: {why}"),
            Self::Wrong(Some((first, last)), why) => write!(f, "NOT PROVEN: positions {first} to {last}: {why}"),
        }
    }
}

fn wrong<T>(position: u64, words: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Wrong(Some((position, position)), words.into()))
}

/// A checkpoint, when the key has signed the note and it is of the key's log.
pub fn opened(note: &Note, key: &VerifierKey) -> Result<Checkpoint, String> {
    let checkpoint: Checkpoint = note.text.parse().map_err(str::to_owned)?;
    if checkpoint.origin != key.name {
        return Err(format!("the checkpoint is of the log {}, not of {}", checkpoint.origin, key.name));
    }
    if key.has_signed(note) { Ok(checkpoint) } else { Err(format!("the checkpoint is not signed by {key}")) }
}

/// What is read at once.
const BLOCK: u64 = 1 << 20;

/// Verifies a file.
pub fn verify(mut file: impl BufRead, evidence: &Evidence) -> Result<Proven, Failure> {
    let unreadable = |error: std::io::Error| Failure::Unreadable(error.to_string());
    let mut first = String::new();
    file.read_line(&mut first).map_err(unreadable)?;
    let head: Head = serde_json::from_str(&first)
        .ok()
        .filter(|head: &Head| head.format == FORMAT)
        .ok_or_else(|| Failure::Unreadable("it is not a file of `mandate audit export`".into()))?;
    let keys: Result<Vec<VerifierKey>, _> =
        head.earlier_keys.iter().chain([&head.key]).map(|key| key.parse()).collect();
    let keys = keys.map_err(|why| Failure::Unreadable(format!("one of its keys {why}")))?;
    if let Some(key) = evidence.keys.iter().find(|key| !keys.contains(key)) {
        return Err(Failure::Wrong(None, format!("the file is of the key {}, not of {key}", head.key)));
    }
    let mut log = Log::new(keys, evidence)?;
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    // Blocks are read by several threads while the lines before them are taken, in their order.
    thread::scope(|scope| {
        let mut ahead = VecDeque::new();
        loop {
            let mut block = Vec::new();
            if file.by_ref().take(BLOCK).read_to_end(&mut block).map_err(unreadable)? > 0 {
                file.read_until(b'\n', &mut block).map_err(unreadable)?;
                ahead.push_back(scope.spawn(move || lines(&block)));
                if ahead.len() <= threads {
                    continue;
                }
            }
            let Some(block) = ahead.pop_front() else { return log.finish(head.entries) };
            let Some(lines) = block.join().expect("a line is read without panic") else {
                return wrong(log.frontier.size() + 1, "what follows is not UTF-8");
            };
            for line in lines {
                log.take(line)?;
            }
        }
    })
}

/// The lines of a block; none when it is not UTF-8.
fn lines(block: &[u8]) -> Option<Vec<Result<Line, Faulty>>> {
    let mut buffer = Vec::new();
    let text = std::str::from_utf8(block).ok()?;
    Some(text.lines().map(|line| line::read(line, &mut buffer)).collect())
}

/// The log as far as it has been read.
struct Log {
    chain: Chain,
    frontier: Frontier,
    /// Up to here the entries are those of a checkpoint.
    good: u64,
    newest: Option<Checkpoint>,
    checkpoints: usize,
    since: Vec<Checkpoint>,
    /// Those of them that the entries do not agree with.
    refuted: Vec<Checkpoint>,
    epochs: Vec<(u64, Checkpoint, String)>,
    receipts: HashMap<Uuid, Hash>,
    /// Erased entries that no later entry speaks of yet.
    unexplained: HashMap<Uuid, u64>,
    erased: u64,
}

impl Log {
    fn new(keys: Vec<VerifierKey>, evidence: &Evidence) -> Result<Self, Failure> {
        let since: Result<Vec<_>, _> = evidence.since.iter().map(|note| opened_by_any(note, &keys)).collect();
        let mut since =
            since.map_err(|why| Failure::Wrong(None, format!("an earlier checkpoint is of no use: {why}")))?;
        since.retain(|checkpoint| checkpoint.size > 0);
        since.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.size));
        Ok(Self {
            chain: Chain::new(keys),
            frontier: Frontier::default(),
            good: 0,
            newest: None,
            checkpoints: 0,
            since,
            refuted: Vec::new(),
            epochs: Vec::new(),
            receipts: evidence.receipts.iter().copied().collect(),
            unexplained: HashMap::new(),
            erased: 0,
        })
    }

    fn take(&mut self, line: Result<Line, Faulty>) -> Result<(), Failure> {
        let next = self.frontier.size() + 1;
        match line {
            Ok(Line::Entry(entry)) if entry.position == next => self.entry(entry),
            Ok(Line::Entry(entry)) => {
                wrong(next, format!("the entry is not there; {} follows {}", entry.position, next - 1))
            }
            Ok(Line::Checkpoint(note)) => self.checkpoint(&note),
            Err(Faulty { position: Some(position), .. }) if position != next => {
                wrong(next, format!("the entry is not there; {position} follows {}", next - 1))
            }
            Err(Faulty { words, .. }) => wrong(next, words),
        }
    }

    fn entry(&mut self, entry: Known) -> Result<(), Failure> {
        if let Some(erased) = entry.erases {
            self.unexplained.remove(&erased);
        }
        if entry.is_erased {
            self.erased += 1;
            self.unexplained.insert(entry.id, entry.position);
        }
        if self.receipts.remove(&entry.id).is_some_and(|hash| hash != entry.hash) {
            return wrong(
                entry.position,
                format!("the receipt of the change {} has another hash of the leaf", entry.id),
            );
        }
        self.frontier.push(entry.hash);
        while let Some(since) = self.since.pop_if(|since| since.size == entry.position) {
            if since.root == self.frontier.root() {
                self.checkpoints += 1;
            } else {
                self.refuted.push(since);
            }
        }
        match entry.event {
            Some(Event::Key(key)) => self.chain.named(key),
            Some(Event::Epoch(abandoned, why)) => self.epochs.push((entry.position, abandoned, why)),
            None => {}
        }
        Ok(())
    }

    fn checkpoint(&mut self, note: &str) -> Result<(), Failure> {
        let size = self.frontier.size();
        let note: Note = note.parse().or_else(|why: &str| wrong(size, format!("the checkpoint after it {why}")))?;
        let checkpoint = self.chain.open(&note).or_else(|why| wrong(size, format!("after it, {why}")))?;
        if checkpoint.size != size {
            return wrong(
                size.min(checkpoint.size) + 1,
                format!("a checkpoint of {} entries stands after {size}", checkpoint.size),
            );
        }
        if checkpoint.root != self.frontier.root() {
            let words = "the entries are not those that the checkpoint after them was signed over: one was changed, left out, added or moved";
            return Err(Failure::Wrong(Some((self.good + 1, size)), words.into()));
        }
        self.good = size;
        self.newest = Some(checkpoint);
        self.checkpoints += 1;
        Ok(())
    }

    fn finish(self, entries: u64) -> Result<Proven, Failure> {
        let size = self.frontier.size();
        let (abandoned, refuted): (Vec<_>, Vec<_>) = [self.refuted, self.since]
            .concat()
            .into_iter()
            .partition(|since| self.epochs.iter().any(|(_, abandoned, _)| abandoned == since));
        if let Some(since) = refuted.iter().find(|since| since.size <= size) {
            let words =
                "the entries are not those of the earlier checkpoint that you have: the log was forked or rewritten";
            return Err(Failure::Wrong(Some((1, since.size)), words.into()));
        }
        if let Some(since) = refuted.first() {
            return wrong(size + 1, format!("the file ends here, and you have a checkpoint of {} entries", since.size));
        }
        if size != entries {
            return wrong(size.min(entries) + 1, format!("the file has {size} entries and says that it has {entries}"));
        }
        let Some(checkpoint) = self.newest.filter(|_| self.good == size) else {
            return wrong(self.good + 1, "no checkpoint covers the entries from here on: the end is cut off");
        };
        if let Some((id, hash)) = self.receipts.iter().next() {
            let hash = STANDARD.encode(hash);
            return Err(Failure::Wrong(None, format!("the change {id} (leaf={hash}) of a receipt is not in the log")));
        }
        if let Some(position) = self.unexplained.values().min() {
            return wrong(*position, "the payload is erased, and no later entry says that it was");
        }
        self.chain.finish().map_err(|why| Failure::Wrong(None, why))?;
        let (keys, checkpoints) = (self.chain.keys().to_vec(), self.checkpoints);
        Ok(Proven { checkpoint, keys, checkpoints, erased: self.erased, epochs: self.epochs, abandoned })
    }
}

/// Reads a receipt: `ID; leaf=HASH`.
pub fn receipt(text: &str) -> Result<(Uuid, Hash), &'static str> {
    const WRONG: &str = "is no receipt; write it as the header Mandate-Receipt has it: \"ID; leaf=HASH\"";
    let (id, leaf) = text.split_once(';').ok_or(WRONG)?;
    let hash = leaf.trim().strip_prefix("leaf=").and_then(|hash| STANDARD.decode(hash).ok()).ok_or(WRONG)?;
    Ok((id.trim().parse().map_err(|_| WRONG)?, hash.try_into().map_err(|_| WRONG)?))
}
