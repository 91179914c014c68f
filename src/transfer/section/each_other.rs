//! Rows of a section that refer to each other.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use uuid::Uuid;

use crate::{
    repository::Resource,
    transfer::present::{Present, external},
};

/// Rows that refer to each other by their external ids can be written by one statement: each gets its id now.
pub(super) fn name<R: Resource>(present: &Present<R>, ids: &mut [Option<Uuid>], bodies: &mut [Value]) {
    let own: Vec<&str> =
        R::REFERENCES.iter().filter(|reference| reference.table == R::TABLE).map(|reference| reference.field).collect();
    let called = |body: &Value| {
        let names = own.iter().filter_map(|field| body.get(*field)?.as_str()?.strip_prefix("external:"));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let wanted: HashSet<String> = bodies.iter().flat_map(called).collect();
    let mut named: HashMap<String, Uuid> = HashMap::new();
    for (id, body) in ids.iter_mut().zip(&*bodies) {
        if let Some(name) = external(body).filter(|name| wanted.contains(*name)) {
            let known = present.of(usize::MAX, *id, body).map(|before| before.id);
            let id = known.unwrap_or_else(|| *id.get_or_insert_with(Uuid::now_v7));
            named.entry(name.to_owned()).or_insert(id);
        }
    }
    for body in bodies {
        for field in &own {
            let name = body.get(*field).and_then(|word| word.as_str()?.strip_prefix("external:"));
            if let Some(id) = name.and_then(|name| named.get(name)) {
                body[*field] = id.to_string().into();
            }
        }
    }
}
