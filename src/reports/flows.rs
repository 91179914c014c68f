//! Where money comes from, what it is for, and in whose budget it stands: source, objective, entity.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    currency::Rate,
    lines::{Lines, READS},
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error};

/// What the report of flows can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Only money of these fiscal years; may be repeated.
    fiscal_year: Vec<i32>,
    /// Whether each row names the rule and the allocations behind it.
    explain: Option<bool>,
}

/// The money from a source for an objective in the budget of an entity, in a currency. What is not said is null, so that the sums are complete.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = FlowRow)]
pub(crate) struct Row {
    /// The source.
    funding_source_id: Option<Uuid>,
    /// Its code.
    funding_source_code: Option<String>,
    /// Its name.
    #[sqlx(json(nullable))]
    funding_source: Option<Text>,
    /// The objective itself, without what is under it.
    objective_id: Option<Uuid>,
    /// Its code.
    objective_code: Option<String>,
    /// Its title.
    #[sqlx(json(nullable))]
    objective: Option<Text>,
    /// The entity in whose budget it stands.
    entity_id: Option<Uuid>,
    /// Its code.
    entity_code: Option<String>,
    /// Its name.
    #[sqlx(json(nullable))]
    entity: Option<Text>,
    /// ISO 4217 alphabetic code.
    currency: String,
    /// The sum of the estimates, a decimal string; null when there is none.
    estimate: Option<String>,
    /// The sum of the appropriations as revised; null when there is none.
    appropriation: Option<String>,
    /// Of the appropriations: what is committed; null when there is none.
    committed: Option<String>,
    /// Of the appropriations: what is paid; null when there is none.
    paid: Option<String>,
    /// With `in`: the rates at which amounts of other currencies were converted.
    #[sqlx(json(nullable))]
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<Vec<Rate>>,
    /// With `explain`: the rule of the figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// With `explain`: the allocations that were summed.
    #[serde(skip_serializing_if = "Option::is_none")]
    allocation_ids: Option<Vec<Uuid>>,
}

const SQL: &str = ",
flow as (
    select funding_source_id, objective_id, entity_id, currency, sum(estimate) as estimate, sum(appropriated) as appropriated, sum(estimates) > 0 as is_estimated,
        sum(appropriations) > 0 as is_granted,
        sum(committed) as committed, sum(paid) as paid, case when $11 then array_agg(allocation_id order by allocation_id) end as allocation_ids,
        array_agg(distinct own_currency) as own_currencies
    from line group by funding_source_id, objective_id, entity_id, currency
)
select f.funding_source_id, s.code as funding_source_code, s.name as funding_source, f.objective_id, o.code as objective_code, o.title as objective,
    f.entity_id, e.code as entity_code, e.name as entity, f.currency,
    case when f.is_estimated then written(f.estimate, f.currency) end as estimate, case when f.is_granted then written(f.appropriated, f.currency) end as appropriation,
    case when f.is_granted then written(f.committed, f.currency) end as committed, case when f.is_granted then written(f.paid, f.currency) end as paid,
    case when $11 then 'sums of the allocations, and of the movements on them less what was reversed, decommitted or reimbursed' end as rule,
    f.allocation_ids, rates_used($8, f.own_currencies) as rates
from flow f
left join funding_sources s on s.id = f.funding_source_id
left join objectives o on o.id = f.objective_id
left join entities e on e.id = f.entity_id
order by s.code_order nulls last, s.id, o.code_order nulls last, o.id, e.code_order nulls last, e.id, f.currency";

impl Report for Parameters {
    const NAME: &'static str = "flows";
    const SUMMARY: &'static str = "Money by source, objective and entity, for a flow diagram.";
    const ABOUT: About = About::Money;
    const READS: &'static [&'static str] = READS;
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let lines = Lines::of(&mut scope, self.fiscal_year, connection).await?;
        let query = lines.query(&scope, &[SQL, LIMIT]).bind(self.explain.unwrap_or_default());
        answer(connection, query).await
    }
}
