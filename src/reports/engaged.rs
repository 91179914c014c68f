//! Which engagements a report is about: the common table expressions of the reports on diplomacy, after those of the scope.

use chrono::NaiveDate;
use sqlx::{
    FromRow, Postgres,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
use uuid::Uuid;

use super::scope::Scope;
use crate::{
    error::Error,
    nouns::international::forums::ForumId,
    repository::{Fault, Reference},
};

/// What `forum_id` of these reports names.
pub(super) const FORUMS: &[Reference] = &[Reference { field: "forum_id", table: "forums" }];

/// `forum_asked`: the forums asked for and all under them; no row when none is asked for. `engaged`: the engagements in these forums and in the
/// scope. An engagement is in the scope when the initiative that follows it up is, or the objective that it serves; with `status` or a
/// deadline only the initiative counts. `$7` are forums, `$8` entities of the delegation, `$9` whether the scope narrows, `$10` whether by
/// strategies and objectives only.
pub(super) const ENGAGED: &str = ",
forum_asked(id) as (
    select id from forums where id = any($7)
    union
    select f.id from forums f join forum_asked a on f.parent_id = a.id
),
engaged as (
    select e.*, coalesce(e.starts_on, e.ends_on) as first_on, coalesce(e.ends_on, e.starts_on) as last_on,
        is_contribution(e.statements, e.capacity) as is_contribution
    from engagements e
    where ($7 = '{}' or e.forum_id in (select id from forum_asked))
        and ($8 = '{}' or exists (select from delegations d where d.engagement_id = e.id and d.entity_id = any($8)))
        and (not $9 or e.follow_up_initiative_id in (select id from item) or $10 and exists (
            select from objectives o where o.id = e.objective_id
                and ($1 = '{}' or o.strategy_id = any($1)) and ($2 = '{}' or o.id in (select id from branch))))
)";

/// A query over `engaged`; its own parameters begin with `$11`.
pub(super) fn query<T: for<'r> FromRow<'r, PgRow>>(
    mut scope: Scope,
    forums: &[ForumId],
    parts: &[&'static str],
) -> QueryAs<'static, Postgres, T, PgArguments> {
    // Here the entity is in the delegation, and takes no part in the work.
    let entities: Vec<Uuid> = std::mem::take(&mut scope.entity_id).iter().map(|id| id.uuid()).collect();
    let by_work = !scope.status.is_empty() || scope.deadline_before.is_some() || scope.deadline_after.is_some();
    let narrows = by_work || !scope.strategy_id.is_empty() || !scope.objective_id.is_empty();
    let forums: Vec<Uuid> = forums.iter().map(|id| id.uuid()).collect();
    scope.query(&[&[ENGAGED], parts].concat()).bind(forums).bind(entities).bind(narrows).bind(!by_work)
}

/// Refuses a period that ends before it starts.
pub(super) fn check_period(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<(), Error> {
    if from.zip(to).is_none_or(|(from, to)| from <= to) {
        return Ok(());
    }
    Err(Error::BadQuery(vec![Fault {
        pointer: "to".into(),
        code: "ends_before_start".into(),
        detail: "give a day that is not before `from`".into(),
    }]))
}
