//! The sums of the budget by one dimension, as parts of a query: out of the sums that are kept (migration 0016), or out of the lines themselves.
//! Both answer the same; the first does not grow with the plan.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the budget is summed by.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// The objective, with all under it.
    #[default]
    Objective,
    /// The entity whose money it is.
    Entity,
    /// The fiscal year.
    FiscalYear,
    /// The source of the money.
    FundingSource,
    /// Estimate or appropriation.
    Phase,
    /// The initiative, with its steps.
    Initiative,
    /// The code of the budget programme.
    Programme,
    /// The code of the function of government (COFOG).
    Cofog,
}

/// The sums of the lines, each currency apart: begun here, then `By::key`, then `SUMMED`.
pub(super) const OF_LINES: &str = ",
apart as (
    select id, word, currency, sum(estimates) as estimates, sum(appropriations) as appropriations, sum(estimate) as estimate,
        sum(appropriated) as appropriated, sum(allotted) as allotted, sum(committed) as committed, sum(verified) as verified,
        sum(ordered) as ordered, sum(paid) as paid
    from (select ";

/// The end of the sums of the lines.
pub(super) const SUMMED: &str = ", currency, estimates, appropriations, estimate, appropriated, allotted, committed, verified, ordered, paid from own_line)
        keyed(id, word, currency, estimates, appropriations, estimate, appropriated, allotted, committed, verified, ordered, paid)
    group by id, word, currency
)";

/// The sums that are kept: begun here, then the key of what is not folded yet, then `FOLDED`, `STRATEGIES` where some are asked for, and `KEPT`.
/// `$11` is the dimension.
pub(super) const CELLS: &str = "
, difference as not materialized (
    select *, sign * estimates as n_estimates, sign * appropriations as n_appropriations from budget_deltas
),
kept(strategy_id, id, word, currency, estimates, appropriations, estimate, appropriated, allotted, committed, verified, ordered, paid) as not materialized (
    select strategy_id, id, word, currency, estimates, appropriations, estimate, appropriated, allotted, committed, verified, ordered, paid
    from budget_cells where dimension = $11 and $7 = '{}'::uuid[]
    union all
    select strategy_id, ";

/// What is not folded yet, under its key.
pub(super) const FOLDED: &str = ", currency, n_estimates, n_appropriations, sign * estimate, sign * appropriated, sign * allotted, sign * committed, sign * verified,
        sign * ordered, sign * paid
    from difference
),
apart as (
    select id, word, currency, sum(estimates) as estimates, sum(appropriations) as appropriations, sum(estimate) as estimate,
        sum(appropriated) as appropriated, sum(allotted) as allotted, sum(committed) as committed, sum(verified) as verified,
        sum(ordered) as ordered, sum(paid) as paid
    from kept where true";

/// Of the strategies asked for.
pub(super) const STRATEGIES: &str = " and strategy_id = any($1)";

/// The end of the sums that are kept.
pub(super) const KEPT: &str = "
    group by id, word, currency having sum(estimates) + sum(appropriations) > 0
)";

/// What has money, with all that it is under.
pub(super) const TREE: &str = ",
tree(root, member) as (
    select id, id from summed where id is not null
    union
    select o.parent_id, t.member from tree t join objectives o on o.id = t.root where o.parent_id is not null
),
total as (";

/// An objective has the sums of all under it.
pub(super) const BRANCHES: &str = "
    select t.root, t.root is not distinct from s.id as own, s.* from summed s left join tree t on t.member = s.id";

/// Every other key has its own.
pub(super) const ALONE: &str = "
    select s.id as root, null::boolean as own, s.* from summed s";

impl By {
    /// What the lines are summed by: an id or a word.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Objective => "objective_id, null::text",
            Self::Entity => "entity_id, null::text",
            Self::FundingSource => "funding_source_id, null::text",
            Self::Initiative => "initiative_id, null::text",
            Self::FiscalYear => "null::uuid, fiscal_year::text",
            Self::Phase => "null::uuid, phase",
            Self::Programme => "null::uuid, programme_code",
            Self::Cofog => "null::uuid, cofog_code",
        }
    }

    /// Its name among the sums that are kept; there are none by initiative.
    pub(super) fn dimension(self) -> Option<&'static str> {
        match self {
            Self::Objective => Some("objective"),
            Self::Entity => Some("entity"),
            Self::FundingSource => Some("funding_source"),
            Self::Initiative => None,
            Self::FiscalYear => Some("fiscal_year"),
            Self::Phase => Some("phase"),
            Self::Programme => Some("programme"),
            Self::Cofog => Some("cofog"),
        }
    }

    /// The sums of a key: of all under it, or its own.
    pub(super) fn branches(self) -> &'static str {
        if self == Self::Objective { BRANCHES } else { ALONE }
    }

    /// Where an id has its code and name.
    pub(super) fn names(self) -> &'static str {
        match self {
            Self::Objective => "id, code, title, code_order from objectives",
            Self::Entity => "id, code, name, code_order from entities",
            Self::FundingSource => "id, code, name, code_order from funding_sources",
            Self::Initiative => "id, code, title, code_order from initiatives",
            Self::FiscalYear | Self::Phase | Self::Programme | Self::Cofog => {
                "null::uuid, null, null::jsonb, null collate \"C\""
            }
        }
    }
}
