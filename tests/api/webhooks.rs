//! Webhooks as a resource: who may, what is refused, secrets, and where deliveries may go.

use serde_json::{Value, json};

use crate::support::{Client, database, receiver::Receiver, replicas, service};

fn agency(name: &str) -> Value {
    json!({"name": {"en": name}, "kind": "agency"})
}

fn path(webhook: &Value, more: &str) -> String {
    format!("/v1/webhooks/{}{more}", webhook["id"].as_str().unwrap())
}

async fn made(client: &Client) -> Value {
    client.create("webhooks", json!({"url": "https://receiver.example/x"})).await
}

#[tokio::test]
async fn only_admins_have_to_do_with_webhooks() {
    let client = service().await;
    let webhook = made(&client).await;
    let viewer = client.as_viewer();
    let body = json!({"url": "https://receiver.example/x"});
    for (method, path) in [
        ("GET", "/v1/webhooks".to_owned()),
        ("POST", "/v1/webhooks".to_owned()),
        ("GET", path(&webhook, "")),
        ("PATCH", path(&webhook, "")),
        ("DELETE", path(&webhook, "")),
        ("GET", path(&webhook, "/secrets")),
        ("POST", path(&webhook, "/secrets")),
        ("DELETE", path(&webhook, "/secrets/0190aaaa-0000-7000-8000-000000000000")),
        ("POST", path(&webhook, "/redeliveries")),
        ("POST", path(&webhook, "/replays")),
        ("POST", path(&webhook, "/tests")),
        ("GET", "/v1/deliveries".to_owned()),
    ] {
        viewer.call(method, &path).json(body.clone()).expect(403).await;
        client.as_nobody().call(method, &path).json(body.clone()).expect(401).await;
    }
}

#[tokio::test]
async fn a_webhook_is_made_found_changed_and_deleted() {
    let client = service().await;
    client.create("entities", agency("Before")).await;
    let reply = client
        .post("/v1/webhooks", json!({"url": "https://receiver.example:8443/x?y=1", "kinds": ["entity"], "actions": ["updated"], "description": "Night batch"}))
        .header("idempotency-key", "one")
        .expect(201)
        .await;
    let webhook = reply.json();
    assert_eq!(reply.header("location"), path(&webhook, ""));
    assert_eq!((&webhook["active"], &webhook["resource_ids"]), (&json!(true), &json!([])));
    assert!(webhook["secret"].as_str().unwrap().starts_with("whsec_"));
    // Whoever lost the answer gets it again, and no second webhook.
    let again = client
        .post("/v1/webhooks", json!({"url": "https://receiver.example:8443/x?y=1", "kinds": ["entity"], "actions": ["updated"], "description": "Night batch"}))
        .header("idempotency-key", "one")
        .expect(201)
        .await;
    assert_eq!(again.json(), webhook);
    let mut shown = webhook.clone();
    shown.as_object_mut().unwrap().shift_remove("secret");
    let found = client.get(path(&webhook, "")).expect(200).await;
    assert_eq!((found.json(), found.header("etag")), (shown.clone(), "\"1\"".to_owned()));
    assert_eq!(client.get("/v1/webhooks").expect(200).await.json(), json!({"items": [shown], "next": null}));

    client.patch(path(&webhook, ""), json!({"active": false})).expect(428).await;
    let stale = client.patch(path(&webhook, ""), json!({"active": false})).if_match(2).expect(412).await;
    assert_eq!(stale.json()["current"]["version"], 1);
    let changed = client
        .patch(path(&webhook, ""), json!({"active": false, "kinds": null, "description": null}))
        .if_match(1)
        .expect(200)
        .await
        .json();
    assert_eq!((&changed["version"], &changed["active"], &changed["kinds"]), (&json!(2), &json!(false), &json!([])));
    assert_eq!(changed["description"], Value::Null);
    let wrong = client
        .patch(path(&webhook, ""), json!({"after": "0", "url": null, "activ": null}))
        .if_match(2)
        .expect(422)
        .await;
    assert_eq!(wrong.faults(), ["#/activ unknown_field", "#/after unknown_field", "#/url required"]);
    client.delete(path(&webhook, "")).expect(428).await;
    client.delete(path(&webhook, "")).if_match(2).expect(204).await;
    client.get(path(&webhook, "")).expect(404).await;
    client.get("/v1/webhooks/external:x").expect(404).await;
    client.post(path(&webhook, "/tests"), json!({})).expect(404).await;

    for name in ["a", "b", "c"] {
        client.create("webhooks", json!({"url": "https://receiver.example/", "description": name})).await;
    }
    let first = client.get("/v1/webhooks?limit=2").expect(200).await.json();
    let second =
        client.get(format!("/v1/webhooks?limit=2&after={}", first["next"].as_str().unwrap())).expect(200).await.json();
    client.get("/v1/webhooks?limt=2").expect(400).await;
    let table = client.get("/v1/webhooks").header("accept", "text/csv").expect(200).await;
    assert!(table.text.starts_with("id,version,") && table.text.lines().count() == 4, "{}", table.text);
    assert_eq!((second["items"][0]["description"].as_str(), &second["next"]), (Some("c"), &Value::Null));
}

#[tokio::test]
async fn all_faults_of_a_webhook_are_named_at_once() {
    let client = service().await;
    let wrong = json!({"url": "https://10.0.0.1/", "kinds": ["entity", "entty"], "actions": ["made"], "after": "x"});
    let problem = client.post("/v1/webhooks", wrong).expect(422).await;
    assert_eq!(
        problem.faults(),
        ["#/actions/0 not_allowed", "#/after bad_cursor", "#/kinds/1 not_allowed", "#/url not_allowed"]
    );
    assert!(problem.text.contains("did you mean `entity`?"), "{}", problem.text);
    let problem = client.post("/v1/webhooks", json!({"uri": "x", "url": 7, "resource_ids": ["x"]})).expect(422).await;
    assert_eq!(problem.faults(), ["#/resource_ids/0 wrong_format", "#/uri unknown_field", "#/url wrong_type"]);
    for (after, code) in [("7", "cursor_ahead"), ("-1", "bad_cursor"), ("99999999999999999999", "bad_cursor")] {
        let body = json!({"url": "https://receiver.example/", "after": after});
        assert_eq!(client.post("/v1/webhooks", body).expect(422).await.faults(), [format!("#/after {code}")]);
    }
    let webhook = made(&client).await;
    for (body, fault) in [
        (json!({}), "# exactly_one"),
        (json!({"status": "dead", "delivery_id": webhook["id"]}), "# exactly_one"),
        (json!({"status": "waiting"}), "#/status not_allowed"),
        (json!({"delivery_id": webhook["id"]}), "#/delivery_id not_found"),
    ] {
        assert_eq!(client.post(path(&webhook, "/redeliveries"), body).expect(422).await.faults(), [fault]);
    }
    for (body, faults) in [
        (json!({}), vec!["#/after required"]),
        (json!({"after": "x", "until": "y"}), vec!["#/after bad_cursor", "#/until bad_cursor"]),
        (json!({"after": "5"}), vec!["#/after cursor_ahead"]),
    ] {
        assert_eq!(client.post(path(&webhook, "/replays"), body).expect(422).await.faults(), faults);
    }
    client.post(path(&webhook, "/tests"), json!({})).header("idempotency-key", "x").expect(400).await;
    client.post(path(&webhook, "/tests"), json!({"x": 1})).expect(422).await;
    client.get("/v1/deliveries?status=ded").expect(400).await;
    client.get(format!("/v1/deliveries?after={}", webhook["id"].as_str().unwrap())).expect(400).await;
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_at_once_or_at_the_attempt() {
    let client = service().await;
    for url in [
        "https://127.0.0.2/",
        "https://2130706434/",
        "https://0x7f.2/",
        "https://0177.0.0.2/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://user:secret@receiver.example/",
        "http://8.8.8.8/",
    ] {
        let problem = client.post("/v1/webhooks", json!({"url": url})).expect(422).await;
        assert_eq!(problem.faults(), ["#/url not_allowed"], "{url}");
    }
    // A name is not resolved before something is sent.
    let webhook = client.create("webhooks", json!({"url": "https://ip6-localhost.localhost:9/"})).await;
    let tried = client.post(path(&webhook, "/tests"), json!({})).expect(200).await.json();
    assert_eq!(tried["delivered"], false);
    assert!(tried["attempt"]["error"].is_string() && tried["attempt"]["status"].is_null(), "{tried}");
}

#[tokio::test]
async fn secrets_are_rotated_with_two_valid_at_once() {
    let [(client, _dispatcher)] = replicas(database().await).await;
    let receiver = Receiver::start().await;
    let webhook = receiver.subscribe(&client, json!({})).await;
    let old = webhook["secret"].as_str().unwrap();
    let tell = async |count: usize| {
        client.create("entities", agency("x")).await;
        receiver.wait(count).await.pop().unwrap()
    };
    let got = tell(1).await;
    assert_eq!((got.signed_by(old), got.header("webhook-signature").split(' ').count()), (1, 1));

    let secrets = path(&webhook, "/secrets");
    let made = client.call("POST", &secrets).expect(201).await.json();
    let new = made["secret"].as_str().unwrap();
    let got = tell(2).await;
    assert_eq!((got.signed_by(old), got.signed_by(new), got.header("webhook-signature").split(' ').count()), (1, 1, 2));
    let listed = client.get(&secrets).expect(200).await;
    assert!(!listed.text.contains("whsec_"), "{}", listed.text);
    let items = listed.json()["items"].as_array().unwrap().clone();
    assert_eq!((items.len(), &items[0]["ends_at"], items[1]["ends_at"].is_string()), (2, &Value::Null, true));

    // A third is one too many, and the newest stays.
    assert_eq!(client.call("POST", &secrets).expect(409).await.faults(), ["# two_secrets"]);
    let newest = format!("{secrets}/{}", items[0]["id"].as_str().unwrap());
    assert_eq!(client.delete(&newest).expect(409).await.faults(), ["# newest_secret"]);
    client.delete(format!("{secrets}/{}", items[1]["id"].as_str().unwrap())).expect(204).await;
    client.delete(format!("{secrets}/{}", items[1]["id"].as_str().unwrap())).expect(404).await;
    let got = tell(3).await;
    assert_eq!((got.signed_by(old), got.signed_by(new), got.header("webhook-signature").split(' ').count()), (0, 1, 1));
    client.call("POST", &secrets).expect(201).await;
}

#[tokio::test]
async fn a_secret_is_not_in_the_record_nor_in_what_is_listed() {
    let client = service().await;
    let webhook = made(&client).await;
    let secret = webhook["secret"].as_str().unwrap();
    for path in [
        "/v1/webhooks".to_owned(),
        path(&webhook, ""),
        path(&webhook, "/secrets"),
        "/v1/changes".to_owned(),
        "/v1/deliveries".to_owned(),
    ] {
        let text = client.get(&path).expect(200).await.text;
        assert!(!text.contains(secret) && !text.contains("whsec_"), "{path}: {text}");
    }
}
