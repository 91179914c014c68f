//! Answers: what an assessment says of an indicator.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{answered::ANSWERED, assessments::AssessmentId};
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Quantity, Text},
    nouns::plan::initiatives::InitiativeId,
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What an assessment says of an indicator: points, a level, or whether it is met. What is said is claimed; it is proven when a citation names
/// evidence that is verified, valid on the day, and of a kind that the indicator accepts. An indicator without an answer is unanswered, not zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The assessment.
    pub assessment_id: AssessmentId,
    /// The code of the indicator in the framework; one answer each.
    pub indicator: Code,
    /// The points claimed, at most those of the indicator; exactly one of this, `level` and `is_met`.
    pub points: Option<Quantity>,
    /// The level claimed, of an indicator that has levels.
    pub level: Option<Code>,
    /// Whether the criteria are met: then all points of the indicator are claimed, else none.
    pub is_met: Option<bool>,
    /// Why.
    #[sqlx(json(nullable))]
    pub justification: Option<Text>,
    /// The initiative that will meet the indicator once it is completed. It changes no score; the what-if `if_completed` asks for it.
    pub initiative_id: Option<InitiativeId>,
    /// The points that the initiative will bring it to, where these are not all; needs `initiative_id`.
    pub expected_points: Option<Quantity>,
    /// The level that the initiative will bring it to, where that is not the highest; needs `initiative_id`.
    pub expected_level: Option<Code>,
}

/// The id of an answer.
pub type AnswerId = Id<Answer>;

/// Which answers.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = AnswerFilter)]
pub struct Filter {
    /// Of one of these assessments.
    pub assessment_id: Vec<AssessmentId>,
    /// On one of these indicators.
    pub indicator: Vec<Code>,
    /// Waiting for one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// Whether evidence is cited.
    pub is_cited: Option<bool>,
}

impl Resource for Answer {
    const KIND: &'static str = "answer";
    const TABLE: &'static str = "answers";
    const SORTS: &'static [Sort] = &[Sort::CREATED, Sort::UPDATED, Sort::text("indicator", "indicator_order")];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "assessment_id", table: "assessments" },
        Reference { field: "initiative_id", table: "initiatives" },
    ];
    const PARENTS: &'static [&'static str] = &["assessment_id"];
    const RULE: Option<&'static str> = Some(ANSWERED);
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        let said = [self.points.is_some(), self.level.is_some(), self.is_met.is_some()];
        let is_one = said.into_iter().filter(|given| *given).count() == 1;
        faults.check(is_one, "points", "exactly_one", "Give exactly one of points, level and is_met.");
        for (field, points) in [("points", self.points), ("expected_points", self.expected_points)] {
            let is_negative = points.is_some_and(|points| points.number() < Decimal::ZERO);
            faults.check(!is_negative, field, "negative", "Give points that are not below zero.");
        }
        let is_expected = self.expected_points.is_some() || self.expected_level.is_some();
        let field = if self.expected_points.is_some() { "expected_points" } else { "expected_level" };
        faults.check(
            !is_expected || self.initiative_id.is_some(),
            field,
            "needs_initiative",
            "Say in initiative_id which initiative brings it there.",
        );
    }

    /// It judges the plan and is no promise of it.
    fn needs_reason(_: Option<&Self>, _: Option<&Self>) -> bool {
        false
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, assessment_id, indicator, points, level, is_met, justification,
            initiative_id, expected_points, expected_level);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("assessment_id", &filter.assessment_id)
            .words("indicator", &filter.indicator)
            .ids("initiative_id", &filter.initiative_id)
            .holds("exists (select from citations c where c.answer_id = answers.id)", filter.is_cited);
    }
}
