//! How a strategy stands, in one sentence and its counts.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    advance::{Include, advance, advance_of_many},
    grammar::{counted, told},
    judged::JUDGED,
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error};

/// What the summary can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Also takes reports into account that are submitted and not yet accepted: `submitted`.
    #[schema(inline)]
    include: Vec<Include>,
}

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
    /// The counts, in a sentence in English and Romanian.
    #[sqlx(skip)]
    sentence: Text,
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
    /// How far it is, in percent to one decimal: what is known to be done of all the work (`docs/reference/progress.md`); null where nothing is known.
    percent: Option<f64>,
    /// How far it can be at most: as if all that is not known were done.
    at_most: Option<f64>,
    /// Of how many parts it is known how far they are.
    known: i64,
    /// How many parts there are: steps, and initiatives without steps or known as a whole; cancelled ones are none.
    of: i64,
}

const SQL: &str = concat!(
    ",
counted as (
    select j.strategy_id, count(*) as total,
        count(*) filter (where standing = 'on_track') as on_track, count(*) filter (where standing = 'at_risk') as at_risk,
        count(*) filter (where standing = 'off_track') as off_track, count(*) filter (where standing = 'silent') as silent,
        count(*) filter (where standing = 'completed') as completed, count(*) filter (where standing = 'cancelled') as cancelled, ",
    advance_of_many!(),
    "
    from judged j left join advance a on a.id = j.id group by j.strategy_id
)
select c.*, st.code, st.title
from counted c join strategies st on st.id = c.strategy_id
order by st.code is null, st.code_order, st.id"
);

impl Report for Parameters {
    const NAME: &'static str = "summary";
    const SUMMARY: &'static str =
        "How a strategy stands: one sentence, and how many initiatives are on track, at risk, off track and silent.";
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
        let mut rows: Vec<Row> =
            answer(connection, scope.query(&[&[JUDGED], &advance(&self.include)[..], &[SQL, LIMIT]].concat())).await?;
        for row in &mut rows {
            row.sentence = row.in_words();
        }
        Ok(rows)
    }
}

impl Row {
    fn in_words(&self) -> Text {
        let Self { total, on_track, at_risk, off_track, silent, completed, cancelled, .. } = self;
        let initiatives = if *total == 1 { "initiative" } else { "initiatives" };
        let (are, sunt) = if *on_track == 1 { ("is", "este") } else { ("are", "sunt") };
        let of_all = match total {
            1 => "Dintr-o inițiativă".to_owned(),
            _ => format!("Din {}", counted(*total, "", "inițiative")),
        };
        let done = if *completed == 1 { "finalizată" } else { "finalizate" };
        let ended = if *cancelled == 1 { "anulată" } else { "anulate" };
        told((
            format!(
                "Of {total} {initiatives} {on_track} {are} on track, {at_risk} at risk, {off_track} off track, {silent} silent, {completed} completed and {cancelled} cancelled."
            ),
            format!(
                "{of_all}, {on_track} {sunt} în grafic, {at_risk} cu risc de întârziere, {off_track} în afara graficului, {silent} fără raportare, {completed} {done} și {cancelled} {ended}."
            ),
        ))
    }
}
