//! The formats of lists and reports: JSON, NDJSON, CSV (RFC 4180) and an aligned table for people.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::error::Error;
use crate::values::Text;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/json`, the default.
    Json,
    /// `application/x-ndjson`: one resource a line.
    Ndjson,
    /// `text/csv`.
    Csv,
    /// `text/plain`: an aligned table.
    Text,
}

const OFFERED: [(&str, Format); 5] = [
    ("application/json", Format::Json),
    ("application/x-ndjson", Format::Ndjson),
    ("application/ndjson", Format::Ndjson),
    ("text/csv", Format::Csv),
    ("text/plain", Format::Text),
];

impl Format {
    /// Reads `Accept`.
    pub fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let accept: Vec<&str> =
            headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        if accept.iter().all(|value| value.trim().is_empty()) {
            return Ok(Self::Json);
        }
        let mut best: Option<(f32, Self)> = None;
        for range in accept.join(",").split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts
                .find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('=')?.parse().ok())
                .unwrap_or(1.0_f32);
            let format = match media.as_str() {
                "*/*" | "application/*" => Some(Self::Json),
                "text/*" => Some(Self::Text),
                media => OFFERED.iter().find(|(name, _)| *name == media).map(|(_, format)| *format),
            };
            if let Some(format) = format
                && quality > 0.0
                && best.is_none_or(|(best, _)| quality > best)
            {
                best = Some((quality, format));
            }
        }
        best.map(|(_, format)| format).ok_or_else(|| {
            Error::NotAcceptable("ask for application/json, application/x-ndjson, text/csv or text/plain".into())
        })
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// A resource as one level of cells: `money.amount`, `title.ro`; lists joined by `; `.
pub fn flatten(value: &Value) -> Map<String, Value> {
    fn walk(prefix: &str, value: &Value, cells: &mut Map<String, Value>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                    walk(&path, value, cells);
                }
            }
            Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
                let words: Vec<String> = items.iter().map(cell).collect();
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

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(words) => words.clone(),
        other => other.to_string(),
    }
}

/// What a spreadsheet takes for the start of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// True when an apostrophe in front of these words is ours, and not theirs.
fn is_guardable(words: &str) -> bool {
    words.is_empty() || words.starts_with('\'') || words.starts_with(FORMULA)
}

/// Text as a spreadsheet may see it: what it would take for a formula gets an apostrophe, numbers are left alone. Text that looks as if it
/// had got one already gets another, so that `unguard` gives back every text as it was.
pub fn guard(words: &str) -> Cow<'_, str> {
    let is_formula = words.starts_with(FORMULA) && words.parse::<rust_decimal::Decimal>().is_err();
    if is_formula || words.strip_prefix('\'').is_some_and(is_guardable) {
        format!("'{words}").into()
    } else {
        words.into()
    }
}

/// Takes off the apostrophe that `guard` put there; `'s-Gravenhage` keeps its own.
pub fn unguard(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|words| is_guardable(words)).unwrap_or(cell)
}

/// A cell for a spreadsheet.
fn guarded(value: &Value) -> String {
    match value {
        Value::String(words) => guard(words).into_owned(),
        other => cell(other),
    }
}

/// One record of CSV.
pub fn csv_record<'a>(cells: impl Iterator<Item = &'a Value>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells.map(guarded)).expect("a vector takes all that is written");
    writer.into_inner().expect("a vector takes all that is written")
}

/// The columns of rows already flattened, in order of first appearance; a null column gives way to the columns under it (`title.ro`).
pub fn columns(rows: &[Map<String, Value>]) -> Vec<String> {
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

/// A whole table as CSV.
pub fn csv(rows: &[Map<String, Value>], columns: &[String]) -> Vec<u8> {
    let mut bytes = csv_record(columns.iter().map(|name| Value::from(name.as_str())).collect::<Vec<_>>().iter());
    for row in rows {
        bytes.extend(csv_record(columns.iter().map(|name| row.get(name).unwrap_or(&Value::Null))));
    }
    bytes
}

const WIDEST: usize = 48;

/// An aligned table for people: texts in the preferred language, long cells cut, empty columns and bookkeeping left out.
pub fn table(rows: &[Value]) -> String {
    const BOOKKEEPING: [&str; 5] = ["version", "created_at", "updated_at", "external_id", "description"];
    let rows: Vec<Map<String, Value>> = rows.iter().map(readable).collect();
    let mut names = columns(&rows);
    names.retain(|name| {
        !BOOKKEEPING.contains(&name.as_str())
            && rows.iter().any(|row| row.get(name).is_some_and(|value| !value.is_null() && value != ""))
    });
    // Ids are for machines: they stand last.
    names.sort_by_key(|name| name == "id" || name.ends_with("_id"));
    let cells: Vec<Vec<String>> = std::iter::once(names.clone())
        .chain(
            rows.iter()
                .map(|row| names.iter().map(|name| short(&cell(row.get(name).unwrap_or(&Value::Null)))).collect()),
        )
        .collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let mut text = String::new();
    for row in &cells {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn readable(row: &Value) -> Map<String, Value> {
    let mut row = row.clone();
    if let Value::Object(fields) = &mut row {
        for value in fields.values_mut() {
            let is_text = value.as_object().is_some_and(|map| {
                !map.is_empty() && map.iter().all(|(key, words)| key.len() == 2 && words.is_string())
            });
            if is_text {
                let text: Text = serde_json::from_value(value.take()).unwrap_or_default();
                *value = text.preferred().into();
            }
        }
    }
    flatten(&row)
}

fn short(cell: &str) -> String {
    let line = cell.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WIDEST {
        return line;
    }
    let mut cut: String = line.chars().take(WIDEST - 1).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_guarded_and_other_apostrophes_kept() {
        for (words, cell) in [
            ("=1+1", "'=1+1"),
            ("-5", "-5"),
            ("- a list", "'- a list"),
            ("'s-Gravenhage", "'s-Gravenhage"),
            ("'=1+1", "''=1+1"),
            ("'", "''"),
            ("007", "007"),
        ] {
            assert_eq!(guard(words), cell);
            assert_eq!(unguard(cell), words);
        }
    }

    proptest! {
        #[test]
        fn a_guard_is_taken_off_exactly(words in "['=+@\t\r0-9a-]{0,4}.{0,3}") {
            let cell = guard(&words).into_owned();
            prop_assert_eq!(unguard(&cell), words.as_str());
        }
    }
}
