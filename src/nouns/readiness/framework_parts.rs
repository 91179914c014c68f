//! What a framework is made of: areas, indicators, levels and tiers.

use std::collections::HashSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{candidate_rules::CandidateRule, evidence::EvidenceKind};
use crate::{
    base::values::{Code, Quantity, Text},
    repository::Faults,
};

/// An area, such as a capacity or a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameworkArea {
    /// Its code; unique in the framework.
    pub code: Code,
    /// Its name.
    pub name: Text,
    /// What several areas are put together under, such as `strategic`.
    pub pillar: Option<Code>,
    /// Its points, as the source prints them: the sum of its indicators', where all of these have points.
    pub max_points: Option<Quantity>,
    /// What it weighs in the percent of the whole. All areas have one or none; with none, the whole is its points.
    pub weight: Option<Quantity>,
    /// Its indicators, in order.
    #[schema(min_items = 1, max_items = 200)]
    pub indicators: Vec<FrameworkIndicator>,
}

/// An indicator: what is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameworkIndicator {
    /// Its code; unique in the framework.
    pub code: Code,
    /// Its name.
    pub name: Text,
    /// What has to be so.
    pub criteria: Option<Text>,
    /// The kinds of evidence that prove it; with none, any kind does.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub accepted_evidence: Vec<EvidenceKind>,
    /// The most points that it gives. An indicator without points is counted, and adds none; one with levels gives those of its highest when not given.
    pub max_points: Option<Quantity>,
    /// Its levels, the lowest first; an answer names one.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub levels: Vec<FrameworkLevel>,
    /// Whether it was compared with what the owner publishes: name, criteria and points.
    #[serde(default)]
    pub is_verified: bool,
    /// What of it is verified, and by what.
    pub verification_note: Option<Text>,
    /// Which records could prove it.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub candidates: Vec<CandidateRule>,
}

/// A level of an indicator, such as a stage of maturity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameworkLevel {
    /// Its code; unique in the indicator.
    pub code: Code,
    /// Its name.
    pub name: Text,
    /// The points that it gives.
    pub points: Quantity,
}

/// A tier: what a percentage is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameworkTier {
    /// Its code; unique in the framework.
    pub code: Code,
    /// Its name.
    pub name: Text,
    /// From which percentage on.
    pub from_percent: Quantity,
}

fn check_unique(code: &Code, known: &mut HashSet<String>, field: &str, faults: &mut Faults) {
    faults.check(known.insert(code.0.clone()), field, "repeated", "Give each code once.");
}

fn check_points(points: Option<Quantity>, field: &str, faults: &mut Faults) {
    let is_negative = points.is_some_and(|points| points.number() < Decimal::ZERO);
    faults.check(!is_negative, field, "negative", "Give points that are not below zero.");
}

/// The rules over the areas of a framework.
pub(super) fn check_areas(areas: &[FrameworkArea], faults: &mut Faults) {
    let (mut codes, mut indicators) = (HashSet::new(), HashSet::new());
    let weighed = areas.iter().filter(|area| area.weight.is_some()).count();
    faults.check(
        weighed == 0 || weighed == areas.len(),
        "areas",
        "weights_incomplete",
        "Give all areas a weight, or none.",
    );
    for (place, area) in areas.iter().enumerate() {
        let at = format!("areas/{place}");
        check_unique(&area.code, &mut codes, &format!("{at}/code"), faults);
        let is_weight = area.weight.is_none_or(|weight| weight.number() > Decimal::ZERO);
        faults.check(is_weight, &format!("{at}/weight"), "not_positive", "Give a weight above zero.");
        for (place, indicator) in area.indicators.iter().enumerate() {
            let at = format!("{at}/indicators/{place}");
            check_unique(&indicator.code, &mut indicators, &format!("{at}/code"), faults);
            check_indicator(indicator, &at, faults);
        }
        let all: Option<Vec<Decimal>> = area.indicators.iter().map(|each| each.most().map(Quantity::number)).collect();
        if let (Some(given), Some(all)) = (area.max_points, all) {
            let sum: Decimal = all.iter().sum();
            let detail = format!("Its indicators give {} together; correct one of them.", sum.normalize());
            faults.check(sum == given.number(), &format!("{at}/max_points"), "not_the_sum", &detail);
        }
    }
}

impl FrameworkIndicator {
    /// The most points that it gives.
    fn most(&self) -> Option<Quantity> {
        self.max_points.or_else(|| self.levels.iter().map(|level| level.points).max())
    }
}

fn check_indicator(indicator: &FrameworkIndicator, at: &str, faults: &mut Faults) {
    check_points(indicator.max_points, &format!("{at}/max_points"), faults);
    let mut codes = HashSet::new();
    for (place, level) in indicator.levels.iter().enumerate() {
        let at = format!("{at}/levels/{place}");
        check_unique(&level.code, &mut codes, &format!("{at}/code"), faults);
        check_points(Some(level.points), &format!("{at}/points"), faults);
        let is_within = indicator.max_points.is_none_or(|most| level.points <= most);
        faults.check(is_within, &format!("{at}/points"), "too_many", "Give at most the max_points of the indicator.");
    }
    for (place, rule) in indicator.candidates.iter().enumerate() {
        rule.check(&format!("{at}/candidates/{place}"), faults);
    }
}

/// The rules over the tiers of a framework.
pub(super) fn check_tiers(tiers: &[FrameworkTier], faults: &mut Faults) {
    let mut codes = HashSet::new();
    let mut last = None;
    for (place, tier) in tiers.iter().enumerate() {
        check_unique(&tier.code, &mut codes, &format!("tiers/{place}/code"), faults);
        let percent = tier.from_percent.number();
        let field = format!("tiers/{place}/from_percent");
        let is_percent = percent >= Decimal::ZERO && percent <= Decimal::ONE_HUNDRED;
        faults.check(is_percent, &field, "no_percent", "Give a percentage from 0 to 100.");
        faults.check(last.is_none_or(|last| last < percent), &field, "not_ascending", "Give the lowest tier first.");
        last = Some(percent);
    }
}
