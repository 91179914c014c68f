//! Contribution partners: who takes part in a contribution, in which role.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contributions::{ContributionId, check_organisation_type};
use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    nouns::entities::entities::EntityId,
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What a partner does; the first four are the IATI code list OrganisationRole, 1 to 4 in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ContributionPartnerRole {
    /// It provides the money (1).
    Funding,
    /// It answers for the outcome (2).
    Accountable,
    /// It manages the money and directs the work (3).
    Extending,
    /// It does the work (4).
    Implementing,
    /// Its capacity is built.
    Beneficiary,
}

/// Somebody who takes part in a contribution; one with several roles has a row for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct ContributionPartner {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The contribution.
    pub contribution_id: ContributionId,
    /// What it does.
    pub role: ContributionPartnerRole,
    /// Who it is, where it is an entity here; exactly one of this and `name`.
    pub entity_id: Option<EntityId>,
    /// Its name, where it is not; exactly one of this and `entity_id`.
    #[sqlx(json(nullable))]
    pub name: Option<Text>,
    /// The identifier of the organisation, such as `XM-DAC-41114`.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S+$", example = "XM-DAC-41114")]
    pub reference: Option<String>,
    /// What sort of organisation it is (IATI code list OrganisationType), such as `10` for a government.
    #[schema(pattern = "^[0-9]{2}$", example = "10")]
    pub organisation_type: Option<String>,
    /// How that organisation names the contribution in its own publications.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S+$")]
    pub activity_reference: Option<String>,
}

/// The id of a contribution partner.
pub type ContributionPartnerId = Id<ContributionPartner>;

/// Which contribution partners.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ContributionPartnerFilter)]
pub struct Filter {
    /// Of one of these contributions.
    pub contribution_id: Vec<ContributionId>,
    /// One of these entities.
    pub entity_id: Vec<EntityId>,
    /// In one of these roles.
    pub role: Vec<ContributionPartnerRole>,
    /// With one of these identifiers.
    pub reference: Vec<String>,
}

impl Resource for ContributionPartner {
    const KIND: &'static str = "contribution_partner";
    const TABLE: &'static str = "contribution_partners";
    const SORTS: &'static [Sort] = &[Sort::CREATED, Sort::UPDATED, Sort::text("role", "role")];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "contribution_id", table: "contributions" },
        Reference { field: "entity_id", table: "entities" },
    ];
    const PARENTS: &'static [&'static str] = &["contribution_id"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_exactly_one(("entity_id", self.entity_id.is_some()), ("name", self.name.is_some()));
        check_organisation_type("organisation_type", self.organisation_type.as_deref(), faults);
    }

    /// Who takes part in a contribution is no promise of the plan.
    fn needs_reason(_: Option<&Self>, _: Option<&Self>) -> bool {
        false
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, contribution_id, role, entity_id, name, reference, organisation_type,
            activity_reference);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("contribution_id", &filter.contribution_id)
            .ids("entity_id", &filter.entity_id)
            .words("role", &filter.role)
            .words("reference", &filter.reference);
    }
}
