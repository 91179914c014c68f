//! A token in an address opens one report or list, and nothing else.

use serde_json::{Value, json};

use crate::support::{Client, service};

async fn ground() -> (Client, Value) {
    let client = service().await;
    let strategy = json!({"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy", "classification": "public"});
    let strategy = client.create("strategies", strategy).await["id"].clone();
    for (code, classification) in [("1", "public"), ("2", "internal"), ("3", "restricted")] {
        let body = json!({"strategy_id": strategy, "code": code, "title": format!("Number {classification}"), "classification": classification});
        client.create("initiatives", body).await;
    }
    (client, strategy)
}

fn seen(text: &str) -> [bool; 3] {
    ["public", "internal", "restricted"].map(|word| text.contains(&format!("Number {word}")))
}

#[tokio::test]
async fn a_feed_is_one_reading_with_its_filters_for_its_reader() {
    let (client, _) = ground().await;
    let nobody = client.as_nobody();
    for path in ["/v1/reports/plan?strategy_id=external:s", "/v1/initiatives?strategy_id=code:S&sort=code"] {
        let made = client.create("feed-tokens", json!({"path": path, "name": "workbook"})).await;
        let (address, token, id) =
            (made["address"].as_str().unwrap(), made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
        let reply = nobody.get(address).expect(200).await;
        assert!(reply.header("content-type").starts_with("text/csv"), "{:?}", reply.headers);
        assert_eq!(seen(&reply.text), [true, true, false], "{}", reply.text);
        for (end, kind) in [
            (".json", "application/json"),
            (".ndjson", "application/x-ndjson"),
            (".txt", "text/plain"),
            ("", "application/json"),
        ] {
            let reply = nobody.get(format!("/v1/feeds/{id}{end}?token={token}")).expect(200).await;
            assert!(reply.header("content-type").starts_with(kind), "{end}: {:?}", reply.headers);
            assert_eq!(seen(&reply.text), [true, true, false], "{end}: {}", reply.text);
        }
        let asked = nobody.get(format!("/v1/feeds/{id}?token={token}")).header("accept", "text/csv").expect(200).await;
        assert!(asked.header("content-type").starts_with("text/csv"));
        let open = client.create("feed-tokens", json!({"path": path, "name": "site", "clearance": "public"})).await;
        assert_eq!(seen(&nobody.get(open["address"].as_str().unwrap()).expect(200).await.text), [true, false, false]);
        // With a key, as its bearer.
        assert_eq!(seen(&client.get(format!("/v1/feeds/{id}.csv")).expect(200).await.text), [true, true, true]);
        assert_eq!(
            seen(&client.as_viewer().get(format!("/v1/feeds/{id}.csv")).expect(200).await.text),
            [true, true, false]
        );
        // Not another feed, not another door, nothing added, no key besides.
        let other = open["id"].as_str().unwrap();
        for path in [
            format!("/v1/feeds/{other}.csv?token={token}"),
            format!("/v1/feeds/nothing?token={token}"),
            format!("/v1/feeds/{id}.csv"),
            format!("/v1/feeds/{id}.csv?token=mandatefeed_0"),
        ] {
            nobody.get(path).expect(401).await;
        }
        nobody.get(format!("{address}&sort=code")).expect(400).await;
        nobody.get(format!("/v1/initiatives?token={token}")).expect(401).await;
        nobody.get("/v1/initiatives").header("authorization", format!("Bearer {token}")).expect(401).await;
        client.get(address).expect(400).await;
        nobody.delete(format!("/v1/feeds/{id}?token={token}")).expect(405).await;
        // Its text is nowhere.
        assert!(!client.get("/v1/feed-tokens").expect(200).await.text.contains(token));
        client.delete(format!("/v1/feed-tokens/{id}")).expect(204).await;
        nobody.get(address).expect(401).await;
        client.get(format!("/v1/feeds/{id}.csv")).expect(404).await;
        client.delete(format!("/v1/feed-tokens/{id}")).expect(410).await;
        client.delete(format!("/v1/calendar-tokens/{other}")).expect(404).await;
        nobody.get(open["address"].as_str().unwrap()).expect(200).await;
    }
}

#[tokio::test]
async fn what_no_token_opens_is_refused_when_it_is_made() {
    let (client, strategy) = ground().await;
    let fault = async |path: &str| {
        client.post("/v1/feed-tokens", json!({"path": path, "name": "x"})).expect(422).await.faults()
    };
    for path in [
        "/v1/api-keys",
        "/v1/webhooks",
        "/v1/deliveries",
        "/v1/changes",
        "/v1/feed-tokens",
        "/v1/calendar-tokens",
        "/v1/exports/plan",
        "/v1/me",
        "/v1/proposals",
        "/v1/reports/nothing",
        "/v1/nothing",
        "/openapi.json?/v1/x",
        "/v1/initiatives.csv",
        "/v1/initiatives?q=\"",
        "/v1/initiatives?q=<x>",
        "/v1/initi%61tives",
        "//v1/initiatives",
        &format!("/v1/strategies/{}", strategy.as_str().unwrap()),
    ] {
        let found = fault(path).await;
        assert!(found.len() == 1 && found[0].starts_with("#/path "), "{path}: {found:?}");
    }
    assert_eq!(fault("/v1/initiatives?stauts=completed").await, ["#/path unknown_parameter"]);
    assert_eq!(fault("/v1/initiatives?token=x").await, ["#/path unknown_parameter"]);
    assert_eq!(fault("/v1/reports/plan?strategy_id=external:none").await, ["#/path not_found"]);
    let many = json!({"path": "/v1/steps", "name": "x", "days": 366});
    client.post("/v1/feed-tokens", many).expect(422).await;
    let twice = client.post("/v1/feed-tokens", json!({"path": "/v1/steps", "name": "x"}));
    twice.header("idempotency-key", "k").expect(400).await;
    // Nobody hands out what he may not read.
    let key = json!({"name": "n", "role": "coordinator", "scopes": ["access:write", "money:read"]});
    let narrow = client.with_key(client.create("api-keys", key).await["key"].as_str().unwrap().to_owned());
    narrow.post("/v1/feed-tokens", json!({"path": "/v1/reports/plan", "name": "x"})).expect(403).await;
    narrow.create("feed-tokens", json!({"path": "/v1/reports/budget", "name": "x"})).await;
}
