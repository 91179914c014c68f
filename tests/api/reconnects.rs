//! Connections that died in the pool, as they do when the database restarts or a firewall forgets them: who reads does not notice.

use futures_util::future::join_all;
use mandate::base::limits::Limits;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::support::{CONNECTIONS, database, service_over};

/// Ends all other sessions of this database, and waits until they are gone.
async fn end_sessions(outside: &mut PgConnection) -> usize {
    let ended: Vec<(i32, bool)> = sqlx::query_as(
        "select pid, pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .fetch_all(&mut *outside)
    .await
    .unwrap();
    let ended: Vec<i32> = ended.into_iter().map(|(pid, _)| pid).collect();
    let left = "select count(*) from pg_stat_activity where pid = any($1)";
    while sqlx::query_scalar::<_, i64>(left).bind(&ended).fetch_one(&mut *outside).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    ended.len()
}

#[tokio::test]
async fn a_reading_does_not_fail_because_its_connection_died_in_the_pool() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut outside = PgConnection::connect_with(&options).await.unwrap();
    let entity = client.create("entities", json!({"name": {"en": "x"}, "kind": "agency"})).await;
    let id = entity["id"].as_str().unwrap();
    let now: String =
        sqlx::query_scalar("select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            .fetch_one(&mut outside)
            .await
            .unwrap();
    let paths = [
        "/readyz".to_owned(),
        "/v1/entities".to_owned(),
        format!("/v1/entities/{id}"),
        format!("/v1/entities/{id}/history"),
        format!("/v1/entities?as_of={now}"),
        format!("/v1/entities/{id}?as_of={now}"),
        "/v1/reports/summary".to_owned(),
        format!("/v1/reports/summary?as_of={now}"),
        "/v1/changes".to_owned(),
        "/v1/exports/plan".to_owned(),
        "/v1/api-keys".to_owned(),
    ];
    for (path, reader) in paths.iter().flat_map(|path| [(path, client.clone()), (path, client.as_viewer())]) {
        if ["/v1/api-keys", "/v1/exports/plan"].contains(&path.as_str())
            && reader.authorization() != client.authorization()
        {
            continue;
        }
        // All connections were lent a moment ago, so that none would be asked for a sign of life.
        join_all((0..CONNECTIONS * 2).map(|_| reader.get(path).expect(200))).await;
        assert!(end_sessions(&mut outside).await > 0);
        for reply in join_all((0..20).map(|_| reader.get(path).expect(200))).await {
            assert!(!reply.headers.contains_key("retry-after"), "{path}");
        }
    }
}
