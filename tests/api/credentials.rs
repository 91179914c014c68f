//! How a key is sent: once, as a bearer's or as a password; and what a key that is narrowed cannot hand out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::{Client, service};

fn basic(client: &Client, user: &str) -> String {
    let key = client.authorization();
    format!("Basic {}", STANDARD.encode(format!("{user}:{}", key.strip_prefix("Bearer ").unwrap())))
}

#[tokio::test]
async fn what_says_one_thing_is_sent_once() {
    let client = service().await;
    let (nobody, key) = (client.as_nobody(), client.authorization());
    let viewer = client.as_viewer().authorization();
    for pair in [[&key, &viewer], [&viewer, &key], [&key, &key]] {
        let call = nobody.get("/v1/me").header("authorization", pair[0]).header("authorization", pair[1]);
        assert_eq!(call.expect(400).await.json()["code"], "malformed");
    }
    let entity = client.create("entities", json!({"name": "A", "kind": "agency"})).await;
    let path = format!("/v1/entities/{}", entity["id"].as_str().unwrap());
    for name in ["mandate-reason", "idempotency-key", "content-type"] {
        let call = client.patch(&path, json!({"name": "B"})).header("if-match", "*");
        let call = call.header(name, "application/json").header(name, "application/merge-patch+json");
        call.expect(400).await;
    }
    client.get("/v1/changes/stream").header("last-event-id", "0").header("last-event-id", "1").expect(400).await;
    assert_eq!(client.get(&path).expect(200).await.json()["version"], 1);
    // A list may come in lines, and all of them are the request.
    let call = |second: &str| {
        let call = client.patch(&path, json!({"name": "C"})).header("idempotency-key", "k");
        call.header("if-match", "\"7\"").header("if-match", second)
    };
    call("\"1\"").expect(200).await;
    assert_eq!(call("\"2\"").expect(422).await.json()["code"], "idempotency_key_reused");
}

#[tokio::test]
async fn a_key_is_also_the_password_of_any_user() {
    let client = service().await;
    let nobody = client.as_nobody();
    for user in ["", "anna", "ă"] {
        let call = nobody.get("/v1/me").header("authorization", basic(&client, user));
        assert_eq!(call.expect(200).await.json()["role"], "admin", "{user}");
    }
    let body = json!({"name": "A", "kind": "agency"});
    nobody.post("/v1/entities", body.clone()).header("authorization", basic(&client, "x")).expect(201).await;
    for wrong in [
        "Basic",
        "Basic ",
        "Basic !!",
        &format!("Basic {}", STANDARD.encode("no colon")),
        &format!("Basic {}", STANDARD.encode("x:")),
        &format!("Basic {}", STANDARD.encode("x:secret")),
        &format!("Basic {}", STANDARD.encode(format!("{}:x", client.authorization()))),
        &format!("Digest {}", STANDARD.encode("x:y")),
    ] {
        nobody.get("/v1/me").header("authorization", wrong).expect(401).await;
    }
    // Who comes without anything is told both ways; a page, whose reader would be shown a form, one.
    let challenges = |reply: crate::support::client::Reply| {
        let all = reply.headers.get_all("www-authenticate").iter().map(|each| each.to_str().unwrap().to_owned());
        all.map(|each| each.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(challenges(nobody.get("/v1/me").expect(401).await), ["Bearer", "Basic"]);
    let page = nobody.get("/v1/me").header("sec-fetch-mode", "cors");
    assert_eq!(challenges(page.expect(401).await), ["Bearer"]);
    let bearer = nobody.get("/v1/me").header("authorization", "Bearer x");
    assert_eq!(challenges(bearer.expect(401).await), ["Bearer"]);
    // What a browser repeats by itself writes nothing.
    for (name, value) in [("origin", "https://elsewhere.example"), ("sec-fetch-site", "cross-site")] {
        let call = || nobody.post("/v1/entities", body.clone()).header("authorization", basic(&client, "x"));
        call().header(name, value).expect(403).await;
        nobody.get("/v1/me").header("authorization", basic(&client, "x")).header(name, value).expect(200).await;
    }
}

#[tokio::test]
async fn nobody_hands_out_what_he_may_not_read() {
    let client = service().await;
    let narrow = async |scopes: Value| {
        let key = client.create("api-keys", json!({"name": "n", "role": "admin", "scopes": scopes})).await;
        client.with_key(key["key"].as_str().unwrap().to_owned())
    };
    let access = narrow(json!(["access:write"])).await;
    let reader = narrow(json!(["access:write", "record:read"])).await;
    let outside = narrow(json!(["record:read"])).await;
    let to = json!({"url": "https://receiver.example/x"});
    access.post("/v1/webhooks", to.clone()).expect(403).await;
    access.post("/v1/webhooks", json!({"url": "https://receiver.example/x", "kinds": ["api_key"]})).expect(403).await;
    outside.post("/v1/webhooks", to.clone()).expect(403).await;
    let webhook = reader.create("webhooks", to).await;
    let path = format!("/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    for change in
        [json!({"url": "https://elsewhere.example/x"}), json!({"kinds": ["initiative"]}), json!({"active": true})]
    {
        access.patch(&path, change).header("if-match", "*").expect(403).await;
    }
    access.post(format!("{path}/replays"), json!({"after": "0"})).expect(403).await;
    access.post(format!("{path}/redeliveries"), json!({"status": "dead"})).expect(403).await;
    reader.post(format!("{path}/replays"), json!({"after": "0"})).expect(202).await;
    // To stop it is no carrying, and to make it go on is.
    access.patch(&path, json!({"active": false, "url": "https://elsewhere.example/x"})).if_match(1).expect(200).await;
    access.patch(&path, json!({"active": true})).if_match(2).expect(403).await;
    reader.patch(&path, json!({"active": true})).if_match(2).expect(200).await;
    access.delete(&path).if_match(3).expect(204).await;

    let entity = client.create("entities", json!({"name": "A", "kind": "agency"})).await;
    let now: chrono::DateTime<chrono::Utc> = entity["created_at"].as_str().unwrap().parse().unwrap();
    let entity = entity["id"].clone();
    let token = json!({"entity_id": entity, "name": "calendar"});
    access.post("/v1/calendar-tokens", token.clone()).expect(403).await;
    narrow(json!(["access:write", "progress:read"])).await.create("calendar-tokens", token).await;

    // Nor does it let a key live on that may more than itself.
    let wide = json!({"name": "w", "role": "admin", "expires_at": now + chrono::Days::new(2)});
    let wide = client.create("api-keys", wide).await["id"].clone();
    let path = format!("/v1/api-keys/{}", wide.as_str().unwrap());
    let later = json!({"expires_at": now + chrono::Days::new(300)});
    assert_eq!(access.patch(&path, later.clone()).expect(422).await.faults(), ["#/scopes not_allowed"]);
    client.patch(&path, later).expect(200).await;
}
