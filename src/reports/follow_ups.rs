//! What was to follow from an engagement, and has not.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Report,
    engaged::{FORUMS, query},
    plan::names,
    scope::{LIMIT, Scope, answer},
};
use crate::{
    base::values::{Text, words},
    error::Error,
    nouns::{international::forums::ForumId, plan::ends::ends_of},
    repository::Reference,
};

/// How it stands with what was to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum FollowUpState {
    /// Its due day is past.
    Overdue,
    /// It is under way.
    Open,
    /// It was given up.
    Cancelled,
    /// There is an outcome, and neither an initiative nor a reason why there need be none.
    NoFollowUp,
}

/// What the report of follow-ups can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// In this forum or in one anywhere under it; may be repeated.
    forum_id: Vec<ForumId>,
    /// Only those that stand so; may be repeated.
    #[schema(inline)]
    state: Vec<FollowUpState>,
}

/// An engagement whose follow-up is not completed.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[schema(as = FollowUpRow)]
pub(crate) struct Row {
    /// The engagement.
    engagement_id: Uuid,
    /// The forum.
    forum_id: Uuid,
    /// Its code.
    forum: String,
    /// The session, as printed.
    session: Option<String>,
    /// The last day that is known of the engagement.
    held_on: Option<NaiveDate>,
    /// What came of it.
    #[sqlx(json(nullable))]
    outcome: Option<Text>,
    /// The document that holds what came of it.
    outcome_symbol: Option<String>,
    /// `overdue`, `open`, `cancelled` or `no_follow_up`.
    state: String,
    /// The initiative that follows it up.
    initiative_id: Option<Uuid>,
    /// Its code.
    code: Option<String>,
    /// Its title.
    #[sqlx(json(nullable))]
    title: Option<Text>,
    /// How far it is.
    status: Option<String>,
    /// Who leads it, by code, or by name where there is none.
    #[sqlx(json)]
    #[serde(serialize_with = "names")]
    #[schema(value_type = Vec<String>)]
    lead: Vec<Text>,
    /// By when, in the words of the source.
    deadline_text: Option<String>,
    /// When it is due: the end that counts; null where that is no day.
    due_on: Option<NaiveDate>,
    /// The days since then, of what is overdue.
    days_overdue: Option<i32>,
}

const SQL: &str = concat!(
    ",
followed as (
    select e.id as engagement_id, e.forum_id, f.code as forum, f.code_order as forum_order, e.session, e.last_on as held_on, e.outcome,
        e.outcome_symbol, i.id as initiative_id, i.code, i.title, i.status, i.deadline_text, d.planned_on as due_on,
        case
            when e.follow_up_initiative_id is null then 'no_follow_up'
            when i.status = 'cancelled' then 'cancelled'
            when d.planned_on < (select today()) and i.status <> 'continuous' then 'overdue'
            else 'open'
        end as state
    from engaged e join forums f on f.id = e.forum_id
    left join initiatives i on i.id = e.follow_up_initiative_id
    left join ",
    ends_of!("i.id", "i.deadline_to", "i.starts_on"),
    " d on true
    where i.status <> 'completed'
        or e.follow_up_initiative_id is null and e.no_follow_up_reason is null and num_nonnulls(e.outcome, e.outcome_symbol) > 0
)
select x.engagement_id, x.forum_id, x.forum, x.session, x.held_on, x.outcome, x.outcome_symbol, x.state, x.initiative_id, x.code, x.title,
    x.status, x.deadline_text, x.due_on, case x.state when 'overdue' then (select today()) - x.due_on end as days_overdue,
    coalesce((
        select jsonb_agg(coalesce(to_jsonb(n.code), n.name) order by n.code, words_of(n.name))
        from assigned a join entities n on n.id = a.entity_id where a.item_id = x.initiative_id and a.role = 'lead'
    ), '[]') as lead
from followed x
where $11 = '{}' or x.state = any($11)
order by array_position(array['overdue', 'open', 'cancelled', 'no_follow_up'], x.state), x.due_on nulls last, x.forum_order, x.held_on,
    x.engagement_id"
);

impl Report for Parameters {
    const NAME: &'static str = "follow-ups";
    const SUMMARY: &'static str = "Engagements whose follow-up is not completed, or that have an outcome and none.";
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
        "timelines",
    ];
    type Row = Row;

    async fn rows(self, scope: Scope, connection: &mut PgConnection) -> Result<Vec<Row>, Error> {
        answer(connection, query(scope, &self.forum_id, &[SQL, LIMIT]).bind(words(&self.state))).await
    }
}
