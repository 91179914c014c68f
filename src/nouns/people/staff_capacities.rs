//! Staff capacities: how many people an entity has for this kind of work.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::profiles::Profile;
use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    nouns::entities::entities::EntityId,
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// How many people an entity has with a profile. Capacities add up, also those that overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct StaffCapacity {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The entity.
    pub entity_id: EntityId,
    /// What kind of work they do.
    pub profile: Profile,
    /// The first day.
    pub starts_on: NaiveDate,
    /// The last day; none while no end is known.
    pub ends_on: Option<NaiveDate>,
    /// How many there are (FTE), a decimal string.
    #[schema(value_type = String, pattern = r"^(0|[1-9][0-9]{0,4})(\.[0-9]{1,2})?$", example = "12")]
    #[serde(with = "rust_decimal::serde::str")]
    pub fte: Decimal,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of a staff capacity.
pub type StaffCapacityId = Id<StaffCapacity>;

/// Which staff capacities.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = StaffCapacityFilter)]
pub struct Filter {
    /// Of one of these entities.
    pub entity_id: Vec<EntityId>,
    /// With one of these profiles.
    pub profile: Vec<Profile>,
    /// Whether it holds today.
    pub is_current: Option<bool>,
}

impl Resource for StaffCapacity {
    const KIND: &'static str = "staff_capacity";
    const TABLE: &'static str = "staff_capacities";
    const SORTS: &'static [Sort] =
        &[Sort::CREATED, Sort::UPDATED, Sort::text("profile", "profile"), Sort::date("starts_on", "starts_on")];
    const REFERENCES: &'static [Reference] = &[Reference { field: "entity_id", table: "entities" }];
    const PARENTS: &'static [&'static str] = &["entity_id"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        self.profile.check(faults);
        faults.check_period(Some(self.starts_on), self.ends_on, "ends_on");
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, entity_id, profile, starts_on, ends_on, fte, note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("entity_id", &filter.entity_id)
            .words("profile", &filter.profile)
            .holds("starts_on <= (select today()) and coalesce(ends_on >= (select today()), true)", filter.is_current);
    }
}
