//! The acts that can need a second principal.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An act that can need a second principal (`MANDATE_FOUR_EYES`).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ValueEnum, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Act {
    /// An appropriation is made, changed in what it grants, deleted, or taken along when its step or initiative moves to another initiative or
    /// plan; also by a revision, the reversal of one, a virement, or money carried forward.
    Appropriation,
    /// A timeline with the basis `approved` or `revised` is made, re-dated, said to be set on another day, or deleted.
    ApprovedTimeline,
    /// An initiative or step becomes completed; also by a progress report.
    Completion,
    /// A strategy becomes closed or archived.
    Closing,
}

impl Act {
    /// Its name, as in the setting.
    pub fn word(self) -> &'static str {
        match self {
            Self::Appropriation => "appropriation",
            Self::ApprovedTimeline => "approved_timeline",
            Self::Completion => "completion",
            Self::Closing => "closing",
        }
    }

    /// The act of this name, if it is one.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::from_str(word, false).ok()
    }

    /// Several, as in the setting.
    pub fn words(acts: &[Self]) -> String {
        acts.iter().map(|act| act.word()).collect::<Vec<_>>().join(",")
    }
}
