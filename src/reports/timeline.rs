//! Planned, approved, revised and forecast dates side by side, with slip, slack and the critical path.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report, Scope, fetch,
    network::{self, Item, Link, Tie},
};
use crate::{api::Error, values::Text};

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

const SQL: &str = r#",
latest as (
    select distinct on (item_id, basis) *
    from (
        select coalesce(step_id, initiative_id) as item_id, basis,
            coalesce(ends_on, deadline_to) as ends_on, set_on, created_at, id
        from timelines
    ) t
    order by item_id, basis, set_on desc nulls last, created_at desc, id desc
)
select i.id, i.strategy_id, st.code as strategy, i.code, i.title, i.level, i.status,
    i.starts_on as planned_from, i.deadline_to as planned_to,
    approved.ends_on as approved_to, revised.ends_on as revised_to, forecast.ends_on as forecast_to,
    coalesce(
        forecast.ends_on - approved.ends_on, revised.ends_on - coalesce(approved.ends_on, i.deadline_to)
    ) as slip_days
from item i
join strategies st on st.id = i.strategy_id
left join objectives o on o.id = i.objective_id
left join latest approved on approved.item_id = i.id and approved.basis = 'approved'
left join latest revised on revised.item_id = i.id and revised.basis = 'revised'
left join latest forecast on forecast.item_id = i.id and forecast.basis = 'forecast'
where i.level = 'initiative' or $7::boolean
order by natural_order(st.code) collate "C" nulls last, st.id, natural_order(o.code) collate "C" nulls last, o.id,
    natural_order(i.initiative_code) collate "C", i.initiative_id, (i.level = 'step'), natural_order(i.code) collate "C", i.id
"#;

const DATED: &str = "
select id, strategy_id, starts_on, deadline_to from item where starts_on is not null and deadline_to >= starts_on";

const LINKS: &str = "
select coalesce(predecessor_step_id, predecessor_initiative_id), coalesce(successor_step_id, successor_initiative_id),
    kind, lag_days::bigint
from dependencies";

/// The slack of every dated item. The scope of the report has no part in it: half a network would give another slack.
async fn slack(connection: &mut PgConnection) -> Result<HashMap<Uuid, i64>, Error> {
    type Dated = (Uuid, Uuid, NaiveDate, NaiveDate);
    let dated: Vec<Dated> = fetch(connection, Scope::default().query(&[DATED])).await?;
    let items: Vec<Item> = dated.into_iter().map(|(id, group, from, to)| Item { id, group, from, to }).collect();
    let links: Vec<(Uuid, Uuid, String, i64)> = fetch(connection, sqlx::query_as(LINKS)).await?;
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
        let mut rows: Vec<Row> = fetch(connection, scope.query(&[SQL]).bind(steps)).await?;
        let slack = slack(connection).await?;
        for row in &mut rows {
            row.slack_days = slack.get(&row.id).copied();
            row.critical = row.slack_days == Some(0);
        }
        Ok(rows)
    }
}
