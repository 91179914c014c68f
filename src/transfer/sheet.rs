//! A CSV file (RFC 4180) as records that know their line.
//!
//! The reader is ours, because the `csv` crate takes a quote that is never closed for text, and forgets lines.

use std::{iter::Peekable, str::Chars};

use crate::{api::Error, repository::Fault};

/// A header may have so many columns.
const COLUMNS: usize = 1000;

/// A table: its header, and the records under it that are not empty.
#[derive(Debug)]
pub struct Sheet {
    /// The header, without spaces around its names.
    pub headers: Vec<String>,
    /// The records; each has a cell for every column.
    pub records: Vec<Record>,
}

/// One record.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// The line of the file on which it starts, from 1.
    pub line: usize,
    /// The cells, verbatim.
    pub cells: Vec<String>,
}

/// What is wrong with a table, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The line of the file, from 1.
    pub line: usize,
    /// The column: its header, or the character of the line where there is no telling columns yet.
    pub column: Option<String>,
    /// Stable word for machines.
    pub code: &'static str,
    /// What is wrong, and what to do instead.
    pub detail: String,
}

impl Flaw {
    /// A flaw of a column.
    pub fn new(line: usize, column: impl Into<Option<String>>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { line, column: column.into().map(|column| short(&column)), code, detail: detail.into() }
    }

    /// As a fault of a file (`steps.csv:3: code`), or of the one table there is (`line 3: code`).
    pub fn fault(self, file: Option<&str>) -> Fault {
        let Self { line, column, code, detail } = self;
        Fault { pointer: pointer(file, line, column.as_deref()), code: code.into(), detail }
    }
}

/// The place of a fault.
pub fn pointer(file: Option<&str>, line: usize, column: Option<&str>) -> String {
    let place = file.map_or_else(|| format!("line {line}"), |file| format!("{file}:{line}"));
    column.map_or_else(|| place.clone(), |column| format!("{place}: {column}"))
}

/// The problem of a table with flaws: a file that cannot be read at all is malformed.
pub fn problem(faults: Vec<Fault>) -> Error {
    match faults.iter().find(|fault| fault.code == "malformed") {
        Some(fault) => Error::Malformed(format!("{}: {}", fault.pointer, fault.detail)),
        None => Error::Invalid(faults),
    }
}

/// A name as a message shows it.
pub fn short(name: &str) -> String {
    const LONGEST: usize = 80;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

impl Sheet {
    /// Reads a table, or says all that is wrong with it. The delimiter is a comma or a semicolon, whichever the header has more of.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<Flaw>> {
        let text = utf8(bytes).map_err(|flaw| vec![flaw])?;
        let mut reader = Reader { letters: text.chars().peekable(), delimiter: delimiter(text), line: 1, column: 1 };
        let header = reader.record().map_err(|flaw| vec![flaw])?;
        let header =
            header.ok_or_else(|| vec![Flaw::new(1, None, "required", "the file is empty; it needs a header")])?;
        let (line, count) = (header.line, header.cells.len());
        if count > COLUMNS {
            let detail = format!("the header has {count} columns; at most {COLUMNS} are read");
            return Err(vec![Flaw::new(line, None, "too_many", detail)]);
        }
        let headers = header.cells.iter().map(|name| name.trim().to_owned()).collect();
        let (mut records, mut flaws) = (Vec::new(), Vec::new());
        while let Some(record) = reader.record().map_err(|flaw| vec![flaw])? {
            if record.cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if record.cells.len() == count {
                records.push(record);
            } else {
                let detail = format!(
                    "has {} cells, and the header {count}; put cells with the delimiter in them into quotes",
                    record.cells.len()
                );
                flaws.push(Flaw::new(record.line, None, "ragged", detail));
            }
        }
        if flaws.is_empty() { Ok(Self { headers, records }) } else { Err(flaws) }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Flaw> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        malformed(line, column, "is not UTF-8 from here on; save the file as \"CSV UTF-8\"")
    })
}

fn malformed(line: usize, column: usize, detail: &str) -> Flaw {
    Flaw::new(line, format!("character {column}"), "malformed", detail)
}

/// What stands more often in the header, outside of quotes.
fn delimiter(text: &str) -> char {
    let (mut quoted, mut commas, mut semicolons) = (false, 0, 0);
    for letter in text.trim_start_matches(['\r', '\n']).chars() {
        match letter {
            '"' => quoted = !quoted,
            '\n' | '\r' if !quoted => break,
            ',' if !quoted => commas += 1,
            ';' if !quoted => semicolons += 1,
            _ => {}
        }
    }
    if semicolons > commas { ';' } else { ',' }
}

struct Reader<'a> {
    letters: Peekable<Chars<'a>>,
    delimiter: char,
    line: usize,
    column: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<char>, Flaw> {
        let Some(letter) = self.letters.next() else { return Ok(None) };
        if letter == '\0' {
            let detail = "has the character U+0000, which cannot be stored; save the file as \"CSV UTF-8\"";
            return Err(malformed(self.line, self.column, detail));
        }
        if letter == '\n' || (letter == '\r' && self.letters.peek() != Some(&'\n')) {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Ok(Some(letter))
    }

    fn record(&mut self) -> Result<Option<Record>, Flaw> {
        while let Some('\r' | '\n') = self.letters.peek() {
            self.next()?;
        }
        if self.letters.peek().is_none() {
            return Ok(None);
        }
        let mut record = Record { line: self.line, cells: Vec::new() };
        loop {
            record.cells.push(self.cell()?);
            if self.next()?.is_none_or(|letter| letter != self.delimiter) {
                return Ok(Some(record));
            }
        }
    }

    fn cell(&mut self) -> Result<String, Flaw> {
        if self.letters.peek() == Some(&'"') { self.quoted() } else { self.bare() }
    }

    fn is_at_end(&mut self) -> bool {
        let delimiter = self.delimiter;
        self.letters.peek().is_none_or(|letter| matches!(letter, '\r' | '\n') || *letter == delimiter)
    }

    fn bare(&mut self) -> Result<String, Flaw> {
        let mut cell = String::new();
        while !self.is_at_end() {
            if self.letters.peek() == Some(&'"') {
                let detail = "a quote stands in a cell that does not start with one; put the cell into quotes and double the quote";
                return Err(malformed(self.line, self.column, detail));
            }
            cell.extend(self.next()?);
        }
        Ok(cell)
    }

    fn quoted(&mut self) -> Result<String, Flaw> {
        let (line, column) = (self.line, self.column);
        self.next()?;
        let mut cell = String::new();
        loop {
            match self.next()? {
                None => return Err(malformed(line, column, "the quote that starts here is never closed")),
                Some('"') if self.letters.peek() == Some(&'"') => {
                    self.next()?;
                    cell.push('"');
                }
                Some('"') if self.is_at_end() => return Ok(cell),
                Some('"') => {
                    let detail = "the cell goes on after its closing quote; double a quote that is text";
                    return Err(malformed(self.line, self.column, detail));
                }
                Some(letter) => cell.push(letter),
            }
        }
    }
}

#[cfg(test)]
mod tests;
