//! What our state did in forums, in a period.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    engaged::{FORUMS, check_period, query},
    plan::names,
    scope::{LIMIT, Scope, answer},
};
use crate::{base::values::Text, error::Error, nouns::international::forums::ForumId, repository::Reference};

/// What the report of engagements can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// In this forum or in one anywhere under it; may be repeated.
    forum_id: Vec<ForumId>,
    /// The first day of the period. What is undated may have been in it, and stays.
    from: Option<NaiveDate>,
    /// The last day of the period.
    to: Option<NaiveDate>,
    /// Only those that are a contribution (`true`), or are none (`false`).
    is_contribution: Option<bool>,
}

/// An engagement that was in the period, or may have been.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = EngagementRow)]
pub(crate) struct Row {
    /// The engagement.
    id: Uuid,
    /// The forum.
    forum_id: Uuid,
    /// Its code.
    forum: String,
    /// The session, as printed.
    session: Option<String>,
    /// What it was about.
    #[sqlx(json(nullable))]
    title: Option<Text>,
    /// The first day.
    starts_on: Option<NaiveDate>,
    /// The last day.
    ends_on: Option<NaiveDate>,
    /// False when no day of it is known: then it may have been in the period.
    is_dated: bool,
    /// Where.
    #[sqlx(json(nullable))]
    place: Option<Text>,
    /// How it was held.
    modality: Option<String>,
    /// As what our state was there.
    capacity: Option<String>,
    /// The entities of the delegation by code, or by name where there is none, its head first; empty when nobody has said.
    #[sqlx(json)]
    #[serde(serialize_with = "names")]
    #[schema(value_type = Vec<String>)]
    delegation: Vec<Text>,
    /// Whether it is a contribution: our state made a statement, or chaired, reported or hosted.
    is_contribution: bool,
    /// How many statements it made.
    statements: i32,
    /// The symbols of those that have one.
    symbols: Vec<String>,
    /// What came of it.
    #[sqlx(json(nullable))]
    outcome: Option<Text>,
    /// The document that holds what came of it.
    outcome_symbol: Option<String>,
    /// The code of the initiative that follows it up.
    follow_up: Option<String>,
}

const SQL: &str = "
select e.id, e.forum_id, f.code as forum, e.session, e.title, e.starts_on, e.ends_on, e.first_on is not null as is_dated, e.place,
    e.modality, e.capacity, e.is_contribution, jsonb_array_length(e.statements) as statements,
    coalesce((
        select jsonb_agg(coalesce(to_jsonb(n.code), n.name) order by d.role <> 'head', n.code, words_of(n.name))
        from delegations d join entities n on n.id = d.entity_id where d.engagement_id = e.id
    ), '[]') as delegation,
    array(
        select s.one ->> 'symbol' from jsonb_array_elements(e.statements) with ordinality s(one, place)
        where s.one ->> 'symbol' is not null order by s.place
    ) as symbols,
    e.outcome, e.outcome_symbol, i.code as follow_up
from engaged e join forums f on f.id = e.forum_id
left join initiatives i on i.id = e.follow_up_initiative_id
where coalesce(e.last_on >= $11, true) and coalesce(e.first_on <= $12, true) and coalesce(e.is_contribution = $13, true)
order by f.code_order, f.id, e.first_on nulls last, e.session, e.created_at, e.id";

impl Report for Parameters {
    const NAME: &'static str = "engagements";
    const SUMMARY: &'static str = "What our state did in a forum and all under it in a period, with what it said.";
    const REFERENCES: &'static [Reference] = FORUMS;
    const READS: &'static [&'static str] = &[
        "assignments",
        "delegations",
        "engagements",
        "entities",
        "forums",
        "initiatives",
        "objectives",
        "steps",
        "strategies",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        check_period(self.from, self.to)?;
        let query = query(scope, &self.forum_id, &[SQL, LIMIT]);
        answer(connection, query.bind(self.from).bind(self.to).bind(self.is_contribution)).await
    }
}
