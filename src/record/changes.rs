//! Changes in the order of their positions, as PostgreSQL gives them.

use chrono::{DateTime, Utc};
use mandate_tlog::{
    ERASED_KIND,
    event::{EPOCH_KIND, KEY_KIND},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::webhooks;
use crate::{
    access::keys,
    documents, proposals,
    repository::{Clearance, Error},
    router::nouns,
};

/// One change of any resource.
#[derive(Debug, Default, Serialize, FromRow, ToSchema)]
pub(super) struct Change {
    /// Its place among all changes, from 1 and without gaps.
    pub(super) position: i64,
    /// The id of the change.
    pub(super) id: Uuid,
    /// What was changed, such as `initiative`.
    pub(super) kind: String,
    /// The id of what was changed.
    pub(super) resource_id: Uuid,
    /// The version that the change made. For one resource it rises with the position.
    pub(super) version: i32,
    /// `created`, `updated` or `deleted`.
    pub(super) action: String,
    /// When it was written, by the database's clock (RFC 3339, UTC). Not in the order of positions.
    pub(super) at: DateTime<Utc>,
    /// When it got its position (RFC 3339, UTC); in their order.
    pub(super) recorded_at: DateTime<Utc>,
    /// Who, such as `key:night-batch`; null for readers without a key, as are the request and the reason.
    pub(super) actor: Option<String>,
    /// The request in which it happened.
    pub(super) request_id: Option<String>,
    /// Why, as the writer said in `Mandate-Reason`.
    pub(super) reason: Option<String>,
    /// The stored fields before; null for a creation.
    #[schema(value_type = Option<Object>)]
    pub(super) before: Option<Json<Value>>,
    /// The stored fields after; null for a deletion.
    #[schema(value_type = Option<Object>)]
    pub(super) after: Option<Json<Value>>,
    /// The highest effective classification before and after it.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) classification: String,
}

/// The kinds that tell who may do what, and where data go: for those who see access (`Actor::sees_access`).
pub(super) const ACCESS_KINDS: [&str; 2] = [keys::KIND, webhooks::KIND];

/// The kinds of changes: the nouns, and what else the record keeps.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> + Clone {
    let others = [ERASED_KIND, KEY_KIND, EPOCH_KIND, documents::KIND, proposals::IN_FORCE];
    nouns().iter().map(|noun| noun.kind).chain(others).chain(ACCESS_KINDS)
}

impl Change {
    /// Whether what was before and what is after may be seen.
    pub(super) fn is_seen(&self, clearance: Clearance) -> bool {
        clearance.sees(Some(&self.classification))
    }
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    /// There was nothing before.
    Created,
    /// It was there, and is.
    Updated,
    /// There is nothing after.
    Deleted,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// Which changes are wanted: all that meet every parameter given.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Filter {
    /// Of this kind, such as `initiative`; may be repeated.
    pub(super) kind: Vec<String>,
    /// Of the resource with this id, also a deleted one; may be repeated.
    pub(super) resource_id: Vec<Uuid>,
    /// With this action; may be repeated.
    #[schema(inline)]
    pub(super) action: Vec<Action>,
    /// By this actor, such as `key:night-batch`; may be repeated.
    pub(super) actor: Vec<String>,
    /// Not of `ACCESS_KINDS`; not the client's to say.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) without_access: bool,
}

impl Filter {
    /// Whether a change is wanted.
    pub(super) fn takes(&self, change: &Change) -> bool {
        fn any<T>(wanted: &[T], is: impl FnMut(&T) -> bool) -> bool {
            wanted.is_empty() || wanted.iter().any(is)
        }
        !(self.without_access && ACCESS_KINDS.contains(&change.kind.as_str()))
            && any(&self.kind, |kind| *kind == change.kind)
            && any(&self.resource_id, |id| *id == change.resource_id)
            && any(&self.action, |action| action.word() == change.action)
            && any(&self.actor, |actor| Some(actor) == change.actor.as_ref())
    }

    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        if self.without_access {
            query.push(" and kind <> all(").push_bind(ACCESS_KINDS).push(")");
        }
        if !self.kind.is_empty() {
            query.push(" and kind = any(").push_bind(self.kind.clone()).push(")");
        }
        if !self.resource_id.is_empty() {
            query.push(" and entity_id = any(").push_bind(self.resource_id.clone()).push(")");
        }
        if !self.action.is_empty() {
            let words: Vec<&str> = self.action.iter().map(|action| action.word()).collect();
            query.push(" and action = any(").push_bind(words).push(")");
        }
        if !self.actor.is_empty() {
            query.push(" and actor = any(").push_bind(self.actor.clone()).push(")");
        }
    }
}

/// Some changes.
#[derive(Debug)]
pub(super) struct Page {
    /// Those that were wanted.
    pub(super) changes: Vec<Change>,
    /// All up to here have been looked at.
    pub(super) upto: i64,
}

/// A page looks at so many changes at most: a filter that takes hardly any must not read the whole record for one answer.
const LOOKED_AT: i64 = 100_000;

/// The last position given.
pub(super) async fn head(connection: &mut PgConnection) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("select position from record_head").fetch_one(connection).await?)
}

/// At most `limit` changes after a position, none beyond `head`.
pub(super) async fn page(
    connection: &mut PgConnection,
    filter: &Filter,
    after: i64,
    head: i64,
    limit: i64,
) -> Result<Page, Error> {
    let end = head.min(after.saturating_add(LOOKED_AT));
    let mut query = QueryBuilder::new(
        "select position, id, kind, entity_id as resource_id, version, action, at, recorded_at, actor, request_id, reason,
             shown(before) as before, shown(after) as after, cleared.told(classification, before, after) as classification
         from changes where position > ",
    );
    query.push_bind(after).push(" and position <= ").push_bind(end);
    filter.push(&mut query);
    query.push(" order by position limit ").push_bind(limit);
    let changes: Vec<Change> = query.build_query_as().fetch_all(connection).await?;
    let full = i64::try_from(changes.len()).is_ok_and(|length| length == limit);
    let upto = changes.last().filter(|_| full).map_or(end.max(after), |last| last.position);
    Ok(Page { changes, upto })
}
