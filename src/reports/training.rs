//! What is taught for a strategy: sessions planned and held, and how many took part, by programme.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{
    base::values::{Text, words},
    error::Error,
    nouns::people::training_programmes::TrainingAudience,
};

/// What the report of training can be asked. `entity_id` of the scope is the entity that teaches.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// For this audience; may be repeated.
    #[schema(inline)]
    audience: Vec<TrainingAudience>,
    /// Only sessions that begin on this day or later.
    from: Option<NaiveDate>,
    /// Only sessions that begin on this day or earlier.
    to: Option<NaiveDate>,
}

/// A training programme; one without sessions is a row, too.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = TrainingRow)]
pub(crate) struct Row {
    /// The programme.
    id: Uuid,
    /// The strategy, also where the programme is of an initiative.
    strategy_id: Uuid,
    /// The initiative.
    initiative_id: Option<Uuid>,
    /// Its title.
    #[sqlx(json)]
    title: Text,
    /// Whom it is for.
    audience: String,
    /// How much it asks of them.
    level: Option<String>,
    /// The entity that holds it.
    provider_id: Option<Uuid>,
    /// `no_sessions`, `planned` (none was held), or `held`.
    state: String,
    /// Sessions that are still to come.
    planned: i64,
    /// Sessions that should have ended by now, and of which nobody says that they were held or cancelled.
    overdue: i64,
    /// Sessions that were held.
    held: i64,
    /// Sessions that were cancelled.
    cancelled: i64,
    /// Who took part in what was held, where that was counted; null where sessions were held and none was counted.
    participants: Option<i64>,
    /// Of these, women.
    women: Option<i64>,
    /// Of these, men.
    men: Option<i64>,
    /// Of these, not counted by sex.
    unknown: Option<i64>,
    /// Sessions that were held and not counted.
    uncounted: i64,
    /// Places in the sessions that are still to come; null where none says how many.
    places: Option<i64>,
    /// The day on which the last one that was held began.
    last_held_on: Option<NaiveDate>,
}

const CHOSEN: &str = ",
programme as (
    select c.*, coalesce(c.strategy_id, i.strategy_id) as of_strategy
    from training_programmes c left join initiatives i on i.id = c.initiative_id
    where ($7 = '{}' or c.provider_id = any($7)) and ($8 = '{}' or c.audience = any($8)) and ";

const SQL: &str = "
),
counted as (
    select s.programme_id, count(*) filter (where is_planned and not is_over) as planned, count(*) filter (where is_planned and is_over) as overdue,
        count(*) filter (where status = 'held') as held, count(*) filter (where status = 'cancelled') as cancelled,
        sum(participants)::bigint as participants, sum(women)::bigint as women, sum(men)::bigint as men,
        sum(participants - coalesce(women, 0) - coalesce(men, 0))::bigint as unknown,
        count(*) filter (where status = 'held' and participants is null) as uncounted,
        sum(places) filter (where is_planned and not is_over)::bigint as places, max(starts_on) filter (where status = 'held') as last_held_on
    from training_sessions s, lateral (select s.status = 'planned' as is_planned, s.ends_on < (select today()) as is_over) w
    where coalesce(s.starts_on >= $9, true) and coalesce(s.starts_on <= $10, true)
    group by s.programme_id
)
select p.id, p.of_strategy as strategy_id, p.initiative_id, p.title, p.audience, p.level, p.provider_id,
    case when n.programme_id is null then 'no_sessions' when n.held = 0 then 'planned' else 'held' end as state,
    coalesce(n.planned, 0) as planned, coalesce(n.overdue, 0) as overdue, coalesce(n.held, 0) as held, coalesce(n.cancelled, 0) as cancelled,
    case when coalesce(n.held, 0) = 0 then 0 else n.participants end as participants,
    case when n.participants is null and n.held > 0 then null else coalesce(n.women, 0) end as women,
    case when n.participants is null and n.held > 0 then null else coalesce(n.men, 0) end as men,
    case when n.participants is null and n.held > 0 then null else coalesce(n.unknown, 0) end as unknown,
    coalesce(n.uncounted, 0) as uncounted, n.places, n.last_held_on
from programme p join strategies st on st.id = p.of_strategy left join counted n on n.programme_id = p.id
order by st.code is null, st.code_order, st.id, words_of(p.title) collate \"C\", p.id";

impl Report for Parameters {
    const NAME: &'static str = "training";
    const SUMMARY: &'static str = "Training programmes with their sessions planned and held, and how many took part.";
    const READS: &'static [&'static str] = &[
        "assignments",
        "initiatives",
        "objectives",
        "steps",
        "strategies",
        "training_programmes",
        "training_sessions",
    ];
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let entities: Vec<Uuid> = std::mem::take(&mut scope.entity_id).iter().map(|id| id.uuid()).collect();
        let query = scope.query(&[CHOSEN, scope.of_work(), SQL, LIMIT]).bind(entities).bind(words(&self.audience));
        answer(connection, query.bind(self.from).bind(self.to)).await
    }
}
