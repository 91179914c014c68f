//! `Receipt`: what a writer may keep to prove later that the change was recorded.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::resource::Stored;

/// Names a change in the log: the writer's proof against its omission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the change.
    pub change: Uuid,
    /// The hash of its leaf: SHA-256 of a zero byte and the leaf.
    pub leaf_hash: Vec<u8>,
}

/// As it stands in the header `Mandate-Receipt`.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; leaf={}", self.change, STANDARD.encode(&self.leaf_hash))
    }
}

/// A row as a statement that writes answers it.
pub(super) struct Written<R>(pub(super) Stored<R>);

impl<'r, R: FromRow<'r, PgRow>> FromRow<'r, PgRow> for Written<R> {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        let receipt = Receipt { change: row.try_get("receipt_id")?, leaf_hash: row.try_get("receipt_leaf")? };
        Ok(Self(Stored { receipt: Some(receipt), ..Stored::from_row(row)? }))
    }
}
