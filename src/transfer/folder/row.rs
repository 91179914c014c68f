//! One row of a plan file as cells, and back.

use serde_json::{Map, Value};

use crate::api::format;

/// A row as one level of cells.
pub(super) fn flattened(mut row: Value) -> Map<String, Value> {
    settle(&mut row);
    format::flatten(&row)
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
        Some(Value::String(words)) => format::guard(words).into_owned(),
        Some(other) => other.to_string(),
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
