//! A database that is there and cannot do it: full, without rights, a standby, broken. That is no fault of the client, and the client may try again.

use mandate::base::limits::Limits;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::support::{Client, client::Call, database, service_over};

/// What PostgreSQL says of its own state: resources, operators, the system, a standby, rights, a trigger of somebody else, damaged pages.
const STATES: [&str; 22] = [
    "53000", "53100", "53200", "53300", "53400", "57000", "57P04", "57P05", "58000", "58030", "58P01", "58P02",
    "25006", "25P03", "25P04", "0A000", "55000", "42501", "P0001", "XX001", "XX002", "55P03",
];

fn writes(client: &Client, id: &str) -> Vec<Call> {
    let agency = |name: &str| json!({"name": {"en": name}, "kind": "agency"});
    let source = json!({"name": {"en": "new"}, "kind": "eu"});
    let plan = json!({"format": "mandate-plan/1", "entities": [agency("imported")]});
    vec![
        // One with a rule over several rows, which is written in a serializable transaction, and one without.
        client.post("/v1/entities", agency("new")),
        client.post("/v1/funding-sources", source.clone()),
        client.post("/v1/funding-sources", source).header("idempotency-key", "k"),
        client.patch(format!("/v1/entities/{id}"), json!({"name": {"en": "other"}})).header("if-match", "*"),
        client.delete(format!("/v1/entities/{id}")).header("if-match", "*"),
        client.post("/v1/imports", plan),
        client.post("/v1/webhooks", json!({"url": "http://127.0.0.1:1/"})),
        client.post("/v1/api-keys", json!({"name": "n", "role": "viewer"})),
    ]
}

async fn refused(client: &Client, outside: &mut PgConnection, id: &str, why: &str) {
    let count = "select count(*) from changes";
    let before: i64 = sqlx::query_scalar(count).fetch_one(&mut *outside).await.unwrap();
    for call in writes(client, id) {
        let reply = call.send().await;
        assert_eq!(reply.status.as_u16(), 503, "{why}: {}", reply.text);
        assert_eq!(reply.json()["code"], "unavailable", "{why}: {}", reply.text);
        assert!(reply.headers.contains_key("retry-after"), "{why}");
    }
    let after: i64 = sqlx::query_scalar(count).fetch_one(&mut *outside).await.unwrap();
    assert_eq!(before, after, "{why}");
}

#[tokio::test]
async fn what_the_state_of_the_database_forbids_may_be_tried_again() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut outside = PgConnection::connect_with(&options).await.unwrap();
    let entity = client.create("entities", json!({"name": {"en": "x"}, "kind": "agency"})).await;
    let id = entity["id"].as_str().unwrap();
    for state in STATES {
        let trigger = format!(
            "create or replace function refuse() returns trigger language plpgsql as
                 $$ begin raise exception 'no' using errcode = '{state}'; end $$;
             create or replace trigger refuse before insert on changes for each row execute function refuse()"
        );
        outside.execute(AssertSqlSafe(trigger)).await.unwrap();
        refused(&client, &mut outside, id, state).await;
        client.get(format!("/v1/entities/{id}")).expect(200).await;
    }
    outside.execute("drop trigger refuse on changes").await.unwrap();
    outside.execute("alter table changes add constraint none_more check (false) not valid").await.unwrap();
    refused(&client, &mut outside, id, "a constraint of somebody else").await;
    outside.execute("alter table changes drop constraint none_more").await.unwrap();
    client.create("entities", json!({"name": {"en": "again"}, "kind": "agency"})).await;
}

#[tokio::test]
async fn a_database_that_only_reads_is_read_and_not_written() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut outside = PgConnection::connect_with(&options).await.unwrap();
    let entity = client.create("entities", json!({"name": {"en": "x"}, "kind": "agency"})).await;
    let id = entity["id"].as_str().unwrap();
    let name = options.get_database().unwrap();
    outside
        .execute(AssertSqlSafe(format!("alter database {name} set default_transaction_read_only = on")))
        .await
        .unwrap();
    let ended = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    outside.execute(ended).await.unwrap();
    refused(&client, &mut outside, id, "read only").await;
    client.get(format!("/v1/entities/{id}")).expect(200).await;
    client.get("/v1/reports/summary").expect(200).await;
}
