//! Reporting cycles: for which periods a strategy is reported on, and by when.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    base::values::{Classification, Code, ExternalId, Id, Text},
    nouns::{entities::entities::EntityId, plan::strategies::StrategyId},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// How often a cycle asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Cadence {
    /// Each month.
    Monthly,
    /// Each quarter.
    Quarterly,
    /// Each half of a year.
    Semesterly,
    /// Each year.
    Yearly,
    /// As its list of periods says.
    Irregular,
}

/// What is reported on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Covers {
    /// Each initiative.
    #[default]
    Initiatives,
    /// Each step.
    Steps,
    /// Each initiative and each step.
    Both,
}

/// Whether a cycle obliges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CycleStatus {
    /// Not yet.
    Draft,
    /// Reports are owed for its periods.
    #[default]
    Active,
    /// No more.
    Closed,
}

/// A period of a reporting cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportingPeriod {
    /// Its code, such as `2023-03`; unique in the cycle.
    pub code: Code,
    /// The first day that is reported on.
    pub from: NaiveDate,
    /// The last day that is reported on.
    pub to: NaiveDate,
    /// The last day on which a report is in time; without one no report of the period is ever overdue.
    pub due_on: Option<NaiveDate>,
}

/// For which periods a strategy is reported on, by when, to whom. The list of periods is closed: there is no report of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct ReportingCycle {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The strategy or action plan that is reported on.
    pub strategy_id: StrategyId,
    /// Its code; unique in the strategy.
    pub code: Code,
    /// Its title.
    #[sqlx(json)]
    pub title: Text,
    /// How often.
    pub cadence: Cadence,
    /// What is reported on: `initiatives` when not given.
    #[serde(default)]
    pub covers: Covers,
    /// Whether it obliges: `active` when not given.
    #[serde(default)]
    pub status: CycleStatus,
    /// The entity that makes one report out of all.
    pub consolidator_id: Option<EntityId>,
    /// To whom that report goes, such as a council or a parliament.
    #[sqlx(json(nullable))]
    pub addressee: Option<Text>,
    /// Its periods. One that has progress reports stays in the list.
    #[sqlx(json)]
    #[schema(min_items = 1, max_items = 200)]
    pub periods: Vec<ReportingPeriod>,
}

/// The id of a reporting cycle.
pub type ReportingCycleId = Id<ReportingCycle>;

/// Which reporting cycles.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ReportingCycleFilter)]
pub struct Filter {
    /// Of one of these strategies.
    pub strategy_id: Vec<StrategyId>,
    /// With one of these codes.
    pub code: Vec<Code>,
    /// With one of these cadences.
    pub cadence: Vec<Cadence>,
    /// With one of these statuses.
    pub status: Vec<CycleStatus>,
    /// Consolidated by one of these entities.
    pub consolidator_id: Vec<EntityId>,
}

impl ReportingCycle {
    /// Notes each period that begins before an earlier one ends: what was done on a day would be reported twice.
    fn check_overlaps(&self, faults: &mut Faults) {
        let mut order: Vec<usize> = (0..self.periods.len()).collect();
        order.sort_by_key(|index| self.periods[*index].from);
        let mut last: Option<&ReportingPeriod> = None;
        for index in order {
            let period = &self.periods[index];
            if let Some(last) = last.filter(|last| period.from <= last.to) {
                let detail = format!(
                    "The period {} goes on until {}; begin after it, or make another cycle.",
                    last.code.0, last.to
                );
                faults.add(&format!("periods/{index}/from"), "overlaps", detail);
            }
            last = last.filter(|last| last.to >= period.to).or(Some(period));
        }
    }
}

impl Resource for ReportingCycle {
    const KIND: &'static str = "reporting_cycle";
    const TABLE: &'static str = "reporting_cycles";
    const SORTS: &'static [Sort] = &[Sort::CODE, Sort::CREATED, Sort::UPDATED];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "strategy_id", table: "strategies" },
        Reference { field: "consolidator_id", table: "entities" },
    ];
    const PARENTS: &'static [&'static str] = &["strategy_id"];
    const LIGHT: &'static [&'static str] = &["status", "periods"];
    const IS_ADDED_FREELY: bool = true;
    const RULE: Option<&'static str> = Some(
        "select distinct '#/periods', 'in_use', format('The period %s has progress reports; keep it in the list.', r.period)
         from progress_reports r join reporting_cycles c on c.id = r.cycle_id
         where c.id = any($1) and not exists (select from periods_of(c.periods) p where p.code = r.period)
         union all
         select distinct '#/strategy_id', 'in_use', 'The cycle has reports on the work of its strategy; it stays with that.'
         from reporting_cycles c join changes h on h.kind = 'reporting_cycle' and h.entity_id = c.id and h.version = c.version
         where c.id = any($1) and (h.before ->> 'strategy_id')::uuid <> c.strategy_id and exists (select from progress_reports r where r.cycle_id = c.id)
         union all
         select distinct '#/periods', 'in_use', format('The period %s has progress reports; its first and last day stay %s and %s.', p.code, b.starts_on, b.ends_on)
         from reporting_cycles c join changes h on h.kind = 'reporting_cycle' and h.entity_id = c.id and h.version = c.version,
             periods_of(h.before -> 'periods') b join periods_of(c.periods) p on p.code = b.code
         where c.id = any($1) and (p.starts_on, p.ends_on) <> (b.starts_on, b.ends_on)
             and exists (select from progress_reports r where r.cycle_id = c.id and r.period = p.code and r.state <> 'draft')",
    );
    type Filter = Filter;

    fn validate(&self, before: Option<&Self>, faults: &mut Faults) {
        let mut seen = HashSet::new();
        for (index, period) in self.periods.iter().enumerate() {
            let at = |field: &str| format!("periods/{index}/{field}");
            if !seen.insert(&period.code.0) {
                faults.add(&at("code"), "duplicate", "An earlier period has this code; give another.");
            }
            faults.check_period(Some(period.from), Some(period.to), &at("to"));
            faults.check(
                period.due_on.is_none_or(|day| day >= period.from),
                &at("due_on"),
                "due_before_start",
                "Give a day that is not before the start of the period.",
            );
        }
        if before.is_none_or(|before| before.periods != self.periods) {
            self.check_overlaps(faults);
        }
    }

    /// Who reports on less, or later, has less to answer for; a further period takes nothing away.
    fn undoes(before: &Self, after: &Self) -> bool {
        let obliges_less = before.status != after.status && before.status != CycleStatus::Draft;
        obliges_less || before.periods.iter().any(|period| !after.periods.contains(period))
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, strategy_id, code, title, cadence, covers, status, consolidator_id,
            addressee, periods);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("strategy_id", &filter.strategy_id)
            .words("code", &filter.code)
            .words("cadence", &filter.cadence)
            .words("status", &filter.status)
            .ids("consolidator_id", &filter.consolidator_id);
    }
}
