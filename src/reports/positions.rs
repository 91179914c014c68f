//! On which questions of international law a state has spoken, is silent, or has taken back what it said.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    About, Report,
    scope::{Scope, answer},
    treaties::countries,
};
use crate::{
    base::values::{Country, words},
    error::Error,
    nouns::international::positions::Topic,
};

/// What the report of positions can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// How it is on this day; today when not given. What was known of it is another matter: that is `as_of`.
    on: Option<NaiveDate>,
    /// Of this state, ISO 3166-1 alpha-2; may be repeated. The country of the service when not given.
    country: Vec<Country>,
}

/// A state and a topic, on a day.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = PositionTopicRow)]
pub(crate) struct Row {
    /// The state.
    country: String,
    /// The topic.
    topic: String,
    /// The day for which this is said.
    on: NaiveDate,
    /// `covered` by a position that nothing has replaced, `superseded` when only replaced ones speak about it, or `silent`.
    state: String,
    /// The day of the first position that covers it; null when none of them has a day.
    since: Option<NaiveDate>,
    /// The day of the first position ever about it.
    first_on: Option<NaiveDate>,
    /// The languages of what covers it, ISO 639-1.
    languages: Vec<String>,
    /// The symbols of what covers it.
    symbols: Vec<String>,
    /// What covers it.
    position_ids: Vec<Uuid>,
    /// What was said about it and replaced.
    superseded_ids: Vec<Uuid>,
}

/// `$1` is the day, `$2` the states, `$3` the topics. A position without a day counts on every day.
const SQL: &str = "
with asked as (
    select country, place, coalesce($1, today()) as day from unnest($2::text[]) with ordinality given(country, place)
),
spoken as (
    select p.*, exists (
        select from positions s where s.supersedes_id = p.id and (s.issued_on is null or s.issued_on <= q.day)) as is_superseded
    from asked q join positions p on p.country = q.country and (p.issued_on is null or p.issued_on <= q.day)
)
select q.country, t.topic, q.day as \"on\",
    case when cardinality(s.position_ids) > 0 then 'covered' when cardinality(s.superseded_ids) > 0 then 'superseded' else 'silent' end as state,
    s.since, s.first_on, s.position_ids, s.superseded_ids,
    array(select distinct l from spoken p, unnest(p.languages) l where p.id = any(s.position_ids) order by l) as languages,
    array(select distinct p.symbol from spoken p where p.id = any(s.position_ids) and p.symbol is not null order by p.symbol) as symbols
from asked q cross join unnest($3::text[]) with ordinality t(topic, place)
cross join lateral (
    select min(issued_on) filter (where not is_superseded) as since, min(issued_on) as first_on,
        coalesce(array_agg(id order by issued_on nulls first, id) filter (where not is_superseded), '{}') as position_ids,
        coalesce(array_agg(id order by issued_on nulls first, id) filter (where is_superseded), '{}') as superseded_ids
    from spoken p where p.country = q.country and t.topic = any(p.topics)
) s
order by q.place, t.place
limit 100001";

impl Report for Parameters {
    const NAME: &'static str = "positions";
    const SUMMARY: &'static str =
        "On which questions of international law a state has spoken, is silent, or has replaced what it said.";
    const ABOUT: About = About::Other;
    const READS: &'static [&'static str] = &["positions"];
    type Row = Row;

    async fn rows(self, _: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        let query = sqlx::query_as(SQL).bind(self.on).bind(countries(&self.country)?).bind(words(&Topic::ALL));
        answer(connection, query).await
    }
}
