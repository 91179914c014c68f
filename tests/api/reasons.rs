//! A strategy in force owes its readers the reason of what weighs.

use serde_json::{Value, json};

use crate::support::{Client, client::Reply, service};

/// A plan with a thing of each kind, by names of our own, under a strategy of this status.
async fn plan(client: &Client, status: &str) {
    let plan = json!({
        "format": "mandate-plan/1",
        "legal_acts": [{"external_id": "act", "country": "XX", "issuer": "Council", "act_type": "decision", "number": "1", "date": "2024-01-31"}],
        "entities": [{"external_id": "min", "name": "Ministry", "kind": "ministry"}, {"external_id": "agy", "name": "Agency", "kind": "agency"}],
        "strategies": [{"external_id": "s", "title": "S", "country": "XX", "kind": "strategy", "status": status, "legal_act_id": "external:act"}],
        "objectives": [{"external_id": "o", "strategy_id": "external:s", "code": "O", "title": "O"}, {"external_id": "o2", "strategy_id": "external:s", "code": "O2", "title": "O2"}],
        "initiatives": [{"external_id": "i", "strategy_id": "external:s", "code": "I", "title": "I", "deadline": {"text": "2026-06-30"}}],
        "steps": [{"external_id": "p", "initiative_id": "external:i", "code": "P", "title": "P", "status": "in_progress"}],
        "assignments": [
            {"external_id": "lead", "initiative_id": "external:i", "entity_id": "external:min", "role": "lead"},
            {"external_id": "help", "initiative_id": "external:i", "entity_id": "external:agy", "role": "support"}],
        "timelines": [{"external_id": "t", "initiative_id": "external:i", "basis": "forecast", "ends_on": "2026-07-31"}],
        "milestones": [{"external_id": "m", "initiative_id": "external:i", "code": "M", "title": "M"}],
        "budget_allocations": [
            {"external_id": "ceiling", "initiative_id": "external:i", "fiscal_year": 2026, "phase": "appropriation", "money": {"amount": "100", "currency": "RON"}},
            {"external_id": "guess", "initiative_id": "external:i", "fiscal_year": 2026, "phase": "estimate", "money": {"amount": "100", "currency": "RON"}}],
    });
    import(client, &plan, None).await;
}

async fn import(client: &Client, plan: &Value, reason: Option<&str>) -> Reply {
    let call = client.call("POST", "/v1/imports").header("content-type", "application/json").body(plan.to_string());
    match reason {
        Some(reason) => call.header("mandate-reason", reason),
        None => call,
    }
    .send()
    .await
}

type Change = (&'static str, &'static str, Value);

/// What needs a reason: a method, a path, a body.
fn weighty() -> Vec<Change> {
    vec![
        ("PATCH", "initiatives/external:i", json!({"title": {"en": "Other words"}})),
        ("PATCH", "initiatives/external:i", json!({"description": "Less"})),
        ("PATCH", "initiatives/external:i", json!({"code": "J"})),
        ("PATCH", "initiatives/external:i", json!({"objective_id": "external:o2"})),
        ("PATCH", "steps/external:p", json!({"status": "not_started"})),
        ("PATCH", "milestones/external:m", json!({"title": "Something else"})),
        ("PATCH", "objectives/external:o", json!({"title": "Another aim"})),
        ("PATCH", "strategies/external:s", json!({"ends_on": "2030-12-31"})),
        ("PATCH", "initiatives/external:i", json!({"deadline": {"text": "2026-12-31"}})),
        ("PATCH", "initiatives/external:i", json!({"starts_on": "2026-01-01"})),
        ("PATCH", "steps/external:p", json!({"deadline": {"text": "2026-12-31"}})),
        ("PATCH", "milestones/external:m", json!({"deadline": {"text": "2026-12-31"}})),
        ("POST", "timelines", json!({"step_id": "external:p", "basis": "forecast", "ends_on": "2026-09-30"})),
        ("PATCH", "timelines/external:t", json!({"ends_on": "2026-08-31"})),
        // Which of several counts is a matter of the day on which they were set.
        ("PATCH", "timelines/external:t", json!({"set_on": "2026-01-01"})),
        ("PATCH", "assignments/external:lead", json!({"entity_id": "external:agy"})),
        ("PATCH", "assignments/external:lead", json!({"role": "co_lead"})),
        ("POST", "assignments", json!({"step_id": "external:p", "entity_id": "external:agy", "role": "lead"})),
        ("PATCH", "budget-allocations/external:ceiling", json!({"money": {"amount": "90", "currency": "RON"}})),
        ("PATCH", "budget-allocations/external:guess", json!({"phase": "appropriation"})),
        (
            "PUT",
            "steps/external:p",
            json!({"initiative_id": "external:i", "code": "P", "title": "P", "status": "cancelled", "status_reason": "x"}),
        ),
        ("PATCH", "initiatives/external:i", json!({"status": "cancelled", "status_reason": "no money"})),
        ("DELETE", "budget-allocations/external:ceiling", Value::Null),
        ("DELETE", "assignments/external:lead", Value::Null),
        ("DELETE", "timelines/external:t", Value::Null),
        ("DELETE", "milestones/external:m", Value::Null),
        ("DELETE", "objectives/external:o", Value::Null),
    ]
}

/// What does not.
fn light() -> Vec<Change> {
    vec![
        ("PATCH", "initiatives/external:i", json!({"status": "in_progress"})),
        ("PATCH", "initiatives/external:i", json!({"status": "completed", "evidence": "https://example.org/done"})),
        ("PATCH", "initiatives/external:i", json!({"deadline": {"text": "2026-06-30"}})),
        (
            "POST",
            "initiatives",
            json!({"strategy_id": "external:s", "code": "N", "title": "N", "deadline": {"text": "2027"}}),
        ),
        ("PATCH", "assignments/external:lead", json!({"note": "by letter"})),
        ("PATCH", "assignments/external:help", json!({"entity_id": "external:min"})),
        ("DELETE", "assignments/external:help", Value::Null),
        ("PATCH", "budget-allocations/external:ceiling", json!({"note": "budget law"})),
        ("DELETE", "budget-allocations/external:guess", Value::Null),
    ]
}

async fn send(client: &Client, (method, path, body): Change, reason: Option<&str>) -> Reply {
    let mut call = client.call(method, format!("/v1/{path}"));
    if method != "POST" {
        call = call.header("if-match", "*");
    }
    if !body.is_null() {
        call = call.json(body);
    }
    if let Some(reason) = reason {
        call = call.header("mandate-reason", reason);
    }
    call.send().await
}

async fn export(client: &Client) -> String {
    client.get("/v1/exports/plan").expect(200).await.text
}

#[tokio::test]
async fn what_weighs_in_a_strategy_in_force_needs_a_reason() {
    let client = service().await;
    plan(&client, "in_force").await;
    let before = export(&client).await;
    for change in weighty() {
        for reason in [None, Some("  "), Some("%20"), Some("%E2%80%8B"), Some("UTF-8''")] {
            let reply = send(&client, change.clone(), reason).await;
            assert_eq!(reply.status, 422, "{change:?}: {}", reply.text);
            assert_eq!(reply.faults(), ["Mandate-Reason needs_reason"], "{change:?}: {}", reply.text);
        }
    }
    assert_eq!(export(&client).await, before, "a change that was refused left a trace");
    for change in weighty() {
        let reply = send(&client, change.clone(), Some("decision of the council")).await;
        assert!(reply.status.is_success(), "{change:?}: {}", reply.text);
    }
    let path = "/v1/timelines/external:t/history";
    let entries = client.get(path).expect(200).await.json();
    assert_eq!(entries["items"][0]["reason"], "decision of the council", "{entries}");
}

#[tokio::test]
async fn what_is_light_needs_none_and_before_a_strategy_is_in_force_nothing_does() {
    let client = service().await;
    plan(&client, "in_force").await;
    for change in light() {
        let reply = send(&client, change.clone(), None).await;
        assert!(reply.status.is_success(), "{change:?}: {}", reply.text);
    }
    let client = service().await;
    plan(&client, "draft").await;
    for change in weighty() {
        let reply = send(&client, change.clone(), None).await;
        assert!(reply.status.is_success(), "{change:?}: {}", reply.text);
    }
}

#[tokio::test]
async fn an_import_that_changes_a_strategy_in_force_needs_a_reason() {
    let client = service().await;
    plan(&client, "in_force").await;
    // The same again changes nothing.
    plan(&client, "in_force").await;
    let before = export(&client).await;
    let changed = json!({"format": "mandate-plan/1",
        "milestones": [{"external_id": "m2", "initiative_id": "external:i", "code": "M2", "title": "M2"}],
        "timelines": [
            {"external_id": "t", "initiative_id": "external:i", "basis": "forecast", "ends_on": "2026-07-31"},
            {"external_id": "t2", "step_id": "external:p", "basis": "forecast", "ends_on": "2026-07-31"},
            {"external_id": "t3", "initiative_id": "external:i", "basis": "forecast", "ends_on": "2026-10-31"}]});
    let refused = import(&client, &changed, None).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(refused.faults(), ["#/timelines/1 needs_reason", "#/timelines/2 needs_reason"], "{}", refused.text);
    assert_eq!(export(&client).await, before, "an import that was refused left a trace");
    let taken = import(&client, &changed, Some("report of the quarter")).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let feed = client.get("/v1/timelines/external:t3/history").expect(200).await.json();
    assert_eq!(feed["items"][0]["reason"], "report of the quarter", "{feed}");
}
