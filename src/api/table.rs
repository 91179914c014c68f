//! Tables: rows of cells as CSV (RFC 4180), and aligned for people.

use serde_json::Value;

use super::guard::guard;
use crate::base::values::characters::shown as escaped;

fn plain(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(words) => words.clone(),
        other => other.to_string(),
    }
}

/// A cell for a spreadsheet.
fn guarded(cell: &Value) -> String {
    match cell {
        Value::String(words) => guard(words).into_owned(),
        other => plain(other),
    }
}

/// One record of CSV.
pub fn csv_record(cells: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells).expect("a vector takes all that is written");
    writer.into_inner().expect("a vector takes all that is written")
}

/// One row as CSV.
pub fn csv_row(cells: &[Value]) -> Vec<u8> {
    csv_record(cells.iter().map(guarded))
}

const WIDEST: usize = 48;

/// An aligned table for people: long cells cut; and, unless the columns were chosen, empty ones and bookkeeping left out.
pub fn aligned(names: &[String], rows: &[Vec<Value>], is_chosen: bool) -> String {
    const BOOKKEEPING: [&str; 5] = ["version", "created_at", "updated_at", "external_id", "description"];
    let is_empty = |cell: &Value| cell.is_null() || cell == "";
    let mut shown: Vec<usize> = (0..names.len())
        .filter(|column| is_chosen || !BOOKKEEPING.contains(&names[*column].as_str()))
        .filter(|column| is_chosen || rows.iter().any(|row| !is_empty(&row[*column])))
        .collect();
    // Ids are for machines: they stand last.
    shown.sort_by_key(|column| !is_chosen && (names[*column] == "id" || names[*column].ends_with("_id")));
    let header: Vec<String> = shown.iter().map(|column| short(&names[*column])).collect();
    let cells: Vec<Vec<String>> = std::iter::once(header)
        .chain(rows.iter().map(|row| shown.iter().map(|column| short(&plain(&row[*column]))).collect()))
        .collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..shown.len()).map(width).collect();
    let mut text = String::new();
    for row in &cells {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn short(cell: &str) -> String {
    let line = cell.split_whitespace().collect::<Vec<_>>().join(" ");
    // Rows that are older than the rule against it may have what moves the cursor of a terminal, or turns its text round.
    let line = escaped(&line).into_owned();
    if line.chars().count() <= WIDEST {
        return line;
    }
    let mut cut: String = line.chars().take(WIDEST - 1).collect();
    cut.push('…');
    cut
}
