//! `Report`: what became of an import, and of each of its rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    difference::FieldChange,
    how::{How, Mode},
    section::{Done, Outcome},
    sheet::Flaw,
};
use crate::{proposals::Act, repository::Fault};

/// So many changed rows tell their fields; those of the others are only counted.
const TOLD: usize = 1000;
/// So many notes of a kind are told; the others are only counted.
const NOTES: usize = 200;

/// What became of an import. A dry run tells what the import would do, in the same words.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// True when it was only tried.
    pub dry_run: bool,
    /// What was done with rows that were there.
    #[serde(default)]
    pub mode: Mode,
    /// True when it is written: nothing was refused, and it was not only tried.
    pub committed: bool,
    /// New rows. None when a row was refused, for then nothing is written.
    pub created: usize,
    /// Rows that were there and are different now. None when a row was refused.
    pub changed: usize,
    /// Rows that were there, with the same content.
    pub unchanged: usize,
    /// Rows that are not valid. One is enough, and nothing is written.
    pub refused: usize,
    /// Rows that would be new, had none been refused.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub would_create: usize,
    /// Rows that would be different, had none been refused.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub would_change: usize,
    /// The acts for which it would stand as proposed and not be written at once, when it was only tried and nothing was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposed_for: Vec<Act>,
    /// How many rows change in which field, by section, such as `{"initiatives": {"status": 3}}`.
    #[serde(default)]
    pub changes: BTreeMap<String, BTreeMap<String, usize>>,
    /// Changed rows that do not tell their fields, because a thousand others do; `changes` counts theirs too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub untold: usize,
    /// The entities that are new.
    #[serde(default)]
    pub made_entities: Notes,
    /// The deadlines whose words were not understood: they are kept as words, without days.
    #[serde(default)]
    pub unread_deadlines: Notes,
    /// The cells of amounts that hold words: kept as the note on funding of the initiative, and no amount.
    #[serde(default)]
    pub words_for_amounts: Notes,
    /// What of a table is not taken: its columns that are not mapped.
    #[serde(default)]
    pub unmapped_columns: Vec<UnmappedColumn>,
    /// What of the strategy a table does not name any more, and is there still; `prune` ends it.
    #[serde(default)]
    pub left_over: Notes,
    /// Each row, in the order of the file.
    pub rows: Vec<RowOutcome>,
    /// How many changed rows tell their fields so far.
    #[serde(skip)]
    pub(super) told: usize,
}

/// Things of one kind: how many there are, and the first of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Notes {
    /// How many there are.
    pub count: usize,
    /// The first 200.
    pub first: Vec<Note>,
}

/// A thing, and where it stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// Where: as the pointer of a fault.
    pub pointer: String,
    /// Its words. Long ones are cut.
    pub words: String,
}

/// A column of a table that is not mapped.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UnmappedColumn {
    /// Its header.
    pub header: String,
    /// How many of its cells are not empty.
    pub cells: usize,
}

/// What became of a row.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RowOutcome {
    /// The section, such as `initiatives`.
    pub section: String,
    /// The place in the section, from 0.
    pub index: usize,
    /// The line of the table that it was read from, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Its external id, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The id under which it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What became of it; where nothing is written, what would have.
    pub outcome: Outcome,
    /// What is different, field by field: the first 20 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// How many fields are different beyond those.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_fields: usize,
    /// What is wrong with it; the pointers lead into the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl RowOutcome {
    /// A row of which nothing is known yet.
    pub(super) fn new(section: &str, index: usize, external_id: Option<String>) -> Self {
        Self {
            section: section.to_owned(),
            index,
            line: None,
            external_id,
            id: None,
            outcome: Outcome::Refused,
            fields: Vec::new(),
            more_fields: 0,
            errors: Vec::new(),
        }
    }
}

impl Notes {
    /// Adds one.
    pub(super) fn add(&mut self, pointer: String, words: &str) {
        self.count += 1;
        if self.first.len() < NOTES {
            self.first.push(Note { pointer, words: crate::base::text::brief(words).into_owned() });
        }
    }
}

/// A row that cannot be read, or not be told from others.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) section: String,
    pub(super) index: usize,
    pub(super) line: Option<usize>,
    pub(super) fault: Fault,
}

/// The report of tables whose rows cannot be read; `is_folder` says that each is a file of its own.
pub(crate) fn unread(how: How, flaws: Vec<(String, Flaw)>, is_folder: bool) -> Report {
    let row = |(section, flaw): (String, Flaw)| {
        let (line, file) = (flaw.line, is_folder.then(|| format!("{section}.csv")));
        Refused { section, index: line.saturating_sub(2), line: Some(line), fault: flaw.fault(file.as_deref()) }
    };
    Report::refused(how, flaws.into_iter().map(row).collect())
}

impl Report {
    /// The report of an import that did not come to be written, because of rows that are no good. A dry run tells of them like any other.
    pub(super) fn refused(how: How, rows: Vec<Refused>) -> Self {
        let mut report = Self { dry_run: how.dry_run, mode: how.mode, ..Self::default() };
        for Refused { section, index, line, fault } in rows {
            let is_same = |last: &&mut RowOutcome| (&last.section, last.index, last.line) == (&section, index, line);
            if let Some(last) = report.rows.last_mut().filter(is_same) {
                last.errors.push(fault);
            } else {
                let row = RowOutcome::new(&section, index, None);
                report.rows.push(RowOutcome { line, errors: vec![fault], ..row });
            }
        }
        report.close();
        report
    }

    /// Notes what became of a row that is not refused.
    pub(super) fn take(&mut self, row: &mut RowOutcome, done: Done, label: &str) {
        let pointer = |field: &str| format!("#/{}/{}/{field}", row.section, row.index);
        if done.outcome == Outcome::Created && row.section == "entities" {
            self.made_entities.add(pointer("name"), label);
        }
        if let Some(words) = &done.unread_deadline {
            self.unread_deadlines.add(pointer("deadline"), words);
        }
        (row.outcome, row.id) = (done.outcome, Some(done.id));
        if done.outcome != Outcome::Changed {
            return;
        }
        let counts = self.changes.entry(row.section.clone()).or_default();
        for name in done.difference.names {
            *counts.entry(name).or_default() += 1;
        }
        if self.told < TOLD {
            (row.fields, row.more_fields) = (done.difference.fields, done.difference.more);
            self.told += 1;
        } else {
            self.untold += 1;
        }
    }

    /// Counts the rows. True when they are to be written.
    pub(super) fn close(&mut self) -> bool {
        let count = |outcome| self.rows.iter().filter(|row| row.outcome == outcome).count();
        (self.created, self.changed) = (count(Outcome::Created), count(Outcome::Changed));
        (self.unchanged, self.refused) = (count(Outcome::Unchanged), count(Outcome::Refused));
        if self.refused > 0 {
            (self.would_create, self.would_change) = (self.created, self.changed);
            (self.created, self.changed) = (0, 0);
        }
        let is_written = !self.dry_run && self.refused == 0;
        if !is_written {
            // What was created is gone again, and so are its ids.
            for row in self.rows.iter_mut().filter(|row| row.outcome == Outcome::Created) {
                row.id = None;
            }
        }
        is_written
    }
}
