//! Progress and confidence, rolled up along the tree with stated weights.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    lines::Lines,
    scope::{LIMIT, Scope, answer},
};
use crate::{
    api::Error,
    repository::Fault,
    values::{Text, codelists::is_currency},
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
    /// The weighted mean of the percents that are known, to one decimal; null when none is. Of an initiative its own percent.
    percent: Option<f64>,
    /// By what is weighed: `equal`, or `money` and the currency.
    weights: String,
    /// The weights of the percents that are known, added up: a decimal string.
    weight: Option<String>,
    /// How many initiatives there are, without the cancelled.
    initiatives: i64,
    /// How many of them have a percent.
    known: i64,
    /// How many have none: they are left out of the mean, and do not count as zero.
    silent: i64,
    /// How many have a percent and no weight: they are left out of the mean too.
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
period as materialized (
    select c.id as cycle_id, p.code, p.ends_on from reporting_cycles c, periods_of(c.periods) p
),
accepted as materialized (
    select distinct on (r.item_id) r.item_id, r.percent, r.period
    from progress_reports r join period p on p.cycle_id = r.cycle_id and p.code = r.period
    where r.state in ('accepted', 'consolidated', 'published')
    order by r.item_id, p.ends_on desc, r.created_at desc, r.id desc
),
stepped as materialized (
    select s.initiative_id, avg(coalesce(a.percent, case s.status when 'not_started' then 0 when 'completed' then 100 end)) as percent
    from steps s left join accepted a on a.item_id = s.id where s.status <> 'cancelled' group by s.initiative_id
),
single as materialized (
    select i.id, i.strategy_id, i.objective_id, i.code, i.code_order, i.title, i.confidence,
        coalesce(a.percent, case i.status when 'not_started' then 0 when 'completed' then 100 end, s.percent) as percent,
        case when $11 = 'equal' then 1 else f.amount end as weight,
        case when a.percent is not null then 'report ' || a.period when i.status in ('not_started', 'completed') then 'status'
            when s.percent is not null then 'steps' end as source
    from item i left join accepted a on a.item_id = i.id left join stepped s on s.initiative_id = i.id
    left join funded f on f.id = i.id and f.currency = $12
    where i.level = 'initiative' and i.status <> 'cancelled'
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
        round(sum(s.percent * s.weight) / nullif(sum(s.weight) filter (where s.percent is not null), 0), 1)::float8 as mean,
        round(min(s.percent), 1)::float8 as own,
        (sum(s.weight) filter (where s.percent is not null))::text as weight, count(*) as initiatives, count(s.percent) as known,
        count(*) - count(s.percent) as silent, count(*) filter (where s.percent is not null and coalesce(s.weight, 0) = 0) as unweighted,
        case when bool_or(s.confidence = 'red') then 'red' when bool_or(s.confidence = 'amber') then 'amber'
            when bool_or(s.confidence = 'green') then 'green' end as confidence,
        count(*) filter (where s.confidence = 'green') as green, count(*) filter (where s.confidence = 'amber') as amber,
        count(*) filter (where s.confidence = 'red') as red, count(*) filter (where s.confidence is null) as unstated,
        min(s.source) filter (where m.level = 'initiative') as source
    from member m join single s on s.id = m.member group by m.place, m.level, m.node, s.strategy_id
)
select x.*, case x.level when 'initiative' then x.own else x.mean end as percent,
    coalesce(o.parent_id, i.objective_id) as parent_id,
    coalesce(o.code, i.code, case x.level when 'strategy' then st.code end) as code, coalesce(o.title, i.title, st.title) as title,
    case $11 when 'equal' then 'equal' else 'money ' || $12 end as weights,
    case when $13 then case x.level when 'initiative' then
        'the percent of its latest accepted report; else not started 0, completed 100; else the mean of its steps by the same rule; else unknown'
        else 'sum(percent * weight) / sum(weight) over the initiatives anywhere under it whose percent is known; cancelled ones are left out; '
            || case $11 when 'equal' then 'each weighs 1' else 'each weighs its money in ' || $12 end end end as rule
from summed x join strategies st on st.id = x.strategy_id
left join objectives o on x.level = 'objective' and o.id = x.id
left join single i on x.level = 'initiative' and i.id = x.id
order by st.code is null, st.code_order, st.id, x.place, coalesce(o.code_order, i.code_order), x.id";

impl Report for Parameters {
    const NAME: &'static str = "progress";
    const SUMMARY: &'static str =
        "Progress and confidence of strategies and objectives, rolled up with stated weights.";
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
        let query = lines.funded(&scope, &[SQL, LIMIT]).bind(weights).bind(self.currency.unwrap_or_default());
        answer(connection, query.bind(self.explain.unwrap_or_default())).await
    }
}
