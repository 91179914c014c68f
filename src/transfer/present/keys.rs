//! Rows without a code that are known by several fields together: those of a unique constraint, or those of an amount.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgConnection, types::Json};
use uuid::Uuid;

use super::{Found, Present, external, fault};
use crate::{api::shape::is_day, error::Error, repository::Resource};

/// What rows of a table are known by.
struct Key {
    table: &'static str,
    /// The field that a second row of one key is faulted for.
    field: &'static str,
    /// The columns that a row names.
    named: &'static [&'static str],
    /// The columns that a row names or that are empty.
    open: &'static [&'static str],
}

const fn key(
    table: &'static str,
    field: &'static str,
    named: &'static [&'static str],
    open: &'static [&'static str],
) -> Key {
    Key { table, field, named, open }
}

/// The keys that are unique, as the constraints of the database have them.
const UNIQUE: &[Key] = &[
    key("legal_acts", "identity", &["country", "issuer", "act_type", "number", "date"], &[]),
    key("assignments", "role", &["entity_id", "role"], &["initiative_id", "step_id", "valid_from"]),
    key(
        "dependencies",
        "pair",
        &[],
        &["predecessor_initiative_id", "predecessor_step_id", "successor_initiative_id", "successor_step_id"],
    ),
    key("exchange_rates", "valid_on", &["base_currency", "quote_currency", "valid_on", "source"], &[]),
    key("progress_reports", "period", &["cycle_id", "period"], &["initiative_id", "step_id", "corrects_id"]),
    key("indicator_targets", "period_from", &["indicator_id", "period_from", "period_to"], &[]),
    key(
        "measurements",
        "period_from",
        &["indicator_id", "period_from", "period_to"],
        &["disaggregation", "restates_id"],
    ),
    key("delegations", "entity_id", &["engagement_id", "entity_id"], &[]),
    key("contribution_partners", "role", &["contribution_id", "entity_id", "role"], &[]),
    key("answers", "indicator", &["assessment_id", "indicator"], &[]),
    key("citations", "evidence_id", &["answer_id", "evidence_id"], &[]),
];

/// What an amount is known by, of which there may be several.
const AMOUNT: Key =
    key("budget_allocations", "money", &["fiscal_year", "phase"], &["initiative_id", "step_id", "funding_source_id"]);

fn kind(column: &str) -> &'static str {
    match column {
        "date" | "valid_on" | "valid_from" | "period_from" | "period_to" => "date",
        "fiscal_year" => "integer",
        "disaggregation" => "jsonb",
        _ if column.ends_with("_id") => "uuid",
        _ => "text",
    }
}

impl Key {
    /// The values of a row, where all of them are as they should be.
    fn of(&self, body: &Value) -> Option<Map<String, Value>> {
        let mut values = Map::new();
        for column in self.named.iter().chain(self.open) {
            let given = body.get(*column).unwrap_or(&Value::Null);
            let is_good = match kind(column) {
                "date" => given.as_str().is_some_and(is_day),
                "integer" => given.as_i64().is_some_and(|year| i32::try_from(year).is_ok()),
                "jsonb" => given.is_object(),
                "uuid" => given.as_str().is_some_and(|word| Uuid::try_parse(word).is_ok()),
                _ => given.is_string(),
            };
            let value = match given {
                Value::Null if *column == "disaggregation" => json!({}),
                Value::Null if self.open.contains(column) => Value::Null,
                given if is_good => given.clone(),
                _ => return None,
            };
            values.insert((*column).to_owned(), value);
        }
        values.values().any(|value| !value.is_null()).then_some(values)
    }

    /// The rows that have these keys, each with the place of its key.
    async fn find(
        &self,
        connection: &mut PgConnection,
        keys: Vec<(usize, Map<String, Value>)>,
    ) -> Result<Vec<Found>, Error> {
        // Where a column is empty, no other condition finds it by an index.
        let mut statements: BTreeMap<Vec<String>, Vec<Value>> = BTreeMap::new();
        for (index, mut values) in keys {
            let empty = values.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect();
            values.insert("index".into(), index.into());
            statements.entry(empty).or_default().push(Value::Object(values));
        }
        let columns: Vec<&str> = self.named.iter().chain(self.open).copied().collect();
        let given: String = columns.iter().flat_map(|column| [", ", column, " ", kind(column)]).collect();
        let mut found = Vec::new();
        for (empty, keys) in statements {
            let same: Vec<String> = columns
                .iter()
                .map(|column| {
                    if empty.iter().any(|name| name == column) {
                        format!("t.{column} is null")
                    } else {
                        format!("t.{column} = g.{column}")
                    }
                })
                .collect();
            let sql = format!(
                "select g.index, t.id, t.external_id from jsonb_to_recordset($1) g(index bigint{given}) join {} t on {} order by t.created_at, t.id",
                self.table,
                same.join(" and ")
            );
            let rows: Vec<Found> =
                sqlx::query_as(AssertSqlSafe(sql)).bind(Json(keys)).fetch_all(&mut *connection).await?;
            found.extend(rows);
        }
        Ok(found)
    }
}

impl<R: Resource> Present<R> {
    /// Finds rows by the fields that no two of them have together.
    pub(in crate::transfer) async fn find_by_key(
        &mut self,
        connection: &mut PgConnection,
        ids: &[Option<Uuid>],
        bodies: &[Value],
    ) -> Result<(), Error> {
        let Some(key) = UNIQUE.iter().find(|key| key.table == R::TABLE) else { return Ok(()) };
        let keys: Vec<_> =
            self.open(ids, bodies).into_iter().filter_map(|(index, body)| Some((index, key.of(body)?))).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let found = key.find(connection, keys).await?;
        self.take(connection, bodies, key.field, found).await
    }

    /// Finds amounts that nobody has named by their item, year, source and phase. One that is meant already is not meant again.
    pub(in crate::transfer) async fn find_amounts(
        &mut self,
        connection: &mut PgConnection,
        (ids, bodies): (&[Option<Uuid>], &[Value]),
        met: &HashSet<Uuid>,
    ) -> Result<(), Error> {
        if R::TABLE != AMOUNT.table {
            return Ok(());
        }
        let mut rows: HashMap<String, (Map<String, Value>, Vec<usize>)> = HashMap::new();
        for (index, body) in self.open(ids, bodies).into_iter().filter(|(_, body)| external(body).is_none()) {
            if let Some(values) = AMOUNT.of(body) {
                let name = Value::Object(values.clone()).to_string();
                rows.entry(name).or_insert_with(|| (values, Vec::new())).1.push(index);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: HashMap<usize, (Map<String, Value>, Vec<usize>)> =
            rows.into_values().map(|(values, indices)| (indices[0], (values, indices))).collect();
        let keys = rows.iter().map(|(first, (values, _))| (*first, values.clone())).collect();
        let mut free: HashMap<usize, Vec<Uuid>> = HashMap::new();
        let meant = self.meant(ids, bodies);
        for (first, id, _) in AMOUNT.find(connection, keys).await? {
            if let Ok(first) = usize::try_from(first)
                && !met.contains(&id)
                && !meant.contains(&id)
            {
                free.entry(first).or_default().push(id);
            }
        }
        let mut missing = Vec::new();
        for (first, (_, indices)) in &rows {
            match free.get(first).map(Vec::as_slice) {
                None | Some([]) => {}
                Some([only]) => {
                    self.found.insert(*first, vec![*only]);
                    missing.push(*only);
                }
                Some([one, other, ..]) => {
                    let detail = format!(
                        "several amounts of this item, year, source and phase are there ({one} and {other}); say the `id` or `external_id` of the one that is meant, or give an `external_id` that is new"
                    );
                    self.faults
                        .extend(indices.iter().map(|index| (*index, fault("money", "ambiguous", detail.clone()))));
                }
            }
        }
        self.fetch(connection, &missing).await
    }

    /// The rows that are meant so far.
    pub(super) fn meant(&self, ids: &[Option<Uuid>], bodies: &[Value]) -> HashSet<Uuid> {
        let rows = bodies.iter().enumerate().filter_map(|(index, body)| self.of(index, ids[index], body));
        rows.map(|row| row.id).collect()
    }
}
