//! The entity for which somebody acts, by a word.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::keys;
use crate::repository::{self, Error, Reference};

const REFERENCES: [Reference; 1] = [Reference { field: "entity_id", table: "entities" }];

/// The id of the entity with this id, `external:` and this external id, or `code:` and this code; `None` when there is none.
pub async fn named(connection: &mut PgConnection, word: &str) -> Result<Option<Uuid>, Error> {
    // No name has such a character, and U+0000 PostgreSQL would not take.
    if word.chars().any(char::is_control) {
        return Ok(None);
    }
    let mut rows = [json!({"entity_id": word})];
    let unresolved = repository::resolve(connection, &REFERENCES, &mut rows).await?;
    let id = rows[0]["entity_id"].as_str().and_then(|id| id.parse().ok());
    match id.filter(|_| unresolved.is_empty()) {
        Some(id) => Ok(keys::has_entity(connection, id).await?.then_some(id)),
        None => Ok(None),
    }
}
