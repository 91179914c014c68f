//! Deliveries: nothing is lost, the order of each resource is kept, and one receiver is not in the way of another.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Response as HttpResponse, StatusCode},
    response::IntoResponse as _,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::support::{
    Client, database,
    receiver::{Got, Receiver, always, deliveries, until},
    replicas,
};

fn agency(name: &str) -> Value {
    json!({"name": {"en": name}, "kind": "agency"})
}

fn path(webhook: &Value, more: &str) -> String {
    format!("/v1/webhooks/{}{more}", webhook["id"].as_str().unwrap())
}

async fn sql(options: &PgConnectOptions, text: &str) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut connection).await.unwrap();
}

/// As if the time had come for everything that waits and is not under way.
async fn time_comes(options: &PgConnectOptions) {
    sql(options, "update deliveries set next_attempt_at = now() where status = 'waiting' and lease is null").await;
}

/// Creates an entity and renames it; its path.
async fn renamed(client: &Client, names: &[&str]) -> String {
    let made = client.create("entities", agency(names[0])).await;
    let path = format!("/v1/entities/{}", made["id"].as_str().unwrap());
    for (version, name) in names[1..].iter().enumerate() {
        client.patch(&path, agency(name)).if_match(version + 1).expect(200).await;
    }
    path
}

#[tokio::test]
async fn an_event_says_what_the_feed_says() {
    let [(client, _dispatcher)] = replicas(database().await).await;
    let receiver = Receiver::start().await;
    let webhook = receiver.subscribe(&client, json!({})).await;
    let entity = renamed(&client, &["First"]).await;
    let got = receiver.wait(1).await.remove(0);
    let change = client.get("/v1/changes?kind=entity").expect(200).await.json()["items"][0].clone();
    let event = got.event();
    assert_eq!(
        event,
        json!({"specversion": "1.0", "id": change["id"], "source": "/v1/changes", "type": "mandate.entity.created", "subject": entity,
            "time": event["time"], "datacontenttype": "application/json", "sequence": "00000000000000000002", "data": change})
    );
    assert_eq!(got.header("content-type"), "application/cloudevents+json; charset=utf-8");
    assert_eq!(got.signed_by(webhook["secret"].as_str().unwrap()), 1);
    let id = format!("{}_{}", change["id"].as_str().unwrap(), webhook["id"].as_str().unwrap()).replace('-', "");
    assert_eq!(got.header("webhook-id"), id);
    let delivery = deliveries(&client, "delivered", 1).await.remove(0);
    let attempt = &delivery["attempts"][0];
    assert_eq!((&attempt["status"], &attempt["error"], &attempt["answer"]), (&json!(204), &Value::Null, &json!("")));
    assert!(attempt["duration_ms"].is_u64() && delivery["ended_at"].is_string(), "{delivery}");
}

#[tokio::test]
async fn a_receiver_that_was_down_gets_everything_in_the_order_of_each_resource() {
    let options = database().await;
    let [(client, _dispatcher)] = replicas(options.clone()).await;
    let receiver = Receiver::start().await;
    receiver.answer(always(500));
    let other = Receiver::start().await;
    receiver.subscribe(&client, json!({})).await;
    other.subscribe(&client, json!({})).await;
    renamed(&client, &["a1", "a2", "a3"]).await;
    renamed(&client, &["b1", "b2"]).await;
    // The other has everything, while of each resource only the first was tried here.
    other.wait(5).await;
    let tried: Vec<String> = receiver.wait(2).await.iter().map(Got::name).collect();
    assert!(tried.iter().all(|name| ["a1", "b1"].contains(&name.as_str())), "{tried:?}");
    until(&client, "/v1/deliveries?status=waiting", |page| {
        page["items"].as_array().unwrap().iter().filter(|item| !item["attempts"].as_array().unwrap().is_empty()).count()
            == 2
    })
    .await;
    let before = receiver.count();
    receiver.answer(always(200));
    time_comes(&options).await;
    deliveries(&client, "delivered", 10).await;
    let got = receiver.wait(before + 5).await.split_off(before);
    let names: Vec<String> = got.iter().map(Got::name).collect();
    for resource in ["a", "b"] {
        let mut own: Vec<&String> = names.iter().filter(|name| name.starts_with(resource)).collect();
        let order = own.clone();
        own.sort();
        assert_eq!(order, own, "{names:?}");
    }
    // The same id in every attempt.
    let ids =
        |name: &str, all: &[Got]| all.iter().find(|got| got.name() == name).unwrap().header("webhook-id").to_owned();
    let all = receiver.wait(before + 5).await;
    assert_eq!(ids("a1", &all[..before]), ids("a1", &got));
}

#[tokio::test]
async fn two_replicas_deliver_each_event_once() {
    let [(first, _one), (second, _two)] = replicas(database().await).await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&first, json!({})).await;
    for index in 0..30 {
        let client = if index % 2 == 0 { &first } else { &second };
        client.create("entities", agency(&format!("e{index}"))).await;
    }
    receiver.wait(30).await;
    deliveries(&first, "delivered", 30).await;
    let mut ids: Vec<String> = receiver.wait(30).await.iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 30);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 30);
}

#[tokio::test]
async fn a_receiver_that_never_answers_delays_no_other() {
    let [(client, _dispatcher)] = replicas(database().await).await;
    let (stuck, well) = (Receiver::start().await, Receiver::start().await);
    stuck.answer(|_| Box::pin(std::future::pending()));
    let webhook = stuck.subscribe(&client, json!({})).await;
    well.subscribe(&client, json!({})).await;
    for index in 0..20 {
        client.create("entities", agency(&format!("e{index}"))).await;
    }
    well.wait(20).await;
    // The other has not taken one yet.
    let begun = stuck.count();
    let path = format!("/v1/deliveries?webhook_id={}", webhook["id"].as_str().unwrap());
    let page = client.get(path).expect(200).await.json();
    let items = page["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["status"] == "waiting"), "{page}");
    let ended: usize = items.iter().map(|item| item["attempts"].as_array().unwrap().len()).sum();
    assert!(begun <= 4 + ended, "{begun} at once");
}

#[tokio::test]
async fn one_event_that_is_never_taken_delays_no_other_resource() {
    let [(client, _dispatcher)] = replicas(database().await).await;
    let receiver = Receiver::start().await;
    receiver.answer(|got| {
        let status = if got.name() == "poison" { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
        Box::pin(async move { status.into_response() })
    });
    receiver.subscribe(&client, json!({})).await;
    renamed(&client, &["poison", "after it"]).await;
    for name in ["a", "b", "c"] {
        client.create("entities", agency(name)).await;
    }
    deliveries(&client, "delivered", 3).await;
    let names: Vec<String> = receiver.wait(4).await.iter().map(Got::name).collect();
    assert!(!names.contains(&"after it".to_owned()), "{names:?}");
}

#[tokio::test]
async fn only_what_is_wanted_is_sent_from_where_it_was_asked_for() {
    let [(client, _dispatcher)] = replicas(database().await).await;
    let entity = renamed(&client, &["old", "older"]).await;
    let id = entity.rsplit('/').next().unwrap().to_owned();
    let all = Receiver::start().await;
    until(&client, "/v1/changes?kind=entity", |page| page["items"].as_array().unwrap().len() == 2).await;
    let (by_action, by_id, by_kind, from_now) =
        (Receiver::start().await, Receiver::start().await, Receiver::start().await, Receiver::start().await);
    all.subscribe(&client, json!({"after": "0"})).await;
    by_action.subscribe(&client, json!({"after": "0", "actions": ["updated", "deleted"]})).await;
    by_id.subscribe(&client, json!({"after": "1", "resource_ids": [id]})).await;
    by_kind.subscribe(&client, json!({"after": "0", "kinds": ["funding_source"]})).await;
    from_now.subscribe(&client, json!({})).await;
    client.create("funding-sources", json!({"name": "State", "kind": "state_budget"})).await;
    client.create("entities", agency("new")).await;
    client.delete(&entity).if_match(2).expect(204).await;
    all.wait(5).await;
    deliveries(&client, "delivered", 5 + 2 + 2 + 1 + 3).await;
    assert_eq!([&all, &by_action, &by_id, &by_kind, &from_now].map(Receiver::count), [5, 2, 2, 1, 3]);
}

#[tokio::test]
async fn what_is_not_taken_for_days_is_dead_and_can_be_sent_again() {
    let options = database().await;
    let [(client, _dispatcher)] = replicas(options.clone()).await;
    let receiver = Receiver::start().await;
    receiver.answer(always(404));
    let webhook = receiver.subscribe(&client, json!({})).await;
    renamed(&client, &["first", "second"]).await;
    for attempt in 1..=31 {
        let tried = |page: &Value| page["items"][1]["attempts"].as_array().is_some_and(|all| all.len() >= attempt);
        until(&client, "/v1/deliveries", tried).await;
        time_comes(&options).await;
    }
    let dead = deliveries(&client, "dead", 1).await.remove(0);
    assert_eq!(dead["attempts"].as_array().unwrap().len(), 31);
    assert_eq!(dead["attempts"][30]["error"], "the receiver answered 404; only 2xx takes a delivery");
    assert_eq!(dead["next_attempt_at"], Value::Null);
    // What is dead is no longer waited for.
    receiver.answer(always(200));
    time_comes(&options).await;
    deliveries(&client, "delivered", 1).await;

    let again = client.post(path(&webhook, "/redeliveries"), json!({"status": "dead"})).expect(202).await;
    assert_eq!(again.json(), json!({"deliveries": 1}));
    deliveries(&client, "delivered", 2).await;
    let before = receiver.count();
    client.post(path(&webhook, "/redeliveries"), json!({"delivery_id": dead["id"]})).expect(202).await;
    let got = receiver.wait(before + 1).await.pop().unwrap();
    assert_eq!(got.name(), "first");
}

#[tokio::test]
async fn a_part_of_the_feed_is_replayed_with_the_same_ids() {
    let [(client, _dispatcher)] = replicas(database().await).await;
    let receiver = Receiver::start().await;
    let webhook = receiver.subscribe(&client, json!({})).await;
    renamed(&client, &["1", "2", "3", "4"]).await;
    let first = receiver.wait(4).await;
    deliveries(&client, "delivered", 4).await;
    let again = client.post(path(&webhook, "/replays"), json!({"after": "2", "until": "4"})).expect(202).await;
    assert_eq!(again.json(), json!({"deliveries": 2}));
    let all = receiver.wait(6).await;
    let ids = |part: &[Got]| part.iter().map(|got| got.header("webhook-id").to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&all[4..]), ids(&first[1..3]));
    // Also what happened before the webhook was made.
    let late = Receiver::start().await;
    let webhook = late.subscribe(&client, json!({})).await;
    client.post(path(&webhook, "/replays"), json!({"after": "0"})).expect(202).await;
    let names: Vec<String> = late.wait(4).await.iter().map(Got::name).collect();
    assert_eq!(names, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_gets_nothing_until_it_is_wanted_again() {
    let options = database().await;
    let [(client, _dispatcher)] = replicas(options.clone()).await;
    let receiver = Receiver::start().await;
    receiver.answer(always(410));
    let webhook = receiver.subscribe(&client, json!({})).await;
    client.create("entities", agency("first")).await;
    let stopped = until(&client, &path(&webhook, ""), |webhook| webhook["active"] == false).await;
    assert_eq!(
        (&stopped["inactive_reason"], &stopped["version"]),
        (&json!("the receiver answered 410 Gone"), &json!(2))
    );
    client.create("entities", agency("second")).await;
    until(&client, "/v1/changes?kind=entity", |page| page["items"].as_array().unwrap().len() == 2).await;
    receiver.answer(always(200));
    let before = receiver.count();
    let active = client.patch(path(&webhook, ""), json!({"active": true})).if_match(2).expect(200).await.json();
    assert_eq!(active["inactive_reason"], Value::Null);
    time_comes(&options).await;
    receiver.wait(before + 2).await;
    deliveries(&client, "delivered", 2).await;
}

#[tokio::test]
async fn odd_answers_are_told_in_plain_words() {
    let [(client, _dispatcher)] = replicas(database().await).await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let webhook = receiver.subscribe(&client, json!({})).await;
    let tried = async || client.post(path(&webhook, "/tests"), json!({})).expect(200).await.json();
    assert_eq!(tried().await["delivered"], true);
    let got = receiver.wait(1).await.remove(0);
    assert_eq!(
        (got.event()["type"].as_str(), got.signed_by(webhook["secret"].as_str().unwrap())),
        (Some("mandate.webhook.test"), 1)
    );

    let place = elsewhere.url.clone();
    receiver.answer(move |_| {
        let place = place.clone();
        Box::pin(async move { (StatusCode::TEMPORARY_REDIRECT, [("location", place)]).into_response() })
    });
    let answer = tried().await;
    assert_eq!(answer["attempt"]["status"], 307);
    assert!(answer["attempt"]["error"].as_str().unwrap().contains("redirects are not followed"), "{answer}");
    assert_eq!(elsewhere.count(), 0);

    // A body without end is not read to its end.
    receiver.answer(|_| {
        let body = Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("\0ă".repeat(1000))));
        Box::pin(async move { HttpResponse::new(body) })
    });
    let answer = tried().await;
    assert_eq!(answer["delivered"], true);
    let text = answer["attempt"]["answer"].as_str().unwrap();
    assert!(text.len() <= 3 * 1024 && text.starts_with("\u{fffd}ă"), "{text}");

    // Nor one that comes too slowly: the head has said that it was taken.
    let ended = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ended);
    receiver.answer(move |_| {
        let seen = Arc::clone(&seen);
        let body = Body::from_stream(futures_util::stream::once(async move {
            tokio::time::sleep(Duration::from_mins(10)).await;
            seen.store(true, Ordering::Relaxed);
            Ok::<_, std::io::Error>("late")
        }));
        Box::pin(async move { HttpResponse::new(body) })
    });
    assert_eq!(tried().await["delivered"], true);
    assert!(!ended.load(Ordering::Relaxed));

    // What is no HTTP, and what is not there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let odd = client.create("webhooks", json!({"url": url})).await;
    let talk = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example ESMTP\r\n").await.unwrap();
        stream
    };
    let (_stream, answer) = tokio::join!(talk, client.post(path(&odd, "/tests"), json!({})).expect(200));
    assert_eq!(answer.json()["attempt"]["error"], "the answer is not HTTP");
    drop(listener);
    let answer = client.post(path(&odd, "/tests"), json!({})).expect(200).await.json();
    assert!(answer["attempt"]["error"].as_str().unwrap().contains("refused the connection"), "{answer}");
}

#[tokio::test]
async fn a_receiver_that_is_busy_says_for_how_long() {
    let options = database().await;
    let [(client, _dispatcher)] = replicas(options.clone()).await;
    let receiver = Receiver::start().await;
    receiver
        .answer(|_| Box::pin(async { (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1800")]).into_response() }));
    receiver.subscribe(&client, json!({})).await;
    client.create("entities", agency("x")).await;
    let page = until(&client, "/v1/deliveries", |page| {
        page["items"][0]["attempts"].as_array().is_some_and(|all| all.len() == 1)
    })
    .await;
    let instant = |value: &Value| value.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let pause = instant(&page["items"][0]["next_attempt_at"]) - instant(&page["items"][0]["attempts"][0]["at"]);
    assert!((1800..2300).contains(&pause.num_seconds()), "{pause}");
}

#[tokio::test]
async fn old_deliveries_are_swept_and_dead_ones_kept() {
    let options = database().await;
    let [(client, dispatcher)] = replicas(options.clone()).await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&client, json!({})).await;
    for name in ["a", "b", "c"] {
        client.create("entities", agency(name)).await;
    }
    deliveries(&client, "delivered", 3).await;
    dispatcher.stop().await;
    sql(&options, "update deliveries set ended_at = now() - interval '31 days' where position < 4").await;
    sql(&options, "update deliveries set status = 'dead' where position = 2").await;
    let [(client, _dispatcher)] = replicas(options).await;
    deliveries(&client, "delivered", 1).await;
    deliveries(&client, "dead", 1).await;
    assert_eq!(receiver.count(), 3);
}

#[tokio::test]
async fn a_stop_waits_for_what_is_under_way() {
    let options = database().await;
    let [(client, dispatcher)] = replicas(options.clone()).await;
    let receiver = Receiver::start().await;
    let (open, gate) = tokio::sync::watch::channel(false);
    receiver.answer(move |_| {
        let mut gate = gate.clone();
        Box::pin(async move {
            gate.wait_for(|open| *open).await.unwrap();
            StatusCode::OK.into_response()
        })
    });
    receiver.subscribe(&client, json!({})).await;
    client.create("entities", agency("x")).await;
    receiver.wait(1).await;
    tokio::join!(dispatcher.stop(), async { open.send_replace(true) });
    deliveries(&client, "delivered", 1).await;
    assert_eq!(receiver.count(), 1);
}
