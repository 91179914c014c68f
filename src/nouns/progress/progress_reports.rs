//! Progress reports: what is said of an initiative or a step for one period.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::report_states::ReportState;
use super::reporting_cycles::ReportingCycleId;
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text},
    nouns::plan::{
        initiatives::{Confidence, InitiativeId},
        status::Status,
        steps::StepId,
    },
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What is said of an initiative or a step for one period of a reporting cycle. It is drafted and submitted by who works on it; the coordinator
/// returns, accepts, consolidates and publishes it. From `consolidated` on it is locked, and a correction is a new report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct ProgressReport {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The initiative concerned; exactly one of this and `step_id`.
    pub initiative_id: Option<InitiativeId>,
    /// The step concerned; exactly one of this and `initiative_id`.
    pub step_id: Option<StepId>,
    /// The reporting cycle, of the same strategy.
    pub cycle_id: ReportingCycleId,
    /// The code of the period, as the cycle lists it; an item has one report of a period, and its corrections.
    pub period: Code,
    /// The locked report that this one corrects, of the same item and period.
    pub corrects_id: Option<ProgressReportId>,
    /// Where it is on its way: `draft` when not given.
    #[serde(default)]
    pub state: ReportState,
    /// What has to be changed; needed for `returned`.
    #[sqlx(json(nullable))]
    pub return_note: Option<Text>,
    /// How far the work is.
    pub status: Status,
    /// Why it has this status; needed for `cancelled`, and to take up what was cancelled or completed.
    #[sqlx(json(nullable))]
    pub status_reason: Option<Text>,
    /// How sure the lead is that it will be done in time; apart from the status.
    pub confidence: Confidence,
    /// How much of the work is done, in percent, where that can be said.
    #[schema(minimum = 0, maximum = 100)]
    pub percent: Option<i32>,
    /// What was done in the period; needed to submit.
    #[sqlx(json(nullable))]
    pub narrative: Option<Text>,
    /// What shows it: a link or a note; needed for `completed`.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub evidence: Option<String>,
    /// What stands in the way; needed when the confidence is amber or red, the status `on_hold`, the planned end before that
    /// of the period, or the forecast later than it.
    #[sqlx(json(nullable))]
    pub challenges: Option<Text>,
    /// The day on which the work is expected to end.
    pub forecast_ends_on: Option<NaiveDate>,
}

/// The id of a progress report.
pub type ProgressReportId = Id<ProgressReport>;

/// Which progress reports.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ProgressReportFilter)]
pub struct Filter {
    /// Of one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// Of one of these steps.
    pub step_id: Vec<StepId>,
    /// Of one of these cycles.
    pub cycle_id: Vec<ReportingCycleId>,
    /// Of one of these periods.
    pub period: Vec<Code>,
    /// In one of these states.
    pub state: Vec<ReportState>,
    /// With one of these statuses.
    pub status: Vec<Status>,
    /// With one of these confidences.
    pub confidence: Vec<Confidence>,
    /// Correcting one of these reports.
    pub corrects_id: Vec<ProgressReportId>,
    /// Whether another report corrects it.
    pub is_corrected: Option<bool>,
}

/// The faults of a step that the state of a report does not allow, whoever asks.
pub(crate) const OF_STATE: [&str; 3] = ["transition", "locked", "not_open"];

impl ProgressReport {
    /// Everything but its names, its classification and its way.
    fn content(&self) -> Self {
        Self { external_id: None, classification: None, state: ReportState::Draft, return_note: None, ..self.clone() }
    }

    fn check_step(&self, before: &Self, faults: &mut Faults) {
        let (from, to) = (before.state, self.state);
        if from != to && !from.next().contains(&to) {
            let next: Vec<&str> = from.next().iter().map(|state| state.word()).collect();
            let then = if next.is_empty() { "nothing".to_owned() } else { next.join(" or ") };
            faults.add("state", "transition", format!("After {} comes {then}.", from.word()));
        }
        let is_return = from != to && to == ReportState::Returned;
        faults.check(
            is_return || self.return_note == before.return_note,
            "return_note",
            "not_open",
            "The note is written when the report is returned; leave it as it is.",
        );
        if from.is_open() || self.content() == before.content() {
            return;
        }
        if from.is_locked() {
            faults.add(
                "",
                "locked",
                format!(
                    "The report is {}; write a correction: a new report with this one as corrects_id.",
                    from.word()
                ),
            );
        } else {
            faults.add(
                "",
                "not_open",
                format!("The report is {}; it can be changed when the coordinator has returned it.", from.word()),
            );
        }
    }
}

impl Resource for ProgressReport {
    const KIND: &'static str = "progress_report";
    const TABLE: &'static str = "progress_reports";
    const SORTS: &'static [Sort] = &[
        Sort::CREATED,
        Sort::UPDATED,
        Sort::text("period", "period"),
        Sort::text("state", "state"),
        Sort::date("forecast_ends_on", "coalesce(forecast_ends_on, 'infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "initiative_id", table: "initiatives" },
        Reference { field: "step_id", table: "steps" },
        Reference { field: "cycle_id", table: "reporting_cycles" },
        Reference { field: "corrects_id", table: "progress_reports" },
    ];
    const PARENTS: &'static [&'static str] = &["initiative_id", "step_id", "cycle_id"];
    const RULE: Option<&'static str> = Some(
        "select * from (
             select '#/period', 'unknown_period', format('The cycle has no period %s; its periods are %s.', r.period,
                 (select string_agg(p.code, ', ' order by p.starts_on, p.code) from periods_of(c.periods) p))
             from progress_reports r join reporting_cycles c on c.id = r.cycle_id
             where r.id = any($1) and not exists (select from periods_of(c.periods) p where p.code = r.period)
             union all
             select '#/cycle_id', 'other_strategy', 'The cycle is of another strategy than the work; name one of its own strategy.'
             from progress_reports r join reporting_cycles c on c.id = r.cycle_id
             left join steps s on s.id = r.step_id join initiatives i on i.id = coalesce(r.initiative_id, s.initiative_id)
             where r.id = any($1) and i.strategy_id <> c.strategy_id
             union all
             select '#/corrects_id', 'not_correctable',
                 'A correction is of the same initiative or step, cycle and period, and of a report that is consolidated or published.'
             from progress_reports r join progress_reports o on o.id = r.corrects_id
             where r.id = any($1) and ((o.item_id, o.cycle_id, o.period) is distinct from (r.item_id, r.cycle_id, r.period)
                 or o.state not in ('consolidated', 'published'))
         ) as progress_reports",
    );
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        faults.check_exactly_one(("initiative_id", self.initiative_id.is_some()), ("step_id", self.step_id.is_some()));
        if let Some(before) = before {
            self.check_step(before, faults);
        }
        faults.check(
            self.status != Status::Completed
                || self.percent.is_none_or(|percent| percent == 100)
                || before.is_some_and(|before| (before.status, before.percent) == (self.status, self.percent)),
            "percent",
            "not_done",
            "What is completed is done to 100 percent; give 100, leave it out, or give another status.",
        );
        faults.check(
            self.state != ReportState::Returned || self.return_note.is_some(),
            "return_note",
            "needs_note",
            "Say in return_note what has to be changed.",
        );
        if self.state == ReportState::Draft {
            return;
        }
        faults.check(
            self.narrative.is_some(),
            "narrative",
            "needs_narrative",
            "Say in narrative what was done in the period.",
        );
        let is_behind = self.confidence != Confidence::Green || self.status == Status::OnHold;
        faults.check(
            !is_behind || self.challenges.is_some(),
            "challenges",
            "needs_challenges",
            "Say in challenges what stands in the way: the confidence is amber or red, or the work on hold.",
        );
    }

    fn validate_deletion(&self, faults: &mut Faults) {
        faults.check(
            self.state == ReportState::Draft,
            "",
            "not_draft",
            "Only a draft is deleted; what was submitted stays, and is corrected.",
        );
    }

    /// A report tells how far the work is, and what it moves is judged by itself.
    fn needs_reason(_: Option<&Self>, _: Option<&Self>) -> bool {
        false
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, initiative_id, step_id, cycle_id, period, corrects_id, state,
            return_note, status, status_reason, confidence, percent, narrative, evidence, challenges, forecast_ends_on);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("initiative_id", &filter.initiative_id)
            .ids("step_id", &filter.step_id)
            .ids("cycle_id", &filter.cycle_id)
            .words("period", &filter.period)
            .words("state", &filter.state)
            .words("status", &filter.status)
            .words("confidence", &filter.confidence)
            .ids("corrects_id", &filter.corrects_id)
            .holds(
                "exists (select from progress_reports c where c.corrects_id = progress_reports.id)",
                filter.is_corrected,
            );
    }
}
