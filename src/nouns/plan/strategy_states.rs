//! The words by which strategies are told apart: kinds and states.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A strategy, or the plan that carries one out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum StrategyKind {
    /// States aims.
    Strategy,
    /// States what is done for the aims of a strategy.
    ActionPlan,
}

/// Where a strategy is on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum StrategyStatus {
    /// Being written, or not known to be approved.
    #[default]
    Draft,
    /// Open for comments.
    Consultation,
    /// Before the body that approves it.
    Submitted,
    /// Approved by a legal act, not yet in force.
    Approved,
    /// In force by a legal act.
    InForce,
    /// In force, as amended by a later legal act.
    Amended,
    /// Its period is over; whatever still changes in it needs a reason.
    Closed,
    /// Kept for reference; nothing in it changes until it is reopened.
    Archived,
    /// Refused.
    Rejected,
    /// Taken back.
    Withdrawn,
}

impl StrategyStatus {
    /// The states that may follow. `docs/reference/guard.md` has them with their reasons.
    pub(super) fn next(self) -> &'static [Self] {
        use StrategyStatus::{
            Amended, Approved, Archived, Closed, Consultation, Draft, InForce, Rejected, Submitted, Withdrawn,
        };
        match self {
            Draft => &[Consultation, Submitted, Withdrawn],
            Consultation => &[Draft, Submitted, Withdrawn],
            Submitted => &[Draft, Consultation, Approved, Rejected, Withdrawn],
            Approved => &[InForce, Withdrawn],
            InForce => &[Amended, Closed],
            Closed => &[Archived, InForce, Amended],
            Rejected | Withdrawn => &[Draft, Archived],
            Amended | Archived => &[Closed],
        }
    }

    /// Whether the next state takes it out of the past, which needs an act.
    pub(super) fn is_reopened_by(self, next: Self) -> bool {
        match self {
            Self::Closed => next != self && next != Self::Archived,
            Self::Archived => next != self,
            _ => false,
        }
    }
}

/// Whether all of the source was taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Completeness {
    /// All of it.
    Complete,
    /// A part of it.
    Partial,
}

/// How well a source is established.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum EvidenceState {
    /// Not yet looked at.
    Proposed,
    /// Compared with the official text, or with where it says that it is from.
    Verified,
    /// Doubted.
    Disputed,
    /// No longer relied on.
    Withdrawn,
}
