//! Timelines: the schedules of an initiative or a step, each with its authority.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    conditions::select_deadline,
    deadline_columns::{self, DeadlineColumns},
    deadlines::{Deadline, DeadlineKind},
    initiatives::InitiativeId,
    legal_acts::LegalActId,
    steps::StepId,
};
use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What a schedule rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Basis {
    /// A legal act; needs `legal_act_id`. It is never re-dated, nor said to be set on another day, and never deleted: a new date is a timeline with
    /// the basis `revised`.
    Approved,
    /// A decision to change the dates; needs `reason`.
    Revised,
    /// What the lead expects.
    Forecast,
}

/// One schedule of an initiative or a step. A new date is a new timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The initiative concerned; exactly one of this and `step_id`.
    pub initiative_id: Option<InitiativeId>,
    /// The step concerned; exactly one of this and `initiative_id`.
    pub step_id: Option<StepId>,
    /// What it rests on.
    pub basis: Basis,
    /// The first day of the work.
    pub starts_on: Option<NaiveDate>,
    /// The last day of the work.
    pub ends_on: Option<NaiveDate>,
    /// By when, in the words of the source.
    #[sqlx(flatten, try_from = "DeadlineColumns")]
    pub deadline: Option<Deadline>,
    /// The act that sets it; needed for `approved`.
    pub legal_act_id: Option<LegalActId>,
    /// Why the dates changed; needed for `revised`.
    #[sqlx(json(nullable))]
    pub reason: Option<Text>,
    /// The day it was decided or expected, not after today. Of several timelines with one basis the one that was set last counts; without a day, the day
    /// it was recorded counts.
    pub set_on: Option<NaiveDate>,
}

/// The id of a timeline.
pub type TimelineId = Id<Timeline>;

/// Which timelines.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = TimelineFilter)]
pub struct Filter {
    /// Of one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// Of one of these steps.
    pub step_id: Vec<StepId>,
    /// Resting on one of these.
    pub basis: Vec<Basis>,
    /// Set by one of these acts.
    pub legal_act_id: Vec<LegalActId>,
    /// Ending after this day.
    pub ends_after: Option<NaiveDate>,
    /// Ending before this day.
    pub ends_before: Option<NaiveDate>,
    /// With a deadline of one of these kinds.
    pub deadline_kind: Vec<DeadlineKind>,
    /// Whose last day is after this one.
    pub deadline_after: Option<NaiveDate>,
    /// Whose last day is before this one.
    pub deadline_before: Option<NaiveDate>,
    /// Whether it has a deadline.
    pub has_deadline: Option<bool>,
}

impl Timeline {
    fn is_rescheduled(&self, now: &Self) -> bool {
        self.basis != now.basis
            || self.initiative_id != now.initiative_id
            || self.step_id != now.step_id
            || self.starts_on != now.starts_on
            || self.ends_on != now.ends_on
            || self.deadline != now.deadline
            || self.legal_act_id != now.legal_act_id
            || self.set_on != now.set_on
    }
}

impl Resource for Timeline {
    const KIND: &'static str = "timeline";
    const TABLE: &'static str = "timelines";
    const SORTS: &'static [Sort] = &[
        Sort::CREATED,
        Sort::UPDATED,
        Sort::date("starts_on", "coalesce(starts_on, '-infinity')"),
        Sort::date("ends_on", "coalesce(ends_on, 'infinity')"),
        Sort::date("deadline", "coalesce(deadline_to, 'infinity')"),
        Sort::date("set_on", "coalesce(set_on, '-infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "initiative_id", table: "initiatives" },
        Reference { field: "step_id", table: "steps" },
        Reference { field: "legal_act_id", table: "legal_acts" },
    ];
    const PARENTS: &'static [&'static str] = &["initiative_id", "step_id"];
    const RULE: Option<&'static str> = Some(
        "select '#/set_on', 'in_future', 'Give the day on which these dates were set, today or earlier; ends_on says when the work is to end.' \
         from timelines where id = any($1) and set_on > (select today())",
    );
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        faults.check_exactly_one(("initiative_id", self.initiative_id.is_some()), ("step_id", self.step_id.is_some()));
        deadline_columns::check(self.deadline.as_ref(), before.and_then(|before| before.deadline.as_ref()), faults);
        let days = |side: &Self| (side.starts_on, side.deadline.as_ref().and_then(|deadline| deadline.to));
        faults.check_start(days(self), before.map(days));
        faults.check_period(self.starts_on, self.ends_on, "ends_on");
        faults.check(
            self.starts_on.is_some() || self.ends_on.is_some() || self.deadline.is_some(),
            "ends_on",
            "needs_date",
            "Give at least one of starts_on, ends_on and deadline.",
        );
        faults.check(
            self.basis != Basis::Approved || self.legal_act_id.is_some(),
            "legal_act_id",
            "needs_legal_act",
            "Name the legal act that sets these dates, or use another basis.",
        );
        faults.check(
            self.basis != Basis::Revised || self.reason.is_some(),
            "reason",
            "needs_reason",
            "Say in reason why the dates changed.",
        );
        faults.check(
            before.is_none_or(|before| before.basis != Basis::Approved || !before.is_rescheduled(self)),
            "basis",
            "approved_timeline",
            "Approved dates are not rewritten; add a timeline with basis revised.",
        );
    }

    fn validate_deletion(&self, faults: &mut Faults) {
        faults.check(
            self.basis != Basis::Approved,
            "",
            "approved_timeline",
            "Approved dates are not deleted; add a timeline with basis revised.",
        );
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, initiative_id, step_id, basis, starts_on, ends_on, legal_act_id, reason,
            set_on);
        deadline_columns::set(row, self.deadline.as_ref());
    }

    fn select(filter: &Filter, select: &mut Select) {
        select_deadline!(select, filter)
            .ids("initiative_id", &filter.initiative_id)
            .ids("step_id", &filter.step_id)
            .words("basis", &filter.basis)
            .ids("legal_act_id", &filter.legal_act_id)
            .days("ends_on", filter.ends_after, filter.ends_before);
    }
}
