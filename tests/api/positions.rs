//! Positions: topics covered, superseded, silent.

use mandate::base::limits::Limits;
use serde_json::{Value, json};

use crate::{
    as_of::now,
    support::{Client, database, service, service_over},
};

fn position(name: &str, day: Option<&str>, topics: &[&str]) -> Value {
    json!({"external_id": name, "country": "XX", "title": {"en": name}, "issued_on": day, "topics": topics, "languages": ["en"]})
}

fn with(mut body: Value, change: Value) -> Value {
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

/// The topics that are not silent, as `sovereignty covered since 2021-07-13`.
async fn spoken(client: &Client, query: &str) -> Vec<String> {
    let page = client.as_viewer().get(format!("/v1/reports/positions?{query}")).expect(200).await.json();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len() % 16, 0, "{page}");
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let row = |row: &Value| format!("{} {} since {}", word(row, "topic"), word(row, "state"), word(row, "since"));
    items.iter().filter(|row| row["state"] != "silent").map(row).collect()
}

#[tokio::test]
async fn topics_are_covered_superseded_or_silent() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    assert_eq!(spoken(&client, "country=XX").await, Vec::<String>::new());
    client.create("positions", position("first", Some("2015-06-01"), &["sovereignty", "attribution"])).await;
    let early = now(&options).await;
    let second = with(
        position("second", Some("2021-07-13"), &["applicability", "sovereignty"]),
        json!({"supersedes_id": "external:first", "symbol": "A/76/136", "languages": ["fr", "en"]}),
    );
    client.create("positions", second).await;
    // It adds, and replaces none.
    client.create("positions", position("third", Some("2023-01-01"), &["ihl", "sovereignty"])).await;
    let now_said = [
        "applicability covered since 2021-07-13",
        "sovereignty covered since 2021-07-13",
        "attribution superseded since -",
        "ihl covered since 2023-01-01",
    ];
    assert_eq!(spoken(&client, "country=XX").await, now_said);
    assert_eq!(spoken(&client, "country=XX&on=2022-12-31").await, &now_said[..3]);
    let before = ["sovereignty covered since 2015-06-01", "attribution covered since 2015-06-01"];
    assert_eq!(spoken(&client, "country=XX&on=2021-07-12").await, before);
    assert_eq!(spoken(&client, "country=XX&on=2015-05-31").await, Vec::<String>::new());
    // What is known, and when it was said, are two questions.
    assert_eq!(spoken(&client, &format!("country=XX&as_of={early}")).await, before);
    let page = client.get("/v1/reports/positions?country=XX").expect(200).await.json();
    let sovereignty = &page["items"][1];
    assert_eq!((&sovereignty["languages"], &sovereignty["symbols"]), (&json!(["en", "fr"]), &json!(["A/76/136"])));
    assert_eq!(sovereignty["first_on"], "2015-06-01");
    let count = |field: &str| sovereignty[field].as_array().unwrap().len();
    assert_eq!((count("position_ids"), count("superseded_ids")), (2, 1), "{sovereignty}");
    // One without a day counts on every day.
    client.create("positions", position("undated", None, &["neutrality"])).await;
    assert_eq!(spoken(&client, "country=XX&on=1990-01-01").await, ["neutrality covered since -"]);
    assert_eq!(spoken(&client, "").await, Vec::<String>::new());
    let two = client.get("/v1/reports/positions?country=RO&country=XX").expect(200).await.json();
    assert_eq!(two["items"].as_array().unwrap().len(), 32);
}

#[tokio::test]
async fn positions_are_found_by_topic_and_language() {
    let client = service().await;
    client.create("positions", position("first", Some("2015-06-01"), &["sovereignty", "attribution"])).await;
    client
        .create(
            "positions",
            with(
                position("second", None, &["ihl"]),
                json!({"languages": ["ro", "en"], "supersedes_id": "external:first"}),
            ),
        )
        .await;
    client.create("positions", position("third", Some("2016-06-01"), &[])).await;
    let found = async |query: &str| {
        let page = client.get(format!("/v1/positions?{query}")).expect(200).await.json();
        let name = |item: &Value| item["external_id"].as_str().unwrap().to_owned();
        page["items"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(found("topic=ihl").await, ["second"]);
    assert_eq!(found("topic=ihl&topic=attribution").await, ["second", "first"]);
    assert_eq!(found("topic=necessity").await, Vec::<String>::new());
    assert_eq!(found("language=ro").await, ["second"]);
    assert_eq!(found("is_superseded=true").await, ["first"]);
    assert_eq!(found("is_superseded=false&issued_after=2016-01-01").await, ["third"]);
    let reply = client.get("/v1/positions?topic=warfare").expect(400).await;
    assert_eq!(reply.faults(), ["topic not_allowed"], "{}", reply.text);
}

#[tokio::test]
async fn positions_have_rules() {
    let client = service().await;
    client.create("positions", position("first", Some("2015-06-01"), &["sovereignty"])).await;
    let second = with(position("second", Some("2021-06-01"), &["ihl"]), json!({"supersedes_id": "external:first"}));
    client.create("positions", second).await;
    for (change, status, fault) in [
        (json!({"topics": ["ihl", "ihl"]}), 422, "#/topics/1 duplicate"),
        (json!({"languages": ["en", "xx"]}), 422, "#/languages/1 unknown_code"),
        (json!({"languages": ["en", "en"]}), 422, "#/languages/1 duplicate"),
        (json!({"country": "ZX"}), 422, "#/country unknown_code"),
        (json!({"supersedes_id": "external:first"}), 409, "#/supersedes_id taken"),
        (json!({"supersedes_id": "external:second", "country": "XZ"}), 409, "#/supersedes_id other_country"),
        (json!({"supersedes_id": "external:second", "issued_on": "2020-01-01"}), 409, "#/supersedes_id issued_later"),
    ] {
        let reply = client.post("/v1/positions", with(position("third", None, &[]), change)).expect(status).await;
        assert_eq!(reply.faults(), [fault], "{}", reply.text);
    }
    let change = async |name: &str, body: Value| {
        let reply =
            client.patch(format!("/v1/positions/external:{name}"), body).header("if-match", "*").expect(409).await;
        reply.faults()
    };
    assert_eq!(
        change("first", json!({"supersedes_id": "external:second"})).await,
        ["#/supersedes_id cycle", "#/supersedes_id issued_later"]
    );
    assert_eq!(change("first", json!({"supersedes_id": "external:first"})).await, ["#/supersedes_id taken"]);
    assert_eq!(change("first", json!({"issued_on": "2022-01-01"})).await, ["#/supersedes_id issued_later"]);
    assert_eq!(change("first", json!({"country": "XZ"})).await, ["#/supersedes_id other_country"]);
}
