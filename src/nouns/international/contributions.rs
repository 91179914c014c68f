//! Contributions: capacity building that was given to others or received from them.
//!
//! The fields follow `iati-activity` (IATI 2.03). What is in lists without a life of its own is in `parts` and `results`, the rules in `rules`;
//! who takes part is a noun of its own, `contribution_partners`.

pub mod parts;
pub mod results;
mod rules;

use chrono::NaiveDate;
use parts::{
    ContributionBudget, ContributionDocument, ContributionRecipient, ContributionTheme, ContributionTransaction,
    PlannedDisbursement, Trainees,
};
use results::ContributionResult;
pub(in crate::nouns::international) use rules::check_organisation_type;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, Country, ExternalId, Id, Text},
    nouns::{
        entities::entities::EntityId,
        plan::{initiatives::InitiativeId, strategies::StrategyId},
    },
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// Who builds whose capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ContributionDirection {
    /// We that of others.
    Given,
    /// Others ours.
    Received,
}

/// How far a contribution is: the words of the IATI code list ActivityStatus, 1 to 6 in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ContributionStatus {
    /// It is scoped or planned (1).
    Pipeline,
    /// It is carried out (2).
    Implementation,
    /// The work is done, the accounts are not closed (3).
    Finalisation,
    /// It is over (4).
    Closed,
    /// It was given up (5).
    Cancelled,
    /// It rests (6).
    Suspended,
}

/// In which form capacity is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ContributionModality {
    /// People are trained.
    Training,
    /// Experts advise.
    Expertise,
    /// Equipment or software.
    Equipment,
    /// Money.
    Funding,
    /// People work at the other's.
    Secondment,
    /// Another, or several.
    Other,
}

/// A contribution to capacity building, given or received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// The caller's own identifier, unique among the nouns of this kind; of what is published with IATI the `iati-identifier`.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// Given or received.
    pub direction: ContributionDirection,
    /// Its title.
    #[sqlx(json)]
    pub title: Text,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// What it is to reach.
    #[sqlx(json(nullable))]
    pub objectives: Option<Text>,
    /// Who is to gain from it.
    #[sqlx(json(nullable))]
    pub target_groups: Option<Text>,
    /// How far it is. From `implementation` on it needs a start, planned or actual; a cancelled one does not.
    pub status: ContributionStatus,
    /// The day on which it was to start.
    pub planned_starts_on: Option<NaiveDate>,
    /// The day on which it did; not after today.
    pub actual_starts_on: Option<NaiveDate>,
    /// The day on which it was to end.
    pub planned_ends_on: Option<NaiveDate>,
    /// The day on which it did; not after today.
    pub actual_ends_on: Option<NaiveDate>,
    /// In which form; null where nobody has said so.
    pub modality: Option<ContributionModality>,
    /// The entity of ours that answers for it. All others are `contribution-partners`.
    pub lead_id: Option<EntityId>,
    /// The strategy of whose work it is; at most one of this and `initiative_id`.
    pub strategy_id: Option<StrategyId>,
    /// The initiative of whose work it is; at most one of this and `strategy_id`.
    pub initiative_id: Option<InitiativeId>,
    /// Whom it is given to. One that is given needs one beside the country of the service; shares are given for all or for none, and sum to 100.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 250)]
    pub recipients: Vec<ContributionRecipient>,
    /// What it is about, by codes. Shares are given for all of a vocabulary or for none, and sum to 100.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 100)]
    pub themes: Vec<ContributionTheme>,
    /// The currency of its accounts, ISO 4217; each amount says its own.
    #[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
    pub default_currency: Option<String>,
    /// What is meant to be spent.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 2000)]
    pub budgets: Vec<ContributionBudget>,
    /// What is to be paid, and when.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 2000)]
    pub planned_disbursements: Vec<PlannedDisbursement>,
    /// What was promised, received and paid; none after today.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 5000)]
    pub transactions: Vec<ContributionTransaction>,
    /// What came of it.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 500)]
    pub results: Vec<ContributionResult>,
    /// Who was trained, as numbers. None is not zero: a year with nobody trained has an entry with the count 0.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 2000)]
    pub trainees: Vec<Trainees>,
    /// What can be read about it.
    #[serde(default)]
    #[sqlx(json)]
    #[schema(max_items = 500)]
    pub documents: Vec<ContributionDocument>,
    /// Where this was taken from: an address or a citation.
    #[schema(min_length = 1, max_length = 2000)]
    pub source: Option<String>,
}

/// So many budgets a contribution has at most, as its schema says.
pub(crate) const MOST_BUDGETS: usize = 2000;
/// So many planned disbursements.
pub(crate) const MOST_DISBURSEMENTS: usize = 2000;
/// So many transactions.
pub(crate) const MOST_TRANSACTIONS: usize = 5000;
/// So many results.
pub(crate) const MOST_RESULTS: usize = 500;
/// So many documents.
pub(crate) const MOST_DOCUMENTS: usize = 500;

/// The id of a contribution.
pub type ContributionId = Id<Contribution>;

/// Which contributions.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ContributionFilter)]
pub struct Filter {
    /// Given or received.
    pub direction: Vec<ContributionDirection>,
    /// With one of these statuses.
    pub status: Vec<ContributionStatus>,
    /// In one of these forms.
    pub modality: Vec<ContributionModality>,
    /// Answered for by one of these entities.
    pub lead_id: Vec<EntityId>,
    /// Of one of these strategies themselves.
    pub strategy_id: Vec<StrategyId>,
    /// Of one of these initiatives.
    pub initiative_id: Vec<InitiativeId>,
    /// With one of these entities as a partner, in any role.
    pub partner_id: Vec<EntityId>,
    /// For one of these countries, ISO 3166-1 alpha-2.
    pub country: Vec<Country>,
    /// For one of these regions (OECD DAC).
    pub region: Vec<String>,
    /// With one of these codes as a theme, whatever its vocabulary.
    pub theme: Vec<String>,
    /// Starting after this day; the actual start counts, else the planned one.
    pub starts_after: Option<NaiveDate>,
    /// Starting before this day.
    pub starts_before: Option<NaiveDate>,
    /// Ending after this day; the actual end counts, else the planned one.
    pub ends_after: Option<NaiveDate>,
    /// Ending before this day.
    pub ends_before: Option<NaiveDate>,
    /// Whether it is known who was trained, or that nobody was.
    pub has_trainees: Option<bool>,
}

impl Resource for Contribution {
    const KIND: &'static str = "contribution";
    const TABLE: &'static str = "contributions";
    const SORTS: &'static [Sort] = &[
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("title"),
        Sort::text("status", "status"),
        Sort::date("starts_on", "coalesce(starts_on, '-infinity')"),
        Sort::date("ends_on", "coalesce(ends_on, 'infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "lead_id", table: "entities" },
        Reference { field: "strategy_id", table: "strategies" },
        Reference { field: "initiative_id", table: "initiatives" },
    ];
    const PARENTS: &'static [&'static str] = &["strategy_id", "initiative_id"];
    const FILTER_REFERENCES: &'static [Reference] = &[Reference { field: "partner_id", table: "entities" }];
    const RULE: Option<&'static str> = Some(rules::NOT_IN_THE_FUTURE);
    const LONG_AGO: &'static [&'static str] = &[
        "planned_starts_on",
        "actual_starts_on",
        "planned_ends_on",
        "actual_ends_on",
        "budgets",
        "planned_disbursements",
        "transactions",
        "results",
        "documents",
    ];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        rules::check(self, faults);
    }

    /// What partners give follows them; a contribution that goes was counted on.
    fn needs_reason(_: Option<&Self>, after: Option<&Self>) -> bool {
        after.is_none()
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, direction, title, description, objectives, target_groups, status,
            planned_starts_on, actual_starts_on, planned_ends_on, actual_ends_on, modality, lead_id, strategy_id, initiative_id,
            recipients, themes, default_currency, budgets, planned_disbursements, transactions, results, trainees, documents, source);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("direction", &filter.direction)
            .words("status", &filter.status)
            .words("modality", &filter.modality)
            .ids("lead_id", &filter.lead_id)
            .ids("strategy_id", &filter.strategy_id)
            .ids("initiative_id", &filter.initiative_id)
            .ids_where(
                "exists (select from contribution_partners p where p.contribution_id = contributions.id and p.entity_id = any(",
                &filter.partner_id,
                "))",
            )
            .words_where("exists (select from jsonb_array_elements(recipients) r where r ->> 'country' = any(", &filter.country, "))")
            .words_where("exists (select from jsonb_array_elements(recipients) r where r ->> 'region' = any(", &filter.region, "))")
            .words_where("exists (select from jsonb_array_elements(themes) t where t ->> 'code' = any(", &filter.theme, "))")
            .days("starts_on", filter.starts_after, filter.starts_before)
            .days("ends_on", filter.ends_after, filter.ends_before)
            .holds("trainees <> '[]'", filter.has_trainees);
    }
}
