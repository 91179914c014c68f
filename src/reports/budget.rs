//! Estimates and appropriations by one dimension. Amounts of different currencies are never added: each has its own row.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{api::Error, values::Text};

/// What the budget is summed by.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum By {
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

/// What the report of the budget can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// What to sum by; `objective` when not given.
    #[schema(inline)]
    by: Option<By>,
}

/// Sums under one key in one currency. All of the key is null for allocations that have none, so that the sums are complete.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = BudgetRow)]
pub(crate) struct Row {
    /// The objective, entity, source or initiative.
    id: Option<Uuid>,
    /// Its code; or the year, phase, programme or function.
    code: Option<String>,
    /// Its name.
    #[sqlx(json(nullable))]
    name: Option<Text>,
    /// ISO 4217 alphabetic code.
    currency: String,
    /// The sum of the estimates, a decimal string; null when there is none. Of an objective: with all under it.
    estimate: Option<String>,
    /// The sum of the appropriations, a decimal string; null when there is none. Of an objective: with all under it.
    appropriation: Option<String>,
    /// Of an objective: the estimates on itself only. Null in other reports.
    own_estimate: Option<String>,
    /// Of an objective: the appropriations on itself only. Null in other reports.
    own_appropriation: Option<String>,
    /// How many allocations were summed.
    lines: i64,
}

const LINES: &str = "
, line as not materialized (
    select i.initiative_id, i.objective_id, b.entity_id, b.funding_source_id, b.fiscal_year, b.programme_code, b.cofog_code, b.phase,
        b.currency, b.amount
    from item i join budget_allocations b on b.item_id = i.id
    where $7 = '{}' or b.entity_id = any($7)
),
summed as (
    select id, word, currency, phase, sum(amount) as amount, count(*) as lines
    from (select ";

const GROUPED: &str = ", currency, phase, amount from line) keyed(id, word, currency, phase, amount)
    group by id, word, currency, phase
),
-- What has money, with all that it is under.
tree(root, member) as (
    select id, id from summed where id is not null
    union
    select o.parent_id, t.member from tree t join objectives o on o.id = t.root where o.parent_id is not null
),
total as (";

/// An objective has the sums of all under it.
const BRANCHES: &str = "
    select t.root as id, word, t.root is not distinct from s.id as own, currency, phase, amount, lines
    from summed s left join tree t on t.member = s.id";

const ALONE: &str = "
    select id, word, null::boolean as own, currency, phase, amount, lines from summed";

const ANSWER: &str = "
)
select t.id, coalesce(n.code, t.word) as code, n.name, t.currency,
    (sum(amount) filter (where phase = 'estimate'))::text as estimate,
    (sum(amount) filter (where phase = 'appropriation'))::text as appropriation,
    (sum(amount) filter (where phase = 'estimate' and own))::text as own_estimate,
    (sum(amount) filter (where phase = 'appropriation' and own))::text as own_appropriation,
    sum(lines)::bigint as lines
from total t left join (select ";

const NAMED: &str = ") n(id, code, name, code_order) on n.id = t.id
group by t.id, t.word, n.code, n.name, n.code_order, t.currency
order by coalesce(n.code, t.word) is null, coalesce(n.code_order, natural_order(t.word) collate \"C\"),
    words_of(n.name) nulls last, t.id nulls last, t.currency";

impl By {
    /// What the lines are summed by: an id or a word.
    fn key(self) -> &'static str {
        match self {
            Self::Objective => "objective_id, null",
            Self::Entity => "entity_id, null",
            Self::FundingSource => "funding_source_id, null",
            Self::Initiative => "initiative_id, null",
            Self::FiscalYear => "null::uuid, fiscal_year::text",
            Self::Phase => "null::uuid, phase",
            Self::Programme => "null::uuid, programme_code",
            Self::Cofog => "null::uuid, cofog_code",
        }
    }

    /// Where an id has its code and name.
    fn names(self) -> &'static str {
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

impl Report for Parameters {
    const NAME: &'static str = "budget";
    const SUMMARY: &'static str = "Estimates and appropriations by one dimension, a row a currency.";
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        // Here the entity is the one whose money it is, not one that takes part in the work.
        let entities: Vec<Uuid> = std::mem::take(&mut scope.entity_id).iter().map(|id| id.uuid()).collect();
        let by = self.by.unwrap_or_default();
        let branches = if matches!(by, By::Objective) { BRANCHES } else { ALONE };
        let parts = [LINES, by.key(), GROUPED, branches, ANSWER, by.names(), NAMED, LIMIT];
        answer(connection, scope.query(&parts).bind(entities)).await
    }
}
