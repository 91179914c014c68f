//! What is said of a forum in single words, and of its documents.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::values::{Code, Text, Url};

/// What sort of forum it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ForumKind {
    /// Experts of some states, such as the UN GGE.
    ExpertGroup,
    /// Open to all states, such as the UN OEWG.
    OpenEndedWorkingGroup,
    /// Negotiates a treaty, such as the UN Ad Hoc Committee.
    TreatyNegotiation,
    /// Watches over a treaty, such as the T-CY.
    TreatyBody,
    /// Agrees and carries on confidence-building measures of a region, such as the OSCE IWG.
    RegionalCbm,
    /// Brings together those who give and receive capacity building, such as the GFCE.
    CapacityBuildingPlatform,
    /// A body of the European Union.
    EuBody,
    /// A whole organisation.
    Organisation,
    /// A conference or a series of them.
    Conference,
    /// None of these.
    Other,
}

/// Whether a forum meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ForumStatus {
    /// Set up, and has not met.
    Planned,
    /// Meets.
    Active,
    /// Has ended its work.
    Concluded,
}

/// The place of our state in a forum. To chair it is a capacity of an engagement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Membership {
    /// It has none.
    None,
    /// It is a member.
    Member,
    /// It may listen, and speak where it is let.
    Observer,
    /// It takes part where there are no members, as in what is open to all states.
    Participant,
}

/// What a document is to a forum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForumDocumentKind {
    /// What the forum reports.
    Report,
    /// What it decided.
    Decision,
    /// Where those above it took up its work.
    Endorsement,
    /// What its states said, together.
    Compendium,
    /// Anything else.
    Other,
}

/// A document of a forum or about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForumDocument {
    /// Its symbol, as printed, such as `A/70/174`; unique in the forum.
    pub symbol: Code,
    /// What it is to the forum.
    pub kind: ForumDocumentKind,
    /// Its year.
    #[schema(minimum = 1900, maximum = 2100)]
    pub year: Option<i32>,
    /// What it is called, or what there is to say of it.
    pub title: Option<Text>,
    /// Where it can be read.
    pub url: Option<Url>,
}
