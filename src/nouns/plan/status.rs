//! How far an initiative or a step is, and which changes of it need words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{base::values::Text, repository::Faults};

/// How far the work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Status {
    /// Nothing was done yet.
    #[default]
    NotStarted,
    /// Work is under way.
    InProgress,
    /// Done; needs `evidence`.
    Completed,
    /// Interrupted.
    OnHold,
    /// Given up; needs `status_reason`.
    Cancelled,
    /// Work without an end, confirmed period by period.
    Continuous,
}

impl Status {
    /// Whether it is the next status of work that goes on as planned. What is not named here takes something back.
    fn leads_to(self, next: Self) -> bool {
        use Status::{Completed, Continuous, InProgress, NotStarted, OnHold};
        self == next
            || match self {
                NotStarted | InProgress | OnHold => matches!(next, InProgress | OnHold | Completed | Continuous),
                Continuous => matches!(next, OnHold | Completed),
                Completed | Self::Cancelled => false,
            }
    }
}

/// The fields that change together.
pub(super) struct Progress<'a> {
    pub(super) status: Status,
    pub(super) status_reason: Option<&'a Text>,
    pub(super) evidence: Option<&'a String>,
}

impl Progress<'_> {
    /// Whether what was reported is undone: the work falls back or is given up, or what proves its completion is another.
    pub(super) fn is_undone(&self, after: &Self) -> bool {
        !self.status.leads_to(after.status) || self.status == Status::Completed && self.evidence != after.evidence
    }

    /// Notes what a status lacks, and steps that are not allowed.
    pub(super) fn check(&self, before: Option<&Self>, faults: &mut Faults) {
        faults.check(
            self.status != Status::Completed || self.evidence.is_some(),
            "evidence",
            "needs_evidence",
            "Say in evidence what shows that the work is completed: a link or a note.",
        );
        faults.check(
            self.status != Status::Cancelled || self.status_reason.is_some(),
            "status_reason",
            "needs_reason",
            "Say in status_reason why it is cancelled.",
        );
        let Some(before) = before.filter(|before| before.status != self.status) else {
            return;
        };
        let reopens = matches!(self.status, Status::NotStarted | Status::InProgress);
        faults.check(
            before.status != Status::Cancelled || reopens,
            "status",
            "transition",
            "From cancelled, go to not_started or in_progress first.",
        );
        let reopened = before.status == Status::Cancelled && reopens
            || before.status == Status::Completed && self.status == Status::InProgress;
        faults.check(
            !reopened || self.status_reason.is_some() && self.status_reason != before.status_reason,
            "status_reason",
            "needs_reason",
            "Say in status_reason why it is taken up again.",
        );
    }
}
