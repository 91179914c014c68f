//! What else decides which end counts, and what is granted, completed or closed: each at every door.

use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{ALL, Ground, decided, ground};
use crate::support::{Call, client::Reply};

/// A timeline, a file that is imported, or a change: so that each body is tried at each door.
fn doors(ground: &Ground, name: &str, whole: &Value, change: &Value) -> Vec<(&'static str, Call)> {
    let anna = &ground.anna;
    let path = format!("/v1/timelines/external:{name}");
    let mut put = whole.clone();
    put.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let mut row = change.clone();
    row["external_id"] = json!(name);
    let file = |row: &Value| json!({"format": "mandate-plan/1", "timelines": [row]});
    let mut named = put.clone();
    named["external_id"] = json!(name);
    vec![
        ("PATCH", anna.patch(&path, change.clone()).header("if-match", "*")),
        ("PUT", anna.put(&path, put).header("if-match", "*")),
        ("import", anna.post("/v1/imports", file(&row))),
        ("import that replaces", anna.post("/v1/imports?mode=replace", file(&named))),
    ]
}

async fn given(ground: &Ground, name: &str, basis: &str, set_on: Value) -> Value {
    let mut whole = json!({"initiative_id": "external:i", "basis": basis, "ends_on": "2026-06-30", "set_on": set_on});
    match basis {
        "approved" => whole["legal_act_id"] = json!("external:law"),
        _ => whole["reason"] = json!("x"),
    }
    let mut body = whole.clone();
    body["external_id"] = json!(name);
    super::put_in_force(&ground.options, "").await;
    ground.anna.create("timelines", body).await;
    super::put_in_force(&ground.options, ALL).await;
    whole
}

#[tokio::test]
async fn the_day_on_which_a_revision_was_set_is_changed_by_two() {
    let ground = ground(ALL).await;
    let mut place = 0;
    for (before, after) in [
        (json!("2025-03-01"), json!("2025-05-01")),
        (json!("2025-03-01"), Value::Null),
        (Value::Null, json!("2025-05-01")),
    ] {
        for door in 0..4 {
            place += 1;
            let name = format!("r{place}");
            let whole = given(&ground, &name, "revised", before.clone()).await;
            let (what, call) = doors(&ground, &name, &whole, &json!({"set_on": after})).swap_remove(door);
            let proposal = ground.proposed(call).await;
            assert_eq!(proposal["act"], "approved_timeline", "{what}");
            let read = async || ground.anna.get(format!("/v1/timelines/external:{name}")).expect(200).await.json();
            assert_eq!(read().await["set_on"], before, "{what}");
            decided(&ground.bogdan, &proposal, "confirm").await;
            assert_eq!(read().await["set_on"], after, "{what}");
        }
    }
    // What says nothing of dates is one person's, and so is a forecast.
    given(&ground, "words", "revised", json!("2025-03-01")).await;
    for change in
        [json!({"reason": "better words"}), json!({"classification": "internal"}), json!({"external_id": "w2"})]
    {
        ground.anna.patch("/v1/timelines/external:words", change).header("if-match", "*").expect(200).await;
    }
    let forecast = json!({"set_on": "2025-05-01"});
    ground.anna.patch("/v1/timelines/external:t1", forecast).header("if-match", "*").expect(200).await;
}

#[tokio::test]
async fn the_day_on_which_an_approved_end_was_set_is_changed_by_nobody() {
    for acts in [ALL, ""] {
        let ground = ground(acts).await;
        let whole = given(&ground, "a", "approved", json!("2025-03-01")).await;
        super::put_in_force(&ground.options, acts).await;
        for after in [json!("2025-05-01"), json!("2024-01-01"), Value::Null] {
            for (what, call) in doors(&ground, "a", &whole, &json!({"set_on": after})) {
                let reply = call.expect(422).await;
                assert!(reply.text.contains("approved_timeline"), "{what}: {}", reply.text);
            }
        }
        // What a file that replaces does not name is cleared, and so is refused.
        let mut row = whole.clone();
        row.as_object_mut().unwrap().shift_remove("set_on");
        row["external_id"] = json!("a");
        let file = json!({"format": "mandate-plan/1", "timelines": [row]});
        ground.anna.post("/v1/imports?mode=replace", file).expect(422).await;
        let kept = ground.anna.get("/v1/timelines/external:a").expect(200).await.json();
        assert_eq!((&kept["set_on"], &kept["version"]), (&json!("2025-03-01"), &json!(1)));
        let words = json!({"reason": "as in the official journal"});
        ground.anna.patch("/v1/timelines/external:a", words).if_match(1).expect(200).await;
    }
}

#[tokio::test]
async fn a_day_to_come_of_an_older_service_does_not_move_with_any_words() {
    let ground = ground(ALL).await;
    given(&ground, "old", "revised", json!("2025-03-01")).await;
    let mut connection = PgConnection::connect_with(&ground.options).await.unwrap();
    let was = "update timelines set set_on = '2025-06-01', updated_at = '2025-04-01' where external_id = 'old'";
    connection.execute(was).await.unwrap();
    let change = json!({"reason": "better words"});
    let call = ground.anna.patch("/v1/timelines/external:old", change).header("if-match", "*");
    assert_eq!(ground.proposed(call).await["act"], "approved_timeline");
}

/// The strategy, a second initiative in it, another plan, and steps with and without money.
async fn places(ground: &Ground) {
    super::put_in_force(&ground.options, "").await;
    let anna = &ground.anna;
    let plan = json!({"external_id": "s2", "code": "S2", "title": "S2", "country": "XX", "kind": "strategy"});
    anna.create("strategies", plan).await;
    for name in ["i2", "bare"] {
        let body = json!({"external_id": name, "strategy_id": "external:s", "code": name, "title": "Two"});
        anna.create("initiatives", body).await;
    }
    for name in ["granted", "guessed", "free"] {
        let body = json!({"external_id": name, "initiative_id": "external:i2", "code": name, "title": "A step"});
        anna.create("steps", body).await;
    }
    for (name, phase) in [("granted", "appropriation"), ("guessed", "estimate")] {
        let body = json!({"external_id": name, "step_id": format!("external:{name}"), "fiscal_year": 2025, "phase": phase,
            "money": {"amount": "10", "currency": "RON"}});
        anna.create("budget-allocations", body).await;
    }
}

async fn sent(call: Call) -> Reply {
    call.header("if-match", "*").send().await
}

#[tokio::test]
async fn money_that_is_granted_moves_with_its_step_or_initiative_by_two() {
    let ground = ground(ALL).await;
    places(&ground).await;
    super::put_in_force(&ground.options, ALL).await;
    let anna = &ground.anna;
    let moved = json!({"initiative_id": "external:i"});
    let whole = json!({"initiative_id": "external:i", "code": "granted", "title": "A step"});
    let row = json!({"external_id": "granted", "initiative_id": "external:i"});
    let calls = [
        anna.patch("/v1/steps/external:granted", moved.clone()).header("if-match", "*"),
        anna.put("/v1/steps/external:granted", whole).header("if-match", "*"),
        anna.post("/v1/imports", json!({"format": "mandate-plan/1", "steps": [row]})),
        anna.patch("/v1/initiatives/external:i2", json!({"strategy_id": "external:s2"})).header("if-match", "*"),
        anna.patch("/v1/initiatives/external:i", json!({"strategy_id": "external:s2"})).header("if-match", "*"),
    ];
    for call in calls {
        let proposal = ground.proposed(call).await;
        assert_eq!(proposal["act"], "appropriation", "{proposal}");
        decided(&ground.bogdan, &proposal, "reject").await;
    }
    for step in ["guessed", "free"] {
        assert_eq!(sent(anna.patch(format!("/v1/steps/external:{step}"), moved.clone())).await.status, 200, "{step}");
    }
    let elsewhere = anna.patch("/v1/initiatives/external:bare", json!({"strategy_id": "external:s2"}));
    assert_eq!(sent(elsewhere).await.status, 200);
    // What stands on something is not deleted with it.
    for path in ["/v1/steps/external:granted", "/v1/initiatives/external:i", "/v1/strategies/external:s"] {
        assert_eq!(sent(anna.delete(path)).await.status, 409, "{path}");
    }
}

#[tokio::test]
async fn a_change_that_is_two_acts_waits_for_each_of_them() {
    for act in ["completion", "appropriation"] {
        let ground = ground(act).await;
        places(&ground).await;
        super::put_in_force(&ground.options, act).await;
        let both = json!({"initiative_id": "external:i", "status": "completed", "evidence": "https://example.org/x"});
        let call = ground.anna.patch("/v1/steps/external:granted", both).header("if-match", "*");
        assert_eq!(ground.proposed(call).await["act"], act);
    }
}

#[tokio::test]
async fn the_ledger_changes_what_is_granted_by_two_and_spends_it_by_one() {
    let ground = ground("").await;
    let anna = &ground.anna;
    let id = async |name: &str| {
        anna.get(format!("/v1/budget-allocations/external:{name}")).expect(200).await.json()["id"].clone()
    };
    let (m1, m2) = (id("m1").await, id("m2").await);
    let movement = |kind: &str, more: Value| {
        let mut body = json!({"allocation_id": m1, "kind": kind, "dated_on": "2025-03-01", "legal_act_id": "external:law",
            "money": {"amount": "1", "currency": "RON"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let mut made = Vec::new();
    for direction in ["increase", "decrease"] {
        made.push(
            anna.create("budget-movements", movement("revision", json!({"direction": direction}))).await["id"].clone(),
        );
    }
    let allotment = anna.create("budget-movements", movement("allotment", json!({}))).await["id"].clone();
    super::put_in_force(&ground.options, ALL).await;
    for body in [
        movement("revision", json!({"direction": "decrease"})),
        movement("virement", json!({"to_allocation_id": m2})),
        movement("reversal", json!({"reverses_id": made[0]})),
        movement("reversal", json!({"reverses_id": made[1]})),
    ] {
        let proposal = ground.proposed(anna.post("/v1/budget-movements", body.clone())).await;
        assert_eq!(proposal["act"], "appropriation", "{proposal}");
        decided(&ground.bogdan, &proposal, "reject").await;
        // The same out of a file, as which both halves of a virement come together.
        if body["kind"] != "virement" {
            let mut row = body;
            row["external_id"] = json!("of-a-file");
            let file = json!({"format": "mandate-plan/1", "budget_movements": [row]});
            assert_eq!(ground.proposed(anna.post("/v1/imports", file)).await["act"], "appropriation");
        }
    }
    let free = [movement("allotment", json!({})), movement("reversal", json!({"reverses_id": allotment}))];
    for body in free {
        anna.post("/v1/budget-movements", body).header("mandate-reason", "x").expect(201).await;
    }
    for (phase, status) in [("estimate", 202), ("appropriation", 200)] {
        let change = json!({"phase": phase, "note": "seen"});
        let reply = sent(anna.patch("/v1/budget-allocations/external:m3", change)).await;
        assert_eq!(reply.status, status, "{phase}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_percent_of_hundred_completes_nothing() {
    let ground = ground(ALL).await;
    let anna = &ground.anna;
    let report = json!({"external_id": "p", "initiative_id": "external:i", "cycle_id": "external:c", "period": "1", "status": "in_progress",
        "percent": 100, "confidence": "green", "narrative": "All", "state": "submitted"});
    anna.create("progress-reports", report).await;
    anna.patch("/v1/progress-reports/external:p", json!({"state": "accepted"})).if_match(1).expect(200).await;
    assert_eq!(anna.get("/v1/initiatives/external:i").expect(200).await.json()["status"], "in_progress");
    // What was completed by two is taken up by one, and completed again by two.
    let done = json!({"status": "completed", "evidence": "https://example.org/x"});
    let complete = || anna.patch("/v1/steps/external:st", done.clone()).header("if-match", "*");
    decided(&ground.bogdan, &ground.proposed(complete()).await, "confirm").await;
    let back = json!({"status": "in_progress", "status_reason": "too early"});
    anna.patch("/v1/steps/external:st", back).header("if-match", "*").header("mandate-reason", "x").expect(200).await;
    assert_eq!(ground.proposed(complete()).await["act"], "completion");
}

#[tokio::test]
async fn what_is_closed_is_archived_by_two() {
    let ground = ground(ALL).await;
    let anna = &ground.anna;
    let mut whole =
        json!({"external_id": "w", "code": "W", "title": "W", "country": "XX", "kind": "strategy", "status": "closed"});
    decided(&ground.bogdan, &ground.proposed(anna.post("/v1/strategies", whole.clone())).await, "confirm").await;
    let words = json!({"description": "What was done"});
    anna.patch("/v1/strategies/external:w", words).if_match(1).header("mandate-reason", "x").expect(200).await;
    whole["status"] = json!("archived");
    let row = json!({"format": "mandate-plan/1", "strategies": [{"external_id": "w", "status": "archived"}]});
    let calls = [
        anna.patch("/v1/strategies/external:w", json!({"status": "archived"})).header("if-match", "*"),
        anna.put("/v1/strategies/external:w", whole).header("if-match", "*"),
        anna.post("/v1/imports", row),
    ];
    let mut proposals = Vec::new();
    for call in calls {
        let proposal = ground.proposed(call).await;
        assert_eq!(proposal["act"], "closing", "{proposal}");
        proposals.push(proposal);
    }
    decided(&ground.bogdan, &proposals[0], "confirm").await;
    assert_eq!(anna.get("/v1/strategies/external:w").expect(200).await.json()["status"], "archived");
}
