//! The feed as pages: what it shows, its filters, its cursors.

use serde_json::{Value, json};

use crate::support::{Client, service};

fn agency(name: &str) -> Value {
    json!({"name": {"en": name}, "kind": "agency"})
}

/// Reads on from a cursor until so many changes came, and returns them with the cursor to go on from.
pub(crate) async fn follow(client: &Client, query: &str, after: &str, count: usize) -> (Vec<Value>, String) {
    let (mut seen, mut after) = (Vec::new(), after.to_owned());
    while seen.len() < count {
        let page = client.get(format!("/v1/changes?after={after}&{query}")).expect(200).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().cloned());
        page["next"].as_str().unwrap().clone_into(&mut after);
    }
    (seen, after)
}

#[tokio::test]
async fn a_change_is_told_whole_and_a_deleted_thing_stays_in_the_feed() {
    let client = service().await;
    let made = client.create("entities", agency("First")).await;
    let path = format!("/v1/entities/{}", made["id"].as_str().unwrap());
    client.patch(&path, agency("Second")).if_match(1).expect(200).await;
    client.delete(&path).if_match(2).header("mandate-reason", "merged").expect(204).await;
    let (changes, next) = follow(&client.as_viewer(), "", "0", 3).await;
    let told: Vec<_> = changes.iter().map(|item| (&item["position"], &item["version"], &item["action"])).collect();
    let [created, updated, deleted] = [json!("created"), json!("updated"), json!("deleted")];
    assert_eq!(
        told,
        [(&json!(1), &json!(1), &created), (&json!(2), &json!(2), &updated), (&json!(3), &json!(3), &deleted)]
    );
    let last = &changes[2];
    let names: Vec<&String> = last.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "position",
            "id",
            "kind",
            "resource_id",
            "version",
            "action",
            "at",
            "recorded_at",
            "actor",
            "request_id",
            "reason",
            "before",
            "after"
        ]
    );
    assert_eq!((&last["kind"], &last["resource_id"]), (&json!("entity"), &made["id"]));
    assert_eq!((&last["actor"], &last["reason"]), (&json!("key:admin"), &json!("merged")));
    assert_eq!((&last["before"], &last["after"]), (&changes[1]["after"], &Value::Null));

    // A reader who has seen all keeps the cursor, and what it gets is cheap to ask for again.
    let at_end = format!("/v1/changes?after={next}");
    let reply = client.get(&at_end).expect(200).await;
    assert_eq!(reply.json(), json!({"items": [], "next": next}));
    client.get(&at_end).header("if-none-match", reply.header("etag")).expect(304).await;
    client.create("entities", agency("Third")).await;
    let (later, _) = follow(&client, "", &next, 1).await;
    assert_eq!(later[0]["after"]["name"], json!({"en": "Third"}));
    client.as_nobody().get("/v1/changes").expect(401).await;
}

#[tokio::test]
async fn pages_have_every_format_and_the_address_of_the_next() {
    let client = service().await;
    for name in ["a", "b", "c"] {
        client.create("entities", agency(name)).await;
    }
    follow(&client, "", "0", 3).await;
    for (accept, lines) in [("application/x-ndjson", 2), ("text/csv", 3), ("text/plain", 3)] {
        let reply = client.get("/v1/changes?limit=2&kind=entity").header("accept", accept).expect(200).await;
        assert_eq!(reply.text.lines().count(), lines, "{}", reply.text);
        assert_eq!(reply.header("link"), "</v1/changes?limit=2&kind=entity&after=2>; rel=\"next\"");
    }
    client.get("/v1/changes").header("accept", "image/png").expect(406).await;
}

#[tokio::test]
async fn filters_take_what_they_say_and_the_cursor_passes_over_the_rest() {
    let client = service().await;
    let entity = client.create("entities", agency("a")).await;
    let source = client.create("funding-sources", json!({"name": "x", "kind": "eu"})).await;
    client.delete(format!("/v1/funding-sources/{}", source["id"].as_str().unwrap())).if_match(1).expect(204).await;
    client.create("legal-acts", json!({"issuer": "G", "act_type": "law", "number": "1", "date": "2024-01-31"})).await;
    let (all, next) = follow(&client, "", "0", 4).await;
    let positions = |items: &[Value]| items.iter().map(|item| item["position"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!(positions(&all), [1, 2, 3, 4]);
    for (query, expected) in [
        ("kind=entity", vec![1]),
        ("kind=entity&kind=legal_act", vec![1, 4]),
        ("action=deleted", vec![3]),
        ("action=deleted&kind=entity", vec![]),
        (&format!("resource_id={}", source["id"].as_str().unwrap()), vec![2, 3]),
        (&format!("resource_id={}&action=created", entity["id"].as_str().unwrap()), vec![1]),
        ("actor=key:admin", vec![1, 2, 3, 4]),
        ("actor=key:nobody", vec![]),
    ] {
        let page = client.get(format!("/v1/changes?{query}")).expect(200).await.json();
        assert_eq!(positions(page["items"].as_array().unwrap()), expected, "{query}");
        assert_eq!(page["next"], json!(next), "{query}");
    }
    let page = client.get("/v1/changes?kind=entity&kind=legal_act&limit=1").expect(200).await.json();
    assert_eq!(page["next"], "1");
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let client = service().await;
    client.create("entities", agency("a")).await;
    follow(&client, "", "0", 1).await;
    for (query, fault) in [
        ("after=nonsense", "after bad_cursor"),
        ("after=-1", "after bad_cursor"),
        ("after=", "after bad_cursor"),
        ("after=99999999999999999999", "after bad_cursor"),
        ("after=2", "after cursor_ahead"),
        ("limit=0", "limit too_small"),
        ("limit=201", "limit too_large"),
        ("kind=entty", "kind not_allowed"),
        ("action=made", "action not_allowed"),
        ("resource_id=x", "resource_id wrong_format"),
        ("entity=x", "entity unknown_parameter"),
    ] {
        for path in ["/v1/changes", "/v1/changes/stream"] {
            // The stream has no pages.
            if path.ends_with("stream") && query.starts_with("limit") {
                continue;
            }
            assert_eq!(client.get(format!("{path}?{query}")).expect(400).await.faults(), [fault], "{path}?{query}");
        }
    }
    let reply = client.get("/v1/changes?kind=entty").expect(400).await;
    assert!(reply.text.contains("did you mean `entity`?"), "{}", reply.text);
    let reply = client.get("/v1/changes/stream").header("last-event-id", "7").expect(400).await;
    assert_eq!(reply.faults(), ["Last-Event-ID cursor_ahead"]);
    client.get("/v1/changes/stream").header("accept", "application/json").expect(406).await;
    client.as_nobody().get("/v1/changes/stream").expect(401).await;
}
