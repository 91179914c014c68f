//! Where a progress report is on its way from the one who writes it to the public, and who leads it a step further.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a progress report is on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ReportState {
    /// Being written.
    #[default]
    Draft,
    /// Given to the coordinator. This moves the status and the forecast of the initiative or step.
    Submitted,
    /// Given back to be changed; needs `return_note`.
    Returned,
    /// Taken by the coordinator.
    Accepted,
    /// Part of the report on the whole strategy: locked from here on.
    Consolidated,
    /// Open to those to whom its classification opens it.
    Published,
}

impl ReportState {
    /// The states to which the coordinator leads a report, and nobody else.
    pub(crate) const OF_COORDINATOR: [Self; 4] = [Self::Returned, Self::Accepted, Self::Consolidated, Self::Published];

    /// The states that may follow.
    pub(crate) fn next(self) -> &'static [Self] {
        use ReportState::{Accepted, Consolidated, Draft, Published, Returned, Submitted};
        match self {
            Draft | Returned => &[Submitted],
            Submitted => &[Returned, Accepted],
            Accepted => &[Returned, Consolidated],
            Consolidated => &[Published],
            Published => &[],
        }
    }

    /// As it is written.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Returned => "returned",
            Self::Accepted => "accepted",
            Self::Consolidated => "consolidated",
            Self::Published => "published",
        }
    }

    /// Whether it is with the one who writes it.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Returned)
    }

    /// Whether nothing of it changes any more.
    pub(crate) fn is_locked(self) -> bool {
        matches!(self, Self::Consolidated | Self::Published)
    }
}
