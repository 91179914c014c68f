//! Treaties: what states can be bound by. What a state did about one is in `treaty_actions`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ledger::ledger;
use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text, Url},
    repository::{
        Faults, Reference, Resource, Row, Select, Sort,
        macros::{no_cycles, set_fields},
    },
};

/// A treaty. What its source does not say stays empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Treaty {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// Its code, such as `CETS-185`; unique.
    #[schema(example = "CETS-185")]
    pub code: Code,
    /// Its name.
    #[sqlx(json)]
    pub name: Text,
    /// Who keeps the original and receives what states notify (Vienna Convention on the Law of Treaties, articles 76 to 78), as written.
    #[schema(min_length = 1, max_length = 300)]
    pub depositary: Option<String>,
    /// The day on which its text was adopted (article 9).
    pub adopted_on: Option<NaiveDate>,
    /// The day on which it was opened for signature.
    pub opened_on: Option<NaiveDate>,
    /// The day on which it entered into force (article 24).
    pub in_force_on: Option<NaiveDate>,
    /// When it enters into force, in the words of the source, such as `five ratifications`.
    #[sqlx(json(nullable))]
    pub entry_into_force_rule: Option<Text>,
    /// The treaty to which this is a protocol.
    pub parent_id: Option<TreatyId>,
    /// Where the text can be read.
    pub url: Option<Url>,
    /// Where this was taken from: an address or a citation.
    #[schema(min_length = 1, max_length = 2000)]
    pub source: Option<String>,
}

/// The id of a treaty.
pub type TreatyId = Id<Treaty>;

/// Which treaties.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = TreatyFilter)]
pub struct Filter {
    /// With one of these codes.
    pub code: Vec<Code>,
    /// Kept by one of these depositaries, as written.
    pub depositary: Vec<String>,
    /// Protocols to one of these treaties.
    pub parent_id: Vec<TreatyId>,
    /// In force before this day.
    pub in_force_before: Option<NaiveDate>,
    /// In force only after this day.
    pub in_force_after: Option<NaiveDate>,
}

impl Resource for Treaty {
    const KIND: &'static str = "treaty";
    const TABLE: &'static str = "treaties";
    const SORTS: &'static [Sort] = &[
        Sort::CODE,
        Sort::CREATED,
        Sort::UPDATED,
        Sort::spoken("name"),
        Sort::date("in_force_on", "coalesce(in_force_on, 'infinity')"),
    ];
    const REFERENCES: &'static [Reference] = &[Reference { field: "parent_id", table: "treaties" }];
    const PARENTS: &'static [&'static str] = &["parent_id"];
    const RULE: Option<&'static str> = Some(concat!(no_cycles!("treaties", "parent_id"), " union all ", ledger!()));
    const LONG_AGO: &'static [&'static str] = &["adopted_on", "opened_on", "in_force_on"];
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_period(self.adopted_on, self.opened_on, "opened_on");
        faults.check_period(self.opened_on.or(self.adopted_on), self.in_force_on, "in_force_on");
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, code, name, depositary, adopted_on, opened_on, in_force_on,
            entry_into_force_rule, parent_id, url, source);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .words("code", &filter.code)
            .words("depositary", &filter.depositary)
            .ids("parent_id", &filter.parent_id)
            .days("in_force_on", filter.in_force_after, filter.in_force_before);
    }
}
