//! Positions: what the state officially says about international law in cyberspace.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgHasArrayType, PgTypeInfo};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, Country, ExternalId, Id, Language, Text, Url},
    nouns::{entities::entities::EntityId, plan::legal_acts::LegalActId},
    repository::{
        Faults, Reference, Resource, Row, Select, Sort,
        macros::{no_cycles, set_fields},
    },
};

/// What a position can be about: the questions under which national positions are compared (after the headings of the national positions in the
/// CCDCOE Cyber Law Toolkit, and of the compendium A/76/136).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case", no_pg_array)]
pub enum Topic {
    /// That, and how, international law applies in cyberspace.
    Applicability,
    /// Sovereignty: a rule of its own or a principle, and what breaches it.
    Sovereignty,
    /// The prohibition of intervention.
    NonIntervention,
    /// What a state owes others for what is done from its territory.
    DueDiligence,
    /// Jurisdiction.
    Jurisdiction,
    /// The peaceful settlement of disputes.
    PeacefulSettlement,
    /// The prohibition of the threat or use of force.
    UseOfForce,
    /// Armed attack and self-defence.
    SelfDefence,
    /// The responsibility of states for wrongful acts.
    StateResponsibility,
    /// Attribution of conduct to a state.
    Attribution,
    /// Unfriendly but lawful answers.
    Retorsion,
    /// Countermeasures, also collective ones.
    Countermeasures,
    /// The plea of necessity.
    Necessity,
    /// International humanitarian law.
    Ihl,
    /// The law of neutrality.
    Neutrality,
    /// Human rights.
    HumanRights,
}

impl Topic {
    /// All topics, in the order of the report.
    pub const ALL: [Self; 16] = [
        Self::Applicability,
        Self::Sovereignty,
        Self::NonIntervention,
        Self::DueDiligence,
        Self::Jurisdiction,
        Self::PeacefulSettlement,
        Self::UseOfForce,
        Self::SelfDefence,
        Self::StateResponsibility,
        Self::Attribution,
        Self::Retorsion,
        Self::Countermeasures,
        Self::Necessity,
        Self::Ihl,
        Self::Neutrality,
        Self::HumanRights,
    ];
}

// The type that sqlx would derive is `text[]` by its name, which it then looks up instead of knowing it.
impl PgHasArrayType for Topic {
    fn array_type_info() -> PgTypeInfo {
        <String as PgHasArrayType>::array_type_info()
    }
}

/// An official statement on international law. What its source does not say stays empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// Whose position it is, ISO 3166-1 alpha-2; when left out, the country of the service (`MANDATE_COUNTRY`).
    #[serde(default = "Country::configured")]
    pub country: Country,
    /// Its title.
    #[sqlx(json)]
    pub title: Text,
    /// The day on which it was issued.
    pub issued_on: Option<NaiveDate>,
    /// Who issued it.
    pub issuer_id: Option<EntityId>,
    /// What it speaks about; each once.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub topics: Vec<Topic>,
    /// The languages in which it was issued, ISO 639-1.
    #[serde(default)]
    #[schema(max_items = 30)]
    pub languages: Vec<Language>,
    /// Its words.
    #[sqlx(json(nullable))]
    pub text: Option<Text>,
    /// The position that it replaces as a whole; one is replaced by one at most. What only adds to another replaces none.
    pub supersedes_id: Option<PositionId>,
    /// The act that adopted it.
    pub legal_act_id: Option<LegalActId>,
    /// The symbol of the document, as printed, such as `A/76/136`.
    #[schema(min_length = 1, max_length = 200, example = "A/76/136")]
    pub symbol: Option<String>,
    /// Where it was delivered, as written, such as the forum and the session.
    #[schema(min_length = 1, max_length = 300)]
    pub delivered_at: Option<String>,
    /// Where it can be read.
    pub url: Option<Url>,
    /// Where this was taken from: an address or a citation.
    #[schema(min_length = 1, max_length = 2000)]
    pub source: Option<String>,
}

/// The id of a position.
pub type PositionId = Id<Position>;

/// Which positions.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = PositionFilter)]
pub struct Filter {
    /// Of one of these countries, ISO 3166-1 alpha-2.
    pub country: Vec<Country>,
    /// About one of these topics.
    pub topic: Vec<Topic>,
    /// In one of these languages, ISO 639-1.
    pub language: Vec<Language>,
    /// With one of these symbols.
    pub symbol: Vec<String>,
    /// Issued by one of these entities.
    pub issuer_id: Vec<EntityId>,
    /// Replacing one of these positions.
    pub supersedes_id: Vec<PositionId>,
    /// Adopted by one of these acts.
    pub legal_act_id: Vec<LegalActId>,
    /// Whether another one replaces it.
    pub is_superseded: Option<bool>,
    /// Issued before this day.
    pub issued_before: Option<NaiveDate>,
    /// Issued after this day.
    pub issued_after: Option<NaiveDate>,
}

impl Resource for Position {
    const KIND: &'static str = "position";
    const TABLE: &'static str = "positions";
    const SORTS: &'static [Sort] = &[
        Sort::date("issued_on", "coalesce(issued_on, '-infinity')"),
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("title"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "issuer_id", table: "entities" },
        Reference { field: "supersedes_id", table: "positions" },
        Reference { field: "legal_act_id", table: "legal_acts" },
    ];
    const RULE: Option<&'static str> = Some(concat!(
        no_cycles!("positions", "supersedes_id"),
        " union all select '#/supersedes_id', f.code, f.detail from positions p join positions s on s.id = p.supersedes_id, lateral (values \
           (s.country <> p.country, 'other_country', 'A position replaces one of the same country.'), \
           (s.issued_on > p.issued_on, 'issued_later', 'A position replaces one that was issued before it; correct one of the days.') \
         ) f(broken, code, detail) where (p.id = any($1) or s.id = any($1)) and f.broken"
    ));
    const LONG_AGO: &'static [&'static str] = &["issued_on"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check(self.country.is_known(), "country", "unknown_code", "Give a country of ISO 3166-1 alpha-2.");
        for (index, language) in self.languages.iter().enumerate() {
            let at = format!("languages/{index}");
            faults.check(language.is_known(), &at, "unknown_code", "Give a language of ISO 639-1.");
            let is_new = !self.languages[..index].contains(language);
            faults.check(is_new, &at, "duplicate", "It stands in the list already; give each language once.");
        }
        for (index, topic) in self.topics.iter().enumerate() {
            let is_new = !self.topics[..index].contains(topic);
            let at = format!("topics/{index}");
            faults.check(is_new, &at, "duplicate", "It stands in the list already; give each topic once.");
        }
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, country, title, issued_on, issuer_id, topics, languages, text,
            supersedes_id, legal_act_id, symbol, delivered_at, url, source);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("country", &filter.country)
            .words_among("topics", &filter.topic)
            .words_among("languages", &filter.language)
            .words("symbol", &filter.symbol)
            .ids("issuer_id", &filter.issuer_id)
            .ids("supersedes_id", &filter.supersedes_id)
            .ids("legal_act_id", &filter.legal_act_id)
            .holds("exists (select from positions s where s.supersedes_id = positions.id)", filter.is_superseded)
            .days("issued_on", filter.issued_after, filter.issued_before);
    }
}
