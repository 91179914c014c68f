//! The file that `mandate audit export` writes: a head, then each entry, and after the entry that it covers each checkpoint kept. One JSON
//! object a line; `leaf` and `payload` stand in it as the very text that is hashed.

use std::io::{self, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The name of the form, and its version.
pub const FORMAT: &str = "mandate-audit/1";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// `mandate-audit/1`.
    pub format: String,
    /// The public key of who signs the log, with its origin. An auditor has it from elsewhere.
    pub key: String,
    /// The keys that signed it before, the first one first; left out when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_keys: Vec<String>,
    /// The number of entries.
    pub entries: u64,
}

/// An entry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry<'a> {
    /// Its place, from 1.
    pub(crate) position: u64,
    /// The hash of the leaf in base64, as the database keeps it.
    pub(crate) leaf_hash: &'a str,
    /// The leaf.
    #[serde(borrow)]
    pub(crate) leaf: &'a RawValue,
    /// What is hashed before the payload; null when it is erased.
    pub(crate) salt: Option<Uuid>,
    /// What was before and after, and why; null when it is erased.
    #[serde(borrow)]
    pub(crate) payload: Option<&'a RawValue>,
}

/// A checkpoint over all the entries before it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The signed note.
    pub checkpoint: String,
}

/// What the leaf says, in the order of its names.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaf<'a> {
    /// `created`, `updated` or `deleted`.
    pub(crate) action: &'a str,
    /// Who, such as `key:night-batch`.
    #[serde(borrow)]
    pub(crate) actor: std::borrow::Cow<'a, str>,
    /// When, by the database's clock (RFC 3339, UTC).
    pub(crate) at: &'a str,
    /// The id of the change.
    pub(crate) id: Uuid,
    /// What was changed, such as `initiative`.
    pub(crate) kind: &'a str,
    /// SHA-256 of the salt's 16 bytes and the payload, in hexadecimal digits.
    pub(crate) payload: &'a str,
    /// The request in which it happened.
    #[serde(borrow)]
    pub(crate) request_id: std::borrow::Cow<'a, str>,
    /// The id of what was changed.
    pub(crate) resource_id: Uuid,
    /// The version of this form: 1.
    pub(crate) v: u8,
    /// The version that the change made.
    pub(crate) version: i32,
}

/// Writes the line of an entry.
pub fn write_entry(
    out: &mut impl Write,
    position: i64,
    (leaf, leaf_hash): (&str, &[u8]),
    (salt, payload): (Option<Uuid>, Option<&str>),
) -> io::Result<()> {
    let leaf_hash = STANDARD.encode(leaf_hash);
    write!(out, "{{\"position\":{position},\"leaf_hash\":\"{leaf_hash}\",\"leaf\":{leaf},\"salt\":")?;
    match (salt, payload) {
        (Some(salt), Some(payload)) => writeln!(out, "\"{salt}\",\"payload\":{payload}}}"),
        _ => writeln!(out, "null,\"payload\":null}}"),
    }
}

/// Writes a line.
pub fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
