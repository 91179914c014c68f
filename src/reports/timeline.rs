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
    plan::{PARTIES, SHOWN, names},
    scope::{LIMIT, PRINTED, Scope, answer, fetch},
};
use crate::{
    base::values::{Id, Text},
    error::Error,
    nouns::plan::ends::ends_of,
    repository,
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
    /// The objective that it serves, a step by its initiative; null where there is none.
    objective_id: Option<Uuid>,
    /// The code of the objective.
    objective_code: Option<String>,
    /// Of a step: its initiative.
    parent_id: Option<Uuid>,
    /// The code of that initiative.
    parent_code: Option<String>,
    /// The printed code.
    code: Option<String>,
    /// The title.
    #[sqlx(json)]
    title: Text,
    /// `initiative` or `step`.
    level: String,
    /// Who leads; for an initiative without a lead of its own, the leads of its steps, and for such a step that of its initiative. Codes, or names where
    /// there is no code.
    #[sqlx(json)]
    #[serde(serialize_with = "names")]
    #[schema(value_type = Vec<String>)]
    lead: Vec<Text>,
    /// How far it is.
    status: String,
    /// Its own start.
    planned_from: Option<NaiveDate>,
    /// Its own deadline.
    planned_to: Option<NaiveDate>,
    /// The end in the newest approved timeline.
    approved_to: Option<NaiveDate>,
    /// The end in the newest revised timeline.
    revised_to: Option<NaiveDate>,
    /// The end in the newest forecast.
    forecast_to: Option<NaiveDate>,
    /// The start that counts: revised, else approved, else its own.
    counts_from: Option<NaiveDate>,
    /// The end that counts: revised, else approved, else its own; it is late when this day is over.
    counts_to: Option<NaiveDate>,
    /// Days from the approved end to the forecast; without these from the approved end, else the planned, to the revised. Null where a date is missing.
    slip_days: Option<i32>,
    /// It cannot slip without the strategy ending later. False where no slack is known.
    #[sqlx(skip)]
    critical: bool,
    /// Whole days that it can slip before the strategy ends later; null unless both dates that count are known, and for what is cancelled.
    #[sqlx(skip)]
    slack_days: Option<i64>,
    /// Of an initiative: its milestones, by day.
    #[sqlx(json)]
    milestones: Vec<TimelineMilestone>,
}

/// A milestone of an initiative.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct TimelineMilestone {
    /// Its id.
    id: Uuid,
    /// Its code.
    code: Option<String>,
    /// Its title.
    title: Text,
    /// The last day of its deadline, where that is a day.
    deadline_on: Option<NaiveDate>,
    /// When it was achieved.
    achieved_on: Option<NaiveDate>,
}

const SQL: &str = concat!(
    "
select i.id, i.strategy_id, st.code as strategy, i.objective_id, o.code as objective_code, i.code, i.title, i.level,
    case i.level when 'step' then i.initiative_id end as parent_id, case i.level when 'step' then up.code end as parent_code,
    coalesce(p.lead, step_leads.names, above.names, '[]') as lead, i.status, i.starts_on as planned_from, i.deadline_to as planned_to,
    e.approved_on as approved_to, e.revised_on as revised_to, e.forecast_on as forecast_to, e.planned_from as counts_from, e.planned_on as counts_to,
    coalesce(e.forecast_on - e.approved_on, e.revised_on - coalesce(e.approved_on, i.deadline_to)) as slip_days,
    coalesce(m.list, '[]') as milestones
from shown i
join strategies st on st.id = i.strategy_id
left join objectives o on o.id = i.objective_id
left join initiatives up on up.id = i.initiative_id
left join parties p on p.item_id = i.id
left join step_leads on step_leads.id = i.id
left join lateral (
    select jsonb_agg(distinct coalesce(to_jsonb(n.code), n.name)) as names from assigned a join entities n on n.id = a.entity_id
    where i.level = 'step' and a.item_id = i.initiative_id and a.role = 'lead'
) above on true
left join lateral (
    select jsonb_agg(
        jsonb_build_object('id', m.id, 'code', m.code, 'title', m.title, 'deadline_on', m.deadline_to, 'achieved_on', m.achieved_on)
        order by m.deadline_to nulls last, m.code, m.id) as list
    from milestones m where i.level = 'initiative' and m.initiative_id = i.id
) m on true
cross join ",
    ends_of!("i.id", "i.deadline_to", "i.starts_on"),
    " e
"
);

/// What has both of its dates and is not cancelled; the others have no part in the network.
const DATED: &str = concat!(
    "
select i.id, i.strategy_id, e.planned_from, e.planned_on from item i cross join ",
    ends_of!("i.id", "i.deadline_to", "i.starts_on"),
    " e where i.ended is distinct from 'cancelled' and e.planned_from <= e.planned_on"
);

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
    const READS: &'static [&'static str] =
        &["assignments", "dependencies", "initiatives", "objectives", "steps", "strategies", "timelines"];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let steps = self.steps.unwrap_or_default();
        // Three statements over one snapshot: a change between them would give a slack that no plan ever had.
        let mut connection = repository::snapshot(connection).await?;
        let mut rows: Vec<Row> =
            answer(&mut connection, scope.query(&[SHOWN, PARTIES, SQL, PRINTED, LIMIT]).bind(steps)).await?;
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
