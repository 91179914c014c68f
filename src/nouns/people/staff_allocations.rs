//! Staff allocations: people meant for an initiative or a step, as full-time equivalents.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::profiles::Profile;
use crate::{
    base::values::{Classification, ExternalId, Id, Money, Text},
    nouns::{
        entities::entities::EntityId,
        money::cost::{self, CostColumns},
        plan::{initiatives::InitiativeId, steps::StepId},
    },
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// People of an entity for an initiative or a step. Allocations add up, also those that overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct StaffAllocation {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The initiative concerned; exactly one of this and `step_id`.
    pub initiative_id: Option<InitiativeId>,
    /// The step concerned; exactly one of this and `initiative_id`.
    pub step_id: Option<StepId>,
    /// The entity whose people they are.
    pub entity_id: EntityId,
    /// What kind of work they do.
    pub profile: Profile,
    /// The first day.
    pub starts_on: NaiveDate,
    /// The last day.
    pub ends_on: NaiveDate,
    /// How many are meant to work on it all the time (FTE), a decimal string.
    #[schema(value_type = String, pattern = r"^(0|[1-9][0-9]{0,4})(\.[0-9]{1,2})?$", example = "2.5")]
    #[serde(with = "rust_decimal::serde::str")]
    pub fte_planned: Decimal,
    /// How many do (FTE), a decimal string; null where nobody has said so, which is not zero.
    #[schema(value_type = Option<String>, pattern = r"^(0|[1-9][0-9]{0,4})(\.[0-9]{1,2})?$", example = "1.75")]
    #[serde(default, with = "rust_decimal::serde::str_option")]
    pub fte_filled: Option<Decimal>,
    /// What they cost in that time.
    #[sqlx(flatten, try_from = "CostColumns")]
    pub cost: Option<Money>,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of a staff allocation.
pub type StaffAllocationId = Id<StaffAllocation>;

/// Which staff allocations.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = StaffAllocationFilter)]
pub struct Filter {
    /// For one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// For one of these steps.
    pub step_id: Vec<StepId>,
    /// Of one of these entities.
    pub entity_id: Vec<EntityId>,
    /// With one of these profiles.
    pub profile: Vec<Profile>,
    /// Starting after this day.
    pub starts_after: Option<NaiveDate>,
    /// Starting before this day.
    pub starts_before: Option<NaiveDate>,
    /// Ending after this day.
    pub ends_after: Option<NaiveDate>,
    /// Ending before this day.
    pub ends_before: Option<NaiveDate>,
    /// Whether it is known how many do the work.
    pub is_filled_known: Option<bool>,
}

impl Resource for StaffAllocation {
    const KIND: &'static str = "staff_allocation";
    const TABLE: &'static str = "staff_allocations";
    const SORTS: &'static [Sort] = &[
        Sort::CREATED,
        Sort::UPDATED,
        Sort::text("profile", "profile"),
        Sort::date("starts_on", "starts_on"),
        Sort::date("ends_on", "ends_on"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "initiative_id", table: "initiatives" },
        Reference { field: "step_id", table: "steps" },
        Reference { field: "entity_id", table: "entities" },
    ];
    const PARENTS: &'static [&'static str] = &["initiative_id", "step_id"];
    const LIGHT: &'static [&'static str] = &["fte_filled", "note"];
    const IS_ADDED_FREELY: bool = true;
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_exactly_one(("initiative_id", self.initiative_id.is_some()), ("step_id", self.step_id.is_some()));
        self.profile.check(faults);
        faults.check_period(Some(self.starts_on), Some(self.ends_on), "ends_on");
        faults.check(
            (self.ends_on - self.starts_on).num_days() < 3660,
            "ends_on",
            "too_long",
            "Give a period of at most ten years; make another allocation for the rest.",
        );
        cost::check(self.cost.as_ref(), faults);
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, initiative_id, step_id, entity_id, profile, starts_on, ends_on, fte_planned,
            fte_filled, note);
        cost::set(row, self.cost.as_ref());
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("initiative_id", &filter.initiative_id)
            .ids("step_id", &filter.step_id)
            .ids("entity_id", &filter.entity_id)
            .words("profile", &filter.profile)
            .days("starts_on", filter.starts_after, filter.starts_before)
            .days("ends_on", filter.ends_after, filter.ends_before)
            .holds("fte_filled is not null", filter.is_filled_known);
    }
}
