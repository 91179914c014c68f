//! What came of a contribution: results, their indicators, what was to be reached in a period and what was.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Quantity, Text},
    nouns::indicators::{
        indicators::{Direction, Measure},
        measurements::Disaggregation,
    },
    repository::Faults,
};

/// How far from the work a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContributionResultKind {
    /// What the work yields (IATI ResultType 1).
    Output,
    /// What changes by that (2).
    Outcome,
    /// What lasts (3).
    Impact,
    /// None of these (9).
    Other,
}

/// A result of a contribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionResult {
    /// How far from the work it is.
    pub kind: ContributionResultKind,
    /// Its title.
    pub title: Text,
    /// What it is about.
    pub description: Option<Text>,
    /// Whether figures of several contributions may be added.
    pub can_be_added: Option<bool>,
    /// By what it is seen.
    #[schema(min_items = 1, max_items = 50)]
    pub indicators: Vec<ContributionIndicator>,
}

/// By what a result is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionIndicator {
    /// Its title.
    pub title: Text,
    /// What it is about.
    pub description: Option<Text>,
    /// In what it is measured.
    pub measure: Measure,
    /// Which way is better; not given of what has no order.
    pub direction: Option<Direction>,
    /// Where it stood before.
    pub baseline: Option<ContributionBaseline>,
    /// What was to be reached and was, by periods.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub periods: Vec<ContributionPeriod>,
}

/// Where an indicator stood before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionBaseline {
    /// In which year.
    #[schema(minimum = 1990, maximum = 2100)]
    pub year: i32,
    /// On which day of it.
    pub dated_on: Option<NaiveDate>,
    /// The value; at least one of this and `comment`.
    pub value: Option<Quantity>,
    /// Which part it is of; the whole when empty or not given.
    #[serde(default)]
    pub disaggregation: Disaggregation,
    /// Remarks, or the value in words.
    pub comment: Option<Text>,
}

/// What was to be reached in a period, and was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionPeriod {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// What was to be reached.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub targets: Vec<ContributionFigure>,
    /// What was reached.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub actuals: Vec<ContributionFigure>,
}

/// A target or what was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionFigure {
    /// The value; at least one of this and `comment`.
    pub value: Option<Quantity>,
    /// Which part it is of; the whole when empty or not given.
    #[serde(default)]
    pub disaggregation: Disaggregation,
    /// Remarks, or the value in words.
    pub comment: Option<Text>,
}

const NO_VALUE: &str = "Give the value, or say it in words in comment.";

impl ContributionResult {
    /// Notes what is wrong; `at` is the path of the result.
    pub(super) fn check(&self, at: &str, faults: &mut Faults) {
        for (number, indicator) in self.indicators.iter().enumerate() {
            indicator.check(&format!("{at}/indicators/{number}"), faults);
        }
    }
}

impl ContributionIndicator {
    fn check(&self, at: &str, faults: &mut Faults) {
        if let Some(baseline) = &self.baseline {
            let at = format!("{at}/baseline");
            faults.check(baseline.value.is_some() || baseline.comment.is_some(), &at, "no_value", NO_VALUE);
            baseline.disaggregation.check(&format!("{at}/disaggregation"), faults);
        }
        for (number, period) in self.periods.iter().enumerate() {
            let at = format!("{at}/periods/{number}");
            faults.check_period(Some(period.from), Some(period.to), &format!("{at}/to"));
            for (list, figures) in [("targets", &period.targets), ("actuals", &period.actuals)] {
                for (number, figure) in figures.iter().enumerate() {
                    let at = format!("{at}/{list}/{number}");
                    faults.check(figure.value.is_some() || figure.comment.is_some(), &at, "no_value", NO_VALUE);
                    figure.disaggregation.check(&format!("{at}/disaggregation"), faults);
                }
            }
        }
    }
}
