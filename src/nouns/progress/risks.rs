//! Risks: what may keep a strategy, an initiative or a step from its end.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text},
    nouns::{
        entities::entities::EntityId,
        plan::{initiatives::InitiativeId, steps::StepId, strategies::StrategyId},
    },
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// How much is in danger, and how surely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RiskLevel {
    /// To be kept in mind.
    Low,
    /// To be watched.
    Medium,
    /// To be acted on; needs `mitigation` while it is open.
    High,
    /// The end itself is in danger; needs `mitigation` while it is open.
    Critical,
}

/// What became of a risk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RiskStatus {
    /// It can happen.
    #[default]
    Open,
    /// It is lived with; needs `status_reason`.
    Accepted,
    /// It has happened.
    Occurred,
    /// It cannot happen any more; needs `status_reason`.
    Closed,
}

/// What may keep a strategy, an initiative or a step from its end. Its levels and escalations of the past are in its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The strategy concerned; exactly one of this, `initiative_id` and `step_id`.
    pub strategy_id: Option<StrategyId>,
    /// The initiative concerned.
    pub initiative_id: Option<InitiativeId>,
    /// The step concerned.
    pub step_id: Option<StepId>,
    /// Its code as printed.
    pub code: Option<Code>,
    /// What may happen.
    #[sqlx(json)]
    pub title: Text,
    /// Why, and what would come of it.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// How much is in danger, and how surely.
    pub level: RiskLevel,
    /// What became of it: `open` when not given.
    #[serde(default)]
    pub status: RiskStatus,
    /// Why it has this status; needed for `accepted` and `closed`.
    #[sqlx(json(nullable))]
    pub status_reason: Option<Text>,
    /// The entity that watches it and acts.
    pub owner_id: Option<EntityId>,
    /// What is done against it; needed while it is open and high or critical.
    #[sqlx(json(nullable))]
    pub mitigation: Option<Text>,
    /// The day on which it is looked at again.
    pub review_on: Option<NaiveDate>,
    /// The entity above to which it was given; with `escalated_on` and `escalation_reason`, or none of them.
    pub escalated_to_id: Option<EntityId>,
    /// The day on which it was given to that entity.
    pub escalated_on: Option<NaiveDate>,
    /// Why its owner cannot deal with it.
    #[sqlx(json(nullable))]
    pub escalation_reason: Option<Text>,
}

/// The id of a risk.
pub type RiskId = Id<Risk>;

/// Which risks.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = RiskFilter)]
pub struct Filter {
    /// Of one of these strategies themselves.
    pub strategy_id: Vec<StrategyId>,
    /// Of one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// Of one of these steps.
    pub step_id: Vec<StepId>,
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Of one of these levels.
    pub level: Vec<RiskLevel>,
    /// With one of these statuses.
    pub status: Vec<RiskStatus>,
    /// Watched by one of these entities.
    pub owner_id: Vec<EntityId>,
    /// Given to one of these entities.
    pub escalated_to_id: Vec<EntityId>,
    /// Whether it was given to an entity above.
    pub is_escalated: Option<bool>,
    /// To be looked at after this day.
    pub review_after: Option<NaiveDate>,
    /// To be looked at before this day.
    pub review_before: Option<NaiveDate>,
}

impl Resource for Risk {
    const KIND: &'static str = "risk";
    const TABLE: &'static str = "risks";
    const SORTS: &'static [Sort] = &[
        Sort::CODE,
        Sort::CREATED,
        Sort::UPDATED,
        Sort::integer("level", "array_position(array['low', 'medium', 'high', 'critical'], level)"),
        Sort::date("review_on", "coalesce(review_on, 'infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "strategy_id", table: "strategies" },
        Reference { field: "initiative_id", table: "initiatives" },
        Reference { field: "step_id", table: "steps" },
        Reference { field: "owner_id", table: "entities" },
        Reference { field: "escalated_to_id", table: "entities" },
    ];
    const PARENTS: &'static [&'static str] = &["strategy_id", "initiative_id", "step_id"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        let of = [self.strategy_id.is_some(), self.initiative_id.is_some(), self.step_id.is_some()];
        faults.check(
            of.into_iter().filter(|given| *given).count() == 1,
            "initiative_id",
            "exactly_one",
            "Give exactly one of strategy_id, initiative_id and step_id.",
        );
        let is_explained =
            self.status_reason.is_some() || matches!(self.status, RiskStatus::Open | RiskStatus::Occurred);
        faults.check(
            is_explained,
            "status_reason",
            "needs_reason",
            "Say in status_reason why it is accepted or closed.",
        );
        let is_grave = self.status == RiskStatus::Open && matches!(self.level, RiskLevel::High | RiskLevel::Critical);
        faults.check(
            !is_grave || self.mitigation.is_some(),
            "mitigation",
            "needs_mitigation",
            "Say in mitigation what is done against it: it is open and high or critical.",
        );
        let escalation = [
            ("escalated_to_id", self.escalated_to_id.is_some()),
            ("escalated_on", self.escalated_on.is_some()),
            ("escalation_reason", self.escalation_reason.is_some()),
        ];
        if escalation.iter().any(|(_, given)| *given) {
            for (field, given) in escalation {
                let detail = "An escalation is to an entity, on a day, for a reason: give all three.";
                faults.check(given, field, "needs_escalation", detail);
            }
        }
    }

    /// The register follows what happens; what is taken off it is given up.
    fn needs_reason(_: Option<&Self>, after: Option<&Self>) -> bool {
        after.is_none()
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, strategy_id, initiative_id, step_id, code, title, description, level,
            status, status_reason, owner_id, mitigation, review_on, escalated_to_id, escalated_on, escalation_reason);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("strategy_id", &filter.strategy_id)
            .ids("initiative_id", &filter.initiative_id)
            .ids("step_id", &filter.step_id)
            .words("code", &filter.code)
            .words("level", &filter.level)
            .words("status", &filter.status)
            .ids("owner_id", &filter.owner_id)
            .ids("escalated_to_id", &filter.escalated_to_id)
            .holds("escalated_to_id is not null", filter.is_escalated)
            .days("review_on", filter.review_after, filter.review_before);
    }
}
