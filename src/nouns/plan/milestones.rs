//! Milestones: points by which the progress of an initiative is judged.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    conditions::select_deadline,
    deadline_columns::{self, DeadlineColumns},
    deadlines::{Deadline, DeadlineKind},
    initiatives::InitiativeId,
};
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// A point that an initiative has to reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The initiative it belongs to.
    pub initiative_id: InitiativeId,
    /// Its code as printed; unique in the initiative.
    pub code: Option<Code>,
    /// Its title.
    #[sqlx(json)]
    pub title: Text,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// By when, in the words of the source.
    #[sqlx(flatten, try_from = "DeadlineColumns")]
    pub deadline: Option<Deadline>,
    /// The day it was reached.
    pub achieved_on: Option<NaiveDate>,
    /// What shows that it was reached: a link or a note; needed with `achieved_on`.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub evidence: Option<String>,
}

/// The id of a milestone.
pub type MilestoneId = Id<Milestone>;

/// Which milestones.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = MilestoneFilter)]
pub struct Filter {
    /// Of one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Whether it was reached.
    pub is_achieved: Option<bool>,
    /// Reached after this day.
    pub achieved_after: Option<NaiveDate>,
    /// Reached before this day.
    pub achieved_before: Option<NaiveDate>,
    /// With a deadline of one of these kinds.
    pub deadline_kind: Vec<DeadlineKind>,
    /// Whose last day is after this one.
    pub deadline_after: Option<NaiveDate>,
    /// Whose last day is before this one.
    pub deadline_before: Option<NaiveDate>,
    /// Whether it has a deadline.
    pub has_deadline: Option<bool>,
}

impl Resource for Milestone {
    const KIND: &'static str = "milestone";
    const TABLE: &'static str = "milestones";
    const SORTS: &'static [Sort] = &[
        Sort::CODE,
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("title"),
        Sort::date("deadline", "coalesce(deadline_to, 'infinity')"),
        Sort::date("achieved_on", "coalesce(achieved_on, 'infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[Reference { field: "initiative_id", table: "initiatives" }];
    const PARENTS: &'static [&'static str] = &["initiative_id"];
    const LIGHT: &'static [&'static str] = &["achieved_on", "evidence"];
    const IS_ADDED_FREELY: bool = true;
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        deadline_columns::check(self.deadline.as_ref(), before.and_then(|before| before.deadline.as_ref()), faults);
        faults.check(
            self.achieved_on.is_none() || self.evidence.is_some(),
            "evidence",
            "needs_evidence",
            "Say in evidence what shows that it was reached: a link or a note.",
        );
    }

    fn undoes(before: &Self, after: &Self) -> bool {
        before.achieved_on.is_some() && (before.achieved_on, &before.evidence) != (after.achieved_on, &after.evidence)
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, initiative_id, code, title, description, achieved_on, evidence);
        deadline_columns::set(row, self.deadline.as_ref());
    }

    fn select(filter: &Filter, select: &mut Select) {
        select_deadline!(select, filter)
            .ids("initiative_id", &filter.initiative_id)
            .words("code", &filter.code)
            .holds("achieved_on is not null", filter.is_achieved)
            .days("achieved_on", filter.achieved_after, filter.achieved_before);
    }
}
