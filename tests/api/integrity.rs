//! Whether what was approved is kept: counted from the approval on, out of the record.

use serde_json::{Value, json};

use crate::{
    as_of::now,
    support::{Client, database, service_over},
};
use mandate::base::limits::Limits;

async fn import(client: &Client, plan: Value) {
    let call = client.call("POST", "/v1/imports").header("content-type", "application/json");
    call.header("mandate-reason", "as decided").body(plan.to_string()).expect(200).await;
}

async fn patch(client: &Client, path: &str, body: Value) {
    client.patch(format!("/v1/{path}"), body).header("if-match", "*").header("mandate-reason", "why").expect(200).await;
}

async fn delete(client: &Client, path: &str) {
    client.delete(format!("/v1/{path}")).header("if-match", "*").header("mandate-reason", "why").expect(204).await;
}

/// Rows as `code: items slipped(longest) re_baselined/times dropped added`.
async fn told(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(format!("/v1/reports/integrity?{query}")).expect(200).await.json();
    let line = |row: &Value| {
        let moved = match (row["moved_out"].as_i64().unwrap(), row["moved_in"].as_i64().unwrap()) {
            (0, 0) => String::new(),
            (out, into) => format!(", {out} out, {into} in"),
        };
        format!(
            "{}: {} items, {} slipped ({}), {} re-baselined {} times, {} dropped, {} added{}",
            row["code"].as_str().unwrap_or("-"),
            row["items"],
            row["slipped"],
            row["longest_slip_days"],
            row["re_baselined"],
            row["re_baselinings"],
            row["dropped"],
            row["added_after_approval"],
            moved
        )
    };
    page["items"].as_array().unwrap().iter().map(line).collect()
}

/// Two initiatives led by two entities, one with a step, in a draft; and its approval.
async fn approved(client: &Client) {
    let plan = json!({
        "format": "mandate-plan/1",
        "legal_acts": [{"external_id": "act", "country": "XX", "issuer": "Council", "act_type": "decision", "number": "1", "date": "2024-01-31"}],
        "entities": [{"external_id": "min", "code": "MIN", "name": "Ministry", "kind": "ministry"},
            {"external_id": "agy", "code": "AGY", "name": "Agency", "kind": "agency"}],
        "strategies": [{"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy", "status": "submitted", "legal_act_id": "external:act"}],
        "objectives": [{"external_id": "o", "strategy_id": "external:s", "code": "O", "title": "O"}],
        "initiatives": [
            {"external_id": "a", "strategy_id": "external:s", "objective_id": "external:o", "code": "A", "title": "A", "deadline": {"text": "2026-01-31"}},
            {"external_id": "b", "strategy_id": "external:s", "objective_id": "external:o", "code": "B", "title": "B", "deadline": {"text": "2026-01-31"}}],
        "steps": [{"external_id": "a1", "initiative_id": "external:a", "code": "A.1", "title": "A1", "deadline": {"text": "2026-01-10"}}],
        "assignments": [
            {"external_id": "la", "initiative_id": "external:a", "entity_id": "external:min", "role": "lead"},
            {"external_id": "lb", "initiative_id": "external:b", "entity_id": "external:agy", "role": "lead"}],
    });
    import(client, plan).await;
    // While it is a draft a new date breaks no promise, and what goes was never promised.
    patch(client, "initiatives/external:b", json!({"deadline": {"text": "2026-03-31"}})).await;
    let draft = json!({"external_id": "d", "strategy_id": "external:s", "code": "D", "title": "D"});
    client.create("initiatives", draft).await;
    delete(client, "initiatives/external:d").await;
    patch(client, "strategies/external:s", json!({"status": "approved"})).await;
}

#[tokio::test]
async fn what_became_of_promises_is_counted_from_the_approval_on() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    approved(&client).await;
    patch(&client, "strategies/external:s", json!({"status": "in_force"})).await;
    let untouched = told(&client, "strategy_id=external:s").await;
    insta::assert_snapshot!(untouched.join("\n"), @"
    AGY: 1 items, 0 slipped (null), 0 re-baselined 0 times, 0 dropped, 0 added
    MIN: 2 items, 0 slipped (null), 0 re-baselined 0 times, 0 dropped, 0 added
    ");
    let then = now(&options).await;

    // A is expected 10 days late, and its step was dated anew twice, once by a timeline that is taken back later.
    import(&client, json!({"format": "mandate-plan/1", "timelines": [
        {"external_id": "t1", "initiative_id": "external:a", "basis": "forecast", "ends_on": "2026-02-10"},
        {"external_id": "t2", "step_id": "external:a1", "basis": "revised", "reason": "late", "ends_on": "2026-01-20"}]})).await;
    patch(&client, "steps/external:a1", json!({"deadline": {"text": "2026-01-15"}})).await;
    delete(&client, "timelines/external:t2").await;
    // An approved timeline that says what the plan said is no new baseline.
    import(&client, json!({"format": "mandate-plan/1", "timelines": [
        {"external_id": "t3", "initiative_id": "external:b", "basis": "approved", "legal_act_id": "external:act", "ends_on": "2026-03-31"}]})).await;
    // C comes after the approval, is given up, and goes; E comes and stays without a lead.
    import(&client, json!({"format": "mandate-plan/1",
        "initiatives": [
            {"external_id": "c", "strategy_id": "external:s", "code": "C", "title": "C", "status": "in_progress"},
            {"external_id": "e", "strategy_id": "external:s", "code": "E", "title": "E"}],
        "assignments": [{"external_id": "lc", "initiative_id": "external:c", "entity_id": "external:agy", "role": "lead"}]})).await;
    delete(&client, "assignments/external:lc").await;
    delete(&client, "initiatives/external:c").await;
    patch(&client, "initiatives/external:b", json!({"status": "cancelled", "status_reason": "no money"})).await;

    insta::assert_snapshot!(told(&client, "strategy_id=external:s").await.join("\n"), @"
    AGY: 2 items, 0 slipped (null), 0 re-baselined 0 times, 2 dropped, 1 added
    MIN: 2 items, 2 slipped (10), 1 re-baselined 2 times, 0 dropped, 0 added
    -: 1 items, 0 slipped (null), 0 re-baselined 0 times, 0 dropped, 1 added
    ");
    insta::assert_snapshot!(told(&client, "strategy_id=external:s&by=objective").await.join("\n"), @"
    O: 3 items, 2 slipped (10), 1 re-baselined 2 times, 1 dropped, 0 added
    -: 2 items, 0 slipped (null), 0 re-baselined 0 times, 1 dropped, 2 added
    ");
    insta::assert_snapshot!(told(&client, "strategy_id=external:s&by=item").await.join("\n"), @"
    A: 1 items, 1 slipped (10), 0 re-baselined 0 times, 0 dropped, 0 added
    A.1: 1 items, 1 slipped (5), 1 re-baselined 2 times, 0 dropped, 0 added
    B: 1 items, 0 slipped (null), 0 re-baselined 0 times, 1 dropped, 0 added
    C: 1 items, 0 slipped (null), 0 re-baselined 0 times, 1 dropped, 1 added
    E: 1 items, 0 slipped (null), 0 re-baselined 0 times, 0 dropped, 1 added
    ");
    assert_eq!(told(&client, &format!("strategy_id=external:s&as_of={then}")).await, untouched);
    insta::assert_snapshot!(told(&client, "entity_id=external:agy&by=item").await.join("\n"), @"
    B: 1 items, 0 slipped (null), 0 re-baselined 0 times, 1 dropped, 0 added
    C: 1 items, 0 slipped (null), 0 re-baselined 0 times, 1 dropped, 1 added
    ");
    let viewer = client.as_viewer().get("/v1/reports/integrity?by=item").expect(200).await.json();
    assert_eq!(viewer["items"].as_array().unwrap().len(), 5, "{viewer}");
    client.get("/v1/reports/integrity?by=colour").expect(400).await;
}

#[tokio::test]
async fn without_an_approval_everything_counts_from_its_first_mention() {
    let options = database().await;
    let client = service_over(options, Limits::default()).await;
    let strategy = json!({"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"});
    client.create("strategies", strategy).await;
    let item = json!({"external_id": "a", "strategy_id": "external:s", "code": "A", "title": "A", "deadline": {"text": "2026-01-31"}});
    client.create("initiatives", item).await;
    patch(&client, "initiatives/external:a", json!({"deadline": {"text": "2026-02-28"}})).await;
    insta::assert_snapshot!(told(&client, "by=item").await.join("\n"), @"A: 1 items, 1 slipped (28), 1 re-baselined 1 times, 0 dropped, 0 added");
}

#[tokio::test]
async fn what_left_an_approved_plan_and_what_came_is_counted() {
    let options = database().await;
    let client = service_over(options, Limits::default()).await;
    approved(&client).await;
    let other = json!({"external_id": "u", "code": "U", "title": "U", "country": "XX", "kind": "strategy"});
    client.create("strategies", other).await;
    let away = json!({"strategy_id": "external:u", "objective_id": null});
    let back = json!({"strategy_id": "external:s", "objective_id": "external:o"});
    // A goes with its step and is dated anew there; B goes, is dated anew and comes back; X comes.
    patch(&client, "initiatives/external:a", away.clone()).await;
    patch(&client, "initiatives/external:b", away).await;
    for item in ["a", "b"] {
        let later = json!({"deadline": {"text": "2026-12-31"}});
        client.patch(format!("/v1/initiatives/external:{item}"), later).header("if-match", "*").expect(200).await;
    }
    patch(&client, "initiatives/external:b", back.clone()).await;
    let stranger = json!({"external_id": "x", "strategy_id": "external:u", "code": "X", "title": "X"});
    client.create("initiatives", stranger).await;
    patch(&client, "initiatives/external:x", back).await;
    insta::assert_snapshot!(told(&client, "strategy_id=external:s&by=item").await.join("\n"), @"
    A: 1 items, 0 slipped (null), 0 re-baselined 0 times, 0 dropped, 0 added, 1 out, 0 in
    A.1: 1 items, 0 slipped (null), 0 re-baselined 0 times, 0 dropped, 0 added, 1 out, 0 in
    B: 1 items, 1 slipped (275), 1 re-baselined 1 times, 0 dropped, 0 added, 1 out, 1 in
    X: 1 items, 0 slipped (null), 0 re-baselined 0 times, 0 dropped, 1 added, 0 out, 1 in
    ");
    insta::assert_snapshot!(told(&client, "strategy_id=external:s&by=objective").await.join("\n"), @"O: 4 items, 1 slipped (275), 1 re-baselined 1 times, 0 dropped, 1 added, 3 out, 2 in");
    // Where they are now nothing was approved.
    insta::assert_snapshot!(told(&client, "strategy_id=external:u&by=item").await.join("\n"), @"
    A: 1 items, 1 slipped (334), 1 re-baselined 1 times, 0 dropped, 0 added
    A.1: 1 items, 0 slipped (null), 0 re-baselined 0 times, 0 dropped, 0 added
    ");
}
