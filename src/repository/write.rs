//! Insert, update and delete, each one statement with its row in the record.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, QueryBuilder, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{
    Error,
    columns::columns,
    guard::{Change, Guard},
    receipt::{Receipt, Written},
    resource::{Fault, Resource, Row, Stored},
    transaction::{Attempts, Isolation, begin, commit, give_up},
};
use crate::base::values::characters::is_visible;

/// Who writes, in which request, and why: what the record keeps beside the change.
#[derive(Debug, Clone)]
pub struct Author {
    /// The name in the record, such as `key:night-batch`.
    pub actor: String,
    /// The principal, such as `key:5f1c09d2ab34`: names may be given twice, these not.
    pub principal: String,
    /// The id of the request.
    pub request_id: String,
    /// The reason given by the writer, if any.
    pub reason: Option<String>,
    /// Who confirmed it, and which proposal, where two principals were needed.
    pub confirmation: Option<Value>,
}

impl Author {
    /// Whoever runs a command.
    pub fn at_the_command_line(reason: Option<&str>) -> Self {
        Self { reason: reason.filter(|reason| is_visible(reason)).map(str::to_owned), ..Self::of_ours("cli") }
    }

    /// The service itself.
    pub fn service() -> Self {
        Self::of_ours("service")
    }

    /// A part of the program that writes by itself.
    pub fn of_ours(name: &str) -> Self {
        Self {
            actor: name.into(),
            principal: name.into(),
            request_id: Uuid::now_v7().to_string(),
            reason: None,
            confirmation: None,
        }
    }
}

/// Creates the rows together, and answers the first.
pub async fn insert<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    rows: &[(Uuid, R)],
) -> Result<Stored<R>, Error> {
    let changes: Vec<_> = rows.iter().map(|(id, data)| Change { id: *id, before: None, after: Some(data) }).collect();
    let stored = judged_alone(connection, author, &changes).await?;
    stored.into_iter().find(|stored| rows.first().is_some_and(|(id, _)| *id == stored.id)).ok_or(Error::Stale)
}

/// Replaces the fields of the version that the writer saw. When they are the same already, it stays that version and nothing is recorded.
pub async fn update<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    before: &Stored<R>,
    data: &R,
) -> Result<Stored<R>, Error> {
    let change = Change { id: before.id, before: Some(before), after: Some(data) };
    if change.is_idle() {
        return Ok(Stored { receipt: None, ..before.clone() });
    }
    let stored = judged_alone(connection, author, &[change]).await?;
    stored.into_iter().next().ok_or(Error::Stale)
}

/// One statement; or, where the noun has a rule over several rows, a serializable transaction that judges what it wrote. It is tried again when
/// PostgreSQL ended it for the sake of another writer, which leaves nothing of it. A caller that has opened a transaction itself (of the isolation that `Isolation::of` says) commits it and tries it again itself.
async fn judged_alone<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    changes: &[Change<'_, R>],
) -> Result<Vec<Stored<R>>, Error> {
    if connection.is_in_transaction() {
        return judged(connection, author, changes).await;
    }
    let mut attempts = Attempts::default();
    loop {
        let outcome = written_alone(connection, author, changes).await;
        if !attempts.again(outcome.as_ref().is_err_and(Error::is_transient)).await {
            return outcome;
        }
    }
}

async fn written_alone<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    changes: &[Change<'_, R>],
) -> Result<Vec<Stored<R>>, Error> {
    if R::RULE.is_none() {
        return write(connection, author, changes).await.map_err(Error::at_commit);
    }
    let mut transaction = begin(connection, Isolation::of::<R>()).await?;
    match judged(&mut transaction, author, changes).await {
        Ok(stored) => commit(transaction).await.map(|()| stored),
        Err(error) => Err(give_up(transaction, error).await),
    }
}

async fn judged<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    changes: &[Change<'_, R>],
) -> Result<Vec<Stored<R>>, Error> {
    let stored = write(connection, author, changes).await?;
    let ids: Vec<Uuid> = changes.iter().map(|change| change.id).collect();
    judge::<R>(connection, &ids).await?;
    Ok(stored)
}

/// Writes any number of rows of one noun in one statement, all new or all old, and records each; the guard of their strategies is a part of it.
/// Rows whose version has moved on are left out of the answer, and so are those that are the same already, which are not written. The caller
/// asks `judge` afterwards.
pub async fn write<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    changes: &[Change<'_, R>],
) -> Result<Vec<Stored<R>>, Error> {
    let different: Vec<_> =
        changes.iter().filter(|change| !change.is_idle()).filter_map(|change| Some((change, change.after?))).collect();
    let Some((first, _)) = different.first() else {
        return Ok(Vec::new());
    };
    let mut names: Vec<&str> = Vec::new();
    let rows: Vec<Value> = different
        .iter()
        .map(|(change, data)| {
            let mut row = Row::of(*data);
            let before = change.before.map(|before| Row::of(&before.data).values);
            let differs = |name: &&str| before.as_ref().is_none_or(|before| before[*name] != row.values[*name]);
            let written: Vec<&str> = row.names.iter().copied().filter(differs).collect();
            names.extend(written.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>());
            row.values.insert("id".into(), change.id.to_string().into());
            row.values.insert("version".into(), change.before.map_or(1, |before| before.version).into());
            Value::Object(row.values)
        })
        .collect();
    let guard = Guard::of(author, changes);
    let (guarding, guarded) = match guard {
        Some(_) => (", guarded as materialized (select guard($7, $8))", ", guarded"),
        None => ("", ""),
    };
    let written = names.join(", ");
    let table = R::TABLE;
    let kept = columns(connection, table).await?;
    let given = format!("given as (select * from jsonb_populate_recordset(null::{table}, $1)){guarding}");
    let recorded = "recorded as (insert into changes (kind, entity_id, version, action, actor, request_id, reason, confirmation, before, after, classification)";
    let receipt = " returning entity_id, id as receipt_id, leaf_hash as receipt_leaf) \
                   select new.*, receipt_id, receipt_leaf from new join recorded on recorded.entity_id = new.id";
    let sql = if first.before.is_none() {
        format!(
            "with {given}, \
             new as (insert into {table} (id, {written}) select id, {written} from given{guarded} returning {kept}, effective_classification), \
             {recorded} select $2, id, version, 'created', $3, $4, $5, $6, null, record_of(to_jsonb(new)), effective_classification from new{receipt}"
        )
    } else {
        let of_table = kept.split(", ").map(|name| format!("{table}.{name}")).collect::<Vec<_>>().join(", ");
        // Who writes below a row holds it `for key share`, and may wait for what this transaction wrote: to wait for that in turn would be a
        // deadlock. So no `for update`, and only what differs is set, because behind a trigger PostgreSQL locks a row by the columns that are named.
        let assignments: String = names.iter().flat_map(|name| [*name, " = given.", *name, ", "]).collect();
        format!(
            "with {given}, \
             old as (select {of_table}, {table}.effective_classification from {table} join given using (id){} where {table}.version = given.version for no key update of {table}), \
             new as (update {table} set {assignments}version = {table}.version + 1, updated_at = now() \
                     from given join old using (id) where {table}.id = given.id and {table}.version = given.version \
                     returning {of_table}, {table}.effective_classification), \
             {recorded} select $2, new.id, new.version, 'updated', $3, $4, $5, $6, record_of(to_jsonb(old)), record_of(to_jsonb(new)), \
                        cleared.higher(old.effective_classification, new.effective_classification) \
                        from new join old using (id){receipt}",
            if guard.is_some() { " cross join guarded" } else { "" },
        )
    };
    let mut query = sqlx::query_as(AssertSqlSafe(sql))
        .bind(sqlx::types::Json(rows))
        .bind(R::KIND)
        .bind(&author.actor)
        .bind(&author.request_id)
        .bind(&author.reason)
        .bind(&author.confirmation);
    if let Some(Guard { told, has_reason }) = guard {
        query = query.bind(told).bind(has_reason);
    }
    let written: Vec<Written<R>> = query.fetch_all(connection).await?;
    Ok(written.into_iter().map(|Written(stored)| stored).collect())
}

/// Asks the noun's rule over several rows about the rows just written.
pub async fn judge<R: Resource>(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), Error> {
    let Some(rule) = R::RULE else {
        return Ok(());
    };
    let broken: Vec<(String, String, String)> = sqlx::query_as(rule).bind(ids).fetch_all(connection).await?;
    if broken.is_empty() {
        return Ok(());
    }
    let fault = |(pointer, code, detail)| Fault { pointer, code, detail };
    Err(Error::Rule(broken.into_iter().map(fault).collect()))
}

/// Removes the version that the writer saw. The record keeps it. As with a write, the guard of its strategies is a part of the statement, and a
/// rule over several rows judges what is left.
pub async fn delete<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    before: &Stored<R>,
) -> Result<Receipt, Error> {
    if connection.is_in_transaction() {
        return remove_judged::<R>(connection, author, before).await;
    }
    let mut attempts = Attempts::default();
    loop {
        let outcome = removed_alone::<R>(connection, author, before).await;
        if !attempts.again(outcome.as_ref().is_err_and(Error::is_transient)).await {
            return outcome;
        }
    }
}

async fn removed_alone<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    before: &Stored<R>,
) -> Result<Receipt, Error> {
    if R::RULE.is_none() {
        return remove::<R>(connection, author, before).await.map_err(Error::at_commit);
    }
    let mut transaction = begin(connection, Isolation::of::<R>()).await?;
    match remove_judged::<R>(&mut transaction, author, before).await {
        Ok(receipt) => commit(transaction).await.map(|()| receipt),
        Err(error) => Err(give_up(transaction, error).await),
    }
}

async fn remove_judged<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    before: &Stored<R>,
) -> Result<Receipt, Error> {
    let receipt = remove::<R>(connection, author, before).await?;
    judge::<R>(connection, &[before.id]).await?;
    Ok(receipt)
}

async fn remove<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    before: &Stored<R>,
) -> Result<Receipt, Error> {
    let kept = columns(connection, R::TABLE).await?;
    let of_table = kept.split(", ").map(|name| format!("{}.{name}", R::TABLE)).collect::<Vec<_>>().join(", ");
    let mut query = QueryBuilder::new("with ");
    let guard = Guard::of(author, &[Change { id: before.id, before: Some(before), after: None }]);
    let guarded = if guard.is_some() { " using guarded" } else { "" };
    if let Some(Guard { told, has_reason }) = guard {
        query
            .push("guarded as materialized (select guard(")
            .push_bind(told)
            .push(", ")
            .push_bind(has_reason)
            .push(")), ");
    }
    query.push("old as (delete from ").push(R::TABLE).push(guarded);
    query.push(" where id = ").push_bind(before.id).push(" and version = ").push_bind(before.version);
    query.push(" returning ").push(of_table).push(", ").push(R::TABLE).push(".effective_classification");
    query.push("), recorded as (insert into changes (kind, entity_id, version, action, actor, request_id, reason, confirmation, before, after, classification) select ");
    query.push_bind(R::KIND).push(", id, version + 1, 'deleted', ").push_bind(&author.actor).push(", ");
    query.push_bind(&author.request_id).push(", ").push_bind(&author.reason);
    query.push(", ").push_bind(&author.confirmation);
    query.push(", record_of(to_jsonb(old)), null, effective_classification from old returning id, leaf_hash) select id, leaf_hash from recorded");
    let row: Option<PgRow> = query.build().fetch_optional(connection).await?;
    match row {
        Some(row) => Ok(Receipt { change: row.try_get("id")?, leaf_hash: row.try_get("leaf_hash")? }),
        None => Err(Error::Stale),
    }
}
