//! Writes that are sent twice: one effect, one answer.

use futures_util::future::join_all;
use mandate::{
    access::{Role, keys},
    base::limits::Limits,
    router,
};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::support::{Client, client::Reply, database, service, service_over};

fn agency() -> Value {
    json!({"name": {"en": "Agency"}, "kind": "agency"})
}

async fn count(client: &Client, noun: &str) -> Value {
    client.get(format!("/v1/{noun}?count=true")).expect(200).await.json()["count"].clone()
}

async fn kept(options: &PgConnectOptions) -> i64 {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::query_scalar("select count(*) from idempotency_keys").fetch_one(&mut connection).await.unwrap()
}

#[track_caller]
fn assert_replayed(replay: &Reply, first: &Reply) {
    assert_eq!((replay.status, &replay.text), (first.status, &first.text));
    for name in ["etag", "location", "content-type"] {
        assert_eq!(replay.headers.get(name), first.headers.get(name), "{name}");
    }
    assert_eq!(replay.header("idempotency-replayed"), "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
}

#[tokio::test]
async fn the_same_request_again_is_answered_as_the_first_was() {
    let client = service().await;
    let post = || client.post("/v1/entities", agency()).header("idempotency-key", "\"night-1\"");
    let first = post().expect(201).await;
    assert_replayed(&post().expect(201).await, &first);
    assert_eq!(count(&client, "entities").await, 1);
    // Without the quotes it is the same key.
    let bare = client.post("/v1/entities", agency()).header("idempotency-key", "night-1").expect(201).await;
    assert_replayed(&bare, &first);

    let path = first.header("location");
    let patch = || client.patch(&path, json!({"code": "A"})).if_match(1).header("idempotency-key", "night-2");
    let changed = patch().expect(200).await;
    assert_replayed(&patch().expect(200).await, &changed);
    assert_eq!(client.get(&path).expect(200).await.header("etag"), "\"2\"");
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_principal() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let first = client.post("/v1/entities", agency()).header("idempotency-key", "k").expect(201).await;
    let reused = client.post("/v1/entities", json!({"name": "Other", "kind": "agency"}));
    let problem = reused.header("idempotency-key", "k").expect(422).await;
    assert_eq!(problem.json()["code"], "idempotency_key_reused");
    let patch = client.patch(first.header("location"), json!({"code": "A"})).if_match(1);
    patch.header("idempotency-key", "k").expect(422).await;
    assert_eq!(count(&client, "entities").await, 1);

    // Another key of the same name is another principal.
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let other = keys::create(&mut connection, "admin", Role::Coordinator, None).await.unwrap();
    let second = client.with_key(other).post("/v1/entities", agency()).header("idempotency-key", "k").expect(201).await;
    assert_ne!(second.json()["id"], first.json()["id"]);
}

#[tokio::test]
async fn a_failed_write_leaves_no_key() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let post = |body: Value| client.post("/v1/entities", body).header("idempotency-key", "k");
    post(json!({"name": "Agency", "kind": "minstry"})).expect(422).await;
    client.create("entities", json!({"name": "First", "kind": "agency", "external_id": "e"})).await;
    post(json!({"name": "Second", "kind": "agency", "external_id": "e"})).expect(409).await;
    assert_eq!(kept(&options).await, 0);
    // The client corrects it and sends it again.
    post(agency()).expect(201).await;
    assert_eq!(kept(&options).await, 1);
}

#[tokio::test]
async fn nothing_of_a_refused_write_stays_open_in_the_database() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let top = client.create("entities", agency()).await;
    let path = format!("/v1/entities/{}", top["id"].as_str().unwrap());
    // Refused by the rule over several rows, inside a transaction.
    client.patch(&path, json!({"parent_id": top["id"]})).if_match(1).expect(409).await;
    client.patch(&path, json!({"parent_id": top["id"]})).if_match(1).header("idempotency-key", "k").expect(409).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let open: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(open, 0);
}

/// Sends it until it is a success: 409 and 503 say "again".
async fn persistently(client: &Client, path: &str, body: &Value) -> Reply {
    loop {
        let reply = client.post(path, body.clone()).header("idempotency-key", format!("\"{path}\"")).send().await;
        match reply.status.as_u16() {
            200 | 201 => return reply,
            409 => assert_eq!(reply.json()["code"], "idempotency_key_in_use", "{}", reply.text),
            status => assert_eq!(status, 503, "{}", reply.text),
        }
        assert!(reply.headers.contains_key("retry-after"), "{}", reply.text);
    }
}

#[tokio::test]
async fn sixty_four_at_once_are_one() {
    let client = service().await;
    let plan = json!({"format": "mandate-plan/1", "entities": [{"name": "From a file", "kind": "agency", "external_id": "f"}]});
    // Entities have a rule over several rows, funding sources have none.
    for (path, body) in [
        ("/v1/entities", agency()),
        ("/v1/funding-sources", json!({"name": {"en": "State budget"}, "kind": "state_budget"})),
        ("/v1/imports", plan),
    ] {
        let all = join_all((0..64).map(|_| persistently(&client, path, &body))).await;
        let firsts = all.iter().filter(|reply| !reply.headers.contains_key("idempotency-replayed")).count();
        assert_eq!(firsts, 1, "{path}");
        assert!(all.iter().all(|reply| reply.text == all[0].text && reply.status == all[0].status), "{path}");
        if path == "/v1/imports" {
            assert_eq!(all[0].json()["created"], 1);
        } else {
            assert_eq!(count(&client, path.trim_start_matches("/v1/")).await, 1, "{path}");
            client.delete(all[0].header("location")).if_match(1).expect(204).await;
        }
        let mut other = body.clone();
        other["name"] = json!("different");
        client.post(path, other).header("idempotency-key", path).expect(422).await;
    }
}

#[tokio::test]
async fn every_post_and_patch_of_the_document_takes_a_key_and_nothing_else_does() {
    let client = service().await;
    for (path, item) in router::document()["paths"].as_object().unwrap() {
        let target = path.replace("{id}", "external:x");
        for (method, operation) in item.as_object().unwrap() {
            let listed = operation["parameters"]
                .as_array()
                .is_some_and(|all| all.contains(&json!({"$ref": "#/components/parameters/IdempotencyKey"})));
            // A test event goes out each time: there is no effect here that could be kept with a key. The answer that is kept of a new API key
            // or token would hold its secret. A decision is answered the same again by itself.
            let sends = path == "/v1/webhooks/{id}/tests";
            let refuses = ["create_api_key", "create_calendar_token", "create_feed_token", "create_confirmation"];
            let refuses = refuses.iter().any(|id| operation["operationId"] == *id);
            let takes = ["post", "patch"].contains(&method.as_str()) && !sends && !refuses;
            assert_eq!(listed, takes, "{method} {path}");
            let send = |method| client.call(method, &target).json(json!({})).header("idempotency-key", "not one word");
            let words = match method.as_str() {
                "post" => send("POST").expect(400).await.text,
                "patch" => send("PATCH").expect(400).await.text,
                "put" => send("PUT").expect(400).await.text,
                "delete" => send("DELETE").expect(400).await.text,
                _ => continue,
            };
            assert!(words.contains("Idempotency-Key"), "{method} {path}: {words}");
        }
    }
}
