//! Deadlines as the source words them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a deadline is worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DeadlineKind {
    /// Not understood.
    Unknown,
}

/// A deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(from = "Input")]
pub struct Deadline {
    /// The words of the source.
    #[schema(min_length = 1, max_length = 500)]
    pub text: String,
    /// How it is worded.
    #[schema(required = false, read_only)]
    pub kind: DeadlineKind,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    text: String,
}

impl From<Input> for Deadline {
    fn from(input: Input) -> Self {
        Self {
            text: input.text,
            kind: DeadlineKind::Unknown,
            from: None,
            to: None,
        }
    }
}

impl Deadline {
    /// What is wrong with it: codes and sentences.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

#[allow(missing_docs)]
pub struct Calendar {
    #[allow(missing_docs)]
    pub fiscal_year_start: u32,
}
#[allow(missing_docs)]
pub fn use_calendar(_: Calendar) {}
