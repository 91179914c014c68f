//! What is under a strategy or an entity is part of it, in every reading that is asked about either, unless it is asked for alone.

use serde_json::{Value, json};

use crate::{
    as_of::now,
    support::{Client, database, service_over},
};
use mandate::base::limits::Limits;

async fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).expect(200).await.json()["items"].as_array().unwrap().clone()
}

/// A strategy that only action plans carry out, and a ministry that only its agencies work for.
async fn plan(client: &Client) {
    let id = async |noun: &str, body: Value| client.create(noun, body).await["id"].clone();
    let strategy = |name: &str, parent: Value| json!({"external_id": name, "code": name, "title": name, "country": "XX", "kind": "strategy", "parent_id": parent});
    id("strategies", strategy("S", Value::Null)).await;
    id("strategies", strategy("P", json!("external:S"))).await;
    id("strategies", strategy("Q", json!("external:P"))).await;
    id("strategies", strategy("Z", Value::Null)).await;
    let entity = |name: &str, parent: Value| json!({"external_id": name, "code": name, "name": name, "kind": "agency", "parent_id": parent});
    id("entities", entity("MIN", Value::Null)).await;
    id("entities", entity("AGY", json!("external:MIN"))).await;
    id("entities", entity("UNIT", json!("external:AGY"))).await;
    for (code, strategy, lead) in [("1", "P", "AGY"), ("2", "Q", "UNIT")] {
        let body = json!({"external_id": code, "strategy_id": format!("external:{strategy}"), "code": code, "title": code, "status": "in_progress",
            "starts_on": "2025-01-01", "deadline": {"text": "2025-06-30"}});
        id("initiatives", body).await;
        id("assignments", json!({"initiative_id": format!("external:{code}"), "entity_id": format!("external:{lead}"), "role": "lead"})).await;
        for phase in ["estimate", "appropriation"] {
            let amount = if phase == "estimate" { "20" } else { "12" };
            let money = json!({"initiative_id": format!("external:{code}"), "entity_id": format!("external:{lead}"), "fiscal_year": 2025, "phase": phase,
                "money": {"amount": amount, "currency": "RON"}});
            id("budget-allocations", money).await;
        }
        let staff = json!({"initiative_id": format!("external:{code}"), "entity_id": format!("external:{lead}"), "profile": "cybersecurity_auditor", "starts_on": "2025-01-01",
            "ends_on": "2025-12-31", "fte_planned": "1"});
        let staffed = client.post("/v1/staff-allocations", staff).send().await;
        assert!(staffed.status == 201, "{}", staffed.text);
        let evidence = json!({"strategy_id": format!("external:{strategy}"), "title": code, "kind": "official_website", "claim": "x", "about": "plan", "country": "XX",
            "state": "disputed", "state_reason": "x", "valid_until": "2025-01-31", "url": "https://example.org"});
        let shown = client.post("/v1/evidence", evidence).send().await;
        assert!(shown.status == 201, "{}", shown.text);
    }
}

#[tokio::test]
async fn a_strategy_has_its_action_plans_and_a_ministry_its_agencies_in_all_reports() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    plan(&client).await;
    let of_plan = [
        "plan",
        "timeline",
        "responsibilities",
        "budget?by=initiative",
        "funding-gaps",
        "spending",
        "flows",
        "gaps",
        "integrity?by=item",
        "quality",
        "staffing",
        "understaffed",
        "summary",
        "progress",
        "matrix",
        "attention",
        "plan-contents",
    ];
    for name in of_plan {
        let path = |query: &str| format!("/v1/reports/{name}{}{query}", if name.contains('?') { '&' } else { '?' });
        let all = items(&client, &path("strategy_id=external:P&strategy_id=external:Q&under=false")).await;
        assert!(!all.is_empty(), "{name}");
        // A report that has a row for a strategy itself has one more where the upper one is asked for too.
        let whole =
            items(&client, &path("strategy_id=external:S&strategy_id=external:P&strategy_id=external:Q&under=false"))
                .await;
        assert_eq!(items(&client, &path("strategy_id=external:S")).await, whole, "{name}");
        assert_eq!(items(&client, &path("strategy_id=external:P")).await, all, "{name}");
        let alone = items(&client, &path("strategy_id=external:S&under=false")).await;
        assert!(alone.len() < whole.len(), "{name}: {alone:?}");
        let each =
            items(&client, &path("entity_id=external:MIN&entity_id=external:AGY&entity_id=external:UNIT&under=false"))
                .await;
        assert_eq!(items(&client, &path("entity_id=external:MIN")).await, each, "{name}");
        if !["plan-contents"].contains(&name) {
            assert!(!each.is_empty(), "{name}");
            assert!(items(&client, &path("entity_id=external:MIN&under=false")).await.len() < each.len(), "{name}");
        }
    }
    for name in ["expiring-evidence", "disputed-claims"] {
        assert_eq!(items(&client, &format!("/v1/reports/{name}?strategy_id=external:S")).await.len(), 2, "{name}");
        assert_eq!(
            items(&client, &format!("/v1/reports/{name}?strategy_id=external:P&under=false")).await.len(),
            1,
            "{name}"
        );
    }
    let owed = async |query: &str| items(&client, &format!("/v1/obligations?{query}")).await.len();
    assert_eq!((owed("strategy_id=external:S").await, owed("entity=external:MIN").await), (2, 2));
    assert_eq!(
        (owed("strategy_id=external:S&under=false").await, owed("entity=external:MIN&under=false").await),
        (0, 0)
    );
    let calendar = async |query: &str| {
        client
            .get(format!("/v1/calendars/external:MIN.ics{query}"))
            .expect(200)
            .await
            .text
            .matches("BEGIN:VEVENT")
            .count()
    };
    assert_eq!((calendar("").await, calendar("?under=false").await), (2, 0));
}

#[tokio::test]
async fn differences_of_a_strategy_have_those_of_what_was_under_it() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    plan(&client).await;
    let from = now(&options).await;
    client.patch("/v1/initiatives/external:2", json!({"title": "New"})).header("if-match", "*").expect(200).await;
    client.patch("/v1/strategies/external:P", json!({"parent_id": null})).header("if-match", "*").expect(200).await;
    let told = async |query: &str| items(&client, &format!("/v1/diff?from={from}&{query}")).await.len();
    assert_eq!(told("strategy_id=external:S").await, 2, "it was under it at the first moment");
    assert_eq!((told("strategy_id=external:S&under=false").await, told("strategy_id=external:Z").await), (0, 0));
    let then = now(&options).await;
    client.patch("/v1/initiatives/external:2", json!({"title": "Newer"})).header("if-match", "*").expect(200).await;
    assert_eq!(
        items(&client, &format!("/v1/diff?from={then}&strategy_id=external:S")).await.len(),
        0,
        "it is not any more"
    );
    assert_eq!(
        items(&client, &format!("/v1/reports/plan?strategy_id=external:S&as_of={from}")).await.len(),
        2,
        "but it was"
    );
}

#[tokio::test]
async fn what_is_under_something_hidden_is_not_found_through_it() {
    let options = database().await;
    let client = service_over(options, Limits::default()).await;
    plan(&client).await;
    client
        .patch("/v1/strategies/external:P", json!({"classification": "restricted"}))
        .header("if-match", "*")
        .expect(200)
        .await;
    let rows = items(&client.as_viewer(), "/v1/reports/plan?strategy_id=external:S").await;
    assert!(rows.is_empty(), "{rows:?}");
}
