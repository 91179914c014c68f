//! What a plan file would cost, found out before anything is made of it.

use super::plan_file::PlanFile;
use crate::{error::Error, router::Noun};

/// A plan file that is sent over HTTP may have so many rows.
const ROWS: usize = 150_000;
/// Rows that are judged together are in memory together: so many bytes of them, and so many values.
const TOGETHER: Cost = Cost { bytes: 6 << 20, values: 150_000 };
/// Nothing is nested deeper than this. A row may be as deep as any body.
const DEEPEST: usize = 129;

/// What a piece of JSON takes of memory.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    /// The bytes of its text.
    pub(super) bytes: usize,
    /// Its values, at most.
    pub(super) values: usize,
}

impl Cost {
    /// The cost of some JSON, by its marks.
    pub(super) fn of(text: &str) -> Self {
        let mut values = 1;
        marks(text.as_bytes(), |mark, _| {
            values += usize::from(matches!(mark, b',' | b'[' | b'{'));
            true
        });
        Self { bytes: text.len(), values }
    }

    /// Both added.
    pub(super) fn and(self, more: Self) -> Self {
        Self { bytes: self.bytes + more.bytes, values: self.values + more.values }
    }

    /// Whether it is more than another, in bytes or in values.
    pub(super) fn exceeds(self, other: Self) -> bool {
        self.bytes > other.bytes || self.values > other.values
    }
}

/// Refuses a file with more rows than are taken over HTTP, before a list of them is made.
pub(super) fn measure(document: &[u8], nouns: &[Noun]) -> Result<(), Error> {
    let (mut rows, mut deepest) = (0_usize, 0);
    marks(document, |mark, depth| {
        // A section is a list in the file; what stands between its rows, or opens it, is counted.
        rows += usize::from((mark == b',' && depth == 2) || (mark == b'[' && depth == 1));
        deepest = deepest.max(depth);
        rows <= ROWS && deepest <= DEEPEST
    });
    if deepest > DEEPEST {
        return Err(Error::Malformed("the file is nested deeper than 127 levels in a row".into()));
    }
    if rows > ROWS {
        return Err(Error::TooLarge(format!("a plan file may have at most {ROWS} rows here; use `mandate import`")));
    }
    let file = PlanFile::parse(document, nouns)?;
    for (noun, rows) in nouns.iter().zip(&file.sections).filter(|(noun, _)| noun.at_once == usize::MAX) {
        let cost = rows.iter().fold(Cost::default(), |cost, row| cost.and(Cost::of(row.get())));
        if cost.exceeds(TOGETHER) {
            return Err(Error::TooLarge(format!(
                "the section {} is judged as a whole, and has more than {} bytes or {} values; use `mandate import`",
                noun.table, TOGETHER.bytes, TOGETHER.values
            )));
        }
    }
    Ok(())
}

/// Tells of each mark outside of strings, with the number of lists and objects that are open before it, until it is told that this is enough.
fn marks(text: &[u8], mut tell: impl FnMut(u8, usize) -> bool) {
    let (mut depth, mut is_string, mut is_escaped) = (0_usize, false, false);
    for &byte in text {
        if is_string {
            is_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => is_string = true,
            b',' if !tell(byte, depth) => return,
            b'[' | b'{' => {
                if !tell(byte, depth) {
                    return;
                }
                depth += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::nouns;

    fn measured(text: &str) -> Result<(), &'static str> {
        measure(text.as_bytes(), nouns()).map_err(|error| match error {
            Error::TooLarge(_) => "too large",
            Error::Malformed(_) => "malformed",
            _ => "another",
        })
    }

    #[test]
    fn rows_are_counted_before_they_are_listed() {
        let file =
            |rows: usize| format!(r#"{{"format": "mandate-plan/1", "steps": [{}]}}"#, vec!["{}"; rows].join(","));
        assert_eq!(measured(&file(ROWS)), Ok(()));
        assert_eq!(measured(&file(ROWS + 1)), Err("too large"));
        let words = format!(r#"{{"format": "mandate-plan/1", "steps": [{{"title": "\"{}\\"}}]}}"#, ",[{".repeat(ROWS));
        assert_eq!(measured(&words), Ok(()));
    }

    #[test]
    fn depth_is_found_without_going_down() {
        let deep = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"format": "mandate-plan/1", "steps": [{open}{close}]}}"#)
        };
        assert_eq!(measured(&deep(127)), Ok(()));
        assert_eq!(measured(&deep(1_000_000)), Err("malformed"));
    }

    #[test]
    fn what_is_judged_together_is_in_memory_together() {
        let rows = vec![r#"{"a":[0,0,0,0,0,0,0,0,0,0]}"#; 13_000].join(",");
        let file = |table: &str| format!(r#"{{"format": "mandate-plan/1", "{table}": [{rows}]}}"#);
        assert_eq!(measured(&file("steps")), Ok(()));
        assert_eq!(measured(&file("budget_movements")), Err("too large"));
    }
}
