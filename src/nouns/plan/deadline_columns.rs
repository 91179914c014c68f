//! The four columns of a deadline: `deadline_text`, `deadline_kind`, `deadline_from`, `deadline_to`.

use chrono::NaiveDate;

use super::deadlines::{Deadline, DeadlineKind};
use crate::repository::{Faults, Row};

/// As read; a noun says `#[sqlx(flatten, try_from = "DeadlineColumns")]`.
#[derive(sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "the names of the columns")]
pub(super) struct DeadlineColumns {
    deadline_text: Option<String>,
    deadline_kind: Option<DeadlineKind>,
    deadline_from: Option<NaiveDate>,
    deadline_to: Option<NaiveDate>,
}

impl From<DeadlineColumns> for Option<Deadline> {
    fn from(columns: DeadlineColumns) -> Self {
        let (text, kind) = columns.deadline_text.zip(columns.deadline_kind)?;
        Some(Deadline { text, kind, from: columns.deadline_from, to: columns.deadline_to })
    }
}

/// Fills the columns.
pub(super) fn set(row: &mut Row, deadline: Option<&Deadline>) {
    row.set("deadline_text", &deadline.map(|deadline| &deadline.text))
        .set("deadline_kind", &deadline.map(|deadline| deadline.kind))
        .set("deadline_from", &deadline.and_then(|deadline| deadline.from))
        .set("deadline_to", &deadline.and_then(|deadline| deadline.to));
}

/// Notes what is wrong with the deadline, unless it is as it was before, which is `None` where there was none.
pub(super) fn check(deadline: Option<&Deadline>, before: Option<&Deadline>, faults: &mut Faults) {
    if before == deadline {
        return;
    }
    for (field, detail) in deadline.iter().flat_map(|deadline| deadline.faults()) {
        faults.add(&format!("deadline/{field}"), "not_allowed", detail);
    }
    if let Some((field, day)) = deadline.and_then(Deadline::disagreement) {
        let detail = format!(
            "The words of the deadline say {day}; change `text` with the days, or send `text` alone, and the days are read out of it."
        );
        faults.add(&format!("deadline/{field}"), "disagrees", detail);
    }
}
