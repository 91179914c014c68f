//! Estimates and appropriations by one dimension. Amounts of different currencies are never added: each has its own row.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Report, Scope, fetch};
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

const LINES: &str = r",
line as (
    select b.entity_id, b.funding_source_id, b.fiscal_year, b.phase, b.amount, b.currency,
        b.programme_code, b.cofog_code, i.initiative_id, i.objective_id
    from budget_allocations b join item i on i.id = coalesce(b.step_id, b.initiative_id)
    where $7::uuid[] = '{}' or b.entity_id = any($7)
),
tree(root, member) as (
    select id, id from objectives
    union
    select t.root, o.id from tree t join objectives o on o.parent_id = t.member
),
keyed(id, code, name, own, phase, currency, amount) as (";

const SUMS: &str = r#"
)
select id, code, name, currency,
    (sum(amount) filter (where phase = 'estimate'))::text as estimate,
    (sum(amount) filter (where phase = 'appropriation'))::text as appropriation,
    (sum(amount) filter (where phase = 'estimate' and own))::text as own_estimate,
    (sum(amount) filter (where phase = 'appropriation' and own))::text as own_appropriation,
    count(*) as lines
from keyed
group by id, code, name, currency
order by natural_order(code) collate "C" nulls last, words_of(name) nulls last, id nulls last, currency
"#;

impl By {
    fn keyed(self) -> &'static str {
        match self {
            Self::Objective => {
                "select o.id, o.code, o.title, l.objective_id is not distinct from o.id, phase, currency, amount
                from line l left join tree t on t.member = l.objective_id left join objectives o on o.id = t.root"
            }
            Self::Entity => {
                "select e.id, e.code, e.name, null::boolean, phase, currency, amount
                from line l left join entities e on e.id = l.entity_id"
            }
            Self::FundingSource => {
                "select f.id, f.code, f.name, null::boolean, phase, currency, amount
                from line l left join funding_sources f on f.id = l.funding_source_id"
            }
            Self::Initiative => {
                "select i.id, i.code, i.title, null::boolean, phase, currency, amount
                from line l join initiatives i on i.id = l.initiative_id"
            }
            Self::FiscalYear => {
                "select null::uuid, fiscal_year::text, null::jsonb, null::boolean, phase, currency, amount from line"
            }
            Self::Phase => "select null::uuid, phase, null::jsonb, null::boolean, phase, currency, amount from line",
            Self::Programme => {
                "select null::uuid, programme_code, null::jsonb, null::boolean, phase, currency, amount from line"
            }
            Self::Cofog => {
                "select null::uuid, cofog_code, null::jsonb, null::boolean, phase, currency, amount from line"
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
        let keyed = self.by.unwrap_or_default().keyed();
        fetch(connection, scope.query(&[LINES, keyed, SUMS]).bind(entities)).await
    }
}
