//! Engagements: what our state did in a forum.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::forums::ForumId;
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Language, Text, Url},
    nouns::{
        entities::entities::EntityId,
        plan::{initiatives::InitiativeId, legal_acts::LegalActId, objectives::ObjectiveId},
    },
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// How it was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Modality {
    /// In one room.
    InPerson,
    /// Over a line.
    Remote,
    /// Both.
    Hybrid,
    /// In writing.
    Written,
}

/// As what our state was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Capacity {
    /// A member.
    Member,
    /// An observer.
    Observer,
    /// A participant.
    Participant,
    /// With an expert in a group of some states.
    Expert,
    /// In the chair.
    Chair,
    /// Beside the chair.
    ViceChair,
    /// Writing the report.
    Rapporteur,
    /// The host.
    Host,
}

/// Something that our state said or handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Its title, or what it was about; it has this, a symbol or an address.
    pub title: Option<Text>,
    /// The symbol of the document, as printed, such as `A/AC.290/2021/INF/1`.
    pub symbol: Option<Code>,
    /// Where it can be read.
    pub url: Option<Url>,
    /// The language in which it was made, ISO 639-1.
    pub language: Option<Language>,
}

/// What our state did in a forum: a session in which it took part, or something that it handed in. Who was sent is in `delegations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Engagement {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The forum.
    pub forum_id: ForumId,
    /// The session, as printed, such as `fourth substantive session`.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub session: Option<String>,
    /// What it was about.
    #[sqlx(json(nullable))]
    pub title: Option<Text>,
    /// The first day; null where the source names none, which keeps it undated.
    pub starts_on: Option<NaiveDate>,
    /// The last day.
    pub ends_on: Option<NaiveDate>,
    /// Where.
    #[sqlx(json(nullable))]
    pub place: Option<Text>,
    /// How it was held.
    pub modality: Option<Modality>,
    /// As what our state was there.
    pub capacity: Option<Capacity>,
    /// What our state said or handed in.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 200)]
    pub statements: Vec<Statement>,
    /// What came of it.
    #[sqlx(json(nullable))]
    pub outcome: Option<Text>,
    /// The document that holds what came of it, by its symbol, such as `A/75/816`.
    pub outcome_symbol: Option<Code>,
    /// The initiative by which it is followed up at home.
    pub follow_up_initiative_id: Option<InitiativeId>,
    /// Why nothing has to follow from it; not beside an initiative.
    #[sqlx(json(nullable))]
    pub no_follow_up_reason: Option<Text>,
    /// The objective that it serves.
    pub objective_id: Option<ObjectiveId>,
    /// The act that gave the delegation its mandate.
    pub legal_act_id: Option<LegalActId>,
    /// Where this was taken from: an address or a citation.
    #[schema(min_length = 1, max_length = 2000)]
    pub source: Option<String>,
}

/// The id of an engagement.
pub type EngagementId = Id<Engagement>;

/// Which engagements.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = EngagementFilter)]
pub struct Filter {
    /// In one of these forums themselves.
    pub forum_id: Vec<ForumId>,
    /// With one of these entities in the delegation.
    pub entity_id: Vec<EntityId>,
    /// Held in one of these ways.
    pub modality: Vec<Modality>,
    /// In one of these capacities.
    pub capacity: Vec<Capacity>,
    /// Followed up by one of these initiatives.
    pub follow_up_initiative_id: Vec<InitiativeId>,
    /// Serving one of these objectives.
    pub objective_id: Vec<ObjectiveId>,
    /// Mandated by one of these acts.
    pub legal_act_id: Vec<LegalActId>,
    /// Starting after this day.
    pub starts_after: Option<NaiveDate>,
    /// Starting before this day.
    pub starts_before: Option<NaiveDate>,
    /// Whether any day of it is known.
    pub is_dated: Option<bool>,
    /// Whether our state made a statement, or chaired, reported or hosted.
    pub is_contribution: Option<bool>,
    /// Whether an initiative follows it up.
    pub has_follow_up: Option<bool>,
}

impl Resource for Engagement {
    const KIND: &'static str = "engagement";
    const TABLE: &'static str = "engagements";
    const SORTS: &'static [Sort] =
        &[Sort::date("starts_on", "coalesce(starts_on, '-infinity')"), Sort::CREATED, Sort::UPDATED];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "forum_id", table: "forums" },
        Reference { field: "follow_up_initiative_id", table: "initiatives" },
        Reference { field: "objective_id", table: "objectives" },
        Reference { field: "legal_act_id", table: "legal_acts" },
    ];
    const PARENTS: &'static [&'static str] = &["forum_id"];
    const FILTER_REFERENCES: &'static [Reference] = &[Reference { field: "entity_id", table: "entities" }];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_period(self.starts_on, self.ends_on, "ends_on");
        for (index, statement) in self.statements.iter().enumerate() {
            faults.check(
                statement.title.is_some() || statement.symbol.is_some() || statement.url.is_some(),
                &format!("statements/{index}"),
                "needs_name",
                "Give its title, its symbol or its address.",
            );
            faults.check(
                statement.language.as_ref().is_none_or(Language::is_known),
                &format!("statements/{index}/language"),
                "unknown_code",
                "Give a language of ISO 639-1.",
            );
        }
        faults.check(
            self.follow_up_initiative_id.is_none() || self.no_follow_up_reason.is_none(),
            "no_follow_up_reason",
            "contradiction",
            "An initiative follows it up; leave out the reason why nothing has to, or the initiative.",
        );
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, forum_id, session, title, starts_on, ends_on, place, modality, capacity,
            statements, outcome, outcome_symbol, follow_up_initiative_id, no_follow_up_reason, objective_id, legal_act_id, source);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("forum_id", &filter.forum_id)
            .ids_where(
                "exists (select from delegations d where d.engagement_id = engagements.id and d.entity_id = any(",
                &filter.entity_id,
                "))",
            )
            .words("modality", &filter.modality)
            .words("capacity", &filter.capacity)
            .ids("follow_up_initiative_id", &filter.follow_up_initiative_id)
            .ids("objective_id", &filter.objective_id)
            .ids("legal_act_id", &filter.legal_act_id)
            .days("starts_on", filter.starts_after, filter.starts_before)
            .holds("num_nonnulls(starts_on, ends_on) > 0", filter.is_dated)
            .holds("is_contribution(statements, capacity)", filter.is_contribution)
            .holds("follow_up_initiative_id is not null", filter.has_follow_up);
    }
}
