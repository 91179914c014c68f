//! Funding sources: where money comes from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text, Url},
    repository::{Faults, Resource, Row, Select, Sort, macros::set_fields},
};

/// What sort of source it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum FundingKind {
    /// The budget of the state.
    StateBudget,
    /// The own budget of the entity.
    OwnBudget,
    /// A fund of the European Union.
    Eu,
    /// Another country or an international organisation.
    ExternalAssistance,
    /// None of these.
    Other,
}

/// A budget, fund or donor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct FundingSource {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// A short code, such as `PNRR`; unique.
    pub code: Option<Code>,
    /// Its name.
    #[sqlx(json)]
    pub name: Text,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// What sort of source it is.
    pub kind: FundingKind,
    /// Its web page.
    pub url: Option<Url>,
}

/// The id of a funding source.
pub type FundingSourceId = Id<FundingSource>;

/// Which funding sources.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FundingSourceFilter)]
pub struct Filter {
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Of one of these kinds.
    pub kind: Vec<FundingKind>,
}

impl Resource for FundingSource {
    const KIND: &'static str = "funding_source";
    const TABLE: &'static str = "funding_sources";
    const SORTS: &'static [Sort] = &[Sort::CODE, Sort::CREATED, Sort::UPDATED, Sort::spoken("name")];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, _: &mut Faults) {}

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, code, name, description, kind, url);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select.words("code", &filter.code).words("kind", &filter.kind);
    }
}
