//! Initiatives: the measures of a plan.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    conditions::select_work,
    deadline_columns::{self, DeadlineColumns},
    deadlines::{Deadline, DeadlineKind},
    objectives::ObjectiveId,
    status::{Progress, Status},
    strategies::StrategyId,
};
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text},
    nouns::entities::entities::EntityId,
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// How sure the lead is that the initiative will be done in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Confidence {
    /// As planned.
    Green,
    /// In danger.
    Amber,
    /// Not without help or a new plan.
    Red,
}

/// A measure of a strategy or action plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Initiative {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The strategy or action plan it belongs to.
    pub strategy_id: StrategyId,
    /// The objective it serves, in the same strategy.
    pub objective_id: Option<ObjectiveId>,
    /// Its code as printed; unique in the strategy.
    pub code: Code,
    /// Its title.
    #[sqlx(json)]
    pub title: Text,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// How far the work is.
    #[serde(default)]
    pub status: Status,
    /// Why it has this status; needed for `cancelled`, and to take up what was cancelled or completed.
    #[sqlx(json(nullable))]
    pub status_reason: Option<Text>,
    /// What shows that the work is done: a link or a note; needed for `completed`.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub evidence: Option<String>,
    /// How sure the lead is that it will be done in time; apart from the status.
    pub confidence: Option<Confidence>,
    /// Why; needed for amber and red.
    #[sqlx(json(nullable))]
    pub confidence_reason: Option<Text>,
    /// The day work starts.
    pub starts_on: Option<NaiveDate>,
    /// By when, in the words of the source.
    #[sqlx(flatten, try_from = "DeadlineColumns")]
    pub deadline: Option<Deadline>,
    /// Who is bound by it and how, as printed, such as `Required for operators of essential services`.
    #[schema(min_length = 1, max_length = 500)]
    pub obligation: Option<String>,
    /// What the source says about funding.
    #[sqlx(json(nullable))]
    pub funding_note: Option<Text>,
}

/// The id of an initiative.
pub type InitiativeId = Id<Initiative>;

/// Which initiatives.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = InitiativeFilter)]
pub struct Filter {
    /// Of one of these strategies.
    pub strategy_id: Vec<StrategyId>,
    /// Serving one of these objectives.
    pub objective_id: Vec<ObjectiveId>,
    /// With one of these codes.
    pub code: Vec<Code>,
    /// With one of these statuses.
    pub status: Vec<Status>,
    /// With one of these confidences.
    pub confidence: Vec<Confidence>,
    /// Led by one of these entities today.
    pub lead_id: Vec<EntityId>,
    /// Whether it has a lead today.
    pub has_lead: Option<bool>,
    /// With a deadline of one of these kinds.
    pub deadline_kind: Vec<DeadlineKind>,
    /// Whose last day is after this one.
    pub deadline_after: Option<NaiveDate>,
    /// Whose last day is before this one.
    pub deadline_before: Option<NaiveDate>,
    /// Whether it has a deadline.
    pub has_deadline: Option<bool>,
    /// Starting after this day.
    pub starts_after: Option<NaiveDate>,
    /// Starting before this day.
    pub starts_before: Option<NaiveDate>,
}

impl Initiative {
    fn progress(&self) -> Progress<'_> {
        Progress { status: self.status, status_reason: self.status_reason.as_ref(), evidence: self.evidence.as_ref() }
    }
}

impl Resource for Initiative {
    const KIND: &'static str = "initiative";
    const TABLE: &'static str = "initiatives";
    const SORTS: &'static [Sort] = &[
        Sort::CODE,
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("title"),
        Sort::text("status", "status"),
        Sort::date("deadline", "coalesce(deadline_to, 'infinity')"),
        Sort::date("starts_on", "coalesce(starts_on, '-infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "strategy_id", table: "strategies" },
        Reference { field: "objective_id", table: "objectives" },
    ];
    const PARENTS: &'static [&'static str] = &["strategy_id", "objective_id"];
    const LIGHT: &'static [&'static str] = &["status", "status_reason", "evidence", "confidence", "confidence_reason"];
    const IS_ADDED_FREELY: bool = true;
    const FILTER_REFERENCES: &'static [Reference] = &[Reference { field: "lead_id", table: "entities" }];
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        self.progress().check(before.map(Self::progress).as_ref(), faults);
        deadline_columns::check(self.deadline.as_ref(), before.and_then(|before| before.deadline.as_ref()), faults);
        let days = |side: &Self| (side.starts_on, side.deadline.as_ref().and_then(|deadline| deadline.to));
        faults.check_start(days(self), before.map(days));
        faults.check(
            self.confidence.is_none_or(|confidence| confidence == Confidence::Green)
                || self.confidence_reason.is_some(),
            "confidence_reason",
            "needs_reason",
            "Say in confidence_reason why it is amber or red.",
        );
    }

    fn undoes(before: &Self, after: &Self) -> bool {
        before.progress().is_undone(&after.progress())
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, strategy_id, objective_id, code, title, description, status, status_reason,
            evidence, confidence, confidence_reason, starts_on, obligation, funding_note);
        deadline_columns::set(row, self.deadline.as_ref());
    }

    fn select(filter: &Filter, select: &mut Select) {
        select_work!(select, filter)
            .ids("strategy_id", &filter.strategy_id)
            .ids("objective_id", &filter.objective_id)
            .words("confidence", &filter.confidence)
            .ids_where(
                "exists (select from assignments a where a.initiative_id = initiatives.id and a.role = 'lead' \
                 and coalesce(a.valid_from <= (select today()), true) and coalesce(a.valid_to >= (select today()), true) and a.entity_id = any(",
                &filter.lead_id,
                "))",
            )
            .holds(
                "exists (select from assignments a where a.initiative_id = initiatives.id and a.role = 'lead' \
                 and coalesce(a.valid_from <= (select today()), true) and coalesce(a.valid_to >= (select today()), true))",
                filter.has_lead,
            );
    }
}
