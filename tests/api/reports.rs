//! The reports over a small plan: two initiatives, one of them led only through its step, and one that has nothing.

use serde_json::{Value, json};

use crate::support::{Client, service};

struct Plan {
    agency: Value,
    objective: Value,
}

async fn id(client: &Client, noun: &str, body: Value) -> Value {
    client.create(noun, body).await["id"].clone()
}

async fn plan(client: &Client) -> Plan {
    let act = id(
        client,
        "legal-acts",
        json!({"country": "RO", "issuer": "Government", "act_type": "decision", "number": "1", "date": "2024-01-31"}),
    )
    .await;
    let ministry = id(client, "entities", json!({"code": "MIN", "name": "Ministry", "kind": "ministry"})).await;
    let agency = id(client, "entities", json!({"name": {"en": "Agency"}, "kind": "agency"})).await;
    let strategy =
        id(client, "strategies", json!({"code": "S", "title": "Strategy", "country": "RO", "kind": "strategy"})).await;
    let objective = id(client, "objectives", json!({"strategy_id": strategy, "code": "1", "title": "Top"})).await;
    let under = json!({"strategy_id": strategy, "parent_id": objective, "code": "1.1", "title": "Under"});
    let under = id(client, "objectives", under).await;
    let initiative = |code: &str| json!({"strategy_id": strategy, "objective_id": under, "code": code, "title": code});
    let second = id(client, "initiatives", initiative("A.10")).await;
    let first = id(client, "initiatives", initiative("A.2")).await;
    let stray = json!({"strategy_id": strategy, "code": "B", "title": "Stray"});
    id(client, "initiatives", stray).await;
    let step = id(client, "steps", json!({"initiative_id": second, "code": "1", "title": "Step"})).await;
    let lead = json!({"initiative_id": first, "entity_id": ministry, "role": "lead"});
    id(client, "assignments", lead).await;
    let step_lead = json!({"step_id": step, "entity_id": agency, "role": "lead"});
    id(client, "assignments", step_lead).await;
    let approved = json!({"initiative_id": first, "basis": "approved", "legal_act_id": act, "ends_on": "2025-01-01"});
    id(client, "timelines", approved).await;
    let forecast = json!({"initiative_id": first, "basis": "forecast", "ends_on": "2025-01-31"});
    id(client, "timelines", forecast).await;
    let money = |owner: &str, id: &Value, phase: &str, amount: &str, currency: &str| json!({owner: id, "fiscal_year": 2025, "phase": phase, "money": {"amount": amount, "currency": currency}});
    for allocation in [
        money("initiative_id", &first, "estimate", "100.50", "RON"),
        money("initiative_id", &first, "appropriation", "80", "RON"),
        money("step_id", &step, "estimate", "7", "EUR"),
    ] {
        id(client, "budget-allocations", allocation).await;
    }
    Plan { agency, objective }
}

async fn items(client: &Client, path: &str) -> Vec<Value> {
    let page = client.as_viewer().get(path).expect(200).await.json();
    page["items"].as_array().unwrap().clone()
}

fn column(rows: &[Value], name: &str) -> Value {
    rows.iter().map(|row| row[name].clone()).collect()
}

#[tokio::test]
async fn the_plan_is_printed_in_its_order_with_leads_and_money() {
    let client = service().await;
    let plan = plan(&client).await;
    let rows = items(&client, "/v1/reports/plan?steps=true").await;
    assert_eq!(column(&rows, "code"), json!(["A.2", "A.10", "1", "B"]));
    assert_eq!(column(&rows, "lead"), json!([["MIN"], ["Agency"], ["Agency"], []]));
    assert_eq!(rows[1]["money"], json!([{"amount": "7.00", "currency": "EUR", "phase": "estimate"}]));
    let of_agency = format!("/v1/reports/plan?entity_id={}", plan.agency.as_str().unwrap());
    assert_eq!(column(&items(&client, &of_agency).await, "code"), json!(["A.10"]));
    let under = format!("/v1/reports/plan?objective_id={}", plan.objective.as_str().unwrap());
    assert_eq!(column(&items(&client, &under).await, "code"), json!(["A.2", "A.10"]));
}

#[tokio::test]
async fn slip_is_forecast_minus_approved_and_never_invented() {
    let client = service().await;
    plan(&client).await;
    let rows = items(&client, "/v1/reports/timeline").await;
    assert_eq!(column(&rows, "slip_days"), json!([30, null, null]));
    assert_eq!(column(&rows, "slack_days"), json!([null, null, null]));
}

#[tokio::test]
async fn what_nobody_leads_is_counted() {
    let client = service().await;
    plan(&client).await;
    let rows = items(&client, "/v1/reports/responsibilities").await;
    assert_eq!(column(&rows, "entity"), json!([null, null, "MIN"]));
    assert_eq!(column(&rows, "total"), json!([1, 1, 1]));
    assert_eq!(rows[0]["entity_id"], json!(null));
}

#[tokio::test]
async fn money_is_summed_by_every_dimension_and_never_across_currencies() {
    let client = service().await;
    plan(&client).await;
    let rows = items(&client, "/v1/reports/budget").await;
    assert_eq!(column(&rows, "code"), json!(["1", "1", "1.1", "1.1"]));
    assert_eq!(column(&rows, "currency"), json!(["EUR", "RON", "EUR", "RON"]));
    assert_eq!(column(&rows, "estimate"), json!(["7.00", "100.50", "7.00", "100.50"]));
    assert_eq!(column(&rows, "own_estimate"), json!([null, null, "7.00", "100.50"]));
    for by in ["entity", "fiscal_year", "funding_source", "initiative", "programme", "cofog"] {
        let rows = items(&client, &format!("/v1/reports/budget?by={by}")).await;
        assert_eq!(rows.len(), 2, "{by}: {rows:?}");
    }
    assert_eq!(items(&client, "/v1/reports/budget?by=phase").await.len(), 3);
}

#[tokio::test]
async fn gaps_are_named() {
    let client = service().await;
    plan(&client).await;
    let rows = items(
        &client,
        "/v1/reports/gaps?kind=initiative_without_lead&kind=strategy_without_legal_act&kind=initiative_without_step",
    )
    .await;
    assert_eq!(column(&rows, "code"), json!(["B", "A.2", "B", "S"]));
}

#[tokio::test]
async fn a_report_is_strict_and_speaks_all_formats() {
    let client = service().await;
    plan(&client).await;
    for name in ["plan", "timeline", "responsibilities", "budget", "gaps"] {
        let path = format!("/v1/reports/{name}");
        client.as_nobody().get(&path).expect(401).await;
        client.get(format!("{path}?strategy=S")).expect(400).await;
        for format in ["application/json", "application/x-ndjson", "text/csv", "text/plain"] {
            let reply = client.get(&path).header("accept", format).expect(200).await;
            assert!(reply.header("content-type").starts_with(format), "{name} as {format}");
        }
    }
}

#[tokio::test]
async fn slack_looks_beyond_the_strategy_that_was_asked_for() {
    let client = service().await;
    let strategy = |code: &str| json!({"code": code, "title": code, "country": "XX", "kind": "strategy"});
    let here = id(&client, "strategies", strategy("HERE")).await;
    let there = id(&client, "strategies", strategy("THERE")).await;
    let initiative = |strategy: &Value, code: &str, from: &str, to: &str| json!({"strategy_id": strategy, "code": code, "title": code, "starts_on": from, "deadline": {"text": to}});
    let first = id(&client, "initiatives", initiative(&here, "1", "2025-01-01", "2025-01-10")).await;
    id(&client, "initiatives", initiative(&here, "2", "2025-01-01", "2025-01-31")).await;
    let after = id(&client, "initiatives", initiative(&there, "3", "2025-01-12", "2025-01-20")).await;
    let path = format!("/v1/reports/timeline?strategy_id={}", here.as_str().unwrap());
    assert_eq!(column(&items(&client, &path).await, "slack_days"), json!([21, 0]));
    let tie = json!({"predecessor_initiative_id": first, "successor_initiative_id": after});
    id(&client, "dependencies", tie).await;
    assert_eq!(column(&items(&client, &path).await, "slack_days"), json!([1, 0]), "only the 11th is free");
}

#[tokio::test]
async fn a_lead_of_tomorrow_leads_nothing_yet() {
    let client = service().await;
    let strategy =
        id(&client, "strategies", json!({"code": "S", "title": "Strategy", "country": "XX", "kind": "strategy"})).await;
    let body = json!({"strategy_id": strategy, "code": "1", "title": "Work"});
    let initiative = id(&client, "initiatives", body).await;
    let mut leads = Vec::new();
    for (code, from, to) in [("NOW", Value::Null, json!("2098-12-31")), ("THEN", json!("2099-01-01"), Value::Null)] {
        let entity = id(&client, "entities", json!({"code": code, "name": code, "kind": "agency"})).await;
        let body = json!({"initiative_id": initiative, "entity_id": entity, "role": "lead", "valid_from": from, "valid_to": to});
        leads.push((entity, id(&client, "assignments", body).await));
    }
    let count = async |query: &str| items(&client, &format!("/v1/initiatives?{query}")).await.len();
    let of = |entity: &Value| format!("lead_id={}", entity.as_str().unwrap());
    assert_eq!(items(&client, "/v1/reports/matrix").await[0]["entity"], "NOW");
    assert_eq!((count(&of(&leads[0].0)).await, count(&of(&leads[1].0)).await), (1, 0));
    let path = format!("/v1/assignments/{}", leads[0].1.as_str().unwrap());
    client.delete(path).header("if-match", "*").expect(204).await;
    assert_eq!((count("has_lead=true").await, count("has_lead=false").await), (0, 1));
    let gaps = items(&client, "/v1/reports/gaps?kind=initiative_without_lead").await;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
}
