//! Proposals as they are kept.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Act;
use crate::{
    access::Actor,
    repository::{Author, Clearance, Error},
};

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = ProposalState)]
pub(super) enum State {
    /// It waits for a second principal.
    Proposed,
    /// A second principal confirmed it, and it is written.
    Confirmed,
    /// Somebody else did not want it.
    Rejected,
    /// Its proposer took it back.
    Withdrawn,
    /// It was confirmed when it was no longer possible; `problem` says why.
    Stale,
}

/// A request that waits for a second principal, or waited for one.
#[derive(Debug, Serialize, FromRow, ToSchema)]
pub(super) struct Proposal {
    /// Made by the service.
    pub(super) id: Uuid,
    /// When it was proposed (RFC 3339, UTC).
    pub(super) created_at: DateTime<Utc>,
    /// When it was last decided on (RFC 3339, UTC).
    pub(super) updated_at: DateTime<Utc>,
    /// The act for which a second principal is needed.
    pub(super) act: Act,
    /// The operation that was asked for, such as `create_timeline`.
    pub(super) operation: String,
    /// Its method.
    pub(super) method: String,
    /// Its path, with the query.
    pub(super) path: String,
    /// The version that it changes, as its `If-Match` has it.
    pub(super) if_match: Option<String>,
    /// Its media type.
    pub(super) content_type: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) body: Vec<u8>,
    /// Why, as the proposer said in `Mandate-Reason`.
    pub(super) reason: Option<String>,
    /// What would be changed, such as `timeline`: the first thing, where it is several.
    pub(super) kind: String,
    /// How: `created`, `updated` or `deleted`.
    pub(super) action: String,
    /// The id of what would be changed; of what is new, an id that is given again when it is confirmed.
    pub(super) target_id: Uuid,
    /// Its version when it was proposed.
    pub(super) target_version: Option<i32>,
    /// The stored fields as they would be; null for its proposer, where he does not see all of it any more.
    #[schema(value_type = Option<Object>)]
    pub(super) after: Option<Value>,
    /// All that it would change, unless it is one of a list.
    #[serde(skip)]
    #[schema(ignore)]
    #[sqlx(default)]
    pub(super) held: Option<Value>,
    /// Whether who reads it made it, and does not see all that it would change.
    #[serde(skip)]
    #[schema(ignore)]
    #[sqlx(default)]
    pub(super) is_withheld: bool,
    /// The principal who proposed it.
    pub(super) proposed_by: String,
    /// Who that is in the record, such as `key:night-batch`.
    pub(super) actor: String,
    /// What became of it.
    #[schema(inline)]
    pub(super) state: State,
    /// The principal who decided on it.
    pub(super) decided_by: Option<String>,
    /// Who that is in the record.
    pub(super) decided_actor: Option<String>,
    /// When (RFC 3339, UTC).
    pub(super) decided_at: Option<DateTime<Utc>>,
    /// Why, as the decider said.
    pub(super) decision_reason: Option<String>,
    /// With `stale`: why it was no longer possible.
    pub(super) problem: Option<String>,
}

/// A proposal to be kept.
pub(super) struct New<'a> {
    pub(super) operation: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) content_type: Option<&'a str>,
    pub(super) if_match: Option<&'a str>,
    pub(super) body: &'a [u8],
    pub(super) reason: Option<&'a str>,
    pub(super) change: &'a Value,
    pub(super) principal: &'a str,
    pub(super) actor: &'a str,
    pub(super) idempotency_key: Option<&'a str>,
    pub(super) fingerprint: &'a [u8],
}

/// Keeps a proposal. The same one that still waits, or that came under the same idempotency key within 48 hours, is the answer in its place.
pub(super) async fn keep(connection: &mut PgConnection, new: &New<'_>) -> Result<Proposal, Error> {
    let before: Option<Proposal> = sqlx::query_as(
        "select *, changes as held from proposals where proposed_by = $1 and idempotency_key = $2 and fingerprint = $3
         and created_at > now() - interval '48 hours' order by created_at desc limit 1",
    )
    .bind(new.principal)
    .bind(new.idempotency_key)
    .bind(new.fingerprint)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(before) = before {
        return Ok(before);
    }
    Ok(sqlx::query_as(
        "insert into proposals (id, act, operation, method, path, content_type, if_match, body, reason, kind, action, target_id, target_version,
             after, proposed_by, actor, idempotency_key, fingerprint, changes, content)
         values ($1, $2->>'act', $3, $4, $5, $6, $7, $8, $9, $2->>'kind', $2->>'action', ($2->>'id')::uuid, ($2->>'version')::integer,
             nullif($2->'after', 'null'::jsonb), $10, $11, $12, $13, $2->'changes',
             sha256(convert_to(comparable($2->'changes', today())::text, 'UTF8')))
         on conflict (proposed_by, fingerprint, content) where state = 'proposed' do update set updated_at = proposals.updated_at
         returning *, changes as held",
    )
    .bind(Uuid::now_v7())
    .bind(new.change)
    .bind(new.operation)
    .bind(new.method)
    .bind(new.path)
    .bind(new.content_type)
    .bind(new.if_match)
    .bind(new.body)
    .bind(new.reason)
    .bind(new.principal)
    .bind(new.actor)
    .bind(new.idempotency_key)
    .bind(new.fingerprint)
    .fetch_one(connection)
    .await?)
}

/// Which proposals.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Filter {
    /// In one of these states; may be repeated.
    #[schema(inline)]
    pub(super) state: Vec<State>,
    /// Of one of these acts; may be repeated.
    #[schema(inline)]
    pub(super) act: Vec<Act>,
    /// On one of these kinds of things, such as `timeline`; may be repeated.
    pub(super) kind: Vec<String>,
    /// On the resource with this id; may be repeated.
    pub(super) resource_id: Vec<Uuid>,
    /// The `next` of the page before.
    pub(super) after: Option<Uuid>,
    /// Proposals of a page, 1 to 200; 50 when not given.
    #[schema(minimum = 1, maximum = 200, example = 50)]
    pub(super) limit: Option<i64>,
}

/// The proposals that somebody sees, the newest first; the connection reads with his clearance.
pub(super) async fn list(
    connection: &mut PgConnection,
    reader: &Reader<'_>,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Proposal>, Error> {
    let mut query = reader.query("");
    if !filter.state.is_empty() {
        query.push(" and p.state = any(").push_bind(crate::base::values::words(&filter.state)).push(")");
    }
    if !filter.act.is_empty() {
        query.push(" and p.act = any(").push_bind(crate::base::values::words(&filter.act)).push(")");
    }
    if !filter.kind.is_empty() {
        query.push(" and p.kind = any(").push_bind(filter.kind.clone()).push(")");
    }
    if !filter.resource_id.is_empty() {
        query.push(" and p.target_id = any(").push_bind(filter.resource_id.clone()).push(")");
    }
    if let Some(after) = filter.after {
        query.push(" and p.id < ").push_bind(after);
    }
    query.push(" order by p.id desc limit ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(connection).await?)
}

/// A proposal, when he sees it.
pub(super) async fn find(
    connection: &mut PgConnection,
    reader: &Reader<'_>,
    id: Uuid,
) -> Result<Option<Proposal>, Error> {
    let mut query = reader.query(", p.changes as held");
    query.push(" and p.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(connection).await?)
}

/// Who reads proposals.
pub(super) struct Reader<'a> {
    pub(super) actor: &'a Actor,
    /// The operations whose things his scopes let him read; none said means all.
    pub(super) operations: Option<Vec<String>>,
    /// By kind the fields that refer to something, each with the kind of that.
    pub(super) refers: &'a Value,
}

impl Reader<'_> {
    /// In a reading of his clearance. He sees a proposal when he sees all that it changes, as it is and as it would be, and all to which that refers.
    /// A request on several things has more in its body than it changes: it is seen by who sees everything. Everybody sees what he asked for himself.
    fn query(&self, and: &str) -> QueryBuilder<Postgres> {
        let mut query = QueryBuilder::new("select p.*");
        query.push(and);
        if self.actor.clearance() == Clearance::All {
            query.push(" from proposals p where true");
        } else {
            query.push(", not s.sees as is_withheld from proposals p cross join lateral (select cleared.sees_changes(p.changes, ");
            query
                .push_bind(self.refers)
                .push(") as sees offset 0) s where (p.proposed_by = ")
                .push_bind(self.actor.principal());
            query.push(" or s.sees and p.operation in ('create_' || p.kind, 'replace_' || p.kind, 'patch_' || p.kind, 'delete_' || p.kind))");
        }
        if let Some(operations) = &self.operations {
            query.push(" and p.operation = any(").push_bind(operations.clone()).push(")");
        }
        query
    }
}

/// A decision on a proposal that does not write.
pub(super) struct Decision<'a> {
    pub(super) state: State,
    pub(super) by: (&'a str, &'a str),
    pub(super) reason: Option<&'a str>,
    pub(super) problem: Option<&'a str>,
}

/// Decides on a proposal that still waits; whether it did.
pub(super) async fn decide(connection: &mut PgConnection, id: Uuid, decision: &Decision<'_>) -> Result<bool, Error> {
    let done = sqlx::query(
        "update proposals set state = $2, decided_by = $3, decided_actor = $4, decision_reason = $5, problem = $6, decided_at = now(),
             updated_at = now() where id = $1 and state = 'proposed'",
    )
    .bind(id)
    .bind(decision.state)
    .bind(decision.by.0)
    .bind(decision.by.1)
    .bind(decision.reason)
    .bind(decision.problem)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes why somebody confirmed what he has confirmed.
pub(super) async fn explain(
    connection: &mut PgConnection,
    id: Uuid,
    principal: &str,
    reason: Option<&str>,
) -> Result<(), Error> {
    let sql = "update proposals set decision_reason = $3 where id = $1 and decided_by = $2";
    sqlx::query(sql).bind(id).bind(principal).bind(reason).execute(connection).await?;
    Ok(())
}

/// Whether one of two principals gave the other its key, directly or through others: then they are one for the second look.
pub(super) async fn are_related(connection: &mut PgConnection, one: &str, other: &str) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(
        "with recursive above(origin, principal) as (
             values ($1, $1), ($2, $2)
             union
             select a.origin, k.created_by from above a join api_keys k on 'key:' || k.id = a.principal where k.created_by is not null
         )
         select exists (select from above where origin = $1 and principal = $2 or origin = $2 and principal = $1)",
    )
    .bind(one)
    .bind(other)
    .fetch_one(connection)
    .await?)
}

/// What the acts in force are in the record.
pub const IN_FORCE: &str = "acts_in_force";
/// Their id there: there is one row of them.
const IN_FORCE_ID: Uuid = Uuid::from_u128(1);

fn acts(words: &[String]) -> Vec<Act> {
    let mut acts: Vec<Act> = words.iter().filter_map(|word| Act::of(word)).collect();
    acts.sort_unstable();
    acts
}

/// The acts that need a second principal.
pub async fn in_force(connection: &mut PgConnection) -> Result<Vec<Act>, Error> {
    let words: Vec<String> = sqlx::query_scalar("select acts from acts_in_force").fetch_one(connection).await?;
    Ok(acts(&words))
}

/// Puts these acts in force, and records it where they were others; answers those.
pub(super) async fn put_in_force(
    connection: &mut PgConnection,
    author: &Author,
    now: &[Act],
) -> Result<Vec<Act>, Error> {
    let words: Vec<String> = sqlx::query_scalar(
        "with old as (select acts from acts_in_force for update),
         new as (
             update acts_in_force f set acts = $1, set_at = now(), version = f.version + (old.acts <> $1)::integer
             from old returning f.version, old.acts as before
         ),
         recorded as (
             insert into changes (kind, entity_id, version, action, actor, request_id, before, after)
             select $2, $3, version, 'updated', $4, $5, jsonb_build_object('acts', before), jsonb_build_object('acts', $1)
             from new where before <> $1
         )
         select before from new",
    )
    .bind(crate::base::values::words(now))
    .bind(IN_FORCE)
    .bind(IN_FORCE_ID)
    .bind(&author.actor)
    .bind(&author.request_id)
    .fetch_one(connection)
    .await?;
    Ok(acts(&words))
}

/// The acts for which what this transaction has changed would stand as proposed; for those who only try it.
pub async fn waiting_for(connection: &mut PgConnection) -> Result<Vec<Act>, Error> {
    let words: Vec<String> = sqlx::query_scalar("select acts_waiting()").fetch_one(connection).await?;
    Ok(acts(&words))
}
