//! What became of an import of activities.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use super::part::LeftOut;
use crate::{repository::Fault, transfer::section::Outcome};

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
    /// Activities that are not valid. One is enough, and nothing is written.
    pub refused: usize,
    /// What has no place in a contribution, of all activities together.
    pub left_out: Vec<LeftOut>,
    /// Each activity, in the order of the file.
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
