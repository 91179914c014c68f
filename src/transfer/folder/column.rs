//! `Column`: which field a header names, and how its cells are read. The published schema of the noun decides both.

use serde_json::Value;

use crate::{
    api::{
        guard::unguard,
        json::{self, integer},
        shape::Shape,
    },
    base::{text::unknown, values::languages},
    router::Noun,
    transfer::sheet::short,
};

/// A column of a section.
#[derive(Debug)]
pub(super) struct Column {
    /// The field: `["title", "ro"]` for `title.ro`.
    pub(super) path: Vec<String>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    List(Box<Kind>),
}

/// Code and detail of what is wrong with a header.
type Wrong = (&'static str, String);

impl Column {
    /// The column that a header names.
    pub(super) fn of(noun: &Noun, header: &str) -> Result<Self, Wrong> {
        let shape = (noun.shape)();
        let path: Vec<String> = header.split('.').map(str::to_owned).collect();
        if header == "id" {
            return Ok(Self { path, kind: Kind::Text });
        }
        if ["version", "created_at", "updated_at"].contains(&header) {
            return Err(("not_allowed", "is kept by the service; leave the column out".into()));
        }
        let found = place(shape, &shape.root, &path);
        let Some(schema) = found else {
            let known = names(shape);
            return Err(("unknown_field", unknown("column", &short(header), known.iter().map(String::as_str))));
        };
        let kind = kind(shape, schema).ok_or_else(|| {
            let inner: Vec<String> =
                names(shape).into_iter().filter(|name| name.starts_with(&format!("{header}."))).collect();
            ("wrong_type", format!("has fields of its own; name them: {}", inner.join(", ")))
        })?;
        Ok(Self { path, kind })
    }

    /// The value of a cell that is not empty. What is not of the column's type stays text, which the schema refuses.
    pub(super) fn value(&self, cell: &str) -> Value {
        self.kind.value(unguard(cell))
    }
}

impl Kind {
    fn value(&self, words: &str) -> Value {
        let read = match self {
            Self::Text => None,
            Self::Integer => integer(words.trim()).map(Value::from),
            Self::Number => words.trim().parse::<f64>().ok().map(Value::from),
            Self::Boolean => words.trim().to_ascii_lowercase().parse::<bool>().ok().map(Value::from),
            Self::List(_) if words.starts_with('[') => json::parse_bytes(words.as_bytes()).ok(),
            Self::List(item) => {
                let items = words.split(';').map(str::trim).filter(|word| !word.is_empty());
                Some(items.map(|word| item.value(word)).collect())
            }
        };
        read.unwrap_or_else(|| words.into())
    }
}

/// The alternatives of a schema.
fn branches<'a>(shape: &'a Shape, schema: &'a Value) -> Vec<&'a Value> {
    let schema = shape.resolve(schema);
    match schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        Some(branches) => branches.iter().map(|branch| shape.resolve(branch)).collect(),
        None => vec![schema],
    }
}

/// The schema of the field to which a path leads.
fn place<'a>(shape: &'a Shape, schema: &'a Value, path: &[String]) -> Option<&'a Value> {
    let [step, rest @ ..] = path else { return Some(schema) };
    branches(shape, schema).into_iter().find_map(|branch| {
        if let Some(field) = branch.get("properties").and_then(|fields| fields.get(step)) {
            return place(shape, field, rest);
        }
        let any = branch.get("additionalProperties").filter(|schema| schema.is_object())?;
        let names = branch.pointer("/propertyNames/enum").and_then(Value::as_array);
        let is_name = names.is_none_or(|names| names.iter().any(|name| name == step));
        place(shape, any, rest).filter(|_| is_name)
    })
}

fn kind(shape: &Shape, schema: &Value) -> Option<Kind> {
    branches(shape, schema).into_iter().find_map(|branch| {
        let types: Vec<&str> = match branch.get("type") {
            Some(Value::String(only)) => vec![only],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        types.into_iter().find_map(|name| match name {
            "string" => Some(Kind::Text),
            "integer" => Some(Kind::Integer),
            "number" => Some(Kind::Number),
            "boolean" => Some(Kind::Boolean),
            "array" => {
                let item = branch.get("items").and_then(|items| kind(shape, items)).unwrap_or(Kind::Text);
                Some(Kind::List(Box::new(item)))
            }
            _ => None,
        })
    })
}

/// The names of the columns that a section can have, with the languages of the service.
fn names(shape: &Shape) -> Vec<String> {
    let mut names = vec!["id".to_owned()];
    for (name, schema) in shape.properties() {
        let mut inner: Vec<String> = Vec::new();
        for branch in branches(shape, schema) {
            inner.extend(
                branch.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()),
            );
            if branch.get("additionalProperties").is_some_and(Value::is_object) {
                inner.extend(languages().iter().cloned());
            }
        }
        if inner.is_empty() {
            names.push(name.clone());
        }
        names.extend(inner.into_iter().map(|field| format!("{name}.{field}")));
    }
    names
}
