//! Commitments: voluntary norms and confidence-building measures, and how far our state carries them out.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::forums::ForumId;
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text},
    nouns::{entities::entities::EntityId, plan::initiatives::InitiativeId},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What sort of commitment it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CommitmentKind {
    /// A voluntary norm of the behaviour of states.
    Norm,
    /// Something done so that states trust each other.
    ConfidenceBuildingMeasure,
    /// None of these.
    Other,
}

/// How far our state carries it out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CommitmentState {
    /// Nobody has said.
    #[default]
    Unknown,
    /// Nothing is done.
    NotStarted,
    /// Something is done, and something is missing; needs `measures_taken`.
    Partial,
    /// It is carried out; needs `measures_taken`.
    Implemented,
    /// It does not concern our state.
    NotApplicable,
}

/// A voluntary norm or confidence-building measure, and how our state carries it out. Each survey changes the row; the answers of former
/// surveys are in its history, and in every reading with `as_of`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The list it stands in: `un_norms_2015` (A/70/174, paragraph 13), `osce_cbm` (PC.DEC/1202), or one of your own.
    pub catalogue: Code,
    /// Its code in that list, such as `13(a)`; unique there.
    pub code: Code,
    /// What sort of commitment it is.
    pub kind: CommitmentKind,
    /// Its title.
    #[sqlx(json(nullable))]
    pub title: Option<Text>,
    /// The document that it stands in, by its symbol, such as `A/70/174`.
    pub source_document: Option<Code>,
    /// The forum that it comes from.
    pub forum_id: Option<ForumId>,
    /// How far our state carries it out: `unknown` when not given.
    #[serde(default)]
    pub state: CommitmentState,
    /// What was done; needed for `partial` and `implemented`.
    #[sqlx(json(nullable))]
    pub measures_taken: Option<Text>,
    /// What stands in the way.
    #[sqlx(json(nullable))]
    pub challenges: Option<Text>,
    /// What our state lacks to do it, such as people, law or means.
    #[sqlx(json(nullable))]
    pub gaps: Option<Text>,
    /// The entity that leads the work on it.
    pub entity_id: Option<EntityId>,
    /// The initiative that carries it out.
    pub initiative_id: Option<InitiativeId>,
    /// The day of the last survey or review.
    pub reviewed_on: Option<NaiveDate>,
    /// Where this was taken from: an address or a citation.
    #[schema(min_length = 1, max_length = 2000)]
    pub source: Option<String>,
}

/// The id of a commitment.
pub type CommitmentId = Id<Commitment>;

/// Which commitments.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CommitmentFilter)]
pub struct Filter {
    /// In one of these lists.
    pub catalogue: Vec<Code>,
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Of one of these kinds.
    pub kind: Vec<CommitmentKind>,
    /// From one of these forums.
    pub forum_id: Vec<ForumId>,
    /// Carried out so far.
    pub state: Vec<CommitmentState>,
    /// Led by one of these entities.
    pub entity_id: Vec<EntityId>,
    /// Carried out by one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// Whether it is said what was done.
    pub has_measures: Option<bool>,
    /// Whether it is said what our state lacks.
    pub has_gaps: Option<bool>,
    /// Last reviewed after this day.
    pub reviewed_after: Option<NaiveDate>,
    /// Last reviewed before this day.
    pub reviewed_before: Option<NaiveDate>,
}

impl Resource for Commitment {
    const KIND: &'static str = "commitment";
    const TABLE: &'static str = "commitments";
    const SORTS: &'static [Sort] = &[
        Sort::CODE,
        Sort::CREATED,
        Sort::UPDATED,
        Sort::text("catalogue", "catalogue"),
        Sort::text("state", "state"),
        Sort::date("reviewed_on", "coalesce(reviewed_on, '-infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "forum_id", table: "forums" },
        Reference { field: "entity_id", table: "entities" },
        Reference { field: "initiative_id", table: "initiatives" },
    ];
    const PARENTS: &'static [&'static str] = &["forum_id"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        let is_done = matches!(self.state, CommitmentState::Partial | CommitmentState::Implemented);
        faults.check(
            !is_done || self.measures_taken.is_some(),
            "measures_taken",
            "needs_measures",
            "Say in measures_taken what was done: the state says that something was.",
        );
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, catalogue, code, kind, title, source_document, forum_id, state,
            measures_taken, challenges, gaps, entity_id, initiative_id, reviewed_on, source);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("catalogue", &filter.catalogue)
            .words("code", &filter.code)
            .words("kind", &filter.kind)
            .ids("forum_id", &filter.forum_id)
            .words("state", &filter.state)
            .ids("entity_id", &filter.entity_id)
            .ids("initiative_id", &filter.initiative_id)
            .holds("measures_taken is not null", filter.has_measures)
            .holds("gaps is not null", filter.has_gaps)
            .days("reviewed_on", filter.reviewed_after, filter.reviewed_before);
    }
}
