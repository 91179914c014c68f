//! Requests that are stopped, and a database that is lost, in the middle of something.

use std::{pin::pin, task::Poll};

use futures_util::future::poll_fn;
use mandate::base::limits::Limits;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::{Client, database, service_over};

fn named(name: String) -> Value {
    json!({"name": {"en": name}, "kind": "agency"})
}

/// Goes on until the work has waited so many times, then drops it; true when it ended before.
async fn stopped_after(waits: usize, work: impl Future) -> bool {
    let (mut work, mut waited) = (pin!(work), 0);
    poll_fn(|context| {
        if work.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        waited += 1;
        if waited > waits { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}

#[tokio::test]
async fn a_request_stopped_anywhere_does_no_harm_to_the_next() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut outside = PgConnection::connect_with(&options).await.unwrap();
    // The keys and columns are known, so that all that is stopped are the statements of the write.
    client.create("entities", named("first".into())).await;
    for with_key in [false, true] {
        let (mut waits, mut ended) = (0, 0_usize);
        // Now and then an answer is there before anybody waits for it; so until the first request is stopped, none may wait at all.
        while ended < 3 || waits < 16 || ended == waits {
            let mut call = client.post("/v1/entities", named(format!("{with_key} {waits}")));
            if with_key {
                call = call.header("idempotency-key", format!("k{waits}"));
            }
            let patience = if ended == waits { 0 } else { waits };
            ended += usize::from(stopped_after(patience, call.send()).await);
            waits += 1;
            // The next one is written, and committed, which only a stranger sees. It is a single statement, of a noun without a rule: after a
            // BEGIN that sqlx has forgotten nothing else would commit it.
            let next = json!({"name": {"en": format!("after {with_key} {waits}")}, "kind": "eu"});
            let next = client.create("funding-sources", next).await;
            let seen: i64 = sqlx::query_scalar("select count(*) from funding_sources where id = cast($1 as uuid)")
                .bind(next["id"].as_str().unwrap())
                .fetch_one(&mut outside)
                .await
                .unwrap();
            assert_eq!(seen, 1, "stopped after {waits} waits, with a key: {with_key}");
        }
    }
    for turn in 0..50 {
        client.create("entities", named(format!("turn {turn}"))).await;
    }
    let open: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
    )
    .fetch_one(&mut outside)
    .await
    .unwrap();
    assert_eq!(open, 0);
}

/// Waits until somebody waits for a lock, and ends that session as a failing server would.
async fn lose_who_waits(outside: &mut PgConnection) {
    loop {
        let lost: i64 = sqlx::query_scalar(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&mut *outside)
        .await
        .unwrap();
        if lost > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Asks until the pool has got rid of the connection that died.
async fn heal(client: &Client) {
    while client.get("/v1/entities").send().await.status != 200 {}
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_has_an_unknown_outcome() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut outside = PgConnection::connect_with(&options).await.unwrap();
    let source = client.create("funding-sources", json!({"name": "x", "kind": "state_budget"})).await;
    let path = format!("/v1/funding-sources/{}", source["id"].as_str().unwrap());
    let mut lock = PgConnection::connect_with(&options).await.unwrap();
    let mut held = lock.begin().await.unwrap();
    sqlx::query("select * from funding_sources for update").fetch_all(&mut *held).await.unwrap();
    let patch = || client.patch(&path, json!({"kind": "eu"})).if_match(1);
    // One statement commits by itself: nobody knows.
    let (lost, ()) = tokio::join!(patch().expect(503), lose_who_waits(&mut outside));
    assert_eq!(lost.json()["code"], "outcome_unknown");
    assert!(lost.headers.contains_key("retry-after"));
    heal(&client).await;
    let (lost, ()) = tokio::join!(client.delete(&path).if_match(1).expect(503), lose_who_waits(&mut outside));
    assert_eq!(lost.json()["code"], "outcome_unknown");
    heal(&client).await;
    // With a key the COMMIT was still to come: nothing was written.
    let keyed = || patch().header("idempotency-key", "k");
    let (lost, ()) = tokio::join!(keyed().expect(503), lose_who_waits(&mut outside));
    assert_eq!(lost.json()["code"], "unavailable");
    assert!(lost.headers.contains_key("retry-after"));
    heal(&client).await;
    held.rollback().await.unwrap();
    assert_eq!(keyed().expect(200).await.header("etag"), "\"2\"");

    // So it is with a read.
    let mut held = lock.begin().await.unwrap();
    sqlx::query("lock table funding_sources in access exclusive mode").execute(&mut *held).await.unwrap();
    let (lost, ()) = tokio::join!(client.get(&path).expect(503), lose_who_waits(&mut outside));
    assert_eq!(lost.json()["code"], "unavailable");
    assert!(lost.headers.contains_key("retry-after"));
}
