//! What proves something only until soon, or no longer.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    scope::{STRATEGIES, Scope, answer, strategies},
};
use crate::{base::values::Text, error::Error, nouns::plan::strategies::StrategyId, repository::Reference};

/// What the report of expiring evidence can be asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Of evidence that speaks of this strategy; may be repeated.
    strategy_id: Vec<StrategyId>,
    /// Whether the action plans that carry a strategy out are meant too: `true` when not given.
    under: Option<bool>,
    /// On which day it is looked at: today when not given.
    on: Option<NaiveDate>,
    /// With what expires within so many days; 90 when not given.
    #[schema(minimum = 0, maximum = 3660, example = 90)]
    within: i32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { strategy_id: Vec::new(), under: None, on: None, within: 90 }
    }
}

/// A piece of evidence that expires soon, or has.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = ExpiringEvidenceRow)]
pub(crate) struct Row {
    /// The evidence.
    id: Uuid,
    /// The strategy of which it speaks.
    strategy_id: Option<Uuid>,
    /// What it is called.
    #[sqlx(json)]
    title: Text,
    /// What it is put forward to prove.
    #[sqlx(json)]
    claim: Text,
    /// What it is about.
    about: String,
    /// The country of which it speaks.
    country: Option<String>,
    /// How it stands on the day: `verified`, `expired`, or `proposed` or `disputed`, of which nobody relies on the end.
    standing: String,
    /// The last day on which it proves the claim.
    valid_until: NaiveDate,
    /// Days until then; with a minus, since then.
    days_left: i32,
    /// Where it can be read again.
    url: Option<String>,
    /// When it was last read there, as a day.
    retrieved_on: Option<NaiveDate>,
    /// Its captured copy (SHA-256).
    document: Option<String>,
    /// What is kept of that: `held`, `erased`, `missing`, or `none`.
    copy: String,
}

/// `$1` are strategies, `$2` is the day, `$3` the days.
const SQL: &str = "
with asked as (
    select coalesce($2::date, (select today())) as day
)
select e.id, e.strategy_id, e.title, e.claim, e.about, e.country, evidence_standing(e.state, e.valid_until, a.day) as standing,
    e.valid_until, e.valid_until - a.day as days_left, e.url, day_of(e.retrieved_at) as retrieved_on, e.document, copy_of(e.document) as copy
from asked a join evidence e on e.valid_until <= a.day + $3::integer
where ($1 = '{}' or e.strategy_id = any($1)) and e.state <> 'withdrawn'
    -- What another piece has replaced need not be renewed.
    and not exists (
        select from evidence later where later.supersedes_id = e.id and evidence_standing(later.state, later.valid_until, a.day) = 'verified')
order by e.valid_until, e.created_at, e.id
limit 100001";

impl Report for Parameters {
    const NAME: &'static str = "expiring-evidence";
    const SUMMARY: &'static str = "Evidence that expires within some days, or has expired.";
    const ABOUT: About = About::Other;
    const REFERENCES: &'static [Reference] = STRATEGIES;
    const READS: &'static [&'static str] = &["evidence"];
    type Row = Row;

    async fn rows(self, _: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let strategies = strategies(connection, &self.strategy_id, self.under).await?;
        let query = sqlx::query_as(SQL).bind(strategies).bind(self.on).bind(self.within);
        answer(connection, query).await
    }
}
