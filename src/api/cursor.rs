//! Cursors: where a page ended, as an opaque word. It belongs to one sort order and is refused with another.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The sort order that it belongs to.
    #[serde(rename = "o")]
    pub order: String,
    /// The language of the order, where a key is a text.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The sort values of the last row.
    #[serde(rename = "v")]
    pub values: Vec<String>,
    /// The id of the last row.
    #[serde(rename = "i")]
    pub id: Uuid,
}

impl Cursor {
    /// The opaque word.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("a cursor is JSON"))
    }

    /// Reads the word again.
    pub fn decode(word: &str) -> Option<Self> {
        let cursor: Self = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(word).ok()?).ok()?;
        (!cursor.values.iter().any(|value| value.contains('\0'))).then_some(cursor)
    }
}
