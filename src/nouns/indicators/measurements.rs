//! Measurements: what an indicator showed in a period.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use super::indicators::IndicatorId;
use crate::{
    base::values::{Classification, ExternalId, Id, Quantity, Text, characters::unfit_in_name},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// How firm a measurement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MeasurementStatus {
    /// It may still be written over.
    Provisional,
    /// It stays. Another value is a row of its own, whose `restates_id` is the id of this one.
    Final,
    /// It restates another without a value: what that said was wrong altogether, such as its period, and nothing takes its place.
    Withdrawn,
}

/// Values by dimension.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Disaggregation(pub BTreeMap<String, String>);

/// It may have so many bytes: it is part of an index.
const SIZE: usize = 2000;

impl Disaggregation {
    /// Notes what is wrong with it; `field` is where it stands.
    pub(crate) fn check(&self, field: &str, faults: &mut Faults) {
        let is_line = |word: &str| word.trim() == word && !word.contains(['\n', '\r']);
        let is_name = |name: &str| is_line(name) && (1..=100).contains(&name.chars().count()) && !name.contains('.');
        faults.check(
            self.0.iter().all(|(name, value)| is_name(name) && is_line(value)),
            field,
            "wrong_format",
            "Name dimensions in 1 to 100 characters without a point; put no spaces around names and values.",
        );
        let size: usize = self.0.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        faults.check(size <= SIZE, field, "too_long", "Give fewer dimensions, or shorter words.");
    }
}

impl Disaggregation {
    /// Notes that a name or value has what nobody sees: two measurements that look the same must not be of different parts.
    fn check_visible(&self, field: &str, faults: &mut Faults) {
        if let Some(unfit) = self.0.iter().flat_map(|(name, value)| [name, value]).find_map(|word| unfit_in_name(word))
        {
            faults.add(field, "invisible_character", format!("A dimension or its value {unfit}."));
        }
    }
}

impl PartialSchema for Disaggregation {
    fn schema() -> RefOr<Schema> {
        let value = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(100));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Values by dimension (IATI 2.03); the order does not matter. Empty: the whole."))
            .additional_properties(Some(value))
            .max_properties(Some(8))
            .examples([serde_json::json!({"sex": "female"})])
            .into()
    }
}

impl ToSchema for Disaggregation {
    fn name() -> std::borrow::Cow<'static, str> {
        "Disaggregation".into()
    }
}

/// What an indicator showed in a period. There is one for an indicator, period and disaggregation, besides those that restate it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The indicator.
    pub indicator_id: IndicatorId,
    /// The first day of the period; of a state on one day that day.
    pub period_from: NaiveDate,
    /// The last day of the period.
    pub period_to: NaiveDate,
    /// Which part it is of; the whole when empty or not given.
    #[serde(default)]
    #[sqlx(json)]
    pub disaggregation: Disaggregation,
    /// The value; of a qualitative indicator `descriptor` instead. None when it is withdrawn.
    pub value: Option<Quantity>,
    /// What was found, in words.
    #[sqlx(json(nullable))]
    pub descriptor: Option<Text>,
    /// How firm it is.
    pub status: MeasurementStatus,
    /// The final measurement that this one corrects or withdraws, of the same indicator, period and disaggregation; each is restated once.
    pub restates_id: Option<MeasurementId>,
    /// What proves it: an address or a reference.
    #[schema(min_length = 1, max_length = 2000)]
    pub evidence: Option<String>,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of a measurement.
pub type MeasurementId = Id<Measurement>;

/// Which measurements.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = MeasurementFilter)]
pub struct Filter {
    /// Of one of these indicators.
    pub indicator_id: Vec<IndicatorId>,
    /// So firm.
    pub status: Vec<MeasurementStatus>,
    /// Of periods that end after this day.
    pub period_to_after: Option<NaiveDate>,
    /// Of periods that end before this day.
    pub period_to_before: Option<NaiveDate>,
    /// Restating one of these.
    pub restates_id: Vec<MeasurementId>,
    /// Whether it holds: no other restates it, and it is not withdrawn.
    pub is_current: Option<bool>,
    /// Whether it is of a part.
    pub is_disaggregated: Option<bool>,
}

impl Measurement {
    /// The same but for what may change of a final measurement: the names and classes that others give it.
    fn is_as(&self, before: &Self) -> bool {
        let named =
            Self { external_id: self.external_id.clone(), classification: self.classification, ..before.clone() };
        *self == named
    }
}

impl Resource for Measurement {
    const KIND: &'static str = "measurement";
    const TABLE: &'static str = "measurements";
    const SORTS: &'static [Sort] = &[Sort::date("period_to", "period_to"), Sort::CREATED, Sort::UPDATED];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "indicator_id", table: "indicators" },
        Reference { field: "restates_id", table: "measurements" },
    ];
    const PARENTS: &'static [&'static str] = &["indicator_id"];
    const RULE: Option<&'static str> = Some(
        "select '#/value', case when n.measure = 'qualitative' then 'not_allowed' else 'needs_value' end, \
           case when n.measure = 'qualitative' then 'The indicator is qualitative; leave the value out and give a descriptor.' \
           else 'The indicator is measured in numbers; give the value, or leave the measurement out.' end \
         from measurements m join indicators n on n.id = m.indicator_id \
         where m.id = any($1) and m.status <> 'withdrawn' and (n.measure = 'qualitative') = (m.value is not null) \
         union all \
         select '#/restates_id', 'not_final', 'What it restates is provisional; change that one instead.' \
         from measurements m join measurements r on r.id = m.restates_id where m.id = any($1) and r.status = 'provisional' \
         union all \
         select '#/period_to', 'not_over', 'The period is not over; until then a measurement is provisional.' \
         from measurements m where m.id = any($1) and m.status = 'final' and m.period_to > today() and not exists ( \
           select from changes h where h.kind = 'measurement' and h.entity_id = m.id and h.version = m.version and h.before ->> 'status' = 'final') \
         union all \
         select '#/restates_id', 'differs', 'It restates one of the same indicator, period and disaggregation.' \
         from measurements m join measurements r on r.id = m.restates_id where m.id = any($1) and \
           (m.indicator_id, m.period_from, m.period_to, m.disaggregation) <> (r.indicator_id, r.period_from, r.period_to, r.disaggregation)",
    );
    const LONG_AGO: &'static [&'static str] = &["period_from", "period_to"];
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        faults.check_period(Some(self.period_from), Some(self.period_to), "period_to");
        let is_said = self.value.is_some() || self.descriptor.is_some();
        if self.status == MeasurementStatus::Withdrawn {
            faults.check(
                !is_said,
                "value",
                "not_allowed",
                "Leave value and descriptor out: what is withdrawn says nothing.",
            );
            let words = "Give the id of the measurement that is withdrawn.";
            faults.check(self.restates_id.is_some(), "restates_id", "required", words);
        } else {
            faults.check(is_said, "value", "required", "Give a value, or of a qualitative indicator a descriptor.");
        }
        self.disaggregation.check("disaggregation", faults);
        if before.is_none_or(|before| before.disaggregation != self.disaggregation) {
            self.disaggregation.check_visible("disaggregation", faults);
        }
        if let Some(before) = before {
            faults.check(
                before.status == MeasurementStatus::Provisional || self.is_as(before),
                "",
                "final",
                "It stays as it is; post another measurement whose restates_id is the id of this one.",
            );
            faults.check(
                before.status != MeasurementStatus::Provisional || self.restates_id == before.restates_id,
                "restates_id",
                "not_allowed",
                "It stays as it was; delete this one and post another.",
            );
        }
    }

    fn validate_deletion(&self, faults: &mut Faults) {
        faults.check(
            self.status == MeasurementStatus::Provisional,
            "",
            "final",
            "It stays; post another measurement whose restates_id is the id of this one, with another value, or with the status withdrawn.",
        );
    }

    /// A measurement reports, and what is final stays by a rule of its own.
    fn needs_reason(_: Option<&Self>, _: Option<&Self>) -> bool {
        false
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, indicator_id, period_from, period_to, disaggregation, value, descriptor, status,
            restates_id, evidence, note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("indicator_id", &filter.indicator_id)
            .words("status", &filter.status)
            .days("period_to", filter.period_to_after, filter.period_to_before)
            .ids("restates_id", &filter.restates_id)
            .holds(
                "status <> 'withdrawn' and not exists (select from measurements r where r.restates_id = measurements.id)",
                filter.is_current,
            )
            .holds("disaggregation <> '{}'", filter.is_disaggregated);
    }
}
