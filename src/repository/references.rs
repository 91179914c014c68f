//! References given by a name of another row instead of its id.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::{
    Error,
    resource::{Fault, Reference},
};
use crate::base::values::characters::{composed, spellings};

/// Tables whose codes are unique without a context, so that a code names one row.
pub const CODED: [&str; 5] = ["strategies", "entities", "funding_sources", "treaties", "forums"];

/// How a row can be named: the prefix, the column, and what that is called.
type Way = (&'static str, &'static str, &'static str);

const EXTERNAL: Way = ("external:", "external_id", "external id");
const CODE: Way = ("code:", "code", "code");

fn ways(table: &str) -> &'static [Way] {
    if CODED.contains(&table) { &[EXTERNAL, CODE] } else { &[EXTERNAL] }
}

/// The ids of the rows of a table that have these names in a column where names are unique, such as `external_id`. A row whose name was kept
/// before names were composed is found by the composed name too.
pub async fn named_by(
    connection: &mut PgConnection,
    table: &'static str,
    column: &'static str,
    names: &[String],
) -> Result<HashMap<String, Uuid>, Error> {
    let names: Vec<String> = names.iter().flat_map(|name| spellings(name)).collect();
    let mut query = QueryBuilder::new("select t.");
    // Joined, because a plan that is kept from when the table was small compares each row with each name.
    query.push(column).push(", t.id from unnest(").push_bind(names).push(") given(name) join ");
    query.push(table).push(" t on t.").push(column).push(" = given.name");
    let found: Vec<(String, Uuid)> = query.build_query_as().fetch_all(connection).await?;
    let composed_later = found.iter().map(|(name, id)| (composed(name).into_owned(), *id)).collect::<Vec<_>>();
    Ok(composed_later.into_iter().chain(found).collect())
}

/// Whether a field of a row, alone or in a list, refers to another by a name.
pub fn names_a_row(row: &Value, reference: &Reference) -> bool {
    let ways = ways(reference.table);
    given(row.get(reference.field)).iter().any(|value| ways.iter().any(|way| name(value, way).is_some()))
}

/// Replaces each reference given as `external:{external_id}`, or `code:{code}` where codes are unique, alone or in a list, by the id that it
/// names, in rows not yet decoded. What names nothing is a fault, beside the index of its row.
pub async fn resolve(
    connection: &mut PgConnection,
    references: &[Reference],
    rows: &mut [Value],
) -> Result<Vec<(usize, Fault)>, Error> {
    let mut faults = Vec::new();
    for &Reference { field, table } in references {
        for way in ways(table) {
            let names: Vec<String> = rows
                .iter()
                .flat_map(|row| given(row.get(field)))
                .filter_map(|value| name(value, way))
                .map(str::to_owned)
                .collect();
            if names.is_empty() {
                continue;
            }
            let ids = named_by(connection, table, way.1, &names).await?;
            for (index, row) in rows.iter_mut().enumerate() {
                for value in given_mut(row.get_mut(field)) {
                    let Some(name) = name(value, way) else { continue };
                    if !ids.contains_key(name) {
                        faults.push((
                            index,
                            Fault {
                                pointer: format!("#/{field}"),
                                code: "not_found".into(),
                                detail: format!("no row of {table} has the {} `{name}`", way.2),
                            },
                        ));
                    }
                    *value = ids.get(name).copied().unwrap_or_default().to_string().into();
                }
            }
        }
    }
    Ok(faults)
}

fn name<'a>(reference: &'a Value, way: &Way) -> Option<&'a str> {
    reference.as_str()?.strip_prefix(way.0)
}

fn given(field: Option<&Value>) -> &[Value] {
    match field {
        Some(Value::Array(list)) => list,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

fn given_mut(field: Option<&mut Value>) -> &mut [Value] {
    match field {
        Some(Value::Array(list)) => list,
        Some(one) => std::slice::from_mut(one),
        None => &mut [],
    }
}
