//! The words by which pieces of evidence are told apart.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::nouns::plan::strategy_states::EvidenceState;

/// What a piece of evidence is. The first four are public, and what an index such as the NCSI accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A legal act, as published.
    LegalAct,
    /// A document of a body of the state or of an international organisation.
    OfficialDocument,
    /// A page of the website of such a body.
    OfficialWebsite,
    /// Another public source.
    OtherPublicSource,
    /// Somebody's account of what another source says.
    SecondarySource,
    /// A document that is not published.
    InternalDocument,
    /// Data from which it can be computed.
    Dataset,
    /// What somebody has declared, such as a letter.
    Statement,
}

/// What a piece of evidence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum EvidenceSubject {
    /// That there is a strategy or an action plan, and that it is approved.
    Plan,
    /// What an action plan provides; needs `content`.
    PlanContent,
    /// That the country is bound by a treaty.
    TreatyMembership,
    /// The country's official position on a question of international law.
    OfficialPosition,
    /// That the country takes part in a forum.
    ForumEngagement,
    /// What the country gives to build the capacity of others, or gets.
    CapacityContribution,
    /// That a commitment was made or kept.
    Commitment,
    /// An indicator of readiness that is none of these.
    ReadinessIndicator,
    /// Something else.
    Other,
}

/// What an action plan provides (NCSI 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum PlanContent {
    /// Concrete steps, and the entities that take them.
    StepsAndEntities,
    /// Timelines and financial resources.
    TimelinesAndFinancialResources,
    /// Human and financial resources.
    HumanAndFinancialResources,
    /// Timeframes and metrics.
    TimeframesAndMetrics,
    /// How the priorities of the strategy become initiatives.
    PrioritiesIntoInitiatives,
}

/// How a piece of evidence stands on a day: its state, or `expired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceStanding {
    /// Not yet looked at.
    Proposed,
    /// Compared with its source, and valid.
    Verified,
    /// Verified once, and its `valid_until` is past.
    Expired,
    /// Doubted.
    Disputed,
    /// No longer relied on.
    Withdrawn,
}

/// What the service keeps of the captured copy of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CapturedCopy {
    /// None was captured.
    None,
    /// Its bytes.
    Held,
    /// That it was erased.
    Erased,
    /// Nothing: it was never uploaded here.
    Missing,
}

/// The states that may follow. What was withdrawn is done with: put the source forward again as another piece.
pub(super) fn next(state: EvidenceState) -> &'static [EvidenceState] {
    use EvidenceState::{Disputed, Proposed, Verified, Withdrawn};
    match state {
        Proposed => &[Verified, Disputed, Withdrawn],
        Verified => &[Disputed, Withdrawn],
        Disputed => &[Verified, Withdrawn],
        Withdrawn => &[],
    }
}

/// As a state is written.
pub(super) fn word(state: EvidenceState) -> &'static str {
    match state {
        EvidenceState::Proposed => "proposed",
        EvidenceState::Verified => "verified",
        EvidenceState::Disputed => "disputed",
        EvidenceState::Withdrawn => "withdrawn",
    }
}
