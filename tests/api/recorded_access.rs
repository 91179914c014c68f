//! Keys and webhooks in the record: who made, changed and ended them, for those who may know it, and nothing that is secret.

use http_body_util::BodyExt as _;
use mandate::{access::keys, base::limits::Limits, repository::Author};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::{
    feed::follow,
    support::{
        Client, database,
        receiver::{Got, Receiver, always},
        replicas, service, service_over,
    },
};

/// Each as kind, action, version and actor.
fn told(changes: &[Value]) -> Vec<(&str, &str, i64, &str)> {
    let word = |change: &'_ Value, name: &str| change[name].as_str().unwrap().to_owned();
    changes
        .iter()
        .map(|change| {
            let [kind, action, actor] = ["kind", "action", "actor"].map(|name| change[name].as_str().unwrap());
            assert!(!word(change, "request_id").is_empty());
            (kind, action, change["version"].as_i64().unwrap(), actor)
        })
        .collect()
}

#[tokio::test]
async fn what_happens_to_a_key_is_recorded_without_its_secret() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let made = client.create("api-keys", json!({"name": "night", "role": "viewer"})).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/api-keys/{id}");
    client.patch(&path, json!({"name": "day"})).header("mandate-reason", "moved").expect(200).await;
    client.delete(&path).expect(204).await;
    // What is refused is not recorded.
    client.delete(&path).expect(410).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let cli = Author::at_the_command_line(None);
    keys::create(&mut connection, "twin", mandate::access::Role::Viewer, None).await.unwrap();
    assert_eq!(keys::revoke(&mut connection, &cli, "twin").await.unwrap(), 1);
    let (seen, _) = follow(&client, "kind=api_key", "0", 5).await;
    let expected = [
        ("api_key", "created", 1, "key:admin"),
        ("api_key", "updated", 2, "key:admin"),
        ("api_key", "updated", 3, "key:admin"),
        ("api_key", "created", 1, "cli"),
        ("api_key", "updated", 2, "cli"),
    ];
    assert_eq!(told(&seen), expected);
    assert_eq!((&seen[1]["before"]["name"], &seen[1]["after"]["name"]), (&json!("night"), &json!("day")));
    assert_eq!(seen[1]["reason"], "moved");
    assert!(seen[1]["after"]["revoked_at"].is_null() && seen[2]["after"]["revoked_at"].is_string());
    assert!(seen[0]["resource_id"].as_str().unwrap().ends_with(id), "{}", seen[0]);
    let secret = made["key"].as_str().unwrap().rsplit('_').next().unwrap();
    let (kept, hash): (Vec<String>, Vec<String>) = (
        sqlx::query_scalar("select c::text from changes c").fetch_all(&mut connection).await.unwrap(),
        sqlx::query_scalar("select encode(secret_hash, 'hex') from api_keys").fetch_all(&mut connection).await.unwrap(),
    );
    assert!(kept.iter().all(|row| !row.contains(secret) && hash.iter().all(|hash| !row.contains(hash))), "{kept:?}");
}

#[tokio::test]
async fn what_happens_to_a_webhook_is_recorded_without_what_its_address_hides() {
    let client = service().await;
    let body = json!({"url": "https://hooks.example.org:8443/services/T0/s3cret?token=s3cret", "active": false});
    let made = client.create("webhooks", body).await;
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    client.patch(&path, json!({"description": "night"})).if_match(1).expect(200).await;
    client.patch(&path, json!({"description": "day"})).if_match(1).expect(412).await;
    client.delete(&path).if_match(2).expect(204).await;
    let (seen, _) = follow(&client, "kind=webhook", "0", 3).await;
    let expected = [
        ("webhook", "created", 1, "key:admin"),
        ("webhook", "updated", 2, "key:admin"),
        ("webhook", "deleted", 3, "key:admin"),
    ];
    assert_eq!(told(&seen), expected);
    assert_eq!(seen[1]["after"]["url"], "https://hooks.example.org:8443");
    assert_eq!((&seen[1]["before"]["description"], &seen[1]["after"]["description"]), (&Value::Null, &json!("night")));
    let text = json!(seen).to_string();
    assert!(!text.contains("s3cret") && !text.contains("whsec"), "{text}");
    let filtered = client.get(format!("/v1/changes?resource_id={}", made["id"].as_str().unwrap())).expect(200).await;
    assert_eq!(filtered.json()["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn only_admins_and_auditors_see_them() {
    let client = service().await;
    client.create("entities", json!({"name": {"en": "a"}, "kind": "agency"})).await;
    client.create("webhooks", json!({"url": "https://hooks.example.org/", "active": false})).await;
    let mut bearers = Vec::new();
    for role in ["auditor", "coordinator", "assessor"] {
        let made = client.create("api-keys", json!({"name": role, "role": role})).await;
        bearers.push(client.with_key(made["key"].as_str().unwrap().to_owned()));
    }
    follow(&client, "", "0", 5).await;
    let kinds = async |client: &Client, filter: &str| {
        let page = client.get(format!("/v1/changes?{filter}")).expect(200).await.json();
        let items = page["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = ["entity", "webhook", "api_key", "api_key", "api_key"];
    assert_eq!(kinds(&bearers[0], "").await, all);
    for client in [&bearers[1], &bearers[2], &client.as_viewer()] {
        assert_eq!(kinds(client, "").await, ["entity"]);
        assert!(kinds(client, "kind=api_key&kind=webhook").await.is_empty());
    }
    // Who looks for proofs of what there is, finds no more.
    let page = client.get("/v1/changes?kind=api_key").expect(200).await.json();
    let proof = format!("/v1/changes/{}/proof", page["items"][0]["id"].as_str().unwrap());
    while bearers[0].get(&proof).send().await.status != 200 {
        tokio::task::yield_now().await;
    }
    bearers[1].get(&proof).expect(404).await;
    assert_eq!(client.get("/v1/changes?kind=api_kee").expect(400).await.faults(), ["kind not_allowed"]);
    // The other kinds that are no nouns can be asked for too.
    for kind in ["change", "log_key", "log_epoch"] {
        assert!(kinds(&client, &format!("kind={kind}")).await.is_empty());
    }
}

#[tokio::test]
async fn a_stream_tells_them_to_nobody_else() {
    let client = service().await;
    let coordinator = client.create("api-keys", json!({"name": "c", "role": "coordinator"})).await;
    let coordinator = client.with_key(coordinator["key"].as_str().unwrap().to_owned());
    client.create("entities", json!({"name": {"en": "a"}, "kind": "agency"})).await;
    // Out of the database, and then out of what is kept for all listeners.
    let mut told = Vec::new();
    let mut stream = coordinator.get("/v1/changes/stream?after=0").open().await.into_body();
    let mut next = async |told: &mut Vec<u8>, word: &str| {
        while !String::from_utf8_lossy(told).contains(word) {
            told.extend(stream.frame().await.unwrap().unwrap().into_data().unwrap());
        }
    };
    next(&mut told, "entity.created").await;
    client.create("api-keys", json!({"name": "d", "role": "viewer"})).await;
    client.create("strategies", json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"})).await;
    next(&mut told, "strategy.created").await;
    let text = String::from_utf8(told).unwrap();
    assert!(!text.contains("api_key"), "{text}");
}

#[tokio::test]
async fn a_receiver_is_told_of_them_only_when_it_asks_for_them() {
    let [(client, _dispatcher)] = replicas(database().await).await;
    let (all, named) = (Receiver::start().await, Receiver::start().await);
    all.answer(always(200));
    named.answer(always(200));
    all.subscribe(&client, json!({})).await;
    named.subscribe(&client, json!({"kinds": ["api_key", "entity"]})).await;
    let key = client.create("api-keys", json!({"name": "x", "role": "viewer"})).await;
    client.create("entities", json!({"name": {"en": "a"}, "kind": "agency"})).await;
    let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
    let got = named.wait(2).await;
    let of_key = got.iter().map(Got::event).find(|event| event["data"]["kind"] == "api_key").unwrap();
    assert_eq!(of_key["subject"], format!("/v1/api-keys/{}", key["id"].as_str().unwrap()));
    let got = all.wait(1).await;
    assert!(text(&got[0].body).contains("agency"), "{}", text(&got[0].body));
    // Nor when all is asked for again.
    let hooks = client.get("/v1/webhooks").expect(200).await.json();
    let replay = format!("/v1/webhooks/{}/replays", hooks["items"][0]["id"].as_str().unwrap());
    let again = client.post(replay, json!({"after": "0"})).expect(202).await.json();
    assert_eq!(again["deliveries"], 1);
}

#[tokio::test]
async fn a_webhook_that_the_service_ends_is_recorded_as_its_doing() {
    let [(client, _dispatcher)] = replicas(database().await).await;
    let receiver = Receiver::start().await;
    receiver.answer(always(410));
    receiver.subscribe(&client, json!({})).await;
    client.create("entities", json!({"name": {"en": "a"}, "kind": "agency"})).await;
    let (seen, _) = follow(&client, "kind=webhook", "0", 2).await;
    assert_eq!(told(&seen)[1], ("webhook", "updated", 2, "service"));
    assert_eq!((&seen[1]["before"]["active"], &seen[1]["after"]["active"]), (&json!(true), &json!(false)));
}
