//! Assessments: a country held against one edition of a framework.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{answered::ANSWERED, frameworks::FrameworkId};
use crate::{
    base::values::{Classification, Country, ExternalId, Id, Text},
    nouns::plan::strategies::StrategyId,
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// Whether an assessment is done. What is final is not locked: the record keeps what it said when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AssessmentState {
    /// It is being worked on.
    #[default]
    Draft,
    /// It is what the assessors stand by.
    Final,
}

/// A country held against one edition of a framework. Its score is not kept: it follows from its answers and from the evidence that these cite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The framework.
    pub framework_id: FrameworkId,
    /// The strategy whose work is assessed, and those that carry it out; without one all that the country does.
    pub strategy_id: Option<StrategyId>,
    /// The country, ISO 3166-1 alpha-2; when left out, the country of the service (`MANDATE_COUNTRY`).
    #[serde(default = "Country::configured")]
    pub country: Country,
    /// What it is called.
    #[sqlx(json)]
    pub title: Text,
    /// The day for which its answers are made. Whether evidence counts is asked for any day.
    pub assessed_on: NaiveDate,
    /// Whether it is done: `draft` when not given.
    #[serde(default)]
    pub state: AssessmentState,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of an assessment.
pub type AssessmentId = Id<Assessment>;

/// Which assessments.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = AssessmentFilter)]
pub struct Filter {
    /// By one of these frameworks.
    pub framework_id: Vec<FrameworkId>,
    /// Of one of these strategies.
    pub strategy_id: Vec<StrategyId>,
    /// Of one of these countries, ISO 3166-1 alpha-2.
    pub country: Vec<Country>,
    /// In one of these states.
    pub state: Vec<AssessmentState>,
    /// Made for a day after this one.
    pub assessed_after: Option<NaiveDate>,
    /// Made for a day before this one.
    pub assessed_before: Option<NaiveDate>,
}

impl Resource for Assessment {
    const KIND: &'static str = "assessment";
    const TABLE: &'static str = "assessments";
    const SORTS: &'static [Sort] = &[Sort::CREATED, Sort::UPDATED, Sort::date("assessed_on", "assessed_on")];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "framework_id", table: "frameworks" },
        Reference { field: "strategy_id", table: "strategies" },
    ];
    const PARENTS: &'static [&'static str] = &["framework_id", "strategy_id"];
    const RULE: Option<&'static str> = Some(ANSWERED);
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check(self.country.is_known(), "country", "unknown_code", "Give a country of ISO 3166-1 alpha-2.");
    }

    /// It judges the plan and is no promise of it.
    fn needs_reason(_: Option<&Self>, _: Option<&Self>) -> bool {
        false
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, framework_id, strategy_id, country, title, assessed_on, state, note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("framework_id", &filter.framework_id)
            .ids("strategy_id", &filter.strategy_id)
            .words("country", &filter.country)
            .words("state", &filter.state)
            .days("assessed_on", filter.assessed_after, filter.assessed_before);
    }
}
