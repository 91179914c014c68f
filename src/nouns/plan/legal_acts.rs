//! Legal acts: where the authority of a plan comes from.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, Country, ExternalId, Id, Text, Url},
    repository::{
        Faults, Reference, Resource, Row, Select, Sort,
        macros::{no_cycles, set_fields},
    },
};

/// Whether an act applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum LegalActStatus {
    /// Not adopted yet.
    Draft,
    /// Applies.
    #[default]
    InForce,
    /// Applies as changed by a later act.
    Amended,
    /// No longer applies.
    Repealed,
    /// Replaced by a later act.
    Superseded,
}

/// A legal act. Its identity is country, issuer, type, number and date: acts of two countries can share the last two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct LegalAct {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The country whose act it is, ISO 3166-1 alpha-2; when left out, the country of the service (`MANDATE_COUNTRY`).
    #[serde(default = "Country::configured")]
    pub country: Country,
    /// Who adopted it, as printed, such as `Guvernul României`.
    #[schema(format = "visible", min_length = 1, max_length = 200, pattern = r"\S")]
    pub issuer: String,
    /// The type of act, such as `government_decision`, `law`, `emergency_ordinance`.
    #[schema(format = "visible", min_length = 1, max_length = 100, pattern = r"\S", example = "government_decision")]
    pub act_type: String,
    /// The number, as printed, such as `1321`.
    #[schema(format = "visible", min_length = 1, max_length = 100, pattern = r"\S", example = "1321")]
    pub number: String,
    /// The day of the act.
    pub date: NaiveDate,
    /// Its title.
    #[sqlx(json(nullable))]
    pub title: Option<Text>,
    /// What it is about.
    #[sqlx(json(nullable))]
    pub description: Option<Text>,
    /// The gazette that published it, such as `Monitorul Oficial, Partea I`.
    #[schema(min_length = 1, max_length = 200)]
    pub gazette: Option<String>,
    /// The issue of the gazette, such as `2 bis`.
    #[schema(min_length = 1, max_length = 100)]
    pub gazette_number: Option<String>,
    /// The day of publication.
    pub gazette_date: Option<NaiveDate>,
    /// Where the text can be read.
    pub url: Option<Url>,
    /// Whether it applies.
    #[serde(default)]
    pub status: LegalActStatus,
    /// The act that this one amends.
    pub amends_id: Option<LegalActId>,
    /// The act that this one repeals.
    pub repeals_id: Option<LegalActId>,
    /// The act that this one implements.
    pub implements_id: Option<LegalActId>,
}

/// The id of a legal act.
pub type LegalActId = Id<LegalAct>;

/// Which legal acts.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = LegalActFilter)]
pub struct Filter {
    /// Of one of these countries, ISO 3166-1 alpha-2.
    pub country: Vec<Country>,
    /// Of one of these issuers, as printed.
    pub issuer: Vec<String>,
    /// Of one of these types.
    pub act_type: Vec<String>,
    /// With one of these numbers.
    pub number: Vec<String>,
    /// In one of these states.
    pub status: Vec<LegalActStatus>,
    /// Dated after this day.
    pub date_after: Option<NaiveDate>,
    /// Dated before this day.
    pub date_before: Option<NaiveDate>,
    /// Amending one of these acts.
    pub amends_id: Vec<LegalActId>,
    /// Repealing one of these acts.
    pub repeals_id: Vec<LegalActId>,
    /// Implementing one of these acts.
    pub implements_id: Vec<LegalActId>,
}

impl Resource for LegalAct {
    const KIND: &'static str = "legal_act";
    const TABLE: &'static str = "legal_acts";
    const SORTS: &'static [Sort] = &[
        Sort::date("date", "date"),
        Sort::CREATED,
        Sort::UPDATED,
        Sort::text("number", "code_order"),
        Sort::spoken("title"),
        Sort::text("status", "status"),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "amends_id", table: "legal_acts" },
        Reference { field: "repeals_id", table: "legal_acts" },
        Reference { field: "implements_id", table: "legal_acts" },
    ];
    const RULE: Option<&'static str> = Some(concat!(
        no_cycles!("legal_acts", "amends_id"),
        " union all ",
        no_cycles!("legal_acts", "repeals_id"),
        " union all ",
        no_cycles!("legal_acts", "implements_id")
    ));
    const LONG_AGO: &'static [&'static str] = &["date", "gazette_date"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check(self.country.is_known(), "country", "unknown_code", "Give a country of ISO 3166-1 alpha-2.");
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, country, issuer, act_type, number, date, title, description, gazette,
            gazette_number, gazette_date, url, status, amends_id, repeals_id, implements_id);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("country", &filter.country)
            .words("issuer", &filter.issuer)
            .words("act_type", &filter.act_type)
            .words("number", &filter.number)
            .words("status", &filter.status)
            .days("date", filter.date_after, filter.date_before)
            .ids("amends_id", &filter.amends_id)
            .ids("repeals_id", &filter.repeals_id)
            .ids("implements_id", &filter.implements_id);
    }
}
