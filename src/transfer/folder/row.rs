//! One row of a plan file as cells, and back.

use serde_json::{Map, Value};

use crate::api::guard::guard;

/// A row as one level of cells.
pub(super) fn flattened(mut row: Value) -> Map<String, Value> {
    settle(&mut row);
    flatten(&row)
}

/// A row as one level of cells: `money.amount`, `title.ro`; lists of words joined by `; `, other lists as JSON.
fn flatten(value: &Value) -> Map<String, Value> {
    fn walk(prefix: &str, value: &Value, cells: &mut Map<String, Value>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                    walk(&path, value, cells);
                }
            }
            Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
                let words: Vec<String> = items.iter().map(plain).collect();
                cells.insert(prefix.into(), words.join("; ").into());
            }
            Value::Array(items) => {
                cells.insert(prefix.into(), Value::Array(items.clone()).to_string().into());
            }
            other => {
                cells.insert(prefix.into(), other.clone());
            }
        }
    }
    let mut cells = Map::new();
    walk("", value, &mut cells);
    cells
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(words) => words.clone(),
        other => other.to_string(),
    }
}

/// The columns of rows already flattened, in order of first appearance; a null column gives way to the columns under it (`title.ro`).
pub(super) fn columns(rows: &[Map<String, Value>]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if columns.contains(name) {
            continue;
        }
        // Siblings stay together: `title.en` stands beside `title.ro`, even when a later row has it first.
        let family = name.split('.').next().unwrap_or_default();
        let place = columns.iter().rposition(|column| column.split('.').next() == Some(family));
        columns.insert(place.map_or(columns.len(), |place| place + 1), name.clone());
    }
    let under = |name: &String| columns.iter().any(|other| other.starts_with(&format!("{name}.")));
    columns.iter().filter(|name| !under(name)).cloned().collect()
}

/// A list whose words, joined by `; `, would not come apart again is written as JSON.
fn settle(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(settle),
        Value::Array(items) => {
            let is_plain = |item: &Value| {
                let word = item.as_str();
                word.is_none_or(|word| !word.is_empty() && !word.contains(';') && word.trim() == word)
            };
            let starts_plain = items.first().and_then(Value::as_str).is_none_or(|word| !word.starts_with('['));
            if items.is_empty() || !starts_plain || !items.iter().all(is_plain) {
                *value = value.to_string().into();
            }
        }
        _ => {}
    }
}

/// A cell. An empty one stands for no value, so the empty text is an apostrophe, which `guard` never makes of another text.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(words)) if words.is_empty() => "'".into(),
        Some(Value::String(words)) => guard(words).into_owned(),
        Some(other) => other.to_string(),
    }
}

/// A field none of whose parts has a value is cleared as a whole.
pub(super) fn cleared(value: &mut Value) {
    if let Value::Object(parts) = value {
        parts.values_mut().for_each(cleared);
        if parts.values().all(Value::is_null) {
            *value = Value::Null;
        }
    }
}

/// The field has a value already.
pub(super) struct Taken;

/// Puts a value where the path leads.
pub(super) fn put(row: &mut Map<String, Value>, path: &[String], value: Value) -> Result<(), Taken> {
    match path {
        [] => Err(Taken),
        [name] if row.contains_key(name) => Err(Taken),
        [name] => {
            row.insert(name.clone(), value);
            Ok(())
        }
        [name, rest @ ..] => match row.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(fields) => put(fields, rest, value),
            _ => Err(Taken),
        },
    }
}
