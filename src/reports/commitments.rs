//! How far norms and confidence-building measures are carried out, by the list in which they stand.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Code, error::Error};

/// What the report of commitments can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// In this list; may be repeated.
    #[schema(inline)]
    catalogue: Vec<Code>,
}

/// The commitments of one list, counted.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = CommitmentRow)]
pub(crate) struct Row {
    /// The list, such as `un_norms_2015`.
    catalogue: String,
    /// How many there are.
    total: i64,
    /// Carried out.
    implemented: i64,
    /// Carried out in part.
    partial: i64,
    /// Nothing is done.
    not_started: i64,
    /// They do not concern our state.
    not_applicable: i64,
    /// Nobody has said.
    unknown: i64,
    /// Of those that concern our state, without a word on what was done.
    without_measures: i64,
    /// Of those that concern our state, led by nobody.
    without_lead: i64,
    /// Of which it is said what our state lacks.
    with_gaps: i64,
    /// Never reviewed.
    never_reviewed: i64,
    /// The day of the review that is longest ago; null when none was reviewed.
    oldest_review_on: Option<NaiveDate>,
    /// The codes of those that are unknown or not started, in natural order.
    open: Vec<String>,
}

/// `$7` are lists, `$8` leading entities, `$9` whether the scope narrows by initiatives.
const SQL: &str = "
select c.catalogue, count(*) as total,
    count(*) filter (where c.state = 'implemented') as implemented, count(*) filter (where c.state = 'partial') as partial,
    count(*) filter (where c.state = 'not_started') as not_started, count(*) filter (where c.state = 'not_applicable') as not_applicable,
    count(*) filter (where c.state = 'unknown') as unknown,
    count(*) filter (where c.state <> 'not_applicable' and c.measures_taken is null) as without_measures,
    count(*) filter (where c.state <> 'not_applicable' and c.entity_id is null) as without_lead,
    count(*) filter (where c.gaps is not null) as with_gaps, count(*) filter (where c.reviewed_on is null) as never_reviewed,
    min(c.reviewed_on) as oldest_review_on,
    coalesce(array_agg(c.code order by c.code_order, c.id) filter (where c.state in ('unknown', 'not_started')), '{}') as open
from commitments c
where ($7 = '{}' or c.catalogue = any($7)) and ($8 = '{}' or c.entity_id = any($8))
    and (not $9 or c.initiative_id in (select id from item))
group by c.catalogue
order by natural_order(c.catalogue) collate \"C\", c.catalogue";

impl Report for Parameters {
    const NAME: &'static str = "commitments";
    const SUMMARY: &'static str = "How far norms and confidence-building measures are carried out, by list.";
    const READS: &'static [&'static str] = &["commitments", "forums"];
    type Row = Row;

    async fn rows(self, mut scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        // Here the entity leads the work on the commitment.
        let entities: Vec<Uuid> = std::mem::take(&mut scope.entity_id).iter().map(|id| id.uuid()).collect();
        let narrows = !(scope.is_of_strategies() && scope.strategy_id.is_empty());
        let lists: Vec<String> = self.catalogue.into_iter().map(|list| list.0).collect();
        answer(connection, scope.query(&[SQL, LIMIT]).bind(lists).bind(entities).bind(narrows)).await
    }
}
