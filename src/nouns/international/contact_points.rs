//! Contact points: whom other states call, for a commitment or in a forum. No person is named.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{commitments::CommitmentId, forums::ForumId};
use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    nouns::entities::entities::EntityId,
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What it is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ContactKind {
    /// Questions of policy.
    Policy,
    /// Incidents, by those who answer them.
    Technical,
    /// From ministry to ministry of foreign affairs.
    Diplomatic,
    /// None of these.
    Other,
}

/// Whom other states call. It is restricted unless it says otherwise, and so written by those who see what is restricted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct ContactPoint {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known: `restricted` when not given, and also when null.
    #[serde(default = "restricted")]
    pub classification: Option<Classification>,
    /// The commitment for which it is called; exactly one of this and `forum_id`.
    pub commitment_id: Option<CommitmentId>,
    /// The forum in which it is called; exactly one of this and `commitment_id`.
    pub forum_id: Option<ForumId>,
    /// The entity that answers.
    pub entity_id: EntityId,
    /// What it is called for.
    pub kind: ContactKind,
    /// The function that answers, such as `duty officer`; never the name of a person.
    #[sqlx(json)]
    pub function: Text,
    /// How it is reached: a telephone number, a mailbox of the function, an address.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub channel: Option<String>,
    /// The first day.
    pub valid_from: Option<NaiveDate>,
    /// The last day.
    pub valid_to: Option<NaiveDate>,
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for a field that may be null")]
fn restricted() -> Option<Classification> {
    Some(Classification::Restricted)
}

/// The id of a contact point.
pub type ContactPointId = Id<ContactPoint>;

/// Which contact points.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ContactPointFilter)]
pub struct Filter {
    /// For one of these commitments.
    pub commitment_id: Vec<CommitmentId>,
    /// In one of these forums.
    pub forum_id: Vec<ForumId>,
    /// At one of these entities.
    pub entity_id: Vec<EntityId>,
    /// Called for one of these.
    pub kind: Vec<ContactKind>,
    /// Whether it answers today.
    pub is_current: Option<bool>,
}

impl Resource for ContactPoint {
    const KIND: &'static str = "contact_point";
    const TABLE: &'static str = "contact_points";
    const SORTS: &'static [Sort] = &[
        Sort::CREATED,
        Sort::UPDATED,
        Sort::text("kind", "kind"),
        Sort::date("valid_from", "coalesce(valid_from, '-infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "commitment_id", table: "commitments" },
        Reference { field: "forum_id", table: "forums" },
        Reference { field: "entity_id", table: "entities" },
    ];
    const PARENTS: &'static [&'static str] = &["commitment_id", "forum_id"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults
            .check_exactly_one(("commitment_id", self.commitment_id.is_some()), ("forum_id", self.forum_id.is_some()));
        faults.check_period(self.valid_from, self.valid_to, "valid_to");
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, commitment_id, forum_id, entity_id, kind, function, channel, valid_from,
            valid_to);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("commitment_id", &filter.commitment_id)
            .ids("forum_id", &filter.forum_id)
            .ids("entity_id", &filter.entity_id)
            .words("kind", &filter.kind)
            .holds(
                "coalesce(valid_from <= (select today()), true) and coalesce(valid_to >= (select today()), true)",
                filter.is_current,
            );
    }
}
