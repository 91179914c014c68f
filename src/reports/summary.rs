//! How a strategy stands, in one sentence and its counts.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    judged::JUDGED,
    scope::{LIMIT, Scope, answer},
};
use crate::{api::Error, values::Text};

/// The summary has no parameters of its own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {}

/// A strategy: each of its initiatives is counted once.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = SummaryRow)]
pub(crate) struct Row {
    /// The strategy.
    strategy_id: Uuid,
    /// Its code.
    code: Option<String>,
    /// Its title.
    #[sqlx(json)]
    title: Text,
    /// The counts, in a sentence.
    sentence: String,
    /// All initiatives.
    total: i64,
    /// Green, or nothing against it, and heard of.
    on_track: i64,
    /// Amber, or the forecast is later than the planned end.
    at_risk: i64,
    /// Red, on hold, or past the planned end.
    off_track: i64,
    /// No report for the last period that was due, or never heard of at all.
    silent: i64,
    /// Completed.
    completed: i64,
    /// Cancelled.
    cancelled: i64,
}

const SQL: &str = ",
counted as (
    select j.strategy_id, count(*) as total,
        count(*) filter (where standing = 'on_track') as on_track, count(*) filter (where standing = 'at_risk') as at_risk,
        count(*) filter (where standing = 'off_track') as off_track, count(*) filter (where standing = 'silent') as silent,
        count(*) filter (where standing = 'completed') as completed, count(*) filter (where standing = 'cancelled') as cancelled
    from judged j group by j.strategy_id
)
select c.*, st.code, st.title,
    format('Of %s %s %s on track, %s at risk, %s off track, %s silent, %s completed and %s cancelled.', c.total,
        case c.total when 1 then 'initiative' else 'initiatives' end, 
        c.on_track || case c.on_track when 1 then ' is' else ' are' end, c.at_risk, c.off_track, c.silent, c.completed, c.cancelled) as sentence
from counted c join strategies st on st.id = c.strategy_id
order by st.code is null, st.code_order, st.id";

impl Report for Parameters {
    const NAME: &'static str = "summary";
    const SUMMARY: &'static str =
        "How a strategy stands: one sentence, and how many initiatives are on track, at risk, off track and silent.";
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        answer(connection, scope.query(&[JUDGED, SQL, LIMIT])).await
    }
}
