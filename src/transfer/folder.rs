//! A plan file as a folder of CSV files, one a noun: `initiatives.csv` holds the section `initiatives`.
//!
//! It says exactly what the JSON form says: `write` makes the files out of a plan file, `read` makes the plan file out of them.

mod column;
mod row;

use serde_json::{Map, Value, value::RawValue};

use self::{column::Column, row::Taken};
use super::{
    how::Empty,
    origin::{Origin, Place},
    plan_file::{FORMAT, PlanFile},
    sheet::{Flaw, Flaws, Record, Sheet, Unread, problem},
};
use crate::{api::answer::internal, base::text::unknown, error::Error, repository::Fault, router::Noun};

/// The name of a file and what is in it.
pub type File = (String, Vec<u8>);

/// Writes the sections of a plan file as CSV files.
pub fn write(document: &[u8], nouns: &[Noun]) -> Result<Vec<File>, Error> {
    let plan = PlanFile::parse(document, nouns)?;
    let mut files = Vec::new();
    for (noun, rows) in nouns.iter().zip(&plan.sections).filter(|(_, rows)| !rows.is_empty()) {
        let read = |row: &&RawValue| serde_json::from_str(row.get()).map(row::flattened);
        let rows: Vec<Map<String, Value>> = rows.iter().map(read).collect::<Result<_, _>>().map_err(internal)?;
        let columns = row::columns(&rows);
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        writer.write_record(&columns).map_err(internal)?;
        for row in &rows {
            writer.write_record(columns.iter().map(|name| row::cell(row.get(name)))).map_err(internal)?;
        }
        files.push((file_name(noun), writer.into_inner().map_err(internal)?));
    }
    Ok(files)
}

/// Makes a plan file out of CSV files, or says all that is wrong with them. A fault names the file, the line and the column.
pub fn read(files: &[File], nouns: &'static [Noun]) -> Result<(Vec<u8>, Origin), Error> {
    read_with(files, nouns, Empty::default()).map_err(Unread::error)
}

/// The same, where an empty cell may clear its field.
pub fn read_with(files: &[File], nouns: &'static [Noun], empty: Empty) -> Result<(Vec<u8>, Origin), Unread> {
    let (mut faults, mut unread) = (Vec::new(), Vec::new());
    for (name, _) in files.iter().filter(|(name, _)| !nouns.iter().any(|noun| file_name(noun) == *name)) {
        let known: Vec<String> = nouns.iter().map(file_name).collect();
        let detail = unknown("file of a plan", name, known.iter().map(String::as_str));
        faults.push(Fault { pointer: name.clone(), code: "unknown_file".into(), detail });
    }
    let mut document = Map::from_iter([("format".to_owned(), FORMAT.into())]);
    let mut origin = Origin { is_folder: true, ..Origin::default() };
    for noun in nouns {
        let name = file_name(noun);
        let Some((_, bytes)) = files.iter().find(|(file, _)| *file == name) else { continue };
        match section(bytes, noun, empty, (usize::MAX, usize::MAX)) {
            Ok((rows, places)) => {
                document.insert(noun.table.into(), Value::Array(rows));
                origin.places.insert(noun.table, places);
            }
            // The header is no row, and what is malformed is not known row by row.
            Err(flaws) if flaws.iter().any(|flaw| flaw.line == 1 || flaw.code == "malformed") => {
                faults.extend(flaws.into_iter().map(|flaw| flaw.fault(Some(&name))));
            }
            Err(flaws) => unread.extend(flaws.into_iter().map(|flaw| (noun.table.to_owned(), flaw))),
        }
    }
    if files.is_empty() {
        let detail = "has no files; a plan has one file a noun, such as initiatives.csv".into();
        faults.push(Fault { pointer: "folder".into(), code: "required".into(), detail });
    }
    match (faults.is_empty(), unread.is_empty()) {
        (true, true) => Ok((Value::Object(document).to_string().into_bytes(), origin)),
        (true, false) => Err(Unread::Rows(unread)),
        (false, _) => {
            let file = |section: &str| format!("{section}.csv");
            faults.extend(unread.into_iter().map(|(section, flaw)| flaw.fault(Some(&file(&section)))));
            Err(Error::Invalid(faults).into())
        }
    }
}

/// The rows of one noun out of one CSV file, which may have so many rows and cells. A fault names the line and the column.
pub fn read_section(bytes: &[u8], noun: &Noun, most: (usize, usize)) -> Result<Vec<Value>, Error> {
    section(bytes, noun, Empty::default(), most)
        .map(|(rows, _)| rows)
        .map_err(|flaws| problem(flaws.into_iter().map(|flaw| flaw.fault(None)).collect()))
}

fn file_name(noun: &Noun) -> String {
    format!("{}.csv", noun.table)
}

fn section(
    bytes: &[u8],
    noun: &Noun,
    empty: Empty,
    most: (usize, usize),
) -> Result<(Vec<Value>, Vec<Place>), Vec<Flaw>> {
    let sheet = Sheet::open(bytes).map_err(|flaw| vec![flaw])?;
    let mut columns = Vec::with_capacity(sheet.headers.len());
    let mut flaws = Vec::new();
    for (index, header) in sheet.headers.iter().enumerate() {
        if sheet.headers[..index].contains(header) && !header.is_empty() {
            flaws.push(Flaw::new(1, header.clone(), "duplicate", "stands twice; keep one of the columns"));
            continue;
        }
        match Column::of(noun, header) {
            Ok(column) => columns.push(column),
            Err((code, detail)) if header.is_empty() => {
                flaws.push(Flaw::new(1, format!("column {}", index + 1), code, detail));
            }
            Err((code, detail)) => flaws.push(Flaw::new(1, header.clone(), code, detail)),
        }
    }
    if !flaws.is_empty() {
        return Err(flaws);
    }
    let (mut rows, mut places, mut flaws) = (Vec::new(), Vec::new(), Flaws::default());
    let mut left = most;
    for record in sheet {
        if let Ok(record) = &record {
            let filled = record.cells.iter().filter(|cell| !cell.is_empty()).count();
            let (Some(rows), Some(cells)) = (left.0.checked_sub(1), left.1.checked_sub(filled)) else {
                let detail =
                    format!("is one too many: at most {} rows and {} cells are taken here; split it", most.0, most.1);
                flaws.0.push(Flaw::new(record.line, None, "too_many", detail));
                break;
            };
            left = (rows, cells);
        }
        match record.and_then(|record| Ok((record.line, row(&columns, &record, empty)?))) {
            Ok((line, row)) => {
                rows.push(row);
                places.push(Place { line, columns: Vec::new() });
            }
            Err(flaw) => {
                if !flaws.add(flaw) {
                    break;
                }
            }
        }
    }
    if flaws.0.is_empty() { Ok((rows, places)) } else { Err(flaws.0) }
}

fn row(columns: &[Column], record: &Record, empty: Empty) -> Result<Value, Flaw> {
    let mut row = Map::new();
    let says = |cell: &str| !cell.is_empty() || empty == Empty::Cleared;
    for (column, cell) in columns.iter().zip(&record.cells).filter(|(_, cell)| says(cell)) {
        let value = if cell.is_empty() { Value::Null } else { column.value(cell) };
        row::put(&mut row, &column.path, value).map_err(|Taken| {
            let name = column.path.join(".");
            let detail = "contradicts another column of this row, which gives the same field; leave one of them empty";
            Flaw::new(record.line, name, "duplicate", detail)
        })?;
    }
    row.values_mut().for_each(row::cleared);
    Ok(Value::Object(row))
}

#[cfg(test)]
mod tests;
