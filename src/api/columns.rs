//! `Columns`: the cells of rows of one type, out of their published schema and never out of the rows. So a table has the same columns whatever
//! is in it, also when it is empty, and no cell holds JSON. `docs/reference/api.md` has the rules.

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::shape::Shape;
use crate::base::values::{chosen, languages};

/// The columns of the rows of one type.
#[derive(Debug, Clone)]
pub struct Columns {
    nodes: Vec<(String, Node)>,
    are_chosen: bool,
}

/// What stands at one place of a row.
#[derive(Debug, Clone)]
enum Node {
    /// One value: a cell.
    Word,
    /// Words by language: a cell for each language of the service, or one in the language asked for.
    Text,
    /// An object: the cells of its fields, `money.amount`.
    Fields(Vec<(String, Node)>),
    /// A list: the cells of an item, each with the values of all items.
    List(Box<Node>),
    /// What the schema leaves open: a cell such as `sex=female; age=0-17`.
    Open,
}

/// A schema that goes on inside of itself ends somewhere.
const DEEPEST: usize = 8;

impl Columns {
    /// The columns of a type.
    pub fn of<T: ToSchema + 'static>() -> Self {
        let shape = Shape::of::<T>();
        Self { nodes: fields(shape, &shape.root, 0), are_chosen: false }
    }

    /// The columns of a noun as the service keeps it.
    pub fn stored(shape: &Shape) -> Self {
        let own = ["id", "version", "created_at", "updated_at"].map(|name| (name.to_owned(), Node::Word));
        Self { nodes: own.into_iter().chain(fields(shape, &shape.root, 0)).collect(), are_chosen: false }
    }

    /// Only these.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&str) -> bool) -> Self {
        self.nodes.retain(|(name, _)| wanted(name));
        self.are_chosen = true;
        self
    }

    /// True when the reader named them: then all are shown, also where they are empty.
    pub fn are_chosen(&self) -> bool {
        self.are_chosen
    }

    /// The same, and these of one value each.
    #[must_use]
    pub fn and(mut self, names: &[&str]) -> Self {
        self.nodes.extend(names.iter().map(|name| ((*name).to_owned(), Node::Word)));
        self
    }

    /// The same, and under this name those of what is shown beside.
    #[must_use]
    pub fn with(mut self, name: &str, beside: Self) -> Self {
        self.nodes.push((name.to_owned(), Node::Fields(beside.nodes)));
        self
    }

    /// The names of the columns; with a language each text has one.
    pub fn names(&self, language: Option<&str>) -> Vec<String> {
        let mut names = Vec::new();
        for (name, node) in &self.nodes {
            node.name(name, language, &mut names);
        }
        names
    }

    /// The cells of a row, one a column.
    pub fn cells(&self, row: &Value, language: Option<&str>) -> Vec<Value> {
        let mut cells = Vec::new();
        for (name, node) in &self.nodes {
            node.fill(row.get(name).unwrap_or(&Value::Null), language, "; ", &mut cells);
        }
        cells
    }

    /// Turns each text of a row into words in a language.
    pub fn speak(&self, row: &mut Value, language: &str) {
        for (name, node) in &self.nodes {
            if let Some(value) = row.get_mut(name) {
                node.speak(value, language);
            }
        }
    }
}

impl Node {
    fn of(shape: &Shape, schema: &Value, depth: usize) -> Self {
        let Some(schema) = solid(shape, schema) else { return Self::Text };
        if depth == DEEPEST {
            return Self::Open;
        }
        if is(schema, "array") {
            return Self::List(Box::new(
                schema.get("items").map_or(Self::Open, |items| Self::of(shape, items, depth + 1)),
            ));
        }
        let fields = fields(shape, schema, depth + 1);
        if !fields.is_empty() {
            return Self::Fields(fields);
        }
        let is_word = ["string", "integer", "number", "boolean"].into_iter().any(|kind| is(schema, kind));
        let is_choice = schema.get("enum").is_some() || schema.get("const").is_some();
        let of_words = |name: &str| {
            let branches = schema.get(name).and_then(Value::as_array);
            branches.is_some_and(|all| {
                all.iter().all(|branch| matches!(Self::of(shape, branch, depth + 1), Self::Word) || is(branch, "null"))
            })
        };
        if is_word || is_choice || of_words("oneOf") || of_words("anyOf") { Self::Word } else { Self::Open }
    }

    fn name(&self, path: &str, language: Option<&str>, names: &mut Vec<String>) {
        match self {
            Self::Word | Self::Open => names.push(path.to_owned()),
            Self::Text if language.is_some() => names.push(path.to_owned()),
            Self::Text => names.extend(languages().iter().map(|language| format!("{path}.{language}"))),
            Self::Fields(fields) => {
                for (name, node) in fields {
                    node.name(&format!("{path}.{name}"), language, names);
                }
            }
            Self::List(item) => item.name(path, language, names),
        }
    }

    fn fill(&self, value: &Value, language: Option<&str>, between: &str, cells: &mut Vec<Value>) {
        match (self, language) {
            (Self::Word, _) => cells.push(value.clone()),
            (Self::Open, _) => cells.push(opened(value)),
            (Self::Text, Some(language)) => cells.push(words(value, language)),
            (Self::Text, None) => {
                cells.extend(languages().iter().map(|language| value.get(language).cloned().unwrap_or_default()));
            }
            (Self::Fields(fields), _) => {
                for (name, node) in fields {
                    node.fill(value.get(name).unwrap_or(&Value::Null), language, between, cells);
                }
            }
            (Self::List(item), _) => {
                let rows: Vec<Vec<Value>> = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|value| {
                        let mut cells = Vec::new();
                        item.fill(value, language, ", ", &mut cells);
                        cells
                    })
                    .collect();
                let mut width = Vec::new();
                item.name("", language, &mut width);
                for column in 0..width.len() {
                    let values: Vec<String> = rows.iter().map(|row| plain(&row[column])).collect();
                    let is_empty = values.iter().all(String::is_empty);
                    cells.push(if is_empty { Value::Null } else { values.join(between).into() });
                }
            }
        }
    }

    fn speak(&self, value: &mut Value, language: &str) {
        match self {
            Self::Text => *value = words(value, language),
            Self::Fields(fields) => {
                for (name, node) in fields {
                    if let Some(value) = value.get_mut(name) {
                        node.speak(value, language);
                    }
                }
            }
            Self::List(item) => {
                value.as_array_mut().into_iter().flatten().for_each(|value| item.speak(value, language));
            }
            Self::Word | Self::Open => {}
        }
    }
}

/// The schema that a value has when it is not null; `None` for a text.
fn solid<'a>(shape: &'a Shape, mut schema: &'a Value) -> Option<&'a Value> {
    loop {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            if target.ends_with("/Text") {
                return None;
            }
            let Some(found) = shape.root.pointer(target.trim_start_matches('#')) else { return Some(schema) };
            schema = found;
            continue;
        }
        let branches = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
        let mut solid = branches.into_iter().flatten().filter(|branch| branch["type"] != "null");
        match (solid.next(), solid.next()) {
            (Some(only), None) => schema = only,
            _ => return Some(schema),
        }
    }
}

/// The fields of an object, also of one that is put together out of several, or is one of several.
fn fields(shape: &Shape, schema: &Value, depth: usize) -> Vec<(String, Node)> {
    let Some(schema) = solid(shape, schema).filter(|_| depth <= DEEPEST) else { return Vec::new() };
    let mut found: Vec<(String, Node)> = Vec::new();
    let own = schema.get("properties").and_then(Value::as_object);
    found.extend(own.into_iter().flatten().map(|(name, field)| (name.clone(), Node::of(shape, field, depth))));
    for parts in ["allOf", "oneOf", "anyOf"].iter().filter_map(|name| schema.get(name)?.as_array()) {
        for (name, node) in parts.iter().flat_map(|part| fields(shape, part, depth + 1)) {
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, node));
            }
        }
    }
    found
}

fn is(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|each| each == kind),
        Some(only) => only == kind,
        None => false,
    }
}

/// A text in a language. What is in one language already stays.
fn words(value: &Value, language: &str) -> Value {
    match value {
        Value::Object(texts) => chosen(language, |language| texts.get(language))
            .or_else(|| texts.values().next())
            .cloned()
            .unwrap_or_default(),
        other => other.clone(),
    }
}

fn plain(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(words) => words.clone(),
        other => other.to_string(),
    }
}

/// What has no columns of its own as one cell.
fn opened(value: &Value) -> Value {
    fn walk(path: &str, value: &Value, leaves: &mut Vec<String>) {
        match value {
            Value::Null => {}
            Value::Object(fields) => walk_fields(path, fields, leaves),
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                for item in items {
                    walk(path, item, leaves);
                }
            }
            Value::Array(items) => leaves.push(leaf(path, &items.iter().map(plain).collect::<Vec<_>>().join(", "))),
            word => leaves.push(leaf(path, &plain(word))),
        }
    }
    fn walk_fields(path: &str, fields: &Map<String, Value>, leaves: &mut Vec<String>) {
        for (name, value) in fields {
            walk(&if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, value, leaves);
        }
    }
    fn leaf(path: &str, words: &str) -> String {
        if path.is_empty() { words.to_owned() } else { format!("{path}={words}") }
    }
    match value {
        Value::Object(_) | Value::Array(_) => {
            let mut leaves = Vec::new();
            walk("", value, &mut leaves);
            leaves.join("; ").into()
        }
        word => word.clone(),
    }
}

#[cfg(test)]
mod tests;
