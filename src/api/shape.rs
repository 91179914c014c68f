//! `Shape`: the published schema of a type, as the judge of what comes in.
//!
//! Bodies and queries are held against the same JSON Schema that `/openapi.json` shows. So the document cannot promise what the service
//! refuses, and all faults of an input are found at once, before serde sees it (which would stop at the first).

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{LazyLock, PoisonError, RwLock},
};

use chrono::{DateTime, Datelike as _, NaiveDate};
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind as Kind};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{characters, json::Field};
use crate::{
    base::text::{suggestion, unknown},
    base::values::characters::unfit_in_name,
    repository::Fault,
};

/// The published schema of a type, and its judge.
pub struct Shape {
    /// The schema, with what it refers to under `components`.
    pub root: Value,
    /// The name in the document.
    pub name: String,
    /// The properties that have a day somewhere in them.
    dated: Vec<String>,
    validator: Validator,
}

/// So many faults of one value are named.
const MANY: usize = 100;

static SHAPES: LazyLock<RwLock<HashMap<TypeId, &'static Shape>>> = LazyLock::new(RwLock::default);

/// The component schemas of a type, itself included, by name.
pub fn schemas<T: ToSchema>() -> Map<String, Value> {
    let mut all = Vec::new();
    T::schemas(&mut all);
    all.push((T::name().into_owned(), T::schema()));
    all.into_iter()
        .map(|(name, schema)| {
            let mut schema = serde_json::to_value(schema).expect("a schema is JSON");
            without_null_defaults(&mut schema);
            mend_inlined(&mut schema);
            (name, schema)
        })
        .collect()
}

/// `default: null` is what utoipa makes of an optional field in a struct with defaults; it contradicts the field's own type.
fn without_null_defaults(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("default").is_some_and(Value::is_null) {
                fields.shift_remove("default");
            }
            fields.values_mut().for_each(without_null_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null_defaults),
        _ => {}
    }
}

/// A word whose schema stands in place and whose field has a comment comes from the library as both a word and an object with that comment; here
/// it becomes a word with the comment.
fn mend_inlined(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some([word, comment]) = fields.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
                && comment["type"] == "object"
                && comment.as_object().is_some_and(|comment| comment.len() == 2 && comment.contains_key("description"))
                && let Some(mut mended) = word.as_object().cloned()
            {
                mended.insert("description".into(), comment["description"].clone());
                *fields = mended;
            }
            fields.values_mut().for_each(mend_inlined);
        }
        Value::Array(items) => items.iter_mut().for_each(mend_inlined),
        _ => {}
    }
}

/// A date of RFC 3339, from the year 1 on: PostgreSQL knows no year 0. What can be read in another way of writing, such as with a sign, is none.
pub fn is_day(text: &str) -> bool {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    day.is_ok_and(|day| (1..=9999).contains(&day.year()) && day.to_string() == text)
}

/// An instant of RFC 3339 that is between the years 1 and 9999 also in UTC.
fn is_instant(text: &str) -> bool {
    let instant = DateTime::parse_from_rfc3339(text);
    let is_written = text.as_bytes().get(10).is_some_and(|between| b"Tt".contains(between));
    is_written && instant.is_ok_and(|instant| (1..=9999).contains(&instant.to_utc().year()))
}

impl Shape {
    /// The shape of a type; compiled once a process.
    pub fn of<T: ToSchema + 'static>() -> &'static Self {
        let id = TypeId::of::<T>();
        if let Some(shape) = SHAPES.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return shape;
        }
        let name = T::name().into_owned();
        let root = json!({"$ref": format!("#/components/schemas/{name}"), "components": {"schemas": schemas::<T>()}});
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .with_format("date", is_day)
            .with_format("date-time", is_instant)
            .with_format("visible", |name: &str| unfit_in_name(name).is_none())
            .build(&root)
            .expect("a published schema compiles");
        let mut shape = Self { root, name, dated: Vec::new(), validator };
        let has_day = |(name, schema): (&String, &Value)| shape.has_day(schema, 0).then(|| name.clone());
        shape.dated = shape.properties().filter_map(has_day).collect();
        let shape: &'static Self = Box::leak(Box::new(shape));
        SHAPES.write().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(shape)
    }

    /// The properties of the type: name and schema.
    pub fn properties(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.at(&[]).and_then(|schema| schema.get("properties")).and_then(Value::as_object).into_iter().flatten()
    }

    /// What a patch has to know of a field.
    pub fn field(&self, name: &str) -> Field {
        let Some((_, schema)) = self.properties().find(|(property, _)| *property == name) else {
            return Field::Unknown;
        };
        let is_text = |schema: &Value| schema["$ref"] == "#/components/schemas/Text";
        let branches = || schema["oneOf"].as_array().into_iter().flatten();
        if is_text(schema) || branches().any(is_text) {
            Field::Text { is_optional: !is_text(schema) }
        } else {
            Field::Plain
        }
    }

    /// The properties that have a day somewhere in them: name and schema.
    pub fn dated(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.properties()
            .map(|(name, schema)| (name.as_str(), schema))
            .filter(|(name, _)| self.dated.iter().any(|dated| dated == name))
    }

    fn has_day(&self, schema: &Value, depth: usize) -> bool {
        const DEEPEST: usize = 8;
        let schema = self.resolve(schema);
        let inner =
            schema["properties"].as_object().into_iter().flat_map(|fields| fields.values()).chain(schema.get("items"));
        schema["format"] == "date" || depth < DEEPEST && inner.into_iter().any(|inner| self.has_day(inner, depth + 1))
    }

    /// Follows references and the alternatives of a nullable schema.
    pub fn resolve<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        loop {
            if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
                let Some(target) = self.root.pointer(reference.trim_start_matches('#')) else {
                    return schema;
                };
                schema = target;
            } else if let Some(branch) = schema.get("oneOf").and_then(Value::as_array).and_then(|all| {
                let mut solid = all.iter().filter(|branch| branch.get("type") != Some(&json!("null")));
                solid.next().filter(|_| solid.next().is_none())
            }) {
                schema = branch;
            } else {
                return schema;
            }
        }
    }

    fn at(&self, path: &[String]) -> Option<&Value> {
        let mut schema = self.resolve(&self.root);
        for step in path {
            schema = self.resolve(schema.get("properties")?.get(step)?);
        }
        Some(schema)
    }

    /// The faults of a value: all of them, or the first, when there are very many.
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        for error in self.validator.iter_errors(value) {
            if faults.len() >= MANY {
                faults.truncate(MANY);
                let detail = format!("there are more than {MANY} faults; correct these first");
                faults.push(Fault { pointer: "#".into(), code: "more".into(), detail });
                break;
            }
            self.explain(&error, &mut faults);
        }
        characters::judge(value, MANY, &mut faults);
        faults
    }

    fn explain(&self, error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
        let path = error.instance_path().as_str().to_owned();
        let steps: Vec<String> =
            path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        let fault = |code: &str, detail: String| Fault { pointer: format!("#{path}"), code: code.into(), detail };
        let at = |name: &str, code: &str, detail: String| Fault {
            pointer: format!("#{path}/{}", name.replace('~', "~0").replace('/', "~1")),
            code: code.into(),
            detail,
        };
        faults.push(match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                let known: Vec<&str> = self
                    .at(&steps)
                    .and_then(|schema| schema.get("properties")?.as_object())
                    .map(|properties| properties.keys().map(String::as_str).collect())
                    .unwrap_or_default();
                for name in unexpected {
                    faults.push(at(name, "unknown_field", unknown("field", name, known.iter().copied())));
                }
                return;
            }
            Kind::Required { property } => at(property.as_str().unwrap_or_default(), "required", "is required".into()),
            Kind::Type { .. } => fault("wrong_type", format!("must be {}", self.wanted(&steps))),
            Kind::Enum { options } => {
                let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let given = error.instance().as_str().unwrap_or_default();
                fault(
                    "not_allowed",
                    format!("must be one of {}{}", options.join(", "), suggestion(given, options.iter().copied())),
                )
            }
            Kind::OneOfNotValid { context } | Kind::AnyOf { context } => {
                // The branch that fits best is the one the client meant: an object for an object, else the first that is not `null`.
                let wrong_type = |errors: &Vec<ValidationError<'static>>| {
                    errors.iter().any(|inner| {
                        matches!(inner.kind(), Kind::Type { .. }) && inner.instance_path().as_str() == path
                    })
                };
                match context.iter().find(|errors| !wrong_type(errors)) {
                    Some(errors) => {
                        for inner in errors {
                            self.explain(inner, faults);
                        }
                        return;
                    }
                    None => fault("wrong_type", format!("must be {}", self.wanted(&steps))),
                }
            }
            Kind::MinLength { limit } if *limit == 1 => fault("empty", "must not be empty".into()),
            Kind::MinLength { limit } => fault("too_short", format!("must have at least {limit} characters")),
            Kind::MaxLength { limit } => fault("too_long", format!("must have at most {limit} characters")),
            Kind::Minimum { limit } => fault("too_small", format!("must be at least {limit}")),
            Kind::Maximum { limit } => fault("too_large", format!("must be at most {limit}")),
            Kind::MinItems { limit } => fault("too_few", format!("must have at least {limit} items")),
            Kind::MaxItems { limit } => fault("too_many", format!("must have at most {limit} items")),
            Kind::MinProperties { limit } if *limit == 1 => fault("empty", "must not be empty".into()),
            Kind::MinProperties { limit } => fault("too_few", format!("must have at least {limit} entries")),
            Kind::MaxProperties { limit } => fault("too_many", format!("must have at most {limit} entries")),
            Kind::PropertyNames { error } => at(
                error.instance().as_str().unwrap_or_default(),
                "unknown_language",
                "must be a language of ISO 639-1 in two lower-case letters, such as `ro`".into(),
            ),
            // That it is empty is said already.
            Kind::Pattern { .. } if error.instance().as_str() == Some("") => return,
            Kind::Pattern { pattern } => fault("wrong_format", in_words(pattern)),
            Kind::Format { format } if format == "visible" => {
                let unfit = error.instance().as_str().and_then(unfit_in_name);
                fault("invisible_character", unfit.map_or_else(String::new, |unfit| unfit.to_string()))
            }
            Kind::Format { format } => fault(
                "wrong_format",
                match format.as_str() {
                    "date" => "must be a date, such as 2024-06-30".into(),
                    "date-time" => "must be an instant of RFC 3339, such as 2024-06-30T12:00:00Z".into(),
                    "uuid" => "must be an id of the service (a UUID), or `external:` and your own id".into(),
                    other => format!("must have the format {other}"),
                },
            ),
            _ => fault("invalid", "is not valid".into()),
        });
    }

    fn wanted(&self, steps: &[String]) -> String {
        let schema = self.at(steps).unwrap_or(&Value::Null);
        let name = |kind: &str| match kind {
            "string" => "a string",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            "object" => "an object",
            _ => "null",
        };
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![name(kind)],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).map(name).collect(),
            _ => schema
                .get("oneOf")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|branch| self.resolve(branch).get("type")?.as_str().map(name))
                .collect(),
        };
        if kinds.is_empty() { "of another type".into() } else { kinds.join(" or ") }
    }
}

/// The patterns of the schemas, for people.
fn in_words(pattern: &str) -> String {
    match pattern {
        r"\S" => "must have a character that can be seen".into(),
        r"^\S(.*\S)?$" => "must be one line without spaces around it".into(),
        r"^[^\s/?#]+$" => "must have no spaces and none of `/`, `?`, `#`".into(),
        "^[A-Z]{2}$" => "must be two capital letters, such as `RO`".into(),
        "^[A-Z]{3}$" => "must be three capital letters, such as `RON`".into(),
        r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,4})?$" => {
            "must be an amount with a point and at most the decimals of its currency, such as `120000.50`".into()
        }
        r"^https?://\S+$" => "must be an address that starts with `http://` or `https://`".into(),
        r"^\S+$" => "must have no spaces".into(),
        other => decimal_in_words(other).unwrap_or_else(|| format!("must match {other}")),
    }
}

/// The pattern of a decimal string: digits before and after the point, for people.
fn decimal_in_words(pattern: &str) -> Option<String> {
    let (sign, rest) =
        pattern.strip_prefix("^-?").map_or_else(|| ("", pattern.strip_prefix('^')), |rest| ("-", Some(rest)));
    let (before, after) = rest?.strip_prefix("(0|[1-9][0-9]{0,")?.split_once(r"})(\.[0-9]{1,")?;
    let (before, after): (u32, u32) = (before.parse().ok()?, after.strip_suffix("})?$")?.parse().ok()?);
    Some(format!(
        "must be a decimal number in quotes, such as `\"{sign}12.5\"`: at most {} digits, a point, and at most {after} decimals",
        before + 1
    ))
}
