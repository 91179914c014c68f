//! JSON bodies: strict parsing, judging by the published schema, merge patch (RFC 7396).

use std::fmt;

use axum::{
    extract::rejection::BytesRejection,
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, json};
use utoipa::ToSchema;

use super::{error::Error, shape::Shape};
use crate::{
    repository::Fault,
    values::{self, Text, characters::composed},
};

/// An object may have so many keys. No schema has more, and judging each key of a larger one costs the square of their number.
const KEYS: usize = 256;

/// Parses a body as JSON, or says why it cannot be. Strings are read in normalization form C. Refused are duplicate keys (one of the two would be lost in silence) and U+0000 (which
/// PostgreSQL cannot store).
pub fn parse(headers: &HeaderMap, body: &Bytes) -> Result<Value, Error> {
    if !["application/json", "application/merge-patch+json"].contains(&media_type(headers).as_str()) {
        return Err(Error::UnsupportedMediaType(
            "send JSON, with the header `Content-Type: application/json` (for PATCH also application/merge-patch+json)"
                .into(),
        ));
    }
    uncompressed(headers)?;
    parse_bytes(body)
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

/// A body that was read whole, or why it was not: `too_large` says what to do instead.
pub fn received(body: Result<Bytes, BytesRejection>, too_large: impl FnOnce() -> String) -> Result<Bytes, Error> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge(too_large()),
        _ => Error::Malformed("the body broke off".into()),
    })
}

/// The media type of a body, in lower case and without parameters; empty when it is not said.
pub fn media_type(headers: &HeaderMap) -> String {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The same without a look at the media type.
pub fn parse_bytes(body: &[u8]) -> Result<Value, Error> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Error::Malformed(format!("the body is not UTF-8: byte {} cannot be read", error.valid_up_to()))
    })?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| {
        use serde_json::error::Category;
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
pub fn decode<T: DeserializeOwned + ToSchema + 'static>(mut value: Value) -> Result<T, Vec<Fault>> {
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
pub fn parse_patch(headers: &HeaderMap, body: &Bytes) -> Result<Value, Error> {
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

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
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

impl<'de> Visitor<'de> for Strict {
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
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            printable(&name)?;
            let name = composed(&name).into_owned();
            if fields.len() == KEYS {
                return Err(de::Error::custom(format!("an object has more than {KEYS} keys")));
            }
            let value = entries.next_value_seed(Self)?;
            if fields.insert(name.clone(), value).is_some() {
                return Err(de::Error::custom(format!("the key `{name}` stands twice in one object")));
            }
        }
        Ok(Value::Object(fields))
    }
}
