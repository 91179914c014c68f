//! Find one, find several, and what the record knows of them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{Connection as _, FromRow, PgConnection, QueryBuilder, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Error,
    columns::columns,
    resource::{Resource, Stored},
};
use crate::base::values::characters::spellings;

/// How a client names one resource: by the service's id, or by its own as `external:{external_id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The service's id.
    Id(Uuid),
    /// The caller's id.
    External(String),
}

/// What became of a resource that is not there.
#[derive(Debug)]
pub enum Lookup<T> {
    /// It is there.
    Found(T),
    /// It was deleted; its id, under which the record has its history.
    Deleted(Uuid),
    /// It never was.
    Missing,
}

/// Asks the database for a sign of life.
pub async fn ping(connection: &mut PgConnection) -> Result<(), Error> {
    Ok(connection.ping().await?)
}

/// Finds one resource.
pub async fn find<R: Resource>(connection: &mut PgConnection, key: &Key) -> Result<Lookup<Stored<R>>, Error> {
    let mut query = QueryBuilder::new("select ");
    query.push(columns(connection, R::TABLE).await?).push(" from ").push(R::TABLE).push(" where ");
    match key {
        Key::Id(id) => query.push("id = ").push_bind(*id),
        Key::External(external) => {
            let names = spellings(external);
            query.push("external_id = any(").push_bind(names.clone());
            query.push(") order by external_id = ").push_bind(names.into_iter().next()).push(" desc limit 1")
        }
    };
    if let Some(stored) = query.build_query_as().fetch_optional(&mut *connection).await? {
        return Ok(Lookup::Found(stored));
    }
    Ok(deleted::<R>(connection, key).await?.map_or(Lookup::Missing, Lookup::Deleted))
}

/// The id of a resource that is in the record but no longer there.
pub async fn deleted<R: Resource>(connection: &mut PgConnection, key: &Key) -> Result<Option<Uuid>, Error> {
    let (id, external) = match key {
        Key::Id(id) => (Some(*id), None),
        Key::External(external) => (None, Some(spellings(external))),
    };
    Ok(sqlx::query_scalar(
        "select entity_id from changes
         where kind = $1 and action = 'deleted' and (entity_id = $2 or before ->> 'external_id' = any($3))
         order by at desc limit 1",
    )
    .bind(R::KIND)
    .bind(id)
    .bind(external)
    .fetch_optional(connection)
    .await?)
}

/// Finds several resources by id, in no particular order.
pub async fn find_many<R: Resource>(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Stored<R>>, Error> {
    let mut query = QueryBuilder::new("select ");
    query.push(columns(connection, R::TABLE).await?).push(" from (select distinct given.id as given_id from unnest(");
    // Joined, because a plan that is kept from when the table was small compares each row with each id.
    query.push_bind(ids).push(") given(id)) given join ").push(R::TABLE).push(" on id = given_id");
    Ok(query.build_query_as().fetch_all(connection).await?)
}

/// One change of one resource, as the record has it.
#[derive(Debug, Serialize, FromRow, ToSchema)]
pub struct Entry {
    /// The id of the change.
    pub id: Uuid,
    /// The version that the change made.
    pub version: i32,
    /// `created`, `updated` or `deleted`.
    pub action: String,
    /// When, by the database's clock (RFC 3339, UTC).
    pub at: DateTime<Utc>,
    /// Who, such as `key:night-batch`; null for readers without a key, as are the request and the reason.
    pub actor: Option<String>,
    /// The request in which it happened.
    pub request_id: Option<String>,
    /// Why, as the writer said in `Mandate-Reason`.
    pub reason: Option<String>,
    /// The stored fields before; null for a creation.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Json<Value>>,
    /// The stored fields after; null for a deletion.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Json<Value>>,
}

/// The changes of one resource, newest first, older than version `below`.
pub async fn history<R: Resource>(
    connection: &mut PgConnection,
    id: Uuid,
    below: i32,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    Ok(sqlx::query_as(
        "select id, version, action, at, actor, request_id, reason, shown(before) as before, shown(after) as after from changes
         where kind = $1 and entity_id = $2 and version < $3 order by version desc limit $4",
    )
    .bind(R::KIND)
    .bind(id)
    .bind(below)
    .bind(limit)
    .fetch_all(connection)
    .await?)
}

/// Who refers to a row: table, field, how many, and the first few ids.
pub async fn blockers(
    connection: &mut PgConnection,
    references: &[(&'static str, &'static str)],
    id: Uuid,
) -> Result<Vec<(String, String, i64, Vec<Uuid>)>, Error> {
    if references.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::new("select * from (");
    for (index, (table, field)) in references.iter().enumerate() {
        query.push(if index == 0 { "" } else { " union all " });
        query
            .push("select '")
            .push(*table)
            .push("', '")
            .push(*field)
            .push("', count(*) as n, (array_agg(id order by id))[1:3] from ");
        query.push(*table).push(" where ").push(*field).push(" = ").push_bind(id);
    }
    query.push(") counts where n > 0 order by 1, 2");
    Ok(query.build_query_as().fetch_all(connection).await?)
}
