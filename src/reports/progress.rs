//! Progress and confidence, rolled up along the tree with stated weights.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    advance::{Include, advance},
    lines::Lines,
    scope::{LIMIT, Scope, answer},
};
use crate::{
    base::values::{Text, codelists::is_currency},
    error::Error,
    repository::Fault,
};

/// What an initiative weighs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Weights {
    /// As much as any other.
    #[default]
    Equal,
    /// Its money in one currency: what is appropriated for it and its steps, or else estimated.
    Money,
}

/// What the report of progress can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// What an initiative weighs; `equal` when not given.
    #[schema(inline)]
    weights: Option<Weights>,
    /// With `weights=money`: in which currency (ISO 4217), because money is not added across currencies.
    #[schema(pattern = "^[A-Z]{3}$", example = "RON")]
    currency: Option<String>,
    /// Also gives the initiatives that were summed, each with the source of its percent, and the rule in words.
    explain: Option<bool>,
    /// Also takes reports into account that are submitted and not yet accepted: `submitted`.
    #[schema(inline)]
    include: Vec<Include>,
}

/// A strategy, an objective with all under it, or (explained) an initiative.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = ProgressRow)]
pub(crate) struct Row {
    /// The strategy, objective or initiative.
    id: Uuid,
    /// `strategy`, `objective` or `initiative`.
    level: String,
    /// The strategy.
    strategy_id: Uuid,
    /// The objective above: of an objective the one that it is under, of an initiative the one that it serves.
    parent_id: Option<Uuid>,
    /// Its code.
    code: Option<String>,
    /// Its title.
    #[sqlx(json)]
    title: Text,
    /// What is known to be done of all the work, in percent to one decimal: the weighted mean, where what is not known adds nothing; null where nothing
    /// is known. Of an initiative its own percent.
    percent: Option<f64>,
    /// How far it can be at most: as if all that is not known were done.
    at_most: Option<f64>,
    /// By what is weighed: `equal`, or `money` and the currency.
    weights: String,
    /// All weights, added up: a decimal string.
    weight: Option<String>,
    /// How much of that weight is known: a decimal string.
    known_weight: Option<String>,
    /// How many initiatives there are, without the cancelled.
    initiatives: i64,
    /// Of how many parts it is known how far they are.
    known: i64,
    /// How many parts there are: steps, and initiatives without steps or known as a whole; cancelled ones are none.
    of: i64,
    /// Of how many initiatives nothing is known: they add nothing to `percent`, and all to `at_most`.
    silent: i64,
    /// How many initiatives have no weight: they are left out of the mean.
    unweighted: i64,
    /// The worst confidence of one of them; null when none is stated.
    confidence: Option<String>,
    /// Green.
    green: i64,
    /// Amber.
    amber: i64,
    /// Red.
    red: i64,
    /// Without a confidence.
    unstated: i64,
    /// Explained, of an initiative: where its percent comes from, such as `report 2023-03`, `status`, `steps`.
    source: Option<String>,
    /// Explained: how the percent is made.
    rule: Option<String>,
}

const SQL: &str = ",
single as materialized (
    select i.id, i.strategy_id, i.objective_id, i.code, i.code_order, i.title, i.confidence, a.percent, a.share, a.known, a.parts, a.source,
        case when $11 = 'equal' then 1 else f.amount end as weight
    from item i join advance a on a.id = i.id
    left join funded f on f.id = i.id and f.currency = $12
    where i.level = 'initiative'
),
above(node, member) as (
    select objective_id, id from single where objective_id is not null
    union
    select o.parent_id, a.member from above a join objectives o on o.id = a.node where o.parent_id is not null
),
member as (
    select 1 as place, 'strategy' as level, strategy_id as node, id as member from single
    union all
    select 2, 'objective', node, member from above
    union all
    select 3, 'initiative', id, id from single where $13
),
summed as (
    select m.place, m.level, m.node as id, s.strategy_id,
        sum(coalesce(s.percent, 0) * s.weight) / nullif(sum(s.weight), 0) as mean,
        (sum(coalesce(s.percent, 0) * s.weight) + 100 * sum((1 - s.share) * s.weight)) / nullif(sum(s.weight), 0) as most,
        min(s.percent) as own, min(s.percent) + 100 * (1 - min(s.share)) as own_most,
        sum(s.weight)::text as weight, round(sum(s.weight * s.share), greatest(scale(sum(s.weight)), 2))::text as known_weight,
        sum(s.weight * s.share) > 0 as is_known, count(*) as initiatives, sum(s.known)::bigint as known, sum(s.parts)::bigint as \"of\",
        count(*) filter (where s.known = 0) as silent, count(*) filter (where coalesce(s.weight, 0) = 0) as unweighted,
        case when bool_or(s.confidence = 'red') then 'red' when bool_or(s.confidence = 'amber') then 'amber'
            when bool_or(s.confidence = 'green') then 'green' end as confidence,
        count(*) filter (where s.confidence = 'green') as green, count(*) filter (where s.confidence = 'amber') as amber,
        count(*) filter (where s.confidence = 'red') as red, count(*) filter (where s.confidence is null) as unstated,
        min(s.source) filter (where m.level = 'initiative') as source
    from member m join single s on s.id = m.member group by m.place, m.level, m.node, s.strategy_id
)
select x.*, told_percent(case when x.level = 'initiative' then x.own when x.is_known then x.mean end) as percent,
    told_percent(case when x.level = 'initiative' then x.own_most when x.is_known then x.most end) as at_most,
    coalesce(o.parent_id, i.objective_id) as parent_id,
    coalesce(o.code, i.code, case x.level when 'strategy' then st.code end) as code, coalesce(o.title, i.title, st.title) as title,
    case $11 when 'equal' then 'equal' else 'money ' || $12 end as weights,
    case when $13 then case x.level when 'initiative' then
        'completed is 100; else the percent of its last accepted report, unless it was set back since; else the mean of its steps by the same rule, where a step of which nothing is known adds nothing; else 0 when not started; else unknown'
        else 'sum(percent * weight) / sum(weight) over the initiatives anywhere under it, without the cancelled; one of which nothing is known adds nothing: at_most is as if it were done; '
            || case $11 when 'equal' then 'each weighs 1' else 'each weighs its money in ' || $12 end end end as rule
from summed x join strategies st on st.id = x.strategy_id
left join objectives o on x.level = 'objective' and o.id = x.id
left join single i on x.level = 'initiative' and i.id = x.id
order by st.code is null, st.code_order, st.id, x.place, coalesce(o.code_order, i.code_order), x.id";

impl Report for Parameters {
    const NAME: &'static str = "progress";
    const SUMMARY: &'static str =
        "Progress and confidence of strategies and objectives, rolled up with stated weights.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "initiatives",
        "objectives",
        "progress_reports",
        "reporting_cycles",
        "steps",
        "strategies",
        "timelines",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let by_money = self.weights == Some(Weights::Money);
        let fault = |code: &str, detail: &str| {
            Error::BadQuery(vec![Fault { pointer: "currency".into(), code: code.into(), detail: detail.into() }])
        };
        match &self.currency {
            None if by_money => {
                return Err(fault("required", "say in which currency is weighed, such as currency=RON"));
            }
            Some(_) if !by_money => return Err(fault("not_allowed", "is for weights=money; leave it out")),
            Some(currency) if !is_currency(currency) => {
                return Err(fault("not_allowed", "is no currency in use (ISO 4217)"));
            }
            _ => {}
        }
        let weights = if by_money { "money" } else { "equal" };
        let lines = Lines::of_work(&scope, connection).await?;
        let query = lines
            .funded(&scope, &[&advance(&self.include)[..], &[SQL, LIMIT]].concat())
            .bind(weights)
            .bind(self.currency.unwrap_or_default());
        answer(connection, query.bind(self.explain.unwrap_or_default())).await
    }
}
