//! Forums where our state has a place, and gives nothing.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    engaged::{FORUMS, check_period, query},
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error, nouns::international::forums::ForumId, repository::Reference};

/// What the report of silent forums can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// This forum or one anywhere under it; may be repeated.
    forum_id: Vec<ForumId>,
    /// The first day of the period; without it all that was before `to` counts.
    from: Option<NaiveDate>,
    /// The last day of the period; today when not given, because what is planned is not given yet.
    to: Option<NaiveDate>,
}

/// A forum of which our state is a member, observer or participant, without a contribution that is known to be of the period.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = SilentForumRow)]
pub(crate) struct Row {
    /// The forum.
    forum_id: Uuid,
    /// Its code.
    forum: String,
    /// Its name.
    #[sqlx(json)]
    name: Text,
    /// `planned`, `active` or `concluded`; null where nobody has said.
    status: Option<String>,
    /// `member`, `observer` or `participant`.
    membership: String,
    /// The first day on which our state had this place.
    member_from: Option<NaiveDate>,
    /// The last day.
    member_to: Option<NaiveDate>,
    /// `never` (no contribution is recorded), `silent` (the last was before the period), `undated` (there are some without a day, which may
    /// have been in the period), or `later` (the first one is after it).
    state: String,
    /// The last day of the last contribution before the end of the period; null when there is none with a day.
    last_contribution_on: Option<NaiveDate>,
    /// The days from then to the end of the period, at most to today.
    silent_days: Option<i32>,
    /// How many contributions have no day.
    undated: i64,
    /// In how many engagements of the period our state was there, without contributing.
    attended: i64,
    /// In how many engagements without a day it was there, without contributing.
    undated_attended: i64,
}

/// What is done in a forum is done in those above it too.
const SQL: &str = ",
until(day) as (
    select coalesce($12, (select today()))
),
reach(forum_id, id) as (
    select id, id from forums
    union
    select r.forum_id, f.id from reach r join forums f on f.parent_id = r.id
),
tally as (
    select r.forum_id,
        count(*) filter (where e.is_contribution and p.is_in) as given,
        count(*) filter (where e.is_contribution and e.first_on is null) as undated,
        count(*) filter (where e.is_contribution) as ever,
        count(*) filter (where not e.is_contribution and p.is_in) as attended,
        count(*) filter (where not e.is_contribution and e.first_on is null) as undated_attended,
        max(e.last_on) filter (where e.is_contribution and e.last_on <= u.day) as last_on
    from reach r join engaged e on e.forum_id = r.id cross join until u,
        lateral (
            select e.first_on is not null and coalesce(e.last_on >= $11, true) and e.first_on <= u.day as is_in
        ) p
    group by r.forum_id
)
select f.id as forum_id, f.code as forum, f.name, f.status, f.membership, f.member_from, f.member_to,
    case when coalesce(t.ever, 0) = 0 then 'never' when t.undated > 0 then 'undated' when t.last_on is null then 'later' else 'silent' end as state,
    t.last_on as last_contribution_on, least(u.day, (select today())) - t.last_on as silent_days,
    coalesce(t.undated, 0) as undated, coalesce(t.attended, 0) as attended, coalesce(t.undated_attended, 0) as undated_attended
from forums f left join tally t on t.forum_id = f.id cross join until u
where f.membership in ('member', 'observer', 'participant') and coalesce(t.given, 0) = 0
    and not exists (select from reach r join withheld_engagements w on w.forum_id = r.id where r.forum_id = f.id)
    and not exists (select from reach r join withheld_forums w on w.parent_id = r.id where r.forum_id = f.id)
    and ($7 = '{}' or f.id in (select id from forum_asked))
    and coalesce(f.member_to >= $11, true) and coalesce(f.member_from <= u.day, true)
    and coalesce(f.ends_on >= $11, true) and coalesce(f.starts_on <= u.day, true)
order by f.code_order, f.id";

impl Report for Parameters {
    const NAME: &'static str = "silent-forums";
    const SUMMARY: &'static str = "Forums with our membership and no contribution in a period: never, or since when.";
    const REFERENCES: &'static [Reference] = FORUMS;
    const READS: &'static [&'static str] =
        &["assignments", "delegations", "engagements", "forums", "initiatives", "objectives", "steps", "strategies"];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        check_period(self.from, self.to)?;
        let query = query(scope, &self.forum_id, &[SQL, LIMIT]);
        answer(connection, query.bind(self.from).bind(self.to)).await
    }
}
