//! What became of an import of activities.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use super::part::LeftOut;
use crate::{api::enough::FAULTS, repository::Fault, transfer::section::Outcome};

/// So many rows of what is left out are told, over all activities.
const LEFT_OUT: usize = 10_000;

/// What became of an import of activities.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct IatiReport {
    /// True when it was only tried.
    pub dry_run: bool,
    /// True when it is written: nothing was refused, and it was not only tried.
    pub committed: bool,
    /// New contributions.
    pub created: usize,
    /// Contributions that were there and are different now, themselves or in their partners.
    pub changed: usize,
    /// Contributions that were there, with the same content.
    pub unchanged: usize,
    /// Activities that are not valid. One is enough, and nothing is written, unless `partial` takes the others.
    pub refused: usize,
    /// Contributions that would be new, had no activity been refused.
    #[serde(default)]
    pub would_create: usize,
    /// Contributions that would be different, had no activity been refused.
    #[serde(default)]
    pub would_change: usize,
    /// What has no place in a contribution, of all activities together.
    pub left_out: Vec<LeftOut>,
    /// Each activity, in the order of the file. Once a thousand faults are told, further refused ones are only counted, and after ten thousand rows of
    /// what is left out the others have none.
    pub rows: Vec<IatiRow>,
}

/// What became of an activity.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IatiRow {
    /// The place in the file, from 0; none for what is wrong around the activities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// The line on which it begins.
    pub line: usize,
    /// Its `iati-identifier`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The id of the contribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What became of it.
    pub outcome: Outcome,
    /// What is wrong with it: `line 12, column 5: /iati-activities/iati-activity/budget`, or `line 3: #/recipients` for a rule of contributions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// What it says and a contribution has no place for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// The rows of an answer. A file can have more to tell of than there is memory: what is told is limited, and counted.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) rows: Vec<IatiRow>,
    /// How many faults there were in all.
    pub(super) faults: usize,
    left_out: usize,
}

impl Kept {
    /// Keeps a row, or what there is room for of it.
    pub(super) fn keep(&mut self, mut row: IatiRow) {
        let is_told = self.faults < FAULTS;
        self.faults += row.errors.len();
        if !row.errors.is_empty() && !is_told {
            return;
        }
        if self.left_out >= LEFT_OUT {
            row.left_out = Vec::new();
        }
        self.left_out += row.left_out.len();
        self.rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_has_to_tell_beyond_measure_is_counted() {
        let fault = || Fault { pointer: "line 1".into(), code: "required".into(), detail: "is required".into() };
        let left = || LeftOut { path: "x".into(), line: 1, count: 1, why: None };
        let row = |outcome, errors: usize, left_out: usize| IatiRow {
            index: Some(0),
            line: 1,
            external_id: None,
            id: None,
            outcome,
            errors: (0..errors).map(|_| fault()).collect(),
            left_out: (0..left_out).map(|_| left()).collect(),
        };
        let mut kept = Kept::default();
        for _ in 0..100 {
            kept.keep(row(Outcome::Refused, 150, 200));
            kept.keep(row(Outcome::Created, 0, 200));
        }
        let told: usize = kept.rows.iter().map(|row| row.errors.len()).sum();
        let left_out: usize = kept.rows.iter().map(|row| row.left_out.len()).sum();
        assert_eq!((kept.faults, told, kept.rows.len(), left_out), (15_000, 1050, 107, 10_000));
    }
}
