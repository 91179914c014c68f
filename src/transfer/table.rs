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
    sheet::{self, Sheet, short},
};
use crate::{
    api::{Error, shape::unknown},
    repository::Fault,
};

/// Where the rows of a table go.
#[derive(Debug)]
pub struct Target {
    /// The strategy, as a reference.
    pub strategy: String,
    /// What all external ids start with.
    pub prefix: String,
    /// The currency of amounts that do not say theirs.
    pub currency: Option<String>,
}

impl Target {
    /// The strategy with this id, external id or code.
    pub async fn find(connection: &mut PgConnection, word: &str, currency: Option<String>) -> Result<Self, Error> {
        let id = strategy_id(connection, word).await?;
        let external: Option<String> = sqlx::query_scalar("select external_id from strategies where id = $1")
            .bind(id)
            .fetch_one(connection)
            .await?;
        let prefix = external.unwrap_or_else(|| id.to_string());
        Ok(Self { strategy: id.to_string(), prefix, currency })
    }
}

/// Turns a table into a plan file, or says all that is wrong with it. Faults name the line and the header.
pub fn plan(bytes: &[u8], mapping: &Mapping, target: &Target) -> Result<(Vec<u8>, Origin), Error> {
    let table = Table::read(bytes, mapping)?;
    let mut plan = Plan::new(mapping, target);
    let mut faults: Vec<Fault> = Vec::new();
    for (line, cells) in &table.rows {
        if let Err(flaw) = plan.add(&Row { columns: &table.columns, cells, line: *line }) {
            faults.push(flaw.fault(None));
        }
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let mut document = Map::from_iter([("format".to_owned(), Value::from(FORMAT))]);
    document.extend(plan.sections.into_iter().map(|(name, rows)| (name.to_owned(), Value::Array(rows))));
    Ok((Value::Object(document).to_string().into_bytes(), plan.origin))
}

/// The mapped columns of a table: role, header as printed, cells.
#[derive(Debug)]
struct Table {
    columns: Vec<(&'static str, String)>,
    rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    fn read(bytes: &[u8], mapping: &Mapping) -> Result<Self, Error> {
        let sheet = Sheet::read(bytes)
            .map_err(|flaws| sheet::problem(flaws.into_iter().map(|flaw| flaw.fault(None)).collect()))?;
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
        let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
        for record in &sheet.records {
            let mut cells: Vec<String> = places.iter().map(|place| record.cells[*place].trim().to_owned()).collect();
            if cells.iter().all(String::is_empty) {
                continue;
            }
            for &place in &filled {
                if let Some((_, above)) = rows.last().filter(|_| cells[place].is_empty()) {
                    cells[place].clone_from(&above[place]);
                }
            }
            rows.push((record.line, cells));
        }
        Ok(Self { columns, rows })
    }
}

#[cfg(test)]
mod tests;
