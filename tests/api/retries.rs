//! Keys over time, processes and replicas; and writes that PostgreSQL lets wait too long.

use std::time::Duration;

use mandate::{
    access::{Role, keys},
    base::limits::Limits,
};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};

use crate::support::{Client, client::Call, database, service_over, services_over};

fn source(name: &str) -> Value {
    json!({"name": {"en": name}, "kind": "state_budget"})
}

fn post(client: &Client, name: &str, key: &str) -> Call {
    client.post("/v1/funding-sources", source(name)).header("idempotency-key", key)
}

async fn count(client: &Client) -> Value {
    client.get("/v1/funding-sources?count=true").expect(200).await.json()["count"].clone()
}

async fn outside(options: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(options).await.unwrap()
}

async fn number(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

/// Waits until so many sessions wait for a lock.
async fn waiting(connection: &mut PgConnection, many: i64) {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while number(connection, sql).await < many {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn after_48_hours_a_key_is_as_new() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut outside = outside(&options).await;
    let first = post(&client, "a", "k").expect(201).await;
    outside.execute("update idempotency_keys set created_at = now() - interval '47 hours 59 minutes'").await.unwrap();
    let replayed = post(&client, "a", "k").expect(201).await;
    assert_eq!(replayed.text, first.text);
    // It is not the sweep that makes it new: only the first write of a process sweeps, and then every 64th.
    outside.execute("update idempotency_keys set created_at = now() - interval '48 hours 1 minute'").await.unwrap();
    let second = post(&client, "a", "k").expect(201).await;
    assert!(!second.headers.contains_key("idempotency-replayed"));
    assert_ne!(second.json()["id"], first.json()["id"]);
    // And for any request: what it stood for is forgotten.
    outside.execute("update idempotency_keys set created_at = now() - interval '49 hours'").await.unwrap();
    let other = post(&client, "b", "k").expect(201).await;
    assert_eq!(post(&client, "b", "k").expect(201).await.text, other.text);
    assert_eq!(count(&client).await, 3);
}

#[tokio::test]
async fn old_keys_are_swept_and_young_ones_stay() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut outside = outside(&options).await;
    outside
        .execute(
            "insert into idempotency_keys (principal, key, fingerprint, created_at, status)
             select 'key:x', 'old-' || n, ''::bytea, now() - interval '3 days', 201 from generate_series(1, 700) n
             union all select 'key:x', 'young', ''::bytea, now() - interval '47 hours', 201",
        )
        .await
        .unwrap();
    // 500 at a time, every 64th write; the writes of other tests of this process are counted too.
    let old = "select count(*) from idempotency_keys where key like 'old-%'";
    let mut writes = 0;
    while number(&mut outside, old).await > 0 {
        writes += 1;
        post(&client, "a", &format!("k{writes}")).expect(201).await;
        assert!(writes < 5000, "nothing is swept");
    }
    assert_eq!(number(&mut outside, "select count(*) from idempotency_keys where key = 'young'").await, 1);
    assert_eq!(number(&mut outside, "select count(*) from idempotency_keys where key like 'k%'").await, writes);
}

#[tokio::test]
async fn while_the_first_runs_the_second_is_told_so() {
    let options = database().await;
    let [client, replica] = services_over(options.clone(), ["UTC", "UTC"]).await;
    // Each service knows keys of its own; this one is known to both.
    let key = keys::create(&mut outside(&options).await, "both", Role::Coordinator, None).await.unwrap();
    let (client, replica) = (client.with_key(key.clone()), replica.with_key(key));
    let (mut lock, mut outside) = (outside(&options).await, outside(&options).await);
    let mut held = lock.begin().await.unwrap();
    held.execute("lock table funding_sources in share mode").await.unwrap();
    let first = tokio::spawn(post(&client, "a", "k").expect(201));
    waiting(&mut outside, 1).await;
    for service in [&client, &replica] {
        let second = post(service, "a", "k").expect(409).await;
        assert_eq!(second.json()["code"], "idempotency_key_in_use");
        assert!(second.headers.contains_key("retry-after"));
    }
    held.rollback().await.unwrap();
    let first = first.await.unwrap();
    // Both replicas, and one that starts later, give the same answer.
    let later = service_over(options.clone(), Limits::default()).await.with_key(key_of(&client));
    for service in [&client, &replica, &later] {
        let again = post(service, "a", "k").expect(201).await;
        assert_eq!((again.header("idempotency-replayed"), again.text), ("true".into(), first.text.clone()));
    }
    assert_eq!(count(&client).await, 1);
}

fn key_of(client: &Client) -> String {
    client.authorization().trim_start_matches("Bearer ").to_owned()
}

#[tokio::test]
async fn a_key_stands_for_one_route_and_one_query() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let body = json!({"format": "mandate-plan/1", "entities": []});
    client.post("/v1/imports?dry_run=true", body.clone()).header("idempotency-key", "k").expect(200).await;
    for path in ["/v1/imports", "/v1/entities", "/v1/imports?dry_run=false"] {
        let reused = client.post(path, body.clone()).header("idempotency-key", "k").send().await;
        assert_eq!(reused.status, 422, "{path}: {}", reused.text);
    }
    let reused = client.post("/v1/imports", body).header("idempotency-key", "k").expect(422).await;
    assert_eq!(reused.json()["code"], "idempotency_key_reused");
}

#[tokio::test]
async fn a_write_that_waits_too_long_for_another_is_unavailable_and_changes_nothing() {
    let options = database().await;
    let short = Limits { lock_time: Duration::from_millis(100), ..Limits::default() };
    let client = service_over(options.clone(), short).await;
    let created = client.create("funding-sources", source("a")).await;
    let path = format!("/v1/funding-sources/{}", created["id"].as_str().unwrap());
    let mut lock = outside(&options).await;
    let mut held = lock.begin().await.unwrap();
    held.execute("select * from funding_sources for update").await.unwrap();
    let patch = || client.patch(&path, json!({"kind": "eu"})).if_match(1);
    for call in [patch(), patch().header("idempotency-key", "k"), client.delete(&path).if_match(1)] {
        let refused = call.expect(503).await;
        assert_eq!(refused.json()["code"], "unavailable");
        assert!(refused.headers.contains_key("retry-after"));
    }
    assert_eq!(client.get(&path).expect(200).await.json(), created);
    held.rollback().await.unwrap();
    assert_eq!(patch().header("idempotency-key", "k").expect(200).await.header("etag"), "\"2\"");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_a_timeout() {
    let options = database().await;
    let short = Limits { statement_time: Duration::from_millis(300), ..Limits::default() };
    let client = service_over(options.clone(), short).await;
    let created = client.create("funding-sources", source("a")).await;
    let path = format!("/v1/funding-sources/{}", created["id"].as_str().unwrap());
    let mut lock = outside(&options).await;
    let mut held = lock.begin().await.unwrap();
    held.execute("lock table funding_sources in access exclusive mode").await.unwrap();
    for call in [client.get(&path), client.patch(&path, json!({"kind": "eu"})).if_match(1)] {
        let late = call.expect(504).await;
        assert_eq!(late.json()["code"], "timeout");
        assert!(late.headers.contains_key("retry-after"));
    }
    held.rollback().await.unwrap();
    assert_eq!(client.get(&path).expect(200).await.json(), created);
}
