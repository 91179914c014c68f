//! Delegations: which entities our state sent to an engagement. No person is named.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::engagements::EngagementId;
use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    nouns::entities::entities::EntityId,
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What the people of an entity were in the delegation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DelegationRole {
    /// They led it; at most one entity of an engagement.
    Head,
    /// They belonged to it.
    #[default]
    Member,
    /// They gave advice.
    Adviser,
    /// They listened.
    Observer,
}

/// An entity in the delegation to an engagement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The engagement.
    pub engagement_id: EngagementId,
    /// The entity; once in an engagement.
    pub entity_id: EntityId,
    /// What its people were there: `member` when not given.
    #[serde(default)]
    pub role: DelegationRole,
    /// How many people it sent; null where that is not known.
    #[schema(minimum = 1, maximum = 10_000)]
    pub size: Option<i32>,
    /// Remarks; no names of persons.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of a delegation.
pub type DelegationId = Id<Delegation>;

/// Which delegations.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = DelegationFilter)]
pub struct Filter {
    /// To one of these engagements.
    pub engagement_id: Vec<EngagementId>,
    /// Of one of these entities.
    pub entity_id: Vec<EntityId>,
    /// In one of these roles.
    pub role: Vec<DelegationRole>,
}

impl Resource for Delegation {
    const KIND: &'static str = "delegation";
    const TABLE: &'static str = "delegations";
    const SORTS: &'static [Sort] = &[Sort::CREATED, Sort::UPDATED, Sort::text("role", "role")];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "engagement_id", table: "engagements" },
        Reference { field: "entity_id", table: "entities" },
    ];
    const PARENTS: &'static [&'static str] = &["engagement_id"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, _: &mut Faults) {}

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, engagement_id, entity_id, role, size, note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("engagement_id", &filter.engagement_id)
            .ids("entity_id", &filter.entity_id)
            .words("role", &filter.role);
    }
}
