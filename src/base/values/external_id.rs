//! `Code` and `ExternalId`: the names that people and other systems already use.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A code as the official document prints it (`A.1.01`, `IV`, `1.5`): kept verbatim, unique in its scope, sorted in natural order. It has no
/// character that cannot be seen, and no space but the plain one, so that codes that look the same are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(transparent)]
#[sqlx(transparent)]
#[schema(value_type = String, format = "visible", min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$", example = "A.1.01")]
pub struct Code(pub String);

/// The caller's own identifier of a resource, unique per noun; usable in URLs as `external:{external_id}`. It has no character that cannot be
/// seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(transparent)]
#[sqlx(transparent)]
#[schema(value_type = String, format = "visible", min_length = 1, max_length = 200, pattern = r"^[^\s/?#]+$", example = "erp-4711")]
pub struct ExternalId(pub String);
