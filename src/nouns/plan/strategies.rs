//! Strategies and action plans.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    legal_acts::LegalActId,
    strategy_states::{Completeness, EvidenceState, StrategyKind, StrategyStatus},
};
use crate::{
    base::values::{Classification, Code, Country, ExternalId, Id, Language, Text, words},
    nouns::entities::entities::EntityId,
    repository::{
        Faults, Reference, Resource, Row, Select, Sort,
        macros::{no_cycles, set_fields},
    },
};

/// The id of a strategy.
pub type StrategyId = Id<Strategy>;

/// A strategy or an action plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Strategy {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// A short code, such as `SNSC-2022`; unique.
    pub code: Option<Code>,
    /// The official title.
    #[sqlx(json)]
    pub title: Text,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// Whose strategy it is, ISO 3166-1 alpha-2; when left out, the country of the service (`MANDATE_COUNTRY`).
    #[serde(default = "Country::configured")]
    pub country: Country,
    /// Strategy or action plan.
    pub kind: StrategyKind,
    /// Where it is on its way; `approved`, `in_force` and `amended` need `legal_act_id`, and so does a way back from `closed` or `archived`.
    /// Another status needs a reason (`Mandate-Reason`).
    #[serde(default)]
    pub status: StrategyStatus,
    /// The first day of its period.
    pub starts_on: Option<NaiveDate>,
    /// The last day of its period.
    pub ends_on: Option<NaiveDate>,
    /// The state of affairs it aims at.
    #[sqlx(json(nullable))]
    pub vision: Option<Text>,
    /// What it sets out to do.
    #[sqlx(json(nullable))]
    pub mission: Option<Text>,
    /// The languages of the official text, ISO 639-1.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub languages: Vec<Language>,
    /// The act that approves it.
    pub legal_act_id: Option<LegalActId>,
    /// The annex of the act that holds it, such as `Anexa nr. 2`.
    #[schema(min_length = 1, max_length = 200)]
    pub annex: Option<String>,
    /// The strategy that this one replaces.
    pub supersedes_id: Option<StrategyId>,
    /// The strategy that this action plan carries out.
    pub parent_id: Option<StrategyId>,
    /// Who answers for it.
    pub owner_id: Option<EntityId>,
    /// Where its text was taken from: an address or a citation.
    #[schema(min_length = 1, max_length = 2000)]
    pub source: Option<String>,
    /// Whether all of the source was taken over.
    pub completeness: Option<Completeness>,
    /// How well the source is established.
    pub evidence_state: Option<EvidenceState>,
    /// What the state of the evidence rests on.
    #[sqlx(json(nullable))]
    pub evidence_note: Option<Text>,
}

/// Which strategies.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = StrategyFilter)]
pub struct Filter {
    /// Whose evidence is in one of these states.
    pub evidence_state: Vec<EvidenceState>,
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Of one of these countries, ISO 3166-1 alpha-2.
    pub country: Vec<Country>,
    /// Of one of these kinds.
    pub kind: Vec<StrategyKind>,
    /// In one of these states.
    pub status: Vec<StrategyStatus>,
    /// Carrying out one of these strategies.
    pub parent_id: Vec<StrategyId>,
    /// Replacing one of these strategies.
    pub supersedes_id: Vec<StrategyId>,
    /// Approved by one of these acts.
    pub legal_act_id: Vec<LegalActId>,
    /// Answered for by one of these entities.
    pub owner_id: Vec<EntityId>,
    /// Whether a legal act approves it.
    pub has_legal_act: Option<bool>,
    /// Starting after this day.
    pub starts_after: Option<NaiveDate>,
    /// Starting before this day.
    pub starts_before: Option<NaiveDate>,
    /// Ending after this day.
    pub ends_after: Option<NaiveDate>,
    /// Ending before this day.
    pub ends_before: Option<NaiveDate>,
}

impl Resource for Strategy {
    const KIND: &'static str = "strategy";
    const TABLE: &'static str = "strategies";
    const SORTS: &'static [Sort] = &[
        Sort::CODE,
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("title"),
        Sort::text("status", "status"),
        Sort::date("starts_on", "coalesce(starts_on, '-infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "legal_act_id", table: "legal_acts" },
        Reference { field: "supersedes_id", table: "strategies" },
        Reference { field: "parent_id", table: "strategies" },
        Reference { field: "owner_id", table: "entities" },
    ];
    const PARENTS: &'static [&'static str] = &["parent_id"];
    const LIGHT: &'static [&'static str] = &["completeness", "evidence_state", "evidence_note", "source"];
    const IS_ADDED_FREELY: bool = true;
    const RULE: Option<&'static str> =
        Some(concat!(no_cycles!("strategies", "supersedes_id"), " union all ", no_cycles!("strategies", "parent_id")));
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        faults.check(self.country.is_known(), "country", "unknown_code", "Give a country of ISO 3166-1 alpha-2.");
        for (index, _) in self.languages.iter().enumerate().filter(|(_, language)| !language.is_known()) {
            faults.add(&format!("languages/{index}"), "unknown_code", "Give a language of ISO 639-1.");
        }
        let came_without = before.is_some_and(|before| before.status == self.status && before.legal_act_id.is_none());
        let needs_act = matches!(self.status, StrategyStatus::Approved | StrategyStatus::InForce)
            || self.status == StrategyStatus::Amended && !came_without;
        let is_reopened = before.is_some_and(|before| before.status.is_reopened_by(self.status));
        faults.check(
            self.legal_act_id.is_some() || !is_reopened,
            "legal_act_id",
            "needs_legal_act",
            "Name the legal act that reopens it; it may be the one that was named before.",
        );
        faults.check(
            is_reopened || self.legal_act_id.is_some() || !needs_act,
            "legal_act_id",
            "needs_legal_act",
            "Name the legal act that approves it, or keep it a draft.",
        );
        faults.check_period(self.starts_on, self.ends_on, "ends_on");
        if let Some(before) = before
            && before.status != self.status
            && !before.status.next().contains(&self.status)
        {
            let next = words(before.status.next());
            let then = if next.is_empty() { "nothing else".into() } else { next.join(" or ") };
            faults.add("status", "transition", format!("From here the status can become {then}."));
        }
    }

    /// The act that approved a strategy does not reopen it unless it is named again.
    fn outlived_by(&self, patch: &Value) -> &'static [&'static str] {
        let next = patch.get("status").and_then(|word| serde_json::from_value(word.clone()).ok());
        let is_reopened = next.is_some_and(|next| self.status.is_reopened_by(next));
        if is_reopened && patch.get("legal_act_id").is_none() { &["legal_act_id"] } else { &[] }
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, code, title, description, country, kind, status, starts_on, ends_on, vision,
            mission, languages, legal_act_id, annex, supersedes_id, parent_id, owner_id, source, completeness,
            evidence_state, evidence_note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("evidence_state", &filter.evidence_state)
            .words("code", &filter.code)
            .words("country", &filter.country)
            .words("kind", &filter.kind)
            .words("status", &filter.status)
            .ids("parent_id", &filter.parent_id)
            .ids("supersedes_id", &filter.supersedes_id)
            .ids("legal_act_id", &filter.legal_act_id)
            .ids("owner_id", &filter.owner_id)
            .holds("legal_act_id is not null", filter.has_legal_act)
            .days("starts_on", filter.starts_after, filter.starts_before)
            .days("ends_on", filter.ends_after, filter.ends_before);
    }
}
