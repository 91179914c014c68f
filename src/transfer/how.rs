//! `How`: what an import does with rows that are there already, and whether it only tries.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an import does with a row that is there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It gets the fields that the file names; `null` clears one, and what the file does not name stays.
    #[default]
    Merge,
    /// It is replaced: what the file does not name is cleared, but for its classification, its status and what was reported of it.
    Replace,
    /// It stays as it is; only rows that are not there yet are written.
    Add,
}

/// Whether an import may make entities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum NewEntities {
    /// An entity that is not there is made, and listed in the report.
    #[default]
    Make,
    /// An entity that is not there is a fault.
    MustExist,
}

/// What an empty cell of a CSV file says of a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// Nothing: the field stays as it is.
    #[default]
    Unchanged,
    /// That there is no value: the field is cleared.
    Cleared,
}

/// How an import is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct How {
    /// Only tries it.
    pub dry_run: bool,
    /// What it does with rows that are there.
    pub mode: Mode,
    /// Whether it may make entities.
    pub entities: NewEntities,
}

impl How {
    /// The default, tried or done.
    pub fn tried(dry_run: bool) -> Self {
        Self { dry_run, ..Self::default() }
    }
}
