//! Dependencies: what has to come before what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{initiatives::InitiativeId, steps::StepId};
use crate::{
    base::values::{Classification, ExternalId, Id, Text},
    repository::{Faults, Reference, Resource, Row, Select, Sort, macros::set_fields},
};

/// The id of a dependency.
pub type DependencyId = Id<Dependency>;

/// Which end of the predecessor governs which end of the successor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DependencyKind {
    /// The successor starts when the predecessor is finished.
    #[default]
    FinishStart,
    /// The successor starts when the predecessor has started.
    StartStart,
    /// The successor finishes when the predecessor is finished.
    FinishFinish,
    /// The successor finishes when the predecessor has started.
    StartFinish,
}

/// One initiative or step waits for another. No chain leads back to its start; a step counts as a part of its initiative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// The caller's own identifier, unique among the nouns of this kind.
    pub external_id: Option<ExternalId>,
    /// How far it may be known; null is as what it is part of, or else `internal`.
    pub classification: Option<Classification>,
    /// The initiative that comes first; exactly one of this and `predecessor_step_id`.
    pub predecessor_initiative_id: Option<InitiativeId>,
    /// The step that comes first; exactly one of this and `predecessor_initiative_id`.
    pub predecessor_step_id: Option<StepId>,
    /// The initiative that waits; exactly one of this and `successor_step_id`.
    pub successor_initiative_id: Option<InitiativeId>,
    /// The step that waits; exactly one of this and `successor_initiative_id`.
    pub successor_step_id: Option<StepId>,
    /// Which end of the one governs which end of the other.
    #[serde(default)]
    pub kind: DependencyKind,
    /// Days between the two ends; negative if they may overlap.
    #[serde(default)]
    #[schema(minimum = -3650, maximum = 3650)]
    pub lag_days: i32,
    /// Remarks.
    #[sqlx(json(nullable))]
    pub note: Option<Text>,
}

/// Which dependencies.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = DependencyFilter)]
pub struct Filter {
    /// Where one of these initiatives comes first.
    pub predecessor_initiative_id: Vec<InitiativeId>,
    /// Where one of these steps comes first.
    pub predecessor_step_id: Vec<StepId>,
    /// Where one of these initiatives waits.
    pub successor_initiative_id: Vec<InitiativeId>,
    /// Where one of these steps waits.
    pub successor_step_id: Vec<StepId>,
    /// Of one of these kinds.
    pub kind: Vec<DependencyKind>,
}

impl Resource for Dependency {
    const KIND: &'static str = "dependency";
    const TABLE: &'static str = "dependencies";
    const SORTS: &'static [Sort] = &[Sort::CREATED, Sort::UPDATED, Sort::integer("lag_days", "lag_days")];
    const REFERENCES: &'static [Reference] = &[
        Reference { field: "predecessor_initiative_id", table: "initiatives" },
        Reference { field: "predecessor_step_id", table: "steps" },
        Reference { field: "successor_initiative_id", table: "initiatives" },
        Reference { field: "successor_step_id", table: "steps" },
    ];
    const PARENTS: &'static [&'static str] =
        &["predecessor_initiative_id", "predecessor_step_id", "successor_initiative_id", "successor_step_id"];
    const LIGHT: &'static [&'static str] = &["note"];
    const IS_ADDED_FREELY: bool = true;
    // A step is within its initiative: it starts after that has started and ends before that ends. So each item has a start and an end, and a
    // walk goes from the start of what waits over all that comes after; it must not come to the end of what comes first.
    const RULE: Option<&'static str> = Some(
        "with recursive walk(dependency, goal, item, is_end) as ( \
           select id, predecessor_id, successor_id, false from dependencies where id = any($1) \
           union \
           select w.dependency, w.goal, n.item, n.is_end from walk w, lateral ( \
             select w.item, true where not w.is_end \
             union all select s.id, false from steps s where not w.is_end and s.initiative_id = w.item \
             union all select s.initiative_id, true from steps s where w.is_end and s.id = w.item \
             union all select d.successor_id, false from dependencies d where w.is_end and d.predecessor_id = w.item \
           ) n(item, is_end)) \
         select distinct case when d.successor_step_id is null then '#/successor_initiative_id' else '#/successor_step_id' end, 'cycle', \
           case when exists (select from steps s where (s.id, s.initiative_id) in \
               ((d.predecessor_id, d.successor_id), (d.successor_id, d.predecessor_id))) \
             then 'A step is a part of its initiative, and neither waits for the other; name what waits outside of it.' \
             else 'The predecessor, or a part of it, already waits for this one; remove that dependency first.' end \
         from walk w join dependencies d on d.id = w.dependency where w.item = w.goal and w.is_end",
    );
    type Filter = Filter;

    fn validate(&self, _: Option<&Self>, faults: &mut Faults) {
        faults.check_exactly_one(
            ("predecessor_initiative_id", self.predecessor_initiative_id.is_some()),
            ("predecessor_step_id", self.predecessor_step_id.is_some()),
        );
        faults.check_exactly_one(
            ("successor_initiative_id", self.successor_initiative_id.is_some()),
            ("successor_step_id", self.successor_step_id.is_some()),
        );
    }

    fn columns(&self, row: &mut Row) {
        set_fields!(row, self; external_id, classification, predecessor_initiative_id, predecessor_step_id, successor_initiative_id,
            successor_step_id, kind, lag_days, note);
    }

    fn select(filter: &Filter, select: &mut Select) {
        select
            .ids("predecessor_initiative_id", &filter.predecessor_initiative_id)
            .ids("predecessor_step_id", &filter.predecessor_step_id)
            .ids("successor_initiative_id", &filter.successor_initiative_id)
            .ids("successor_step_id", &filter.successor_step_id)
            .words("kind", &filter.kind);
    }
}
