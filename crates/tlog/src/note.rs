//! Signed notes (C2SP signed-note), the keys that sign them, and the checkpoint that such a note carries (C2SP tlog-checkpoint).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::hash::Hash;

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The checkpoints of its own log: Ed25519 over the text.
    Log = 1,
    /// The checkpoints of others, with the time (C2SP tlog-cosignature).
    Witness = 4,
}

fn key_id(name: &str, purpose: Purpose, key: &VerifyingKey) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name);
    hash.update([b'\n', purpose as u8]);
    hash.update(key.as_bytes());
    let hash: Hash = hash.finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// `name`, the id in hexadecimal digits, and purpose and key in base64, with `+` between them.
fn parts(text: &str) -> Option<(&str, &str, Purpose, [u8; 32])> {
    let (name, rest) = text.trim().split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let bytes = STANDARD.decode(key).ok()?;
    let (purpose, key) = bytes.split_first()?;
    let purpose = match purpose {
        1 => Purpose::Log,
        4 => Purpose::Witness,
        _ => return None,
    };
    is_name(name).then_some((name, id, purpose, key.try_into().ok()?))
}

/// Whether it can name a log or a witness.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// The public part of a key: `mandate.local/log+1a2b3c4d+AQ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    /// The origin of the log, or the name of the witness.
    pub name: String,
    /// What it signs.
    pub purpose: Purpose,
    key: VerifyingKey,
}

impl VerifierKey {
    fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.purpose, &self.key)
    }

    /// Whether the note has a valid signature by this key.
    pub fn has_signed(&self, note: &Note) -> bool {
        let own = note.signatures.iter().filter(|line| line.name == self.name && line.id == self.id());
        own.into_iter().any(|line| match self.purpose {
            Purpose::Log => self.is_valid(note.text.as_bytes(), &line.bytes),
            Purpose::Witness => line.bytes.split_first_chunk::<8>().is_some_and(|(time, signature)| {
                self.is_valid(cosigned(u64::from_be_bytes(*time), &note.text).as_bytes(), signature)
            }),
        })
    }

    fn is_valid(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl FromStr for VerifierKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is no verifier key; write it as NAME+HASH+KEY, as `mandate audit key create` prints it";
        let (name, id, purpose, key) = parts(text).ok_or(WRONG)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| WRONG)?;
        let found = Self { name: name.to_owned(), purpose, key };
        if hex(&found.id()) == id { Ok(found) } else { Err(WRONG) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[self.purpose as u8][..], self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex(&self.id()), STANDARD.encode(bytes))
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A key that signs. Its text, kept in a file, is `PRIVATE+KEY+` and then like the public part.
#[derive(Clone)]
pub struct SignerKey {
    name: String,
    purpose: Purpose,
    key: SigningKey,
}

impl SignerKey {
    /// The key with this seed.
    pub fn new(name: &str, purpose: Purpose, seed: &[u8; 32]) -> Self {
        Self { name: name.to_owned(), purpose, key: SigningKey::from_bytes(seed) }
    }

    /// The public part.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), purpose: self.purpose, key: self.key.verifying_key() }
    }

    /// The text of its file.
    pub fn to_file(&self) -> String {
        let bytes = [&[self.purpose as u8][..], &self.key.to_bytes()].concat();
        format!("PRIVATE+KEY+{}+{}+{}\n", self.name, hex(&self.verifier().id()), STANDARD.encode(bytes))
    }

    /// Signs the text of a note; `time` (seconds since 1970) stands in the signature of a witness.
    pub fn sign(&self, text: &str, time: u64) -> SignatureLine {
        let bytes = match self.purpose {
            Purpose::Log => self.key.sign(text.as_bytes()).to_bytes().to_vec(),
            Purpose::Witness => {
                let signature = self.key.sign(cosigned(time, text).as_bytes()).to_bytes();
                [&time.to_be_bytes()[..], &signature].concat()
            }
        };
        SignatureLine { name: self.name.clone(), id: self.verifier().id(), bytes }
    }
}

impl FromStr for SignerKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "has no signing key; `mandate audit key create` makes one";
        let (name, id, purpose, seed) = text.strip_prefix("PRIVATE+KEY+").and_then(parts).ok_or(WRONG)?;
        let key = Self::new(name, purpose, &seed);
        if hex(&key.verifier().id()) == id { Ok(key) } else { Err(WRONG) }
    }
}

/// The secret is not shown.
impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({})", self.verifier())
    }
}

fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A text with signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text, with a line end at its end.
    pub text: String,
    /// The signatures.
    pub signatures: Vec<SignatureLine>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl FromStr for Note {
    type Err = &'static str;

    fn from_str(note: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is no signed note";
        let (text, lines) = note.rsplit_once("\n\n").ok_or(WRONG)?;
        let signature = |line: &str| {
            let (name, rest) = line.strip_prefix("— ")?.split_once(' ')?;
            let bytes = STANDARD.decode(rest).ok()?;
            let (id, bytes) = bytes.split_first_chunk()?;
            is_name(name).then(|| SignatureLine { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
        };
        let signatures: Option<Vec<_>> = lines.lines().map(signature).collect();
        let signatures = signatures.filter(|all| !all.is_empty()).ok_or(WRONG)?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            writeln!(f, "— {} {}", line.name, STANDARD.encode([&line.id[..], &line.bytes].concat()))?;
        }
        Ok(())
    }
}

/// The state of a log: so many leaves, with this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// As a note, signed.
    pub fn signed(&self, key: &SignerKey) -> Note {
        self.signed_by(&[key])
    }

    /// As a note, signed by several.
    pub fn signed_by(&self, keys: &[&SignerKey]) -> Note {
        let text = self.to_string();
        let signatures = keys.iter().map(|key| key.sign(&text, 0)).collect();
        Note { text, signatures }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }
}

impl FromStr for Checkpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is no checkpoint";
        let mut lines = text.lines();
        let mut next = || lines.next().ok_or(WRONG);
        let (origin, size, root) = (next()?.to_owned(), next()?, next()?);
        let root = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(WRONG)?;
        let checkpoint = Self { origin, size: size.parse().map_err(|_| WRONG)?, root };
        if checkpoint.to_string() == text { Ok(checkpoint) } else { Err(WRONG) }
    }
}
