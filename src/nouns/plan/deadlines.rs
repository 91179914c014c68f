//! Deadlines as real plans word them. A deadline is not a date: it keeps its words, and has days only where the words give them.
//!
//! `docs/reference/deadlines.md` lists the forms that are understood. What is not understood is `unparsed`, never guessed.

mod parse;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use chrono::NaiveDate;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use parse::parse;

/// How a deadline is worded; the kinds are those met in real plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DeadlineKind {
    /// A day.
    Exact,
    /// A month.
    Month,
    /// A quarter of a calendar year.
    Quarter,
    /// A half of a calendar year.
    Semester,
    /// A calendar year.
    Year,
    /// From one period to another.
    Range,
    /// A quarter of a fiscal year.
    FiscalQuarter,
    /// A fiscal year.
    FiscalYear,
    /// A season of the northern half of the earth, by whole months.
    Season,
    /// All the time.
    Continuous,
    /// Again and again.
    Recurring,
    /// By a time, and continuously from then on.
    FirstDueThenContinuous,
    /// So long after something else.
    Relative,
    /// It was done when the plan was made.
    AlreadyCompleted,
    /// The source has none.
    None,
    /// The words are not understood.
    Unparsed,
}

/// The calendar by which fiscal periods are read.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    /// The month in which the fiscal year starts, 1 to 12.
    pub fiscal_year_start: u32,
    /// After which calendar year it is named.
    pub fiscal_year_name: FiscalYearName,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { fiscal_year_start: 1, fiscal_year_name: FiscalYearName::End }
    }
}

/// After which calendar year a fiscal year is named. One that starts in January has one name.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FiscalYearName {
    /// In which it ends, as the United States and the World Bank have it.
    #[default]
    End,
    /// In which it starts, as Japan has it.
    Start,
}

impl FiscalYearName {
    /// As the setting and the database have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Start => "start",
        }
    }
}

static CALENDAR: OnceLock<Calendar> = OnceLock::new();

/// Sets the calendar of the service (`MANDATE_FISCAL_YEAR_START`, `MANDATE_FISCAL_YEAR_NAME`); the first call of a process counts.
pub fn use_calendar(calendar: Calendar) {
    let _ = CALENDAR.set(calendar);
}

/// By when, in the words of the source. Send `text` alone and the service reads the rest out of it; send `kind`, `from` and `to` to say
/// what the words mean where the service cannot know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(from = "Input", deny_unknown_fields)]
pub struct Deadline {
    /// The words, verbatim.
    #[schema(max_length = 500, example = "Semestrul I, 2023, se continuă permanent")]
    pub text: String,
    /// How they are worded.
    #[schema(required = false)]
    pub kind: DeadlineKind,
    /// The first day of the period meant, where the words give one.
    pub from: Option<NaiveDate>,
    /// The last day: the deadline proper.
    pub to: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    text: String,
    kind: Option<DeadlineKind>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl From<Input> for Deadline {
    fn from(input: Input) -> Self {
        if let Some(kind) = input.kind {
            Self { text: input.text, kind, from: input.from, to: input.to }
        } else {
            let read = parse(&input.text, &CALENDAR.get().copied().unwrap_or_default());
            Self { from: input.from.or(read.from), to: input.to.or(read.to), ..read }
        }
    }
}

impl Deadline {
    /// What is wrong with it: the field, and a sentence.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if self.from.zip(self.to).is_some_and(|(from, to)| from > to) {
            faults.push(("from", "must not be after `to`".to_owned()));
        }
        match self.kind {
            DeadlineKind::Exact if self.to.is_none() => {
                faults.push(("to", "is needed: the kind is `exact`".to_owned()));
            }
            DeadlineKind::Unparsed | DeadlineKind::None | DeadlineKind::Continuous
                if self.from.or(self.to).is_some() =>
            {
                faults.push(("kind", "has no days; name the kind that the days belong to".to_owned()));
            }
            _ => {}
        }
        faults
    }

    /// The first of its days that is another than the words say, and the day that they say. Words that are not understood say none, and what
    /// fiscal periods say depends on the service that reads them.
    pub fn disagreement(&self) -> Option<(&'static str, NaiveDate)> {
        let of_fiscal = |kind| matches!(kind, DeadlineKind::FiscalQuarter | DeadlineKind::FiscalYear);
        if of_fiscal(self.kind) || self.from.or(self.to).is_none() {
            return None;
        }
        let read = parse(&self.text, &CALENDAR.get().copied().unwrap_or_default());
        let other = |given: Option<NaiveDate>, read: Option<NaiveDate>| {
            read.filter(|day| given.is_some_and(|given| given != *day))
        };
        let (to, from) = (other(self.to, read.to), other(self.from, read.from));
        to.map(|day| ("to", day)).or(from.map(|day| ("from", day))).filter(|_| !of_fiscal(read.kind))
    }
}
