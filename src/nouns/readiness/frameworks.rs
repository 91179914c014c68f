//! Frameworks: by which a country is assessed. A framework is data: areas, indicators, points, levels, weights, tiers, and the rules that find
//! records which could prove an indicator.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    answered::ANSWERED,
    framework_parts::{FrameworkArea, FrameworkTier, check_areas, check_tiers},
};
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text},
    repository::{Faults, Resource, Row, Select, Sort, macros::set_fields},
};

/// One edition of a framework. Its figures are those of its owner only where `is_verified` says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// A short code, such as `NCSI`; unique with the edition.
    pub code: Code,
    /// The edition, such as `3.0`.
    #[schema(format = "visible", min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$", example = "3.0")]
    pub edition: String,
    /// Its name.
    #[sqlx(json)]
    pub name: Text,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// Who makes it, as printed.
    #[schema(min_length = 1, max_length = 300, pattern = r"\S")]
    pub owner: Option<String>,
    /// On which terms it may be used.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub terms: Option<String>,
    /// Where it was taken from: an address or a citation.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub source: Option<String>,
    /// Whether it was compared with what its owner publishes; `false` when not given. Every score says so.
    #[serde(default)]
    pub is_verified: bool,
    /// What of it is verified, and what is not.
    #[sqlx(json(nullable))]
    pub verification_note: Option<Text>,
    /// Its areas, in order.
    #[sqlx(json)]
    #[schema(min_items = 1, max_items = 100)]
    pub areas: Vec<FrameworkArea>,
    /// Its tiers or stages, the lowest first.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 20)]
    pub tiers: Vec<FrameworkTier>,
}

/// The id of a framework.
pub type FrameworkId = Id<Framework>;

/// Which frameworks.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FrameworkFilter)]
pub struct Filter {
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Of one of these editions.
    pub edition: Vec<String>,
    /// Whether it was compared with what its owner publishes.
    pub is_verified: Option<bool>,
}

impl Resource for Framework {
    const KIND: &'static str = "framework";
    const TABLE: &'static str = "frameworks";
    const SORTS: &'static [Sort] = &[Sort::CODE, Sort::CREATED, Sort::UPDATED, Sort::text("edition", "edition")];
    const RULE: Option<&'static str> = Some(ANSWERED);
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        check_areas(&self.areas, faults);
        check_tiers(&self.tiers, faults);
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, code, edition, name, description, owner, terms, source, is_verified,
            verification_note, areas, tiers);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select.words("code", &filter.code).words("edition", &filter.edition).holds("is_verified", filter.is_verified);
    }
}
