//! Many measurements at once.

use serde_json::{Value, json};

use crate::support::{Client, service};

async fn indicator(client: &Client, name: &str) -> Value {
    let strategy = json!({"code": name, "title": "A strategy", "country": "XX", "kind": "strategy"});
    let strategy = client.create("strategies", strategy).await["id"].clone();
    let initiative = json!({"strategy_id": strategy, "code": "1", "title": "An initiative"});
    let initiative = client.create("initiatives", initiative).await["id"].clone();
    let body = json!({"initiative_id": initiative, "title": name, "value_chain_stage": "output", "measure": "unit", "direction": "ascending",
        "external_id": name});
    client.create("indicators", body).await
}

fn row(indicator: &str, year: u32, value: &str) -> Value {
    json!({"indicator_id": indicator, "period_from": format!("{year}-01-01"), "period_to": format!("{year}-12-31"), "value": value,
        "status": "provisional"})
}

fn outcomes(report: &Value) -> Vec<&str> {
    report["items"].as_array().unwrap().iter().map(|item| item["outcome"].as_str().unwrap()).collect()
}

const PATH: &str = "/v1/measurement-batches";

#[tokio::test]
async fn the_same_batch_again_changes_nothing() {
    let client = service().await;
    indicator(&client, "trained").await;
    let named = "external:trained";
    let mut part = row(named, 2024, "4");
    part["disaggregation"] = json!({"sex": "female", "age": "0-17"});
    let batch = json!({"items": [row(named, 2024, "10"), row(named, 2025, "12.50"), part]});
    let first = client.post(PATH, batch.clone()).expect(200).await.json();
    assert_eq!(outcomes(&first), ["created", "created", "created"], "{first}");
    assert_eq!(first["committed"], true);
    let again = client.post(PATH, batch.clone()).expect(200).await.json();
    assert_eq!(outcomes(&again), ["unchanged", "unchanged", "unchanged"], "{again}");
    assert_eq!(again["items"][1]["id"], first["items"][1]["id"]);

    let mut changed = batch;
    changed["items"][1]["value"] = json!("13");
    changed["items"][2]["disaggregation"] = json!({"age": "0-17", "sex": "female"});
    let changed = client.post(PATH, changed).expect(200).await.json();
    assert_eq!(outcomes(&changed), ["unchanged", "changed", "unchanged"], "{changed}");
    let path = format!("/v1/measurements/{}", changed["items"][1]["id"].as_str().unwrap());
    let found = client.get(path).expect(200).await.json();
    assert_eq!(found["value"], "13");
    assert_eq!(found["version"], 2);
}

#[tokio::test]
async fn one_bad_row_refuses_all_and_each_fault_says_which() {
    let client = service().await;
    indicator(&client, "i").await;
    let mut misspelt = row("external:i", 2026, "1");
    misspelt["valeu"] = json!("2");
    let items = json!([
        row("external:i", 2024, "1"),
        row("external:nobody", 2024, "1"),
        row("external:i", 2024, "2"),
        misspelt,
        {"indicator_id": "external:i", "period_from": "2027-12-31", "period_to": "2027-01-01", "descriptor": "words", "status": "final"},
        7
    ]);
    let batch = json!({"items": items});
    let tried = client.post(format!("{PATH}?dry_run=true"), batch.clone()).expect(200).await.json();
    assert_eq!(outcomes(&tried), ["created", "refused", "refused", "refused", "refused", "refused"], "{tried}");
    assert_eq!(tried["items"][0]["id"], Value::Null);
    let refused = client.post(PATH, batch).expect(422).await;
    let wanted = [
        "#/items/1/indicator_id not_found",
        "#/items/2 duplicate",
        "#/items/3/valeu unknown_field",
        "#/items/4/period_to ends_before_start",
        "#/items/5 wrong_type",
    ];
    assert_eq!(refused.faults(), wanted, "{}", refused.text);
    assert_eq!(client.get("/v1/measurements").expect(200).await.json()["items"], json!([]));
    client.post(PATH, json!({"rows": []})).expect(422).await;
    client.post(PATH, json!({"items": {}})).expect(422).await;
    client.post(PATH, json!([])).expect(422).await;
    client.post(format!("{PATH}?dryrun=true"), json!({"items": []})).expect(400).await;
    let many: Vec<Value> = std::iter::repeat_n(json!({}), 10_001).collect();
    client.post(PATH, json!({"items": many})).expect(422).await;
}

#[tokio::test]
async fn what_is_final_is_restated_and_not_written_over() {
    let client = service().await;
    let indicator = indicator(&client, "i").await["id"].as_str().unwrap().to_owned();
    let mut last = row(&indicator, 2024, "1");
    last["status"] = json!("final");
    let first = client.post(PATH, json!({"items": [last]})).expect(200).await.json();
    let reply = client.post(PATH, json!({"items": [row(&indicator, 2024, "2")]})).expect(422).await;
    assert_eq!(reply.faults(), ["#/items/0 final"], "{}", reply.text);
    let mut again = row(&indicator, 2024, "2");
    again["restates_id"] = first["items"][0]["id"].clone();
    let batch = json!({"items": [again]});
    assert_eq!(outcomes(&client.post(PATH, batch.clone()).expect(200).await.json()), ["created"]);
    assert_eq!(outcomes(&client.post(PATH, batch).expect(200).await.json()), ["unchanged"]);
}

#[tokio::test]
async fn a_batch_under_a_key_happens_once() {
    let client = service().await;
    indicator(&client, "i").await;
    let batch = json!({"items": [row("external:i", 2024, "1")]});
    let call = || client.post(PATH, batch.clone()).header("idempotency-key", "night-1");
    let first = call().expect(200).await;
    let second = call().expect(200).await;
    assert_eq!(first.text, second.text);
    assert_eq!(second.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn a_table_is_a_batch_too() {
    let client = service().await;
    indicator(&client, "i").await;
    let table = "indicator_id,period_from,period_to,disaggregation.sex,value,status\r\n\
        external:i,2024-01-01,2024-12-31,female,1.5,final\r\nexternal:i,2024-01-01,2024-12-31,,3,final\r\n";
    let call = |table: &str| client.call("POST", PATH).header("content-type", "text/csv").body(table);
    let report = call(table).expect(200).await.json();
    assert_eq!(outcomes(&report), ["created", "created"], "{report}");
    let parts = client.get("/v1/measurements?is_disaggregated=true").expect(200).await.json();
    assert_eq!(parts["items"][0]["disaggregation"], json!({"sex": "female"}), "{parts}");
    let reply = call("indicator_id,valeu\r\nexternal:i,1\r\n").expect(422).await;
    assert_eq!(reply.faults(), ["line 1: valeu unknown_field"], "{}", reply.text);
}

#[tokio::test]
async fn an_editor_writes_what_its_entity_measures_and_sees() {
    let client = service().await;
    let (own, other) = (indicator(&client, "own").await, indicator(&client, "other").await);
    let agency = client.create("entities", json!({"name": "Agency", "kind": "agency"})).await["id"].clone();
    let path = format!("/v1/indicators/{}", own["id"].as_str().unwrap());
    client.patch(path, json!({"entity_id": agency})).if_match(1).expect(200).await;
    let key = client.create("api-keys", json!({"name": "night", "role": "editor", "entity_id": agency})).await;
    let editor = client.with_key(key["key"].as_str().unwrap().to_owned());
    let batch = |rows: &[Value]| editor.post(PATH, json!({"items": rows}));
    let reply = batch(&[row("external:own", 2024, "1")]).expect(200).await.json();
    assert_eq!(outcomes(&reply), ["created"]);
    let reply = batch(&[row("external:own", 2025, "1"), row("external:other", 2024, "1")]).expect(422).await;
    assert_eq!(reply.faults(), ["#/items/1/indicator_id forbidden"], "{}", reply.text);
    let path = format!("/v1/indicators/{}", other["id"].as_str().unwrap());
    client.patch(path, json!({"classification": "restricted"})).if_match(1).expect(200).await;
    let id = other["id"].as_str().unwrap();
    let reply = batch(&[row(id, 2024, "1"), row("external:other", 2024, "1")]).expect(422).await;
    let unseen = ["#/items/0/indicator_id not_found", "#/items/1/indicator_id not_found"];
    assert_eq!(reply.faults(), unseen, "{}", reply.text);
    let mut secret = row("external:own", 2025, "1");
    secret["classification"] = json!("restricted");
    let reply = batch(&[secret]).expect(422).await;
    assert_eq!(reply.faults(), ["#/items/0/classification not_allowed"], "{}", reply.text);
    client.as_viewer().post(PATH, json!({"items": []})).expect(403).await;
}

#[tokio::test]
async fn ten_thousand_rows_are_taken() {
    let client = service().await;
    indicator(&client, "i").await;
    let day = |index: u64| chrono::NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + chrono::Days::new(index);
    let one = |index: u64| json!({"indicator_id": "external:i", "period_from": day(index), "period_to": day(index), "value": index.to_string(), "status": "provisional"});
    let batch = json!({"items": (0..10_000).map(one).collect::<Vec<_>>()});
    let report = client.post(PATH, batch.clone()).expect(200).await.json();
    assert_eq!(report["created"], 10_000);
    let report = client.post(PATH, batch).expect(200).await.json();
    assert_eq!(report["unchanged"], 10_000);
}

#[tokio::test]
async fn the_same_batch_by_many_at_once_is_written_once_and_refused_to_none() {
    let client = service().await;
    indicator(&client, "trained").await;
    let items: Vec<Value> = (0..100)
        .map(|n| {
            let mut row = row("external:trained", 2024, "1");
            row["disaggregation"] = json!({"n": n.to_string()});
            row
        })
        .collect();
    let batch = json!({"items": items});
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (client, batch) = (client.clone(), batch.clone());
            tokio::spawn(async move { client.post(PATH, batch).expect(200).await.json() })
        })
        .collect();
    let mut created = 0;
    for writer in writers {
        let report = writer.await.unwrap();
        created += report["created"].as_u64().unwrap();
        assert_eq!(report["created"].as_u64().unwrap() + report["unchanged"].as_u64().unwrap(), 100, "{report}");
    }
    assert_eq!(created, 100);
}

#[tokio::test]
async fn a_row_is_never_another_measurement_by_its_external_id() {
    let client = service().await;
    indicator(&client, "a").await;
    indicator(&client, "b").await;
    let named = |indicator: &str| {
        let mut row = row(indicator, 2024, "1");
        row["external_id"] = json!("y1");
        json!({"items": [row]})
    };
    client.post(PATH, named("external:a")).expect(200).await;
    assert_eq!(outcomes(&client.post(PATH, named("external:a")).expect(200).await.json()), ["unchanged"]);
    let refused = client.post(PATH, named("external:b")).expect(422).await;
    assert_eq!(refused.faults(), ["#/items/0/external_id taken"], "{}", refused.text);
    let all = client.get("/v1/measurements?count=true").expect(200).await.json();
    assert_eq!(all["count"], 1, "{all}");
}
