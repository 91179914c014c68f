//! The word to commit, and an answer that never comes: the client is told that the outcome is unknown, and how to find out.

use mandate::base::limits::Limits;
use serde_json::{Value, json};

use crate::support::{
    Client,
    client::{Call, Reply},
    database,
    proxy::{Point, Proxy},
    service_over,
};

fn agency(name: &str) -> Value {
    json!({"name": {"en": name}, "kind": "agency"})
}

async fn named(client: &Client, name: &str) -> usize {
    let entities = client.get("/v1/entities?limit=200").expect(200).await.json();
    entities["items"].as_array().unwrap().iter().filter(|entity| entity["name"]["en"] == name).count()
}

/// Sends a write whose COMMIT is stopped at this point.
async fn lost(proxy: &Proxy, many: usize, point: Point, call: Call) -> Reply {
    proxy.trap("COMMIT", point);
    let (reply, ()) = tokio::join!(call.expect(503), async {
        proxy.caught(many).await;
        proxy.release();
    });
    let problem = reply.json();
    assert_eq!(problem["code"], "outcome_unknown", "{problem}");
    let advice = problem["detail"].as_str().unwrap();
    assert!(advice.contains("same Idempotency-Key") && advice.contains("read the resource"), "{advice}");
    assert!(reply.headers.contains_key("retry-after"));
    reply
}

#[tokio::test]
async fn the_outcome_of_a_lost_commit_is_unknown() {
    let direct = database().await;
    let proxy = Proxy::before(&direct).await;
    let client = service_over(proxy.options(&direct), Limits::default()).await;
    let plan = |name: &str| json!({"format": "mandate-plan/1", "entities": [{"name": {"en": name}, "kind": "agency", "external_id": name}]});
    let mut many = 0;
    // Entities have a rule over several rows, so that a write is an explicit transaction also without a key; an import always is.
    for (path, body) in [("/v1/entities", agency as fn(&str) -> Value), ("/v1/imports", plan)] {
        for with_key in [false, true] {
            for (point, written) in [(Point::Before, 0), (Point::After, 1)] {
                many += 1;
                let name = format!("n{many}");
                let call = || {
                    let call = client.post(path, body(&name));
                    if with_key { call.header("idempotency-key", &name) } else { call }
                };
                lost(&proxy, many, point, call()).await;
                assert_eq!(named(&client, &name).await, written, "{path}, with a key: {with_key}");
                if with_key {
                    let again = call().send().await;
                    assert!(again.status.is_success(), "{}", again.text);
                    assert_eq!(again.headers.contains_key("idempotency-replayed"), written == 1);
                    assert_eq!(named(&client, &name).await, 1);
                }
            }
        }
    }
}
