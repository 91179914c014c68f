//! The days that clients write, held against the years in which plans live: a day of 1026 or 9999 is a slip, or stands for none.

use std::ops::RangeInclusive;

use chrono::{Datelike as _, NaiveDate};
use serde_json::Value;

use super::{answer::internal, shape::Shape};
use crate::error::Error;
use crate::repository::{Faults, Resource};

const YEARS: RangeInclusive<i32> = 1990..=2100;
/// The same of what is told of the past: acts, treaties, when a body was set up.
const YEARS_OF_HISTORY: RangeInclusive<i32> = 1800..=2100;

/// Judges the fields of a noun, and notes each day that is too far away. A field that is as it was is not judged: rows from before there was
/// this rule stay changeable.
pub fn judge<R: Resource>(data: &R, before: Option<&R>, faults: &mut Faults) -> Result<(), Error> {
    data.validate(before, faults);
    let shape = Shape::of::<R>();
    let mut dated = shape.dated().peekable();
    if dated.peek().is_none() {
        return Ok(());
    }
    let after = serde_json::to_value(data).map_err(internal)?;
    let before = before.map(serde_json::to_value).transpose().map_err(internal)?;
    for (field, schema) in dated {
        if before.as_ref().is_some_and(|before| before[field] == after[field]) {
            continue;
        }
        let years = if R::LONG_AGO.contains(&field) { YEARS_OF_HISTORY } else { YEARS };
        let mut far = |at: &str, day: NaiveDate| {
            if !years.contains(&day.year()) {
                let detail = format!("Give a day in the years {} to {}, or none.", years.start(), years.end());
                faults.add(at, "out_of_range", detail);
            }
        };
        walk(shape, schema, &after[field], field, &mut far);
    }
    Ok(())
}

/// Meets each day in a value, with its path.
fn walk(shape: &Shape, schema: &Value, value: &Value, path: &str, met: &mut impl FnMut(&str, NaiveDate)) {
    let schema = shape.resolve(schema);
    match value {
        Value::String(day) if schema["format"] == "date" => {
            if let Ok(day) = day.parse() {
                met(path, day);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(shape, &schema["items"], item, &format!("{path}/{index}"), met);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                walk(shape, &schema["properties"][name], field, &format!("{path}/{name}"), met);
            }
        }
        _ => {}
    }
}
