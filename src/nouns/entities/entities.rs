//! Entities: ministries, agencies, groups of institutions and all others who act.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, Code, Country, ExternalId, Id, Text, Url},
    repository::{
        Faults, Reference, Resource, Row, Select, Sort,
        macros::{no_cycles, set_fields},
    },
};

/// What sort of entity it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum EntityKind {
    /// A ministry.
    Ministry,
    /// An agency, authority or other public body.
    Agency,
    /// A council or committee.
    Council,
    /// Many at once, such as "all public institutions".
    Collective,
    /// A company or an association of companies.
    Private,
    /// A non-governmental organisation.
    Ngo,
    /// An international organisation.
    International,
    /// A university or research institute.
    Academic,
    /// None of these.
    Other,
}

/// Somebody who carries out, supports or pays for a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The acronym, such as `DNSC`; unique.
    pub code: Option<Code>,
    /// The official name.
    #[sqlx(json)]
    pub name: Text,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// What sort of entity it is.
    pub kind: EntityKind,
    /// Its country, ISO 3166-1 alpha-2; none for an international organisation, so none is assumed when it is left out.
    pub country: Option<Country>,
    /// The entity it belongs to.
    pub parent_id: Option<EntityId>,
    /// The entity that took over its duties.
    pub successor_id: Option<EntityId>,
    /// The day it was set up.
    pub valid_from: Option<NaiveDate>,
    /// The last day it existed.
    pub valid_to: Option<NaiveDate>,
    /// Its web site.
    pub url: Option<Url>,
}

/// The id of an entity.
pub type EntityId = Id<Entity>;

/// Which entities.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = EntityFilter)]
pub struct Filter {
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Of one of these kinds.
    pub kind: Vec<EntityKind>,
    /// Of one of these countries, ISO 3166-1 alpha-2.
    pub country: Vec<Country>,
    /// Belonging directly to one of these.
    pub parent_id: Vec<EntityId>,
    /// Succeeded by one of these.
    pub successor_id: Vec<EntityId>,
    /// Whether it exists today.
    pub is_current: Option<bool>,
}

impl Resource for Entity {
    const KIND: &'static str = "entity";
    const TABLE: &'static str = "entities";
    const SORTS: &'static [Sort] =
        &[Sort::CODE, Sort::CREATED, Sort::UPDATED, Sort::spoken("name"), Sort::text("kind", "kind")];
    const REFERENCES: &'static [Reference] =
        &[Reference { field: "parent_id", table: "entities" }, Reference { field: "successor_id", table: "entities" }];
    const RULE: Option<&'static str> =
        Some(concat!(no_cycles!("entities", "parent_id"), " union all ", no_cycles!("entities", "successor_id")));
    const LONG_AGO: &'static [&'static str] = &["valid_from", "valid_to"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check(
            self.country.as_ref().is_none_or(Country::is_known),
            "country",
            "unknown_code",
            "Give a country of ISO 3166-1 alpha-2.",
        );
        faults.check_period(self.valid_from, self.valid_to, "valid_to");
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, code, name, description, kind, country, parent_id, successor_id, valid_from,
            valid_to, url);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("code", &filter.code)
            .words("kind", &filter.kind)
            .words("country", &filter.country)
            .ids("parent_id", &filter.parent_id)
            .ids("successor_id", &filter.successor_id)
            .holds(
                "coalesce(valid_from <= (select today()), true) and coalesce(valid_to >= (select today()), true)",
                filter.is_current,
            );
    }
}
