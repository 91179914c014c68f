//! `Mapping`: which column of a table holds what.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;

use super::amount::DecimalMark;
use crate::{
    api::json,
    base::text::{brief, unknown},
    error::Error,
    repository::Fault,
    transfer::names::folded,
};

/// What a column can hold.
///
/// `amount:2026` is the amount of a year, and `amount:2026:PNRR` that of a year and a source, so that a row can have several.
pub const ROLES: [&str; 14] = [
    "objective_code",
    "objective",
    "code",
    "title",
    "description",
    "step_code",
    "step",
    "lead",
    "support",
    "deadline",
    "amount",
    "currency",
    "fiscal_year",
    "funding_source",
];

/// What a role such as `amount:2026:PNRR` starts with.
pub(super) const AMOUNT_OF: &str = "amount:";

/// Roles that say nothing without another one.
const NEEDS: [(&str, &str); 5] = [
    ("step_code", "step"),
    ("amount", "fiscal_year"),
    ("currency", "amount"),
    ("fiscal_year", "amount"),
    ("funding_source", "amount"),
];

/// A mapping as it is given on the command line and over HTTP.
#[derive(Debug, Default)]
pub struct Given<'a> {
    /// Roles and headers: `title="Acțiune",lead=Responsabil`.
    pub map: &'a str,
    /// Roles or headers of columns whose empty cells repeat the cell above.
    pub fill_down: &'a [String],
    /// What stands between several entities of a cell.
    pub separator: Option<&'a str>,
    /// What stands before decimals.
    pub decimal: Option<DecimalMark>,
}

/// A mapping as a file.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MappingFile {
    /// The strategy into which the rows go: its id, or `external:` and its external id, or `code:` and its code.
    #[schema(min_length = 1, max_length = 300)]
    pub strategy_id: Option<String>,
    /// Role and header.
    #[schema(required = true)]
    pub map: BTreeMap<String, String>,
    /// Roles or headers of columns whose empty cells repeat the cell above.
    pub fill_down: Vec<String>,
    /// What stands between several entities of a cell.
    pub separator: Option<String>,
    /// What stands before the decimals of amounts.
    pub decimal: Option<DecimalMark>,
}

/// Which column of a table holds what.
#[derive(Debug)]
pub struct Mapping {
    /// Role and header.
    pub columns: Vec<(String, String)>,
    /// Roles or headers of columns whose empty cells repeat the cell above.
    pub fill_down: Vec<String>,
    /// What stands between several entities of a cell.
    pub separators: Vec<String>,
    /// What stands before decimals, where it was said.
    pub decimal: Option<DecimalMark>,
}

impl MappingFile {
    /// Reads the file, or says all that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        json::decode(json::parse_bytes(bytes)?).map_err(Error::Invalid)
    }

    /// The mapping.
    pub fn mapping(&self) -> Result<Mapping, Error> {
        let pairs = self.map.iter().map(|(role, header)| (role.clone(), header.trim().to_owned())).collect();
        Mapping::new(pairs, &self.fill_down, self.separator.as_deref(), self.decimal)
    }
}

impl Given<'_> {
    /// The mapping.
    pub fn mapping(&self) -> Result<Mapping, Error> {
        let pairs = pairs(self.map).map_err(|fault| Error::BadQuery(vec![fault]))?;
        Mapping::new(pairs, self.fill_down, self.separator, self.decimal)
    }
}

pub(super) fn fault(name: &str, code: &str, detail: impl Into<String>) -> Fault {
    Fault { pointer: name.into(), code: code.into(), detail: detail.into() }
}

impl Mapping {
    /// Whether a column holds this.
    pub(super) fn has(&self, role: &str) -> bool {
        self.columns.iter().any(|(known, _)| known == role)
    }

    /// What each row becomes.
    pub(super) fn section(&self) -> &'static str {
        if self.has("step") { "steps" } else { "initiatives" }
    }

    fn new(
        pairs: Vec<(String, String)>,
        fill_down: &[String],
        separator: Option<&str>,
        decimal: Option<DecimalMark>,
    ) -> Result<Self, Error> {
        let mut columns: Vec<(String, String)> = Vec::new();
        let mut faults = Vec::new();
        for (name, header) in pairs {
            if columns.iter().any(|(known, _)| *known == name) {
                faults.push(fault("map", "repeated", format!("names `{}` twice", brief(&name))));
            } else if let Some(rest) = name.strip_prefix(AMOUNT_OF) {
                let year = rest.split(':').next().unwrap_or_default();
                if year.len() == 4 && year.parse::<u16>().is_ok() {
                    columns.push((name, header));
                } else {
                    let detail = format!(
                        "`{}` is not an amount of a year, such as amount:2026 or amount:2026:PNRR",
                        brief(&name)
                    );
                    faults.push(fault("map", "unknown_role", detail));
                }
            } else if ROLES.contains(&name.as_str()) {
                columns.push((name, header));
            } else {
                faults.push(fault("map", "unknown_role", unknown("role of a column", &name, ROLES.into_iter())));
            }
        }
        let has = |role: &str| {
            columns.iter().any(|(known, _)| *known == role || role == "amount" && known.starts_with(AMOUNT_OF))
        };
        if !has("title") && faults.is_empty() {
            faults.push(fault("map", "required", "must say which column has the title: title=\"...\""));
        }
        let is_mapped = |role: &str| columns.iter().any(|(known, _)| *known == role);
        for (role, needed) in NEEDS.into_iter().filter(|(role, needed)| is_mapped(role) && !has(needed)) {
            faults.push(fault("map", "required", format!("names `{role}`, which needs a column for `{needed}` too")));
        }
        for name in fill_down {
            if !columns.iter().any(|(role, header)| role == name || folded(header) == folded(name)) {
                let known = columns.iter().map(|(role, _)| role.as_str());
                faults.push(fault("fill_down", "unknown_role", unknown("mapped column", name, known)));
            }
        }
        if separator == Some("") {
            faults.push(fault("separator", "empty", "must not be empty"));
        }
        let separators = separator.map_or_else(|| vec![";".into(), "\n".into()], |word| vec![word.to_owned()]);
        if faults.is_empty() {
            Ok(Self { columns, fill_down: fill_down.to_vec(), separators, decimal })
        } else {
            Err(Error::BadQuery(faults))
        }
    }
}

/// `a="x, y",b=z` as pairs. A shell takes quotes away, so a part without `=` belongs to the header before it.
pub(super) fn pairs(map: &str) -> Result<Vec<(String, String)>, Fault> {
    let wrong = |detail: String| fault("map", "wrong_format", detail);
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut rest = map;
    loop {
        let Some((name, after)) = rest.split_once('=').filter(|(name, _)| !name.contains(',')) else {
            let part = rest.split(',').next().unwrap_or_default();
            return Err(wrong(format!("`{}` is not ROLE=HEADER, such as title=Name", brief(part))));
        };
        let name = name.trim();
        let (header, end) = if let Some(quoted) = after.trim_start().strip_prefix('"') {
            let open = || wrong(format!("the quote that starts after `{}=` is never closed", brief(name)));
            let (header, end) = unquoted(quoted).ok_or_else(open)?;
            (header, end.trim_start())
        } else {
            let (header, end) = after.split_at(end_of(after));
            if header.matches('"').count() % 2 == 1 {
                let detail =
                    format!("the header `{}` has a quote that is never closed, or never opened", brief(header));
                return Err(wrong(detail));
            }
            (header.to_owned(), end)
        };
        pairs.push((name.to_owned(), header.trim().to_owned()));
        rest = match end.strip_prefix(',') {
            Some(rest) => rest,
            None if end.is_empty() => return Ok(pairs),
            None => {
                return Err(wrong(format!("`{}` stands behind the closing quote of `{}`", brief(end), brief(name))));
            }
        };
    }
}

/// A header up to its closing quote, and what is behind that. Two quotes are one that is text.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut header = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        header.push_str(before);
        let Some(more) = after.strip_prefix('"') else { return Some((header, after)) };
        header.push('"');
        rest = more;
    }
}

/// Where a header without quotes ends: at the comma before the next role.
fn end_of(text: &str) -> usize {
    let mut commas = text.match_indices(',').map(|(place, _)| place);
    let is_end = |place: &usize| {
        let next = text[place + 1..].split(',').next().unwrap_or_default();
        next.split_once('=').is_some_and(|(name, header)| is_role(name.trim()) || !header.is_empty())
    };
    commas.find(is_end).unwrap_or(text.len())
}

fn is_role(name: &str) -> bool {
    ROLES.contains(&name) || name.starts_with(AMOUNT_OF)
}
