//! The rows of a section that are there already: found by id, by external id, or by the code within what they belong to.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgConnection, types::Json};
use uuid::Uuid;

use super::directory::{Directory, Meant};
use crate::{
    api::Error,
    repository::{self, Resource, Stored},
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
    by_code: HashMap<usize, Vec<Uuid>>,
    /// The rows that are found by their name, by their index.
    by_name: HashSet<usize>,
    /// What names can mean that mean several, by the index of their row.
    several: HashMap<usize, String>,
    past: Vec<Uuid>,
}

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
            by_code: HashMap::new(),
            by_name: HashSet::new(),
            several: HashMap::new(),
            past,
        };
        present.fetch(connection, &ids).await?;
        Ok(present)
    }

    async fn fetch(&mut self, connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), Error> {
        if !ids.is_empty() {
            let rows = repository::find_many::<R>(connection, ids).await?;
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
        let is_open = |(index, body): &(usize, &Value)| {
            ids[*index].is_none() && external(body).is_none_or(|name| !self.by_external.contains_key(name))
        };
        let wanted: Vec<Value> =
            bodies.iter().enumerate().filter(is_open).filter_map(|(index, body)| key(index, body, within)).collect();
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
             join {table} t on t.code = g.code{same} where g.external_id is null or t.external_id is null order by t.created_at, t.id"
        );
        let found: Vec<(i64, Uuid, Option<String>)> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(Json(wanted)).fetch_all(&mut *connection).await?;
        for (index, id, _) in &found {
            if let Ok(index) = usize::try_from(*index) {
                self.by_code.entry(index).or_default().push(*id);
            }
        }
        let missing: Vec<Uuid> =
            found.into_iter().map(|(_, id, _)| id).filter(|id| !self.by_id.contains_key(id)).collect();
        self.fetch(connection, &missing).await
    }

    /// Finds entities and sources of money that say neither an id nor a code by their name.
    pub(super) async fn find_by_name(
        &mut self,
        connection: &mut PgConnection,
        ids: &[Option<Uuid>],
        bodies: &[Value],
    ) -> Result<(), Error> {
        let is_given = |body: &Value, field: &str| body.get(field).is_some_and(|value| !value.is_null());
        let is_open = |(index, body): &(usize, &Value)| {
            ids[*index].is_none() && !is_given(body, "external_id") && !is_given(body, "code") && is_given(body, "name")
        };
        let open: Vec<(usize, &Value)> = bodies.iter().enumerate().filter(is_open).collect();
        if open.is_empty() {
            return Ok(());
        }
        let Some(directory) = Directory::find_all(connection, R::TABLE).await? else { return Ok(()) };
        let mut found = Vec::new();
        for (index, body) in open {
            match directory.find_row(&body["name"]) {
                Meant::Nobody => {}
                Meant::One(id) => {
                    self.by_code.insert(index, vec![id]);
                    self.by_name.insert(index);
                    found.push(id);
                }
                Meant::Several(first, second) => {
                    let detail =
                        format!("can mean {first} or {second}; say the `id` or the `code` of the one that is meant");
                    self.several.insert(index, detail);
                }
            }
        }
        found.retain(|id| !self.by_id.contains_key(id));
        self.fetch(connection, &found).await
    }

    /// The row that is meant.
    pub(super) fn of(&self, index: usize, id: Option<Uuid>, body: &Value) -> Option<&Stored<R>> {
        let by_id = id.and_then(|id| self.by_id.get(&id));
        let by_external = || self.by_id.get(self.by_external.get(external(body)?)?);
        let by_code = || self.by_id.get(self.by_code.get(&index)?.first()?);
        by_id.or_else(by_external).or_else(by_code)
    }

    /// Whether a row was found by a name, which stays as it is written there.
    pub(super) fn is_by_name(&self, index: usize) -> bool {
        self.by_name.contains(&index)
    }

    /// What a code or a name can mean, where that is several rows: the field, and words.
    pub(super) fn several(&self, index: usize) -> Option<(&'static str, String)> {
        if let Some([first, second, ..]) = self.by_code.get(&index).map(Vec::as_slice) {
            let detail = format!("is the code of several: {first} and {second}; say the `id` of the one that is meant");
            return Some(("#/code", detail));
        }
        Some(("#/name", self.several.get(&index)?.clone()))
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
