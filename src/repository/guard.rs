//! The guard of plans: whether the strategies that a change leaves and enters allow it, by their status (`docs/reference/guard.md`).
//!
//! It stands in the statement that writes, so that no handler can forget it. What weighs is said by each noun (`Resource::needs_reason`).

use serde_json::{Map, Value, json};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    Error,
    resource::{Fault, Resource, Row, Stored},
    write::Author,
};

/// A row to write: as the writer saw it, unless it is new, and as it is to be, unless it is to go.
#[derive(Debug)]
pub struct Change<'a, R> {
    /// Its id.
    pub id: Uuid,
    /// As the writer saw it.
    pub before: Option<&'a Stored<R>>,
    /// As it is to be.
    pub after: Option<&'a R>,
}

impl<R: Resource> Change<'_, R> {
    /// Whether nothing is different afterwards.
    pub fn is_idle(&self) -> bool {
        self.before.is_some_and(|before| self.after == Some(&before.data))
    }

    /// What the database needs to know to judge it.
    fn told(&self, author: &Author) -> Value {
        let sides =
            [self.before.map(|before| &before.data), self.after].map(|side| side.map(|side| Row::of(side).values));
        let mut weight =
            i32::from(author.reason.is_none() && R::needs_reason(self.before.map(|before| &before.data), self.after));
        let mut parents = sides.each_ref().map(|side| side.as_ref().map(parents::<R>));
        let mut own = Value::Null;
        if R::TABLE == STRATEGIES {
            own = json!(self.id);
            let [before, after] = &sides;
            if let (Some(before), Some(after)) = (before, after) {
                if before["status"] != after["status"] {
                    weight = if before["status"] == "archived" { 3 } else { 2 };
                }
                // A plan is one of its own: the strategy that it carries out is left or entered when it is another, and not changed by it.
                if before["parent_id"] == after["parent_id"] {
                    parents = [Some(Map::new()), Some(Map::new())];
                }
            }
            for side in parents.iter_mut().flatten() {
                include(side, STRATEGIES, &self.id.to_string());
            }
        }
        let parents = parents.map(|side| side.map(in_words));
        let [before, after] = parents;
        json!({"weight": weight, "before": before, "after": after, "own": own})
    }
}

const STRATEGIES: &str = "strategies";

/// The ids of the parents of a row, by table.
fn parents<R: Resource>(row: &Map<String, Value>) -> Map<String, Value> {
    let mut parents = Map::new();
    for field in R::PARENTS {
        let reference = R::REFERENCES.iter().find(|reference| reference.field == *field);
        let table = reference.map_or("", |reference| reference.table);
        if let Some(id) = row.get(*field).and_then(Value::as_str) {
            include(&mut parents, table, id);
        }
    }
    parents
}

/// What a row refers to besides where it stands: another plan may follow from it, and be proved by the same evidence.
const BESIDE: [&str; 3] = ["predecessor_initiative_id", "predecessor_step_id", "evidence_id"];

/// The reference by which a row of a strategy goes to another one, or to none.
pub async fn leaves_plan<R: Resource>(
    connection: &mut PgConnection,
    before: &R,
    after: &R,
) -> Result<Option<&'static str>, Error> {
    let sides = [before, after].map(|side| Row::of(side).values);
    let moved =
        R::PARENTS.iter().copied().find(|field| !BESIDE.contains(field) && sides[0][*field] != sides[1][*field]);
    let Some(moved) = moved else { return Ok(None) };
    let [before, after] = sides.map(|mut side| {
        side.retain(|field, _| !BESIDE.contains(&field.as_str()));
        Json(in_words(parents::<R>(&side)))
    });
    let sql = "select coalesce(w.was <> '{}' and not (w.was <@ w.becomes and w.becomes <@ w.was), false)
         from (select coalesce(strategies_above($1), '{}') as was, coalesce(strategies_above($2), '{}') as becomes) w";
    let leaves: bool = sqlx::query_scalar(sql).bind(before).bind(after).fetch_one(connection).await?;
    Ok(leaves.then_some(moved))
}

fn include(parents: &mut Map<String, Value>, table: &str, id: &str) {
    if let Value::Array(ids) = parents.entry(table).or_insert_with(|| json!([])) {
        ids.push(id.into());
    }
}

/// Each list of ids in the words that PostgreSQL has for an array.
fn in_words(parents: Map<String, Value>) -> Value {
    let words = |ids: Value| {
        let ids: Vec<&str> = ids.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        Value::String(format!("{{{}}}", ids.join(",")))
    };
    parents.into_iter().map(|(table, ids)| (table, words(ids))).collect::<Map<_, _>>().into()
}

/// Changes as the guard is told of them: those that are alike only once. Beside each stand the places of those for which it stands.
fn told<R: Resource>(author: &Author, changes: &[Change<'_, R>]) -> (Value, Vec<Vec<usize>>) {
    let (mut different, mut places): (Vec<Value>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
    let mut known = std::collections::HashMap::new();
    for (index, change) in changes.iter().enumerate().filter(|(_, change)| !change.is_idle()) {
        let mut told = change.told(author);
        let place = *known.entry(told.to_string()).or_insert(different.len());
        if place == different.len() {
            told["place"] = place.into();
            different.push(told);
            places.push(Vec::new());
        }
        places[place].push(index);
    }
    (Value::Array(different), places)
}

/// The guard as a part of a statement that writes: a common table expression with one row, which refuses by an error. `$1` and on of the
/// statement are before it.
pub(super) struct Guard {
    /// What it is told, to be bound.
    pub(super) told: Json<Value>,
    /// Whether there is a reason, to be bound after that.
    pub(super) has_reason: bool,
}

impl Guard {
    /// The guard of these changes, where the noun is part of a plan.
    pub(super) fn of<R: Resource>(author: &Author, changes: &[Change<'_, R>]) -> Option<Self> {
        is_guarded::<R>().then(|| Self { told: Json(told(author, changes).0), has_reason: author.reason.is_some() })
    }
}

/// Whether rows of this noun belong to something that may be a strategy.
fn is_guarded<R: Resource>() -> bool {
    !R::PARENTS.is_empty()
}

/// The faults of those changes that the strategies which they leave and enter do not allow, each with the place of its change. The write would
/// refuse them as well, at the first and for all; this is for those who judge many.
pub async fn guarded<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    changes: &[Change<'_, R>],
) -> Result<Vec<(usize, Fault)>, Error> {
    #[derive(serde::Deserialize)]
    struct Placed {
        place: usize,
        #[serde(flatten)]
        fault: Fault,
    }
    if !is_guarded::<R>() || changes.is_empty() {
        return Ok(Vec::new());
    }
    let (told, places) = told(author, changes);
    let faults: Option<Json<Vec<Placed>>> = sqlx::query_scalar("select guarded($1, $2)")
        .bind(Json(told))
        .bind(author.reason.is_some())
        .fetch_one(connection)
        .await?;
    let mut found = Vec::new();
    for Placed { place, fault } in faults.map(|faults| faults.0).unwrap_or_default() {
        found.extend(places[place].iter().map(|index| (*index, fault.clone())));
    }
    found.sort_by_key(|(index, _)| *index);
    Ok(found)
}

/// Whether an update touches another field than those that are light; `external_id` and `classification` say nothing about the plan.
pub fn weighs<R: Resource>(before: &R, after: &R, light: &[&str]) -> bool {
    let fields = |side: &R| match serde_json::to_value(side) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let (before_fields, mut fields) = (fields(before), fields(after));
    for name in light.iter().chain(&["external_id", "classification"]) {
        if let Some(value) = before_fields.get(*name) {
            fields.insert((*name).into(), value.clone());
        }
    }
    // Compared as the noun understands it: 1.5 is 1.50.
    serde_json::from_value::<R>(Value::Object(fields)).map_or(true, |rest| rest != *before)
}
