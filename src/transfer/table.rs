//! A table of another system, row by row, as a plan file.
//!
//! Each row is an initiative, or, where `step` is mapped, a step of one. What the table repeats (objectives, initiatives, entities) is made
//! once. All external ids are derived from the strategy's and from the codes or names, so that a later import of the table finds its rows.

mod amount;
pub mod mapping;
mod names;
mod rows;

use serde_json::{Map, Value};
use sqlx::PgConnection;

pub use self::{amount::DecimalMark, mapping::Mapping};
use self::{
    mapping::fault,
    names::folded,
    rows::{Plan, Row},
};
use super::{
    export::strategy_id,
    origin::Origin,
    plan_file::FORMAT,
    sheet::{self, Flaw, Flaws, Record, Sheet, short},
};
use crate::{
    api::{Error, shape::unknown},
    plan::Strategy,
    repository,
};

/// A table may have so many rows.
const ROWS: usize = 100_000;

/// Where the rows of a table go.
#[derive(Debug)]
pub struct Target {
    /// The strategy, as a reference.
    pub strategy: String,
    /// What all external ids start with.
    pub prefix: String,
    /// The currency of amounts that do not say theirs.
    pub currency: Option<String>,
    /// So many rows may be made.
    pub most: usize,
}

impl Target {
    /// The strategy with this id, external id or code.
    pub async fn find(connection: &mut PgConnection, word: &str, currency: Option<String>) -> Result<Self, Error> {
        let id = strategy_id(connection, word).await?;
        let strategies = repository::find_many::<Strategy>(connection, &[id]).await?;
        let external = strategies.into_iter().find_map(|strategy| strategy.data.external_id);
        let prefix = external.map_or_else(|| id.to_string(), |external| external.0);
        Ok(Self { strategy: id.to_string(), prefix, currency, most: usize::MAX })
    }
}

/// Turns a table into a plan file, or says all that is wrong with it. Faults name the line and the header.
pub fn plan(bytes: &[u8], mapping: &Mapping, target: &Target) -> Result<(Vec<u8>, Origin), Error> {
    let Table { columns, places, filled, sheet } = Table::open(bytes, mapping)?;
    let (mut plan, mut flaws) = (Plan::new(mapping, target), Flaws::default());
    let mut above: Option<Vec<String>> = None;
    for (number, record) in sheet.enumerate() {
        let outcome = record.and_then(|Record { line, cells }| {
            if number >= ROWS {
                return Err(Flaw::new(line, None, "too_many", format!("a table may have {ROWS} rows; split it")));
            }
            let mut cells: Vec<String> = places.iter().map(|place| cells[*place].trim().to_owned()).collect();
            if cells.iter().all(String::is_empty) {
                return Ok(());
            }
            for &place in &filled {
                if let Some(above) = above.as_ref().filter(|_| cells[place].is_empty()) {
                    cells[place].clone_from(&above[place]);
                }
            }
            let outcome = plan.add(&Row { columns: &columns, cells: &cells, line });
            above = Some(cells);
            outcome
        });
        let Err(flaw) = outcome else { continue };
        let is_last = flaw.code == "too_many";
        if !flaws.add(flaw) || is_last {
            break;
        }
    }
    if !flaws.0.is_empty() {
        return Err(problem(flaws.0));
    }
    let mut document = Map::from_iter([("format".to_owned(), Value::from(FORMAT))]);
    document.extend(plan.sections.into_iter().map(|(name, rows)| (name.to_owned(), Value::Array(rows))));
    Ok((Value::Object(document).to_string().into_bytes(), plan.origin))
}

fn problem(flaws: Vec<Flaw>) -> Error {
    sheet::problem(flaws.into_iter().map(|flaw| flaw.fault(None)).collect())
}

/// A table, and which of its columns are mapped.
struct Table<'a> {
    /// Role and header, as printed.
    columns: Vec<(&'static str, String)>,
    /// Where in a record the mapped columns are.
    places: Vec<usize>,
    /// Which mapped columns repeat the cell above.
    filled: Vec<usize>,
    sheet: Sheet<'a>,
}

impl<'a> Table<'a> {
    fn open(bytes: &'a [u8], mapping: &Mapping) -> Result<Self, Error> {
        let sheet = Sheet::open(bytes).map_err(|flaw| problem(vec![flaw]))?;
        let (mut columns, mut places, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (role, wanted) in &mapping.columns {
            let mut found = sheet.headers.iter().enumerate().filter(|(_, header)| folded(header) == folded(wanted));
            match (found.next(), found.next()) {
                (Some((place, header)), None) => {
                    columns.push((*role, header.clone()));
                    places.push(place);
                }
                (Some((_, header)), Some(_)) => {
                    let detail = format!("the table has the header `{}` more than once", short(header));
                    faults.push(fault("map", "ambiguous", detail));
                }
                (None, _) => {
                    let known: Vec<String> = sheet.headers.iter().map(|header| short(header)).collect();
                    let detail = unknown("header of the table", &short(wanted), known.iter().map(String::as_str));
                    faults.push(fault("map", "unknown_header", detail));
                }
            }
        }
        if !faults.is_empty() {
            return Err(Error::BadQuery(faults));
        }
        let is_filled = |(role, header): &(&'static str, String)| {
            mapping.fill_down.iter().any(|name| name == role || folded(name) == folded(header))
        };
        let filled: Vec<usize> = (0..columns.len()).filter(|place| is_filled(&columns[*place])).collect();
        Ok(Self { columns, places, filled, sheet })
    }
}

#[cfg(test)]
mod tests;
