//! What an import changes in a row: each field with its value before and after.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::base::text::brief;

/// So many fields of a row are told; the others are counted.
const FIELDS: usize = 20;

/// A field that is different now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// The field, or a part of it, such as `status` or `title.en`.
    pub field: String,
    /// Its value before; null where it had none. A long one is cut.
    pub before: Value,
    /// Its value after; null where it has none any more. A long one is cut.
    pub after: Value,
}

/// What is different between two states of a row.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// The first fields.
    pub fields: Vec<FieldChange>,
    /// How many there are beyond them.
    pub more: usize,
    /// The names of all fields in which something is different.
    pub names: Vec<String>,
}

impl Difference {
    /// Between what was and what is.
    pub fn between(before: &Value, after: &Value) -> Self {
        let mut difference = Self::default();
        for (name, value) in after.as_object().into_iter().flatten() {
            let told = difference.told();
            difference.walk(name.clone(), name, &before[name], value);
            if difference.told() > told {
                difference.names.push(name.clone());
            }
        }
        difference
    }

    /// Whether nothing is different.
    pub fn is_none(&self) -> bool {
        self.names.is_empty()
    }

    fn told(&self) -> usize {
        self.fields.len() + self.more
    }

    fn walk(&mut self, path: String, name: &str, before: &Value, after: &Value) {
        if let (Value::Object(was), Value::Object(is)) = (before, after) {
            let gone = was.keys().filter(|name| !is.contains_key(*name));
            for name in is.keys().chain(gone) {
                let none = &Value::Null;
                let (was, is) = (was.get(name).unwrap_or(none), is.get(name).unwrap_or(none));
                self.walk(format!("{path}.{name}"), name, was, is);
            }
        } else if same(name, before, after) {
        } else if self.fields.len() == FIELDS {
            self.more += 1;
        } else {
            self.fields.push(FieldChange { field: path, before: short(before), after: short(after) });
        }
    }
}

/// A value as a report shows it.
fn short(value: &Value) -> Value {
    match value {
        Value::String(words) => brief(words).into(),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            if text.len() <= 100 { value.clone() } else { brief(&text).into() }
        }
        _ => value.clone(),
    }
}

/// Equal as the database sees it, to which `1.5` and `1.50` are one amount.
fn same(name: &str, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(name, value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(name, a, b)),
        (Value::String(a), Value::String(b)) if name.starts_with("amount") || name.starts_with("fte") => {
            let number = |text: &str| text.parse::<rust_decimal::Decimal>().ok();
            a == b || number(a).is_some_and(|a| number(b) == Some(a))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_numbers_and_codes_are_words() {
        let row = |amount: &str, code: &str| json!({"money": {"amount": amount}, "code": code});
        let is_same = |a: &Value, b: &Value| Difference::between(a, b).is_none();
        assert!(is_same(&row("1.5", "1"), &row("1.50", "1")));
        assert!(!is_same(&row("1.5", "1"), &row("1.51", "1")));
        assert!(!is_same(&row("1.5", "1.1"), &row("1.5", "1.10")));
        let list = |rows: &[Value]| json!({"budgets": rows});
        assert!(is_same(&list(&[row("1.5", "1")]), &list(&[row("1.50", "1")])));
        assert!(!is_same(&list(&[row("1.5", "1")]), &list(&[row("1.5", "1"), row("2", "1")])));
    }

    #[test]
    fn parts_are_named_and_what_is_too_many_is_counted() {
        let before = json!({"title": {"ro": "a", "en": "b"}, "status": "completed", "note": null});
        let after = json!({"title": {"ro": "c"}, "status": "completed", "note": {"ro": "x".repeat(500)}});
        let found = Difference::between(&before, &after);
        let fields: Vec<&str> = found.fields.iter().map(|change| change.field.as_str()).collect();
        assert_eq!((fields, found.names), (vec!["title.ro", "title.en", "note"], vec!["title".into(), "note".into()]));
        assert!(found.fields[2].after.to_string().len() < 200, "{:?}", found.fields[2]);
        let many = |word: &str| Value::Object((0..30).map(|n| (format!("f{n}"), word.into())).collect());
        let found = Difference::between(&many("a"), &many("b"));
        assert_eq!((found.fields.len(), found.more, found.names.len()), (20, 10, 30));
    }
}
