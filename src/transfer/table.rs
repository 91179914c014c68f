//! A table of another system, row by row, as a plan file.
//!
//! Each row is an initiative, or, where `step` is mapped, a step of one. What the table repeats (objectives, initiatives, entities) is made
//! once. All external ids are derived from the strategy's and from the codes or names, so that a later import of the table finds its rows.

mod amount;
mod amounts;
mod assignments;
pub mod import;
mod items;
pub mod mapping;
mod rows;
mod settle;

use sqlx::PgConnection;
use uuid::Uuid;

pub use self::{amount::DecimalMark, mapping::Mapping};
use self::{
    mapping::fault,
    rows::{Plan, Row},
};
use super::{
    export::strategy_id,
    how::Empty,
    names::folded,
    report::UnmappedColumn,
    sheet::{self, Flaw, Flaws, Record, Sheet, Unread, short},
};
use crate::{base::text::unknown, error::Error, nouns::plan::Strategy, repository};

/// A table may have so many rows.
const ROWS: usize = 100_000;

/// Where the rows of a table go.
#[derive(Debug)]
pub struct Target {
    /// The strategy.
    pub strategy: Uuid,
    /// What all external ids start with.
    pub prefix: String,
    /// The currency of amounts that do not say theirs.
    pub currency: Option<String>,
    /// The language of its words; the first of the service when not given.
    pub language: Option<String>,
    /// What an empty cell of a mapped column says.
    pub empty: Empty,
    /// So many rows may be made.
    pub most: usize,
}

impl Target {
    /// The strategy with this id, external id or code.
    pub async fn find(connection: &mut PgConnection, word: &str) -> Result<Self, Error> {
        let id = strategy_id(connection, word).await?;
        let strategies = repository::find_many::<Strategy>(connection, &[id]).await?;
        let external = strategies.into_iter().find_map(|strategy| strategy.data.external_id);
        let prefix = external.map_or_else(|| id.to_string(), |external| external.0);
        Ok(Self { strategy: id, prefix, currency: None, language: None, empty: Empty::default(), most: usize::MAX })
    }
}

/// Turns a table into the rows of a plan, or says all that is wrong with it. Faults name the line and the header.
fn plan<'a>(bytes: &[u8], mapping: &'a Mapping, target: &'a Target) -> Result<Plan<'a>, Unread> {
    let Table { columns, places, filled, mut unmapped, sheet } = Table::open(bytes, mapping)?;
    let (mut plan, mut flaws) = (Plan::new(mapping, target), Flaws::default());
    let mut above: Option<Vec<String>> = None;
    for (number, record) in sheet.enumerate() {
        let outcome = record.and_then(|Record { line, cells }| {
            if number >= ROWS {
                return Err(Flaw::new(line, None, "too_many", format!("a table may have {ROWS} rows; split it")));
            }
            for (place, column) in &mut unmapped {
                column.cells += usize::from(!cells[*place].trim().is_empty());
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
        return Err(Unread::of(mapping.section(), flaws.0));
    }
    plan.unmapped = unmapped.into_iter().map(|(_, column)| column).collect();
    Ok(plan)
}

fn problem(flaws: Vec<Flaw>) -> Error {
    sheet::problem(flaws.into_iter().map(|flaw| flaw.fault(None)).collect())
}

/// A table, and which of its columns are mapped.
struct Table<'a> {
    /// Role and header, as printed.
    columns: Vec<(String, String)>,
    /// Where in a record the mapped columns are.
    places: Vec<usize>,
    /// Which mapped columns repeat the cell above.
    filled: Vec<usize>,
    /// The columns that are not mapped, and where in a record they are.
    unmapped: Vec<(usize, UnmappedColumn)>,
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
                    columns.push((role.clone(), header.clone()));
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
        let is_filled = |(role, header): &(String, String)| {
            mapping.fill_down.iter().any(|name| name == role || folded(name) == folded(header))
        };
        let filled: Vec<usize> = (0..columns.len()).filter(|place| is_filled(&columns[*place])).collect();
        let others = sheet.headers.iter().enumerate().filter(|(place, _)| !places.contains(place));
        let unmapped =
            others.map(|(place, header)| (place, UnmappedColumn { header: short(header), cells: 0 })).collect();
        Ok(Self { columns, places, filled, unmapped, sheet })
    }
}

#[cfg(test)]
mod tests;
