//! Planned, approved, revised and forecast dates side by side, with slip, slack and the critical path.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    network::{self, Item, Link, Tie},
    scope::{LIMIT, PRINTED, Scope, answer, fetch},
};
use crate::{
    api::Error,
    repository,
    values::{Id, Text},
};

/// What the report of the timeline can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Also gives the steps, each after its initiative.
    steps: Option<bool>,
}

/// The dates of an initiative or a step.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = TimelineRow)]
pub(crate) struct Row {
    /// The initiative or step.
    id: Uuid,
    /// The strategy.
    strategy_id: Uuid,
    /// The code of the strategy.
    strategy: Option<String>,
    /// The printed code.
    code: Option<String>,
    /// The title.
    #[sqlx(json)]
    title: Text,
    /// `initiative` or `step`.
    level: String,
    /// How far it is.
    status: String,
    /// Its own start.
    planned_from: Option<NaiveDate>,
    /// Its own deadline.
    planned_to: Option<NaiveDate>,
    /// The end in the latest approved timeline.
    approved_to: Option<NaiveDate>,
    /// The end in the latest revised timeline.
    revised_to: Option<NaiveDate>,
    /// The end in the latest forecast.
    forecast_to: Option<NaiveDate>,
    /// Days from the approved end to the forecast; without these from the approved end, else the planned, to the revised. Null where a date is missing.
    slip_days: Option<i32>,
    /// It cannot slip without the strategy ending later. False where no slack is known.
    #[sqlx(skip)]
    critical: bool,
    /// Days that it can slip before the strategy ends later; null unless both planned dates are known.
    #[sqlx(skip)]
    slack_days: Option<i64>,
}

const SQL: &str = ",
shown as (
    select * from item where level = 'initiative' or $7::boolean
),
latest as (
    select distinct on (i.id, t.basis) i.id, t.basis, coalesce(t.ends_on, t.deadline_to) as ends_on
    from shown i join timelines t on t.item_id = i.id
    order by i.id, t.basis, t.set_on desc nulls last, t.created_at desc, t.id desc
),
ends as (
    select id as item_id, max(ends_on) filter (where basis = 'approved') as approved,
        max(ends_on) filter (where basis = 'revised') as revised, max(ends_on) filter (where basis = 'forecast') as forecast
    from latest
    group by id
)
select i.id, i.strategy_id, st.code as strategy, i.code, i.title, i.level, i.status,
    i.starts_on as planned_from, i.deadline_to as planned_to,
    e.approved as approved_to, e.revised as revised_to, e.forecast as forecast_to,
    coalesce(e.forecast - e.approved, e.revised - coalesce(e.approved, i.deadline_to)) as slip_days
from shown i
join strategies st on st.id = i.strategy_id
left join objectives o on o.id = i.objective_id
left join ends e on e.item_id = i.id
";

const DATED: &str = "
select id, strategy_id, starts_on, deadline_to from item where starts_on is not null and deadline_to >= starts_on";

/// Each dependency, with the strategies of its two sides.
const LINK: &str = "
with recursive link as not materialized (
    select d.predecessor_id as predecessor, d.successor_id as successor, d.kind, d.lag_days::bigint as lag,
        pi.strategy_id as before, si.strategy_id as after
    from dependencies d
    left join steps ps on ps.id = d.predecessor_step_id
    join initiatives pi on pi.id = coalesce(d.predecessor_initiative_id, ps.initiative_id)
    left join steps ss on ss.id = d.successor_step_id
    join initiatives si on si.id = coalesce(d.successor_initiative_id, ss.initiative_id)
)";

/// The strategies in `$1`, and all that dependencies tie to them.
const REACHED: &str = ",
tie as (
    select distinct before, after from link where before <> after
),
reached(id) as (
    select unnest($1::uuid[])
    union
    select case when r.id = t.before then t.after else t.before end from reached r join tie t on r.id in (t.before, t.after)
)
select id from reached";

const LINKS: &str = "
select predecessor, successor, kind, lag from link where before = any($1)";

/// The slack of every dated item of these strategies. No other part of the scope matters here: half a network would give another slack.
async fn slack(connection: &mut PgConnection, strategies: Vec<Uuid>) -> Result<HashMap<Uuid, i64>, Error> {
    type Dated = (Uuid, Uuid, NaiveDate, NaiveDate);
    let reached = sqlx::query_as(AssertSqlSafe([LINK, REACHED].concat())).bind(strategies);
    let reached: Vec<(Uuid,)> = fetch(connection, reached).await?;
    let reached: Vec<Uuid> = reached.into_iter().map(|(id,)| id).collect();
    let scope = Scope { strategy_id: reached.iter().copied().map(Id::from).collect(), ..Scope::default() };
    let dated: Vec<Dated> = fetch(connection, scope.query(&[DATED])).await?;
    let items: Vec<Item> = dated.into_iter().map(|(id, group, from, to)| Item { id, group, from, to }).collect();
    let links = sqlx::query_as(AssertSqlSafe([LINK, LINKS].concat())).bind(reached);
    let links: Vec<(Uuid, Uuid, String, i64)> = fetch(connection, links).await?;
    let link = |(predecessor, successor, kind, lag): (Uuid, Uuid, String, i64)| {
        Some(Link { predecessor, successor, tie: Tie::of(&kind)?, lag })
    };
    let links: Vec<Link> = links.into_iter().filter_map(link).collect();
    Ok(network::slack(&items, &links))
}

impl Report for Parameters {
    const NAME: &'static str = "timeline";
    const SUMMARY: &'static str = "Planned, approved, revised and forecast ends, slip, slack and the critical path.";
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let steps = self.steps.unwrap_or_default();
        // Three statements over one snapshot: a change between them would give a slack that no plan ever had.
        let mut connection = repository::snapshot(connection).await?;
        let mut rows: Vec<Row> = answer(&mut connection, scope.query(&[SQL, PRINTED, LIMIT]).bind(steps)).await?;
        let strategies: HashSet<Uuid> = rows.iter().map(|row| row.strategy_id).collect();
        let slack = slack(&mut connection, strategies.into_iter().collect()).await?;
        for row in &mut rows {
            row.slack_days = slack.get(&row.id).copied();
            row.critical = row.slack_days == Some(0);
        }
        connection.rollback().await?;
        Ok(rows)
    }
}
