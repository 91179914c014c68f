//! `Classification`: how far a thing may be known. Who may know what is `repository::Clearance`; what a thing inherits is in migration 0030.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a thing may be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Classification {
    /// By everybody.
    Public,
    /// By everybody with a key.
    Internal,
    /// By admins, coordinators and auditors.
    Restricted,
}
