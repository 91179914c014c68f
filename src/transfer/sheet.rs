//! A CSV file (RFC 4180) as records that know their line.
//!
//! The reader is ours, because the `csv` crate takes a quote that is never closed for text, and forgets lines.

use std::{iter::Peekable, str::Chars};

use crate::{base::values::characters::compose, error::Error, repository::Fault};

/// A table may have so many columns.
const COLUMNS: usize = 1000;

/// A cell may have so many bytes.
const CELL: usize = 256 << 10;

/// So many flaws are named; then reading stops.
const FLAWS: usize = 1000;

/// A table: its header, and, as an iterator, the records under it that are not empty. Each has a cell for every column.
pub struct Sheet<'a> {
    /// The header, without spaces around its names.
    pub headers: Vec<String>,
    reader: Reader<'a>,
    is_broken: bool,
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

/// Why a table is not read.
#[derive(Debug)]
pub enum Unread {
    /// It is none, or its header is no good.
    Problem(Error),
    /// Some of its rows are no good: the section of each, and the flaw.
    Rows(Vec<(String, Flaw)>),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Problem(error)
    }
}

impl Unread {
    /// As an error, where each table is a file.
    pub fn error(self) -> Error {
        match self {
            Self::Problem(error) => error,
            Self::Rows(flaws) => {
                let fault = |(section, flaw): (String, Flaw)| flaw.fault(Some(&format!("{section}.csv")));
                Error::Invalid(flaws.into_iter().map(fault).collect())
            }
        }
    }

    /// What is wrong with the rows of one table: one that cannot be read to its end is malformed.
    pub fn of(section: &str, flaws: Vec<Flaw>) -> Self {
        if flaws.iter().any(|flaw| flaw.code == "malformed") {
            return Self::Problem(problem(flaws.into_iter().map(|flaw| flaw.fault(None)).collect()));
        }
        Self::Rows(flaws.into_iter().map(|flaw| (section.to_owned(), flaw)).collect())
    }
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

/// Flaws as they are found; what is a flaw too many only says so.
#[derive(Debug, Default)]
pub struct Flaws(pub Vec<Flaw>);

impl Flaws {
    /// Adds a flaw; false when it is time to stop.
    pub fn add(&mut self, flaw: Flaw) -> bool {
        if self.0.len() < FLAWS {
            self.0.push(flaw);
            return true;
        }
        let detail = format!("there are more than {FLAWS} faults; correct these first");
        self.0.push(Flaw::new(flaw.line, None, "more", detail));
        false
    }
}

impl<'a> Sheet<'a> {
    /// Reads the header. The delimiter is a comma, a semicolon or a tab, whichever the header has most of.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Flaw> {
        let text = utf8(bytes)?;
        let (letters, delimiter) = (text.chars().peekable(), delimiter(text));
        let mut reader = Reader { letters, delimiter, line: 1, column: 1, is_long: false, long: None };
        let header = reader.record()?;
        let header = header.ok_or_else(|| Flaw::new(1, None, "required", "the file is empty; it needs a header"))?;
        if reader.long.is_some() {
            return Err(Flaw::new(
                1,
                None,
                "too_long",
                format!("has a name of more than {CELL} bytes; is a quote missing?"),
            ));
        }
        let headers = header.cells.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self { headers, reader, is_broken: false })
    }
}

impl Iterator for Sheet<'_> {
    type Item = Result<Record, Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_broken {
            match self.reader.record() {
                Ok(record) => {
                    let record = record?;
                    let (count, wanted) = (record.cells.len(), self.headers.len());
                    if let Some(place) = self.reader.long {
                        let detail = format!("has a cell of more than {CELL} bytes; is a quote missing?");
                        return Some(Err(Flaw::new(record.line, self.headers.get(place).cloned(), "too_long", detail)));
                    }
                    if record.cells.iter().all(|cell| cell.trim().is_empty()) {
                        continue;
                    }
                    if count == wanted {
                        return Some(Ok(record));
                    }
                    let delimiter = match self.reader.delimiter {
                        '\t' => "tab".to_owned(),
                        other => format!("`{other}`"),
                    };
                    let detail = format!(
                        "has {count} cells, and the header {wanted}; the delimiter is the {delimiter}: put cells that have it in them into quotes"
                    );
                    return Some(Err(Flaw::new(record.line, None, "ragged", detail)));
                }
                Err(flaw) => {
                    self.is_broken = true;
                    return Some(Err(flaw));
                }
            }
        }
        None
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

/// What stands most often in the header, outside of quotes.
fn delimiter(text: &str) -> char {
    let (mut quoted, mut found) = (false, [(',', 0), (';', 0), ('\t', 0)]);
    for letter in text.trim_start_matches(['\r', '\n']).chars() {
        match letter {
            '"' => quoted = !quoted,
            '\n' | '\r' if !quoted => break,
            _ if !quoted => found.iter_mut().filter(|(own, _)| *own == letter).for_each(|(_, count)| *count += 1),
            _ => {}
        }
    }
    let [first, rest @ ..] = found;
    rest.into_iter().fold(first, |most, other| if other.1 > most.1 { other } else { most }).0
}

struct Reader<'a> {
    letters: Peekable<Chars<'a>>,
    delimiter: char,
    line: usize,
    column: usize,
    /// Whether the cell that is being read is too long.
    is_long: bool,
    /// The first cell of the last record that is.
    long: Option<usize>,
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
        self.long = None;
        loop {
            let cell = self.cell()?;
            if std::mem::take(&mut self.is_long) {
                self.long.get_or_insert(record.cells.len());
            }
            record.cells.push(cell);
            if record.cells.len() > COLUMNS {
                let detail = format!("has more than {COLUMNS} columns; so many are not read");
                return Err(Flaw::new(record.line, None, "too_many", detail));
            }
            if self.next()?.is_none_or(|letter| letter != self.delimiter) {
                return Ok(Some(record));
            }
        }
    }

    fn cell(&mut self) -> Result<String, Flaw> {
        // Headers are compared with names that came as JSON, which is read in the same form.
        let cell = if self.letters.peek() == Some(&'"') { self.quoted()? } else { self.bare()? };
        Ok(compose(cell))
    }

    /// Puts a letter into a cell. What is beyond its end is left out, and the record is refused for it.
    fn put(&mut self, cell: &mut String, letter: char) {
        self.is_long |= cell.len() >= CELL;
        if !self.is_long {
            cell.push(letter);
        }
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
            let Some(letter) = self.next()? else { break };
            self.put(&mut cell, letter);
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
                Some(letter) => self.put(&mut cell, letter),
            }
        }
    }
}

#[cfg(test)]
mod tests;
