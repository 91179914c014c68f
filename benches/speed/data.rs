//! A database of a given size, made by SQL: through the API the larger one would take an hour.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};

/// Makes and fills database `name`, each initiative in so many versions. Indexes are made after the rows, and references are not checked, because both are right by construction.
pub(crate) async fn make(
    server: &PgConnectOptions,
    name: &str,
    initiatives: usize,
    versions: usize,
) -> anyhow::Result<PgConnectOptions> {
    let mut connection = PgConnection::connect_with(&server.clone().database("postgres")).await?;
    connection.execute(AssertSqlSafe(format!("create database {name}"))).await?;
    let options = server.clone().database(name);
    let mut connection = PgConnection::connect_with(&options).await?;
    mandate::cli::database::MIGRATOR.run(&mut connection).await?;
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "select indexname, indexdef from pg_indexes where schemaname = 'public'
         and not exists (select from pg_constraint where conname = indexname)
         and tablename in ('initiatives', 'assignments', 'budget_allocations', 'changes')",
    )
    .fetch_all(&mut connection)
    .await?;
    for (index, _) in &indexes {
        connection.execute(AssertSqlSafe(format!("drop index {index}"))).await?;
    }
    let settings = format!(
        "set session_replication_role = replica; set maintenance_work_mem = '512MB'; set scale.initiatives = {initiatives}; \
         set scale.versions = {versions}"
    );
    connection.execute(AssertSqlSafe(settings)).await?;
    connection.execute(sqlx::raw_sql(include_str!("data.sql"))).await?;
    for (_, definition) in indexes {
        connection.execute(AssertSqlSafe(definition)).await?;
    }
    connection.execute("select cleared.track(kind, noun) from as_of.tracked where kind = 'initiative'").await?;
    connection.execute("vacuum analyze").await?;
    connection.execute("checkpoint").await?;
    Ok(options)
}
