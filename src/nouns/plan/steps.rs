//! Steps: what an initiative is made of.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    conditions::select_work,
    deadline_columns::{self, DeadlineColumns},
    deadlines::{Deadline, DeadlineKind},
    initiatives::InitiativeId,
    status::{Progress, Status},
};
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// A part of an initiative with its own status and deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The initiative it belongs to.
    pub initiative_id: InitiativeId,
    /// Its code as printed; unique in the initiative.
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
    /// The day work starts.
    pub starts_on: Option<NaiveDate>,
    /// By when, in the words of the source.
    #[sqlx(flatten, try_from = "DeadlineColumns")]
    pub deadline: Option<Deadline>,
    /// How its success is measured, as the source says.
    #[sqlx(json(nullable))]
    pub measurement: Option<Text>,
    /// How it is reported on, as the source says.
    #[sqlx(json(nullable))]
    pub reporting_mechanism: Option<Text>,
    /// Who is bound by it and how, as printed.
    #[schema(min_length = 1, max_length = 500)]
    pub obligation: Option<String>,
}

/// The id of a step.
pub type StepId = Id<Step>;

/// Which steps.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = StepFilter)]
pub struct Filter {
    /// Of one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// With one of these codes.
    pub code: Vec<Code>,
    /// With one of these statuses.
    pub status: Vec<Status>,
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

impl Step {
    fn progress(&self) -> Progress<'_> {
        Progress { status: self.status, status_reason: self.status_reason.as_ref(), evidence: self.evidence.as_ref() }
    }
}

impl Resource for Step {
    const KIND: &'static str = "step";
    const TABLE: &'static str = "steps";
    const SORTS: &'static [Sort] = &[
        Sort::CODE,
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("title"),
        Sort::text("status", "status"),
        Sort::date("deadline", "coalesce(deadline_to, 'infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[Reference { field: "initiative_id", table: "initiatives" }];
    const PARENTS: &'static [&'static str] = &["initiative_id"];
    const LIGHT: &'static [&'static str] = &["status", "status_reason", "evidence"];
    const IS_ADDED_FREELY: bool = true;
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        self.progress().check(before.map(Self::progress).as_ref(), faults);
        deadline_columns::check(self.deadline.as_ref(), before.and_then(|before| before.deadline.as_ref()), faults);
        let days = |side: &Self| (side.starts_on, side.deadline.as_ref().and_then(|deadline| deadline.to));
        faults.check_start(days(self), before.map(days));
    }

    fn undoes(before: &Self, after: &Self) -> bool {
        before.progress().is_undone(&after.progress())
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, initiative_id, code, title, description, status, status_reason, evidence,
            starts_on, measurement, reporting_mechanism, obligation);
        deadline_columns::set(row, self.deadline.as_ref());
    }

    fn select(filter: &Filter, select: &mut Select) {
        select_work!(select, filter).ids("initiative_id", &filter.initiative_id);
    }
}
