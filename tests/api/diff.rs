//! What is different between two moments.

use serde_json::{Value, json};

use crate::{
    as_of::now,
    support::{Client, database, service_over},
};
use mandate::base::limits::Limits;

async fn id(client: &Client, noun: &str, body: Value) -> Value {
    client.create(noun, body).await["id"].clone()
}

async fn patch(client: &Client, noun: &str, id: &Value, reason: &str, body: Value) {
    let path = format!("/v1/{noun}/{}", id.as_str().unwrap());
    client.patch(path, body).header("if-match", "*").header("mandate-reason", reason).expect(200).await;
}

fn told(answer: &Value) -> Vec<String> {
    let line = |item: &Value| {
        let word = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
        format!("{} {} {} {} | {}", word("kind"), word("name"), word("effect"), word("meaning"), word("words"))
    };
    answer["items"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn differences_are_told_in_the_words_of_the_field() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let act =
        json!({"country": "RO", "issuer": "Government", "act_type": "decision", "number": "1", "date": "2024-01-31"});
    let act = id(&client, "legal-acts", act).await;
    let [ministry, agency] = ["MIN", "AGY"].map(|code| json!({"code": code, "name": code, "kind": "agency"}));
    let (ministry, agency) = (id(&client, "entities", ministry).await, id(&client, "entities", agency).await);
    let strategy = json!({"code": "S", "title": "S", "country": "RO", "kind": "strategy"});
    let strategy = id(&client, "strategies", strategy).await;
    let other =
        id(&client, "strategies", json!({"code": "T", "title": "T", "country": "RO", "kind": "strategy"})).await;
    let initiative =
        |code: &str| json!({"strategy_id": strategy, "code": code, "title": code, "deadline": {"text": "2025-01-01"}});
    let first = id(&client, "initiatives", initiative("A.2")).await;
    let second = id(&client, "initiatives", initiative("A.10")).await;
    let gone = id(&client, "initiatives", initiative("B")).await;
    let lead = id(&client, "assignments", json!({"initiative_id": first, "entity_id": ministry, "role": "lead"})).await;
    let approved = json!({"initiative_id": first, "basis": "approved", "legal_act_id": act, "ends_on": "2025-01-01"});
    id(&client, "timelines", approved).await;
    let ceiling = json!({"initiative_id": first, "fiscal_year": 2025, "phase": "appropriation", "money": {"amount": "100", "currency": "RON"}});
    let ceiling = id(&client, "budget-allocations", ceiling).await;
    let from = now(&options).await;

    patch(&client, "initiatives", &first, "council of May", json!({"deadline": {"text": "2025-02-01"}})).await;
    patch(&client, "initiatives", &second, "no money", json!({"status": "cancelled", "status_reason": "no money"}))
        .await;
    patch(&client, "budget-allocations", &ceiling, "cut", json!({"money": {"amount": "80", "currency": "RON"}})).await;
    let path = format!("/v1/assignments/{}", lead.as_str().unwrap());
    client.delete(path).if_match(1).header("mandate-reason", "new law").expect(204).await;
    id(&client, "assignments", json!({"initiative_id": first, "entity_id": agency, "role": "lead"})).await;
    for (basis, ends) in [("revised", "2025-03-02"), ("forecast", "2025-04-01")] {
        let body = json!({"initiative_id": first, "basis": basis, "reason": "late", "ends_on": ends});
        id(&client, "timelines", body).await;
    }
    let body = json!({"initiative_id": second, "basis": "forecast", "ends_on": "2025-01-31"});
    id(&client, "timelines", body).await;
    client.delete(format!("/v1/initiatives/{}", gone.as_str().unwrap())).if_match(1).expect(204).await;
    // What came and went, and what was changed back, is no difference.
    let passing = id(&client, "initiatives", initiative("C")).await;
    client.delete(format!("/v1/initiatives/{}", passing.as_str().unwrap())).if_match(1).expect(204).await;
    patch(&client, "entities", &agency, "", json!({"kind": "ministry"})).await;
    patch(&client, "entities", &agency, "", json!({"kind": "agency"})).await;
    id(&client, "initiatives", json!({"strategy_id": other, "code": "Z", "title": "Z"})).await;
    let to = now(&options).await;
    patch(&client, "initiatives", &first, "", json!({"title": "Later"})).await;

    let path = format!("/v1/diff?from={from}&to={to}&strategy_id={}", strategy.as_str().unwrap());
    let reply = client.get(&path).expect(200).await;
    let answer = reply.json();
    insta::assert_snapshot!(told(&answer).join("\n"), @"
    initiative A.2 changed re_dated | re-dated by +31 days, 2025-01-01 -> 2025-02-01
    initiative A.2 changed - | deadline_from: 2025-01-01 -> 2025-02-01
    initiative A.2 changed - | deadline_text: 2025-01-01 -> 2025-02-01
    initiative A.10 changed dropped | status: not_started -> cancelled
    initiative A.10 changed - | status_reason: nothing -> no money
    initiative B removed - | removed
    assignment A.2 removed - | no longer lead: MIN
    assignment A.2 added reassigned | lead: MIN -> AGY
    timeline A.2 added re_baselined | re-baselined (revised) by +60 days, 2025-01-01 -> 2025-03-02
    timeline A.2 added re_dated | re-dated (forecast) by +90 days, 2025-01-01 -> 2025-04-01
    timeline A.10 added re_dated | re-dated (forecast) by +30 days, 2025-01-01 -> 2025-01-31
    budget_allocation A.2 changed ceiling_changed | ceiling: 100.00 -> 80.00 RON (-20.00)
    ");
    assert_eq!(reply.header("cache-control"), "private, max-age=31536000, immutable");
    let re_dated = &answer["items"].as_array().unwrap().iter().find(|item| item["field"] == "deadline_to").unwrap();
    assert_eq!((&re_dated["before"], &re_dated["after"]), (&json!("2025-01-01"), &json!("2025-02-01")));
    assert_eq!((&re_dated["actors"], &re_dated["reasons"]), (&json!(["key:admin"]), &json!(["council of May"])));
    assert_eq!(re_dated["strategy_id"], strategy);

    // The whole register has the other strategy too; until now there is the later title.
    let all = client.get(format!("/v1/diff?from={from}")).expect(200).await;
    let lines = told(&all.json());
    assert!(lines.contains(&"initiative Z added - | added".into()), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("title: A.2 -> Later")), "{lines:#?}");
    assert_eq!(all.header("cache-control"), "private, no-cache");
    let text = client.get(&path).header("accept", "text/plain").expect(200).await.text;
    assert!(text.contains("re-dated by +31 days, 2025-01-01 -> 2025-02-01"), "{text}");
    let csv = client.get(&path).header("accept", "text/csv").expect(200).await.text;
    assert_eq!(csv.lines().count(), answer["items"].as_array().unwrap().len() + 1, "{csv}");
    // Nothing happened between a moment and itself.
    let none = client.get(format!("/v1/diff?from={from}&to={from}")).expect(200).await.json();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn moments_that_make_no_difference_are_refused() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let now = now(&options).await;
    for (query, fault) in [
        (String::new(), "from required"),
        ("from=yesterday".into(), "from wrong_format"),
        ("from=2999-01-01".into(), "from in_future"),
        (format!("from={now}&to=2999-01-01"), "to in_future"),
        (format!("from={now}&to=2020-01-01"), "to before_from"),
        (format!("from={now}&strategy_id=external:none"), "strategy_id not_found"),
        (format!("since={now}"), "since unknown_parameter"),
    ] {
        assert_eq!(client.get(format!("/v1/diff?{query}")).expect(400).await.faults(), [fault], "{query}");
    }
    client.as_nobody().get("/v1/diff").expect(401).await;
}

#[tokio::test]
async fn what_a_reader_may_not_see_makes_no_difference_to_it() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let from = now(&options).await;
    let entity = |code: &str, classification: &str| json!({"code": code, "name": code, "kind": "agency", "classification": classification});
    id(&client, "entities", entity("OPEN", "internal")).await;
    let secret = id(&client, "entities", entity("SECRET", "restricted")).await;
    patch(&client, "entities", &secret, "", json!({"kind": "ministry"})).await;
    let path = format!("/v1/diff?from={from}");
    assert_eq!(told(&client.as_viewer().get(&path).expect(200).await.json()), ["entity OPEN added - | added"]);
    assert_eq!(client.get(&path).expect(200).await.json()["items"].as_array().unwrap().len(), 2);
}
