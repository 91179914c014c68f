//! Budget allocations: money meant for an initiative or a step in a year.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{cost, funding_sources::FundingSourceId};
use crate::{
    base::values::{Classification, ExternalId, Id, Money, Text, codelists},
    nouns::{
        entities::entities::EntityId,
        plan::{initiatives::InitiativeId, legal_acts::LegalActId, steps::StepId},
    },
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields, weighs},
};

/// How firm the amount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Phase {
    /// What it is expected to cost.
    Estimate,
    /// What a budget grants.
    Appropriation,
}

/// An amount for an initiative or a step in a fiscal year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct BudgetAllocation {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The initiative concerned; exactly one of this and `step_id`.
    pub initiative_id: Option<InitiativeId>,
    /// The step concerned; exactly one of this and `initiative_id`.
    pub step_id: Option<StepId>,
    /// The entity in whose budget it stands.
    pub entity_id: Option<EntityId>,
    /// Where the money comes from.
    pub funding_source_id: Option<FundingSourceId>,
    /// The fiscal year, named after the calendar year in which it ends, or starts where the service has it so (`MANDATE_FISCAL_YEAR_NAME`).
    #[schema(minimum = 1990, maximum = 2100)]
    pub fiscal_year: i32,
    /// How firm the amount is.
    pub phase: Phase,
    /// The amount.
    #[sqlx(flatten)]
    pub money: Money,
    /// The programme or chapter of the budget, as printed.
    #[schema(min_length = 1, max_length = 100)]
    pub programme_code: Option<String>,
    /// The function of government (COFOG 1999), such as `03.6.0` or `GF03.6.0`.
    #[schema(pattern = r"^(GF)?[0-9]{2}(\.[0-9]){0,2}$", example = "03.6.0")]
    pub cofog_code: Option<String>,
    /// The act that grants it, such as the budget law.
    pub legal_act_id: Option<LegalActId>,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of a budget allocation.
pub type BudgetAllocationId = Id<BudgetAllocation>;

/// Which budget allocations.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = BudgetAllocationFilter)]
pub struct Filter {
    /// Of one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// Of one of these steps.
    pub step_id: Vec<StepId>,
    /// In the budget of one of these entities.
    pub entity_id: Vec<EntityId>,
    /// From one of these sources.
    pub funding_source_id: Vec<FundingSourceId>,
    /// Of one of these fiscal years.
    pub fiscal_year: Vec<i32>,
    /// In one of these phases.
    pub phase: Vec<Phase>,
    /// In one of these currencies, ISO 4217.
    pub currency: Vec<String>,
    /// Under one of these programmes.
    pub programme_code: Vec<String>,
    /// For one of these functions of government, as written.
    pub cofog_code: Vec<String>,
    /// Granted by one of these acts.
    pub legal_act_id: Vec<LegalActId>,
    /// At least this amount; choose a currency too.
    #[schema(value_type = Option<String>, pattern = r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,4})?$")]
    pub amount_min: Option<Decimal>,
    /// At most this amount; choose a currency too.
    #[schema(value_type = Option<String>, pattern = r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,4})?$")]
    pub amount_max: Option<Decimal>,
    /// Whether the source of the money is known.
    pub has_funding_source: Option<bool>,
}

impl Resource for BudgetAllocation {
    const KIND: &'static str = "budget_allocation";
    const TABLE: &'static str = "budget_allocations";
    const SORTS: &'static [Sort] =
        &[Sort::integer("fiscal_year", "fiscal_year"), Sort::CREATED, Sort::UPDATED, Sort::number("amount", "amount")];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "initiative_id", table: "initiatives" },
        Reference { field: "step_id", table: "steps" },
        Reference { field: "entity_id", table: "entities" },
        Reference { field: "funding_source_id", table: "funding_sources" },
        Reference { field: "legal_act_id", table: "legal_acts" },
    ];
    const PARENTS: &'static [&'static str] = &["initiative_id", "step_id"];
    const LIGHT: &'static [&'static str] = &["programme_code", "cofog_code", "note"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_exactly_one(("initiative_id", self.initiative_id.is_some()), ("step_id", self.step_id.is_some()));
        cost::check_money("money", &self.money, faults);
        faults.check(
            self.cofog_code.as_deref().is_none_or(codelists::is_cofog),
            "cofog_code",
            "unknown_code",
            "Give a division, group or class of COFOG 1999, such as 03.6.0.",
        );
    }

    /// An appropriation is a ceiling; an estimate is a guess.
    fn needs_reason(before: Option<&Self>, after: Option<&Self>) -> bool {
        let is_ceiling = |side: Option<&Self>| side.is_some_and(|side| side.phase == Phase::Appropriation);
        let is_told_only = before.zip(after).is_some_and(|(before, after)| !weighs(before, after, Self::LIGHT));
        (is_ceiling(before) || is_ceiling(after)) && !is_told_only
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, initiative_id, step_id, entity_id, funding_source_id, fiscal_year, phase,
            programme_code, cofog_code, legal_act_id, note);
        cost::set(row, Some(&self.money));
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("initiative_id", &filter.initiative_id)
            .ids("step_id", &filter.step_id)
            .ids("entity_id", &filter.entity_id)
            .ids("funding_source_id", &filter.funding_source_id)
            .numbers("fiscal_year", &filter.fiscal_year)
            .words("phase", &filter.phase)
            .words("currency", &filter.currency)
            .words("programme_code", &filter.programme_code)
            .words("cofog_code", &filter.cofog_code)
            .ids("legal_act_id", &filter.legal_act_id)
            .amounts("amount", filter.amount_min, filter.amount_max)
            .holds("funding_source_id is not null", filter.has_funding_source);
    }
}
