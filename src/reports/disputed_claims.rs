//! What is doubted, and why: evidence, and strategies whose source is.

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

/// What the report of disputed claims can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Of this strategy, or speaking of it; may be repeated.
    strategy_id: Vec<StrategyId>,
    /// Whether the action plans that carry a strategy out are meant too: `true` when not given.
    under: Option<bool>,
}

/// A claim that is disputed.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = DisputedClaimRow)]
pub(crate) struct Row {
    /// What claims it: `evidence`, or a `strategy` by the state of its own evidence.
    noun: String,
    /// Its id.
    id: Uuid,
    /// The strategy, or the one of which the evidence speaks.
    strategy_id: Option<Uuid>,
    /// What it is called.
    #[sqlx(json)]
    title: Text,
    /// What is claimed; of a strategy its title is.
    #[sqlx(json)]
    claim: Text,
    /// What it is about.
    about: String,
    /// The country.
    country: Option<String>,
    /// Why it is disputed.
    #[sqlx(json(nullable))]
    reason: Option<Text>,
    /// Since when: the day on which it was last set to `disputed`.
    disputed_on: Option<NaiveDate>,
    /// By whom, such as `key:night-batch`.
    disputed_by: Option<String>,
    /// Where it was read.
    source: Option<String>,
    /// Its captured copy (SHA-256).
    document: Option<String>,
    /// The newest piece of evidence that replaces it and is not withdrawn.
    superseded_by_id: Option<Uuid>,
    /// What hangs on it: the indicators whose answers cite it, such as `NCSI 3.0: 1.5`.
    indicators: Vec<String>,
    /// Those answers.
    answer_ids: Vec<Uuid>,
}

const SQL: &str = "
with disputed as (
    select 'evidence' as noun, e.id, e.strategy_id, e.title, e.claim, e.about, e.country, e.state_reason as reason,
        coalesce(e.url, e.document_symbol) as source, e.document, e.created_at
    from evidence e where e.state = 'disputed'
    union all
    select 'strategy', s.id, s.id, s.title, s.title, 'plan', s.country, s.evidence_note, s.source, null, s.created_at
    from strategies s where s.evidence_state = 'disputed'
)
select d.noun, d.id, d.strategy_id, d.title, d.claim, d.about, d.country, d.reason, since.day as disputed_on, since.actor as disputed_by,
    d.source, d.document, later.id as superseded_by_id,
    coalesce(hangs.indicators, '{}') as indicators, coalesce(hangs.answer_ids, '{}') as answer_ids
from disputed d
left join lateral (
    select day_of(c.at) as day, c.actor from changes c
    where c.kind = d.noun and c.entity_id = d.id and 'disputed' in (c.after ->> 'state', c.after ->> 'evidence_state')
        and 'disputed' not in (coalesce(c.before ->> 'state', ''), coalesce(c.before ->> 'evidence_state', ''))
    order by c.version desc limit 1
) since on true
left join lateral (
    select e.id from evidence e where d.noun = 'evidence' and e.supersedes_id = d.id and e.state <> 'withdrawn'
    order by e.created_at desc, e.id desc limit 1
) later on true
left join lateral (
    select array_agg(distinct f.code || ' ' || f.edition || ': ' || a.indicator) as indicators, array_agg(a.id order by a.created_at, a.id) as answer_ids
    from citations t join answers a on a.id = t.answer_id join assessments s on s.id = a.assessment_id join frameworks f on f.id = s.framework_id
    where d.noun = 'evidence' and t.evidence_id = d.id
) hangs on true
where $1 = '{}' or d.strategy_id = any($1)
order by since.day nulls last, d.created_at, d.id
limit 100001";

impl Report for Parameters {
    const NAME: &'static str = "disputed-claims";
    const SUMMARY: &'static str = "Claims that are disputed: why, since when, and by whom.";
    const ABOUT: About = About::Other;
    const REFERENCES: &'static [Reference] = STRATEGIES;
    const READS: &'static [&'static str] =
        &["answers", "assessments", "citations", "evidence", "frameworks", "strategies"];
    type Row = Row;

    async fn rows(self, _: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let strategies = strategies(connection, &self.strategy_id, self.under).await?;
        answer(connection, sqlx::query_as(SQL).bind(strategies)).await
    }
}
