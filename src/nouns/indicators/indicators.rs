//! Indicators: what is measured to know whether a strategy, an objective, an initiative or a step does what it is for.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, Code, ExternalId, Id, Quantity, Text},
    nouns::{
        entities::entities::EntityId,
        plan::{initiatives::InitiativeId, objectives::ObjectiveId, steps::StepId, strategies::StrategyId},
    },
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// Where in the chain from means to effects it measures (StratML Part 2, and `impact` of IATI 2.03).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ValueChainStage {
    /// Means, such as money and people.
    Input,
    /// What is done with the means.
    InputProcessing,
    /// What is done with the products.
    OutputProcessing,
    /// Products.
    Output,
    /// What follows for those concerned.
    Outcome,
    /// What follows for the country.
    Impact,
}

/// What its values are (IATI 2.03, `IndicatorMeasure`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Measure {
    /// Numbers of something.
    Unit,
    /// Parts of a hundred.
    Percentage,
    /// Numbers that are names; more is not better.
    Nominal,
    /// Numbers that are an order, such as a level of maturity.
    Ordinal,
    /// Words.
    Qualitative,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Ascending,
    /// Less is better.
    Descending,
}

/// How the measurements within the period of a target become one value to hold against it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Aggregation {
    /// They are added.
    Sum,
    /// Their mean.
    Average,
    /// The one that ends last, before the target does.
    #[default]
    Latest,
    /// Only one of exactly the period of the target counts.
    None,
}

/// Something that is measured. Targets and measurements are nouns of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The strategy that it is about; exactly one of `strategy_id`, `objective_id`, `initiative_id` and `step_id`.
    pub strategy_id: Option<StrategyId>,
    /// The objective that it is about.
    pub objective_id: Option<ObjectiveId>,
    /// The initiative that it is about.
    pub initiative_id: Option<InitiativeId>,
    /// The step that it is about.
    pub step_id: Option<StepId>,
    /// Who measures it; may write its measurements.
    pub entity_id: Option<EntityId>,
    /// The code as printed.
    pub code: Option<Code>,
    /// What is measured.
    #[sqlx(json)]
    pub title: Text,
    /// How it is measured.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// Where in the chain from means to effects it measures.
    pub value_chain_stage: ValueChainStage,
    /// What its values are. An indicator in numbers stays one, and so does one in words.
    pub measure: Measure,
    /// What is counted, such as `trained officials`.
    #[sqlx(json(nullable))]
    pub unit: Option<Text>,
    /// Which way is better; needed unless it is nominal or qualitative.
    pub direction: Option<Direction>,
    /// How measurements become one value to hold against a target: `latest` when not given.
    #[serde(default)]
    pub aggregation: Aggregation,
    /// Where it stood at the start; needs `baseline_on`. Of a qualitative indicator `baseline_descriptor` instead.
    pub baseline_value: Option<Quantity>,
    /// Where it stood at the start, in words.
    #[sqlx(json(nullable))]
    pub baseline_descriptor: Option<Text>,
    /// The day on which it stood there.
    pub baseline_on: Option<NaiveDate>,
    /// Where the baseline is from.
    #[sqlx(json(nullable))]
    pub baseline_source: Option<Text>,
}

/// The id of an indicator.
pub type IndicatorId = Id<Indicator>;

/// Which indicators.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = IndicatorFilter)]
pub struct Filter {
    /// Of one of these strategies themselves.
    pub strategy_id: Vec<StrategyId>,
    /// Of one of these objectives themselves.
    pub objective_id: Vec<ObjectiveId>,
    /// Of one of these initiatives themselves.
    pub initiative_id: Vec<InitiativeId>,
    /// Of one of these steps.
    pub step_id: Vec<StepId>,
    /// Measured by one of these entities.
    pub entity_id: Vec<EntityId>,
    /// With one of these codes.
    pub code: Vec<Code>,
    /// At one of these stages.
    pub value_chain_stage: Vec<ValueChainStage>,
    /// With values of one of these kinds.
    pub measure: Vec<Measure>,
    /// Whether it has a baseline.
    pub has_baseline: Option<bool>,
    /// Whether it has a target.
    pub has_target: Option<bool>,
    /// Whether anything was measured.
    pub has_measurement: Option<bool>,
}

impl Resource for Indicator {
    const KIND: &'static str = "indicator";
    const TABLE: &'static str = "indicators";
    const SORTS: &'static [Sort] = &[Sort::CODE, Sort::CREATED, Sort::UPDATED];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "strategy_id", table: "strategies" },
        Reference { field: "objective_id", table: "objectives" },
        Reference { field: "initiative_id", table: "initiatives" },
        Reference { field: "step_id", table: "steps" },
        Reference { field: "entity_id", table: "entities" },
    ];
    const PARENTS: &'static [&'static str] = &["strategy_id", "objective_id", "initiative_id", "step_id"];
    const LONG_AGO: &'static [&'static str] = &["baseline_on"];
    const IS_ADDED_FREELY: bool = true;
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        let parents = [
            self.strategy_id.is_some(),
            self.objective_id.is_some(),
            self.initiative_id.is_some(),
            self.step_id.is_some(),
        ];
        faults.check(
            parents.iter().filter(|given| **given).count() == 1,
            "strategy_id",
            "exactly_one",
            "Give exactly one of strategy_id, objective_id, initiative_id and step_id.",
        );
        let is_in_words = self.measure == Measure::Qualitative;
        faults.check(
            self.direction.is_some() || is_in_words || self.measure == Measure::Nominal,
            "direction",
            "needs_direction",
            "Say which way is better: ascending or descending.",
        );
        faults.check(
            before.is_none_or(|before| is_in_words == (before.measure == Measure::Qualitative)),
            "measure",
            "not_allowed",
            "Its measurements would no longer fit; make another indicator.",
        );
        let (has_value, has_words) = (self.baseline_value.is_some(), self.baseline_descriptor.is_some());
        faults.check(
            self.baseline_on.is_some() || !(has_value || has_words || self.baseline_source.is_some()),
            "baseline_on",
            "required",
            "Say on which day it stood there, or leave the whole baseline out.",
        );
        if is_in_words {
            faults.check(!has_value, "baseline_value", "not_allowed", "The indicator is qualitative; leave it out.");
        }
        let (is_said, field) =
            if is_in_words { (has_words, "baseline_descriptor") } else { (has_value, "baseline_value") };
        faults.check(
            self.baseline_on.is_none() || is_said,
            field,
            "required",
            "Say where it stood on that day, or leave the whole baseline out.",
        );
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, strategy_id, objective_id, initiative_id, step_id, entity_id, code, title,
            description, value_chain_stage, measure, unit, direction, aggregation, baseline_value, baseline_descriptor, baseline_on,
            baseline_source);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("strategy_id", &filter.strategy_id)
            .ids("objective_id", &filter.objective_id)
            .ids("initiative_id", &filter.initiative_id)
            .ids("step_id", &filter.step_id)
            .ids("entity_id", &filter.entity_id)
            .words("code", &filter.code)
            .words("value_chain_stage", &filter.value_chain_stage)
            .words("measure", &filter.measure)
            .holds("baseline_on is not null", filter.has_baseline)
            .holds("exists (select from indicator_targets t where t.indicator_id = indicators.id)", filter.has_target)
            .holds("exists (select from measurements m where m.indicator_id = indicators.id)", filter.has_measurement);
    }
}
