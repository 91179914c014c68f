//! The rows of a section that are there already: found by id, by external id, by the code within what they belong to, or by what they say.

mod keys;
mod names;
mod values;

use std::collections::HashMap;

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    error::Error,
    repository::{self, Fault, Resource, Stored},
};

/// The tables whose rows have codes, and within what a code names one of them. One that belongs to different things (`initiative_id` or `step_id`)
/// names a row together with all of them.
pub const CODED: &[(&str, &[&str])] = &[
    ("entities", &[]),
    ("funding_sources", &[]),
    ("strategies", &[]),
    ("objectives", &["strategy_id"]),
    ("initiatives", &["strategy_id"]),
    ("steps", &["initiative_id"]),
    ("milestones", &["initiative_id"]),
    ("reporting_cycles", &["strategy_id"]),
    ("risks", &["strategy_id", "initiative_id", "step_id"]),
    ("indicators", &["strategy_id", "objective_id", "initiative_id", "step_id"]),
    ("treaties", &[]),
    ("forums", &[]),
    ("commitments", &["catalogue"]),
    ("frameworks", &["edition"]),
];

/// The rows that are there already.
pub(super) struct Present<R> {
    by_id: HashMap<Uuid, Stored<R>>,
    by_external: HashMap<String, Uuid>,
    /// What was found for the rows that neither an id nor an external id leads to, by their index.
    found: HashMap<usize, Vec<Uuid>>,
    /// The field by which a row was found, where that stays as it is written there.
    kept: HashMap<usize, &'static str>,
    /// Why a row cannot be told from what is there.
    faults: HashMap<usize, Fault>,
    /// The rows that have the code of a row and another external id.
    rivals: HashMap<usize, Rival>,
    past: Vec<Uuid>,
}

/// A row that has the code or the key of another, and an external id of its own.
struct Rival {
    field: &'static str,
    external_id: String,
}

impl Rival {
    fn detail(&self) -> String {
        let (name, what) = (&self.external_id, self.field.replace('_', " "));
        format!(
            "a row with this {what} is there, and its external id is `{name}`; leave `external_id` out or write `{name}` to mean that one"
        )
    }
}

fn fault(field: &str, code: &str, detail: String) -> Fault {
    Fault { pointer: format!("#/{field}"), code: code.into(), detail }
}

/// A row that was found for the one with this index: its id and its external id.
type Found = (i64, Uuid, Option<String>);

pub(super) fn external(body: &Value) -> Option<&str> {
    body.get("external_id")?.as_str()
}

impl<R: Resource> Present<R> {
    pub(super) async fn find(
        connection: &mut PgConnection,
        ids: &[Option<Uuid>],
        bodies: &[Value],
    ) -> Result<Self, Error> {
        let mut ids: Vec<Uuid> = ids.iter().flatten().copied().collect();
        let past = if ids.is_empty() {
            Vec::new()
        } else {
            sqlx::query_scalar(
                "select distinct c.entity_id from unnest($2) g(id) join changes c on c.kind = $1 and c.entity_id = g.id",
            )
            .bind(R::KIND)
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?
        };
        let names: Vec<String> = bodies.iter().filter_map(external).map(str::to_owned).collect();
        let by_external = if names.is_empty() {
            HashMap::new()
        } else {
            repository::named_by(connection, R::TABLE, "external_id", &names).await?
        };
        ids.extend(by_external.values());
        let mut present = Self {
            by_id: HashMap::new(),
            by_external,
            found: HashMap::new(),
            kept: HashMap::new(),
            faults: HashMap::new(),
            rivals: HashMap::new(),
            past,
        };
        present.fetch(connection, &ids).await?;
        Ok(present)
    }

    async fn fetch(&mut self, connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), Error> {
        let missing: Vec<Uuid> = ids.iter().copied().filter(|id| !self.by_id.contains_key(id)).collect();
        if !missing.is_empty() {
            let rows = repository::find_many::<R>(connection, &missing).await?;
            self.by_id.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        Ok(())
    }

    /// Finds the others by their codes; the references of the bodies are resolved. A row that another system has named otherwise is not meant.
    pub(super) async fn find_by_code(
        &mut self,
        connection: &mut PgConnection,
        ids: &[Option<Uuid>],
        bodies: &[Value],
    ) -> Result<(), Error> {
        let Some((_, within)) = CODED.iter().find(|(table, _)| *table == R::TABLE) else { return Ok(()) };
        let open = self.open(ids, bodies);
        let wanted: Vec<Value> = open.iter().filter_map(|(index, body)| key(*index, body, within)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let kind = |column: &str| if column.ends_with("_id") { "uuid" } else { "text" };
        let columns: String = within.iter().flat_map(|column| [", ", column, " ", kind(column)]).collect();
        let meets = if within.len() > 1 { "is not distinct from" } else { "=" };
        let same: String = within.iter().flat_map(|column| [" and t.", column, " ", meets, " g.", column]).collect();
        let table = R::TABLE;
        let sql = format!(
            "select g.index, t.id, t.external_id from jsonb_to_recordset($1) g(index bigint, code text, external_id text{columns}) \
             join {table} t on t.code = g.code{same} order by t.created_at, t.id"
        );
        let found: Vec<Found> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(Json(wanted)).fetch_all(&mut *connection).await?;
        self.take(connection, bodies, "code", found).await?;
        for (index, ids) in &self.found {
            if let [first, second, ..] = &ids[..] {
                let detail =
                    format!("is the code of several: {first} and {second}; say the `id` of the one that is meant");
                self.faults.insert(*index, fault("code", "ambiguous", detail));
            }
        }
        Ok(())
    }

    /// The rows that neither an id nor an external id leads to, and of which nothing was found yet.
    fn open<'b>(&self, ids: &[Option<Uuid>], bodies: &'b [Value]) -> Vec<(usize, &'b Value)> {
        let is_new = |name: &str| !self.by_external.contains_key(name);
        let is_open = |(index, body): &(usize, &Value)| {
            ids[*index].is_none() && external(body).is_none_or(is_new) && !self.found.contains_key(index)
        };
        bodies.iter().enumerate().filter(is_open).collect()
    }

    /// Takes what was found by a field; a row that another system has named otherwise is not meant.
    async fn take(
        &mut self,
        connection: &mut PgConnection,
        bodies: &[Value],
        field: &'static str,
        found: Vec<Found>,
    ) -> Result<(), Error> {
        let mut missing = Vec::new();
        for (index, id, external_id) in found {
            let Ok(index) = usize::try_from(index) else { continue };
            if let Some(external_id) = external_id.filter(|_| external(&bodies[index]).is_some()) {
                self.rivals.insert(index, Rival { field, external_id });
            } else {
                self.found.entry(index).or_default().push(id);
                missing.push(id);
            }
        }
        self.fetch(connection, &missing).await
    }

    /// The row that is meant.
    pub(super) fn of(&self, index: usize, id: Option<Uuid>, body: &Value) -> Option<&Stored<R>> {
        let by_id = id.and_then(|id| self.by_id.get(&id));
        let by_external = || self.by_id.get(self.by_external.get(external(body)?)?);
        let found = || self.by_id.get(self.found.get(&index)?.first()?);
        by_id.or_else(by_external).or_else(found)
    }

    /// The field by which a row was found, where that stays as it is written there.
    pub(super) fn kept(&self, index: usize) -> Option<&'static str> {
        self.kept.get(&index).copied()
    }

    /// Why a row cannot be told from what is there, or does not go with it.
    pub(super) fn fault(&self, index: usize) -> Option<&Fault> {
        self.faults.get(&index)
    }

    /// Says in the faults of a row which other has its code.
    pub(super) fn explain(&self, index: usize, faults: &mut [Fault]) {
        let Some(rival) = self.rivals.get(&index) else { return };
        for fault in faults.iter_mut().filter(|fault| fault.code == "taken" && fault.pointer != "#/external_id") {
            fault.detail = rival.detail();
        }
    }

    /// Whether an id is in the record, and there no more.
    pub(super) fn is_gone(&self, id: Option<Uuid>) -> bool {
        id.is_some_and(|id| self.past.contains(&id) && !self.by_id.contains_key(&id))
    }
}

/// What a row is looked up by: nothing when that is not given as it should be.
fn key(index: usize, body: &Value, within: &[&str]) -> Option<Value> {
    let mut key = Map::from_iter([
        ("index".to_owned(), Value::from(index)),
        ("code".into(), body.get("code")?.as_str()?.into()),
        ("external_id".into(), external(body).map_or(Value::Null, Value::from)),
    ]);
    for column in within {
        let value = match body.get(*column) {
            None | Some(Value::Null) if within.len() > 1 => Value::Null,
            Some(Value::String(word)) if !column.ends_with("_id") || Uuid::try_parse(word).is_ok() => {
                word.as_str().into()
            }
            _ => return None,
        };
        key.insert((*column).to_owned(), value);
    }
    Some(Value::Object(key))
}
