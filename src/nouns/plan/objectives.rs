//! Objectives: the aims of a strategy, and the aims under them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::strategies::StrategyId;
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text},
    repository::{
        Faults, Reference, Resource, Row, Select, Sort,
        macros::{no_cycles, set_fields},
    },
};

/// An aim of a strategy; objectives can be nested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The strategy it belongs to.
    pub strategy_id: StrategyId,
    /// The objective above it, in the same strategy.
    pub parent_id: Option<ObjectiveId>,
    /// Its code as printed; unique in the strategy.
    pub code: Code,
    /// Its title.
    #[sqlx(json)]
    pub title: Text,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
}

/// The id of an objective.
pub type ObjectiveId = Id<Objective>;

/// Which objectives.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ObjectiveFilter)]
pub struct Filter {
    /// Of one of these strategies.
    pub strategy_id: Vec<StrategyId>,
    /// Directly under one of these objectives.
    pub parent_id: Vec<ObjectiveId>,
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Whether there is an objective above it.
    pub has_parent: Option<bool>,
}

impl Resource for Objective {
    const KIND: &'static str = "objective";
    const TABLE: &'static str = "objectives";
    const SORTS: &'static [Sort] = &[Sort::CODE, Sort::CREATED, Sort::UPDATED, Sort::spoken("title")];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "strategy_id", table: "strategies" },
        Reference { field: "parent_id", table: "objectives" },
    ];
    const PARENTS: &'static [&'static str] = &["strategy_id", "parent_id"];
    const IS_ADDED_FREELY: bool = true;
    const RULE: Option<&'static str> = Some(no_cycles!("objectives", "parent_id"));
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, _: &mut Faults) {}

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, strategy_id, parent_id, code, title, description);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("strategy_id", &filter.strategy_id)
            .ids("parent_id", &filter.parent_id)
            .words("code", &filter.code)
            .holds("parent_id is not null", filter.has_parent);
    }
}
