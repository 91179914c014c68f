//! Rows that say the same in some of their fields, found for many at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgConnection, types::Json};
use uuid::Uuid;

use super::{
    Error,
    resource::{Resource, Row},
};

/// What a row has to meet to say the same, in words of SQL about the rows `t` and `r`: whatever meets the same is found by one statement.
type Conditions = BTreeSet<String>;

/// The rows that were there before this transaction and say the same in the fields that are named: the place of what is looked for, and the id of
/// what was found, in the order in which they came about. Fields that no column holds as they are given are left to the caller.
pub async fn alike<R: Resource>(
    connection: &mut PgConnection,
    wanted: &[(usize, &R, &Value)],
) -> Result<Vec<(usize, Uuid)>, Error> {
    let mut statements: BTreeMap<Conditions, (Vec<usize>, Vec<Value>)> = BTreeMap::new();
    for (place, data, named) in wanted {
        let row = Row::of(*data);
        let (names, conditions) = conditions(&row, named);
        if conditions.is_empty() {
            continue;
        }
        let values: Map<String, Value> =
            names.into_iter().map(|name| (name.to_owned(), row.values[name].clone())).collect();
        let (places, rows) = statements.entry(conditions).or_default();
        places.push(*place);
        rows.push(Value::Object(values));
    }
    let table = R::TABLE;
    let mut found = Vec::new();
    for (conditions, (places, rows)) in statements {
        let same = conditions.into_iter().collect::<Vec<_>>().join(" and ");
        let sql = format!(
            "with given as materialized (select g.nth_given, r.* from jsonb_array_elements($1) with ordinality g(body, nth_given), \
             jsonb_populate_record(null::{table}, g.body) r) \
             select r.nth_given, t.id from given r join {table} t on {same} where t.updated_at <> now() order by t.created_at, t.id"
        );
        let pairs: Vec<(i64, Uuid)> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(Json(rows)).fetch_all(&mut *connection).await?;
        let place = |nth: i64| usize::try_from(nth - 1).ok().and_then(|nth| places.get(nth).copied());
        found.extend(pairs.into_iter().filter_map(|(nth, id)| Some((place(nth)?, id))));
    }
    Ok(found)
}

/// The columns that are compared, and how.
fn conditions(row: &Row, named: &Value) -> (Vec<&'static str>, Conditions) {
    let (mut names, mut conditions) = (Vec::new(), Conditions::new());
    for (field, given) in named.as_object().into_iter().flatten() {
        let own = row.names.iter().find(|name| **name == field.as_str());
        let parts = given.as_object().filter(|_| own.is_none());
        let parts = parts.into_iter().flat_map(|parts| parts.keys()).filter_map(|part| {
            let under = format!("{field}_{part}");
            row.names.iter().find(|name| **name == part.as_str() || **name == under)
        });
        for name in own.into_iter().chain(parts) {
            names.push(*name);
            match &row.values[*name] {
                Value::Null => drop(conditions.insert(format!("t.{name} is null"))),
                // One language of a text says nothing of the others.
                Value::Object(parts) => conditions.extend(parts.iter().map(|(part, value)| {
                    let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                    if is_plain && value.is_string() {
                        format!("t.{name} ->> '{part}' = r.{name} ->> '{part}'")
                    } else {
                        format!("t.{name} @> r.{name}")
                    }
                })),
                _ => drop(conditions.insert(format!("t.{name} = r.{name}"))),
            }
        }
    }
    (names, conditions)
}
