//! The constraints of the database, told as faults of fields: their names and keys are an interface (`docs/reference/adding-a-resource.md`).

use serde_json::Value;
use sqlx::{error::DatabaseError, postgres::PgDatabaseError};

/// What another resource has too: a field, or several together, which PostgreSQL names as `Key (indicator_id, period_from)=(..)`.
pub(crate) fn taken(error: &dyn DatabaseError, field: &str) -> String {
    let detail = error.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::detail).unwrap_or_default();
    let key = detail.strip_prefix("Key (").and_then(|rest| rest.split_once(")=(")).map_or("", |(key, _)| key);
    let fields: Vec<&str> =
        key.split(", ").filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')).collect();
    match fields.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            format!(
                "another resource already has this {} together; change that one, or give another",
                [rest.join(", "), (*last).into()].join(" and ")
            )
        }
        _ => format!("another resource already has this {}; change that one, or give another", field.replace('_', " ")),
    }
}

/// The field that a constraint is about, by PostgreSQL's own way of naming: `{table}_{field}_{key|fkey|check|excl}`.
pub(crate) fn field(table: &str, constraint: &str) -> String {
    let inner = constraint.strip_prefix(table).unwrap_or(constraint).trim_start_matches('_');
    ["_fkey", "_key", "_check", "_excl", "_not_null"]
        .iter()
        .find_map(|suffix| inner.strip_suffix(suffix))
        .unwrap_or(inner)
        .to_owned()
}

/// Why a change is not written where it cannot wait for a second principal.
pub(crate) fn needs_second(change: &Value) -> String {
    format!(
        "{} needs a second principal here (MANDATE_FOUR_EYES of the service); write it over HTTP, where it stands as proposed until somebody else confirms it",
        change["act"].as_str().unwrap_or("this")
    )
}
