//! Rows that nothing names: each is the one that says the same already, where there is one.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Present, external};
use crate::{
    api::{
        answer::internal,
        json,
        patch::{named, patched},
    },
    error::Error,
    repository::{self, Resource},
    transfer::difference::Difference,
};

/// So many rows that may say the same are looked at for one.
const LOOKED_AT: usize = 20;

impl<R: Resource> Present<R> {
    /// Finds rows by all that they say. Each row that is there is meant once at most, so that two equal rows of a file are two.
    pub(in crate::transfer) async fn find_by_values(
        &mut self,
        connection: &mut PgConnection,
        (ids, bodies): (&[Option<Uuid>], &[Value]),
        met: &HashSet<Uuid>,
    ) -> Result<(), Error> {
        // What has names of its own is found by them.
        if matches!(R::TABLE, "entities" | "funding_sources") {
            return Ok(());
        }
        let says = |body: &Value, field: &str| body.get(field).is_some_and(|value| !value.is_null());
        let mut wanted: Vec<(usize, R, &Value)> = Vec::new();
        for (index, body) in self.open(ids, bodies) {
            if external(body).is_some() || says(body, "code") || self.faults.contains_key(&index) {
                continue;
            }
            if let Ok(data) = json::decode::<R>(named::<R>(body.clone())) {
                wanted.push((index, data, body));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let asked: Vec<(usize, &R, &Value)> = wanted.iter().map(|(index, data, body)| (*index, data, *body)).collect();
        let pairs = repository::alike(connection, &asked).await?;
        let mut meant = self.meant(ids, bodies);
        meant.extend(met);
        let mut candidates: HashMap<usize, Vec<Uuid>> = HashMap::new();
        for (index, id) in pairs.into_iter().filter(|(_, id)| !meant.contains(id)) {
            candidates.entry(index).or_default().push(id);
        }
        // Equal rows have the same candidates: each looks behind those that the others may take.
        let most = LOOKED_AT + candidates.len();
        for ids in candidates.values_mut() {
            ids.truncate(most);
        }
        let missing: HashSet<Uuid> = candidates.values().flatten().copied().collect();
        self.fetch(connection, &missing.into_iter().collect::<Vec<_>>()).await?;
        for (index, _, body) in wanted {
            for id in candidates.get(&index).into_iter().flatten().filter(|id| !meant.contains(id)) {
                let Some(before) = self.by_id.get(id) else { continue };
                if is_said(&before.data, body)? {
                    self.found.insert(index, vec![*id]);
                    meant.insert(*id);
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Whether a row says all that a body names.
fn is_said<R: Resource>(before: &R, body: &Value) -> Result<bool, Error> {
    let Ok(after) = json::decode::<R>(patched(before, body.clone())?) else { return Ok(false) };
    if after == *before {
        return Ok(true);
    }
    let [was, is] = [before, &after].map(|side| serde_json::to_value(side).map_err(internal));
    Ok(Difference::between(&was?, &is?).is_none())
}
