//! Assignments: who does what in an initiative or a step.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{initiatives::InitiativeId, steps::StepId};
use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    nouns::entities::entities::EntityId,
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields, weighs},
};

/// What the entity does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Answers for the result; no two on the same day.
    Lead,
    /// Shares the lead.
    CoLead,
    /// Answers to a higher authority for it.
    Accountable,
    /// Helps.
    Support,
    /// Is asked for advice.
    Consulted,
    /// Is told of progress.
    Informed,
    /// Does the work.
    Performer,
    /// Gains from it.
    Beneficiary,
    /// Pays for it.
    Funder,
    /// Puts it into practice.
    Implementer,
}

impl Role {
    /// Whether it is one of those who answer for the work.
    fn leads(self) -> bool {
        matches!(self, Self::Lead | Self::CoLead | Self::Accountable)
    }
}

/// The role of an entity in an initiative or a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The initiative concerned; exactly one of this and `step_id`.
    pub initiative_id: Option<InitiativeId>,
    /// The step concerned; exactly one of this and `initiative_id`.
    pub step_id: Option<StepId>,
    /// The entity.
    pub entity_id: EntityId,
    /// What it does.
    pub role: Role,
    /// The heading in the source under which the entity stands, verbatim, such as `Responsabil`.
    #[schema(min_length = 1, max_length = 200)]
    pub source_label: Option<String>,
    /// The first day; none if the source does not say.
    pub valid_from: Option<NaiveDate>,
    /// The last day; none while no end is known. No two leads have a day in common.
    pub valid_to: Option<NaiveDate>,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of an assignment.
pub type AssignmentId = Id<Assignment>;

/// Which assignments.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = AssignmentFilter)]
pub struct Filter {
    /// Of one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// Of one of these steps.
    pub step_id: Vec<StepId>,
    /// Of one of these entities.
    pub entity_id: Vec<EntityId>,
    /// In one of these roles.
    pub role: Vec<Role>,
    /// Whether it holds today.
    pub is_current: Option<bool>,
}

impl Resource for Assignment {
    const KIND: &'static str = "assignment";
    const TABLE: &'static str = "assignments";
    const SORTS: &'static [Sort] = &[
        Sort::CREATED,
        Sort::UPDATED,
        Sort::text("role", "role"),
        Sort::date("valid_from", "coalesce(valid_from, '-infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "initiative_id", table: "initiatives" },
        Reference { field: "step_id", table: "steps" },
        Reference { field: "entity_id", table: "entities" },
    ];
    const PARENTS: &'static [&'static str] = &["initiative_id", "step_id"];
    const LIGHT: &'static [&'static str] = &["source_label", "note"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_exactly_one(("initiative_id", self.initiative_id.is_some()), ("step_id", self.step_id.is_some()));
        faults.check_period(self.valid_from, self.valid_to, "valid_to");
    }

    /// Who leads, or answers for it, is promised; who helps is not.
    fn needs_reason(before: Option<&Self>, after: Option<&Self>) -> bool {
        let leads = |side: Option<&Self>| side.is_some_and(|side| side.role.leads());
        let is_told_only = before.zip(after).is_some_and(|(before, after)| !weighs(before, after, Self::LIGHT));
        (leads(before) || leads(after)) && !is_told_only
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, initiative_id, step_id, entity_id, role, source_label, valid_from, valid_to,
            note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("initiative_id", &filter.initiative_id)
            .ids("step_id", &filter.step_id)
            .ids("entity_id", &filter.entity_id)
            .words("role", &filter.role)
            .holds(
                "coalesce(valid_from <= (select today()), true) and coalesce(valid_to >= (select today()), true)",
                filter.is_current,
            );
    }
}
