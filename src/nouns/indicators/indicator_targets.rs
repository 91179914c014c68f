//! Targets of indicators: what is to be reached in a period.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::indicators::IndicatorId;
use crate::{
    base::values::{Classification, ExternalId, Id, Quantity, Text},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// What an indicator is to show in a period. One that ends last is the final target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct IndicatorTarget {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The indicator; has one target a period.
    pub indicator_id: IndicatorId,
    /// The first day of the period.
    pub period_from: NaiveDate,
    /// The last day of the period. Periods may lie within each other: a year, and the whole plan.
    pub period_to: NaiveDate,
    /// The value to reach; of a qualitative indicator `descriptor` instead.
    pub value: Option<Quantity>,
    /// The state to reach, in words.
    #[sqlx(json(nullable))]
    pub descriptor: Option<Text>,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// The id of a target.
pub type IndicatorTargetId = Id<IndicatorTarget>;

/// Which targets.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = IndicatorTargetFilter)]
pub struct Filter {
    /// Of one of these indicators.
    pub indicator_id: Vec<IndicatorId>,
    /// Ending after this day.
    pub period_to_after: Option<NaiveDate>,
    /// Ending before this day.
    pub period_to_before: Option<NaiveDate>,
}

impl Resource for IndicatorTarget {
    const KIND: &'static str = "indicator_target";
    const TABLE: &'static str = "indicator_targets";
    const SORTS: &'static [Sort] = &[Sort::date("period_to", "period_to"), Sort::CREATED, Sort::UPDATED];
    const REFERENCES: &'static [Reference] = &[Reference { field: "indicator_id", table: "indicators" }];
    const PARENTS: &'static [&'static str] = &["indicator_id"];
    const LIGHT: &'static [&'static str] = &["note"];
    const IS_ADDED_FREELY: bool = true;
    const RULE: Option<&'static str> = Some(
        "select '#/value', case when n.measure = 'qualitative' then 'not_allowed' else 'needs_value' end, \
           case when n.measure = 'qualitative' then 'The indicator is qualitative; leave the value out and give a descriptor.' \
           else 'The indicator is measured in numbers; give the value to reach.' end \
         from indicator_targets t join indicators n on n.id = t.indicator_id \
         where t.id = any($1) and (n.measure = 'qualitative') = (t.value is not null)",
    );
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_period(Some(self.period_from), Some(self.period_to), "period_to");
        let is_said = self.value.is_some() || self.descriptor.is_some();
        faults.check(is_said, "value", "required", "Give a value, or of a qualitative indicator a descriptor.");
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, indicator_id, period_from, period_to, value, descriptor, note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select.ids("indicator_id", &filter.indicator_id).days(
            "period_to",
            filter.period_to_after,
            filter.period_to_before,
        );
    }
}
