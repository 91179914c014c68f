//! JSON bodies: strict parsing, judging by the published schema, merge patch (RFC 7396).

use std::{cell::Cell, fmt};

use axum::http::{HeaderMap, header};
use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, json};
use utoipa::ToSchema;

use super::shape::Shape;
use crate::{base::text::brief, error::Error};
use crate::{
    base::{
        aside::aside,
        values::{self, Text, characters::composed},
    },
    repository::Fault,
};

/// A body may have so many values, in whatever way they are nested. A value takes many times the memory of its text, and judging it takes more.
pub const VALUES: usize = 20_000;

/// A value with more values in it than this, or with longer strings, is judged beside the event loop.
const LIGHT: usize = 1000;

/// An object may have so many keys. No schema has more, and judging each key of a larger one costs the square of their number.
const KEYS: usize = 256;

/// Parses a body as JSON, or says why it cannot be. Strings are read in normalization form C. Refused are duplicate keys (one of the two would be lost in silence) and U+0000 (which
/// PostgreSQL cannot store).
pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Value, Error> {
    parse_within(headers, body, VALUES)
}

/// The same of a body that may have so many values.
pub fn parse_within(headers: &HeaderMap, body: &[u8], values: usize) -> Result<Value, Error> {
    if !["application/json", "application/merge-patch+json"].contains(&media_type(headers).as_str()) {
        return Err(Error::UnsupportedMediaType(
            "send JSON, with the header `Content-Type: application/json` (for PATCH also application/merge-patch+json)"
                .into(),
        ));
    }
    uncompressed(headers)?;
    read(body, values)
}

/// Refuses a body in a coding: read as it is, it would be taken for broken.
pub fn uncompressed(headers: &HeaderMap) -> Result<(), Error> {
    let coded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if coded {
        return Err(Error::UnsupportedMediaType("send the body as it is, without Content-Encoding".into()));
    }
    Ok(())
}

/// The media type of a body, in lower case and without parameters; empty when it is not said.
pub fn media_type(headers: &HeaderMap) -> String {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The same without a look at the media type.
pub fn parse_bytes(body: &[u8]) -> Result<Value, Error> {
    read(body, VALUES)
}

fn read(body: &[u8], values: usize) -> Result<Value, Error> {
    aside(body.len() > LIGHT * 64, || read_here(body, values))
}

fn read_here(body: &[u8], values: usize) -> Result<Value, Error> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Error::Malformed(format!("the body is not UTF-8: byte {} cannot be read", error.valid_up_to()))
    })?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let left = Cell::new(values);
    let value = Strict(&left).deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| {
        use serde_json::error::Category;
        if error.to_string().starts_with(TOO_MANY) {
            return Error::TooLarge(format!("the body has more than {values} values; send it in several parts"));
        }
        let place = format!("line {}, column {}", error.line(), error.column());
        Error::Malformed(match error.classify() {
            Category::Eof => "the body ends before the JSON does".into(),
            Category::Data => format!("{} ({place})", error.to_string().split(" at line ").next().unwrap_or_default()),
            Category::Syntax | Category::Io => {
                let words = error.to_string();
                if words.contains("recursion limit") {
                    format!("the body is nested deeper than 127 levels ({place})")
                } else if words.contains("number out of range") {
                    format!("the body has a number out of range ({place})")
                } else if words.contains("surrogate") || words.contains("escape") {
                    format!("the body has a string escape that stands for no character ({place})")
                } else {
                    format!("the body is not JSON from here on: {place}")
                }
            }
        })
    })
}

/// Holds a value against the schema of `T` and decodes it.
pub fn decode<T: DeserializeOwned + ToSchema + 'static>(value: Value) -> Result<T, Vec<Fault>> {
    aside(!is_light(&value, &mut 0), || decode_here(value))
}

/// The rows of a body whose only field is `items`, each still to be judged. `T` is the body with rows of any kind.
pub fn items<T: ToSchema + 'static>(mut body: Value) -> Result<Vec<Value>, Vec<Fault>> {
    let faults = Shape::of::<T>().faults(&body);
    match body.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if faults.is_empty() => Ok(items),
        _ => Err(faults),
    }
}

/// Whether a value is soon judged; `weight` is that of what was met so far.
fn is_light(value: &Value, weight: &mut usize) -> bool {
    *weight += 1 + value.as_str().map_or(0, |words| words.len() / 64);
    *weight < LIGHT
        && match value {
            Value::Array(items) => items.iter().all(|item| is_light(item, weight)),
            Value::Object(fields) => fields.values().all(|field| is_light(field, weight)),
            _ => true,
        }
}

fn decode_here<T: DeserializeOwned + ToSchema + 'static>(mut value: Value) -> Result<T, Vec<Fault>> {
    write_whole_numbers(&mut value);
    let faults = Shape::of::<T>().faults(&value);
    if !faults.is_empty() {
        return Err(faults);
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string().replace(['.', '['], "/").replace(']', "");
        let pointer = if path == "/" || path.is_empty() { "#".into() } else { format!("#/{path}") };
        vec![Fault { pointer, code: "invalid".into(), detail: "is out of the range of its type".into() }]
    })
}

/// Parses a body that is a JSON Merge Patch (RFC 7396) of a resource.
pub fn parse_patch(headers: &HeaderMap, body: &[u8]) -> Result<Value, Error> {
    let patch = parse(headers, body)?;
    if !patch.is_object() {
        return Err(Error::invalid("", "wrong_type", "a merge patch is an object with the fields to change"));
    }
    Ok(patch)
}

/// What a patch has to know of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// There is none of this name.
    Unknown,
    /// It is no text.
    Plain,
    /// Words by language; whether there may be none.
    Text {
        /// Whether the field may be empty.
        is_optional: bool,
    },
}

/// The fields with a patch applied, not yet judged. What is empty is left out, so that what the patch leaves alone needs no value. A null
/// under a name that is not known removes nothing and must not pass for a change: it stays, and is named. A bare string is the first language
/// of a text, whose other languages stay; a text that loses its last language is empty.
pub fn patched(mut fields: Value, mut patch: Value, field: impl Fn(&str) -> Field) -> Value {
    let nulls = patch
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| value.is_null() && field(name) == Field::Unknown);
    let unknown: Map<String, Value> = nulls.map(|(name, value)| (name.clone(), value.clone())).collect();
    if let Value::Object(fields) = &mut fields {
        fields.retain(|_, value| !value.is_null());
    }
    let mut emptied = Vec::new();
    for (name, value) in patch.as_object_mut().into_iter().flatten() {
        if let Field::Text { is_optional } = field(name) {
            *value = by_language(fields.get(name), value.take());
            emptied.extend(is_optional.then(|| name.clone()));
        }
    }
    merge(&mut fields, patch);
    if let Value::Object(fields) = &mut fields {
        fields.retain(|name, value| !(emptied.contains(name) && value.as_object().is_some_and(Map::is_empty)));
        fields.extend(unknown);
    }
    fields
}

/// A bare string as a patch of a text in several languages. One that is no good stays as it is, to be judged where the client wrote it.
fn by_language(before: Option<&Value>, change: Value) -> Value {
    let first = &values::languages()[0];
    let has_others = before.and_then(Value::as_object).is_some_and(|words| words.keys().any(|key| key != first));
    match change {
        Value::String(words) if has_others && Text::may_say(&words) => json!({ first: words }),
        other => other,
    }
}

/// JSON Merge Patch: null removes, an object merges, all else replaces.
pub fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(fields) = target {
        for (name, value) in patch {
            if value.is_null() {
                fields.shift_remove(&name);
            } else {
                merge(fields.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

/// Writes whole numbers as integers, which they are however they are written, says JSON Schema: `2026.0`, `1e3`.
fn write_whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = number.as_f64().and_then(whole) {
                *value = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(write_whole_numbers),
        _ => {}
    }
}

/// The integer that a number is, when it is one that a float holds exactly.
#[expect(clippy::cast_possible_truncation, reason = "only whole numbers of at most 53 bits are cast")]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// The integer that words stand for, as in JSON: `2026`, `2026.0` and `1e3` are some.
pub fn integer(words: &str) -> Option<i64> {
    words.parse().ok().or_else(|| whole(words.parse().ok()?))
}

/// Reads any value strictly, until there are no values left to read.
#[derive(Clone, Copy)]
struct Strict<'a>(&'a Cell<usize>);

const TOO_MANY: &str = "the body has more values than are read";

impl Strict<'_> {
    fn count<E: de::Error>(self) -> Result<(), E> {
        self.0.set(self.0.get().checked_sub(1).ok_or_else(|| E::custom(TOO_MANY))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

fn printable<E: de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        Err(E::custom("the body has a string with the character U+0000, which cannot be stored"))
    } else {
        Ok(())
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("the body has a number out of range"))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        printable(value)?;
        Ok(composed(value).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        // A list grows in steps, of which the last would stay empty.
        list.shrink_to_fit();
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            printable(&name)?;
            let name = composed(&name).into_owned();
            if fields.len() == KEYS {
                return Err(de::Error::custom(format!("an object has more than {KEYS} keys")));
            }
            if fields.iter().any(|(known, _)| *known == name) {
                let name = brief(&name);
                return Err(de::Error::custom(format!("the key `{name}` stands twice in one object")));
            }
            fields.push((name, entries.next_value_seed(self)?));
        }
        // An object that grows key by key takes twice the memory of one whose size is known.
        let mut object = Map::with_capacity(fields.len());
        object.extend(fields);
        Ok(Value::Object(object))
    }
}
