//! The reports on progress, over a small plan.

use serde_json::{Value, json};

use crate::{
    as_of::now,
    progress::{Ground, ground, report},
    support::Client,
};

async fn items(client: &Client, path: &str) -> Vec<Value> {
    let page = client.as_viewer().get(format!("/v1/reports/{path}")).expect(200).await.json();
    page["items"].as_array().unwrap().clone()
}

fn column(rows: &[Value], name: &str) -> Value {
    rows.iter().map(|row| row[name].clone()).collect()
}

async fn change(client: &Client, code: &str, body: Value) {
    let call = client.patch(format!("/v1/initiatives/external:i{code}"), body).header("if-match", "*");
    call.header("mandate-reason", "a test").expect(200).await;
}

/// Seven initiatives that end in 2099, of which nothing is due: the cycle is closed.
async fn seven(ground: &Ground) {
    let admin = &ground.admin;
    admin
        .patch("/v1/reporting-cycles/external:c", json!({"status": "closed"}))
        .header("mandate-reason", "a test")
        .if_match(1)
        .expect(200)
        .await;
    for code in ["3", "4", "5", "6", "7"] {
        let body =
            json!({"external_id": format!("i{code}"), "strategy_id": ground.strategy, "code": code, "title": code});
        admin.create("initiatives", body).await;
    }
    for code in ["1", "2", "3", "4", "5", "6", "7"] {
        change(
            admin,
            code,
            json!({"deadline": {"text": "2099-12-31"}, "confidence": "green", "status": "in_progress"}),
        )
        .await;
    }
}

#[tokio::test]
async fn a_strategy_is_summed_up_in_a_sentence_and_no_initiative_counts_twice() {
    let ground = ground().await;
    seven(&ground).await;
    let admin = &ground.admin;
    change(admin, "2", json!({"confidence": "amber", "confidence_reason": "slow"})).await;
    change(admin, "3", json!({"confidence": "red", "confidence_reason": "stopped"})).await;
    change(admin, "4", json!({"confidence": null})).await;
    change(admin, "5", json!({"status": "completed", "evidence": "done"})).await;
    change(admin, "6", json!({"status": "cancelled", "status_reason": "no money"})).await;
    change(admin, "7", json!({"deadline": {"text": "2020-12-31"}})).await;
    let row = items(admin, "summary").await.remove(0);
    let sentence = "Of 7 initiatives 1 is on track, 1 at risk, 2 off track, 1 silent, 1 completed and 1 cancelled.";
    assert_eq!(row["sentence"]["en"], sentence, "{row}");
    let romanian = "Din 7 inițiative, 1 este în grafic, 1 cu risc de întârziere, 2 în afara graficului, 1 fără raportare, 1 finalizată și 1 anulată.";
    assert_eq!(row["sentence"]["ro"], romanian, "{row}");
    let counts =
        ["total", "on_track", "at_risk", "off_track", "silent", "completed", "cancelled"].map(|name| row[name].clone());
    assert_eq!(json!(counts), json!([7, 1, 1, 2, 1, 1, 1]));
    let rows = items(admin, "matrix").await;
    assert_eq!(column(&rows, "entity"), json!(["AGY", "MIN", null]), "{rows:?}");
    assert_eq!(column(&rows, "worst"), json!(["on_track", "at_risk", "off_track"]), "{rows:?}");
    assert_eq!(column(&rows, "total"), json!([1, 1, 5]));
    // A later forecast is a risk, and says so before the confidence does.
    let forecast = json!({"initiative_id": "external:i1", "basis": "forecast", "ends_on": "2100-01-31"});
    admin.post("/v1/timelines", forecast).header("mandate-reason", "a test").expect(201).await;
    assert_eq!(column(&items(admin, "summary").await, "at_risk"), json!([2]));
}

#[tokio::test]
async fn who_owes_the_last_report_is_silent_until_it_is_given() {
    let Ground { admin, editor, .. } = ground().await;
    for code in ["1", "2"] {
        change(&admin, code, json!({"deadline": {"text": "2099-12-31"}, "confidence": "green"})).await;
    }
    assert_eq!(column(&items(&admin, "summary").await, "silent"), json!([2]));
    editor.create("progress-reports", report("2025-Q1", json!({"state": "submitted"}))).await;
    assert_eq!(column(&items(&admin, "summary").await, "silent"), json!([2]), "it is not the last period");
    editor.create("progress-reports", report("2025-Q2", json!({"state": "submitted"}))).await;
    assert_eq!(column(&items(&admin, "summary").await, "silent"), json!([1]));
    let rows = items(&admin, "submissions").await;
    assert_eq!(column(&rows, "entity"), json!(["AGY", "MIN", "AGY", "MIN"]), "{rows:?}");
    assert_eq!(column(&rows, "period"), json!(["2025-Q1", "2025-Q1", "2025-Q2", "2025-Q2"]));
    assert_eq!(column(&rows, "expected"), json!([1, 1, 1, 1]));
    assert_eq!(column(&rows, "late"), json!([1, 0, 1, 0]));
    assert_eq!(column(&rows, "missing"), json!([0, 1, 0, 1]));
}

#[tokio::test]
async fn progress_is_rolled_up_with_the_weights_that_are_stated_and_what_is_not_known_is_told() {
    let ground = ground().await;
    seven(&ground).await;
    let Ground { admin, strategy, .. } = &ground;
    let objective = |code: &str, parent: Value| json!({"external_id": format!("o{code}"), "strategy_id": strategy, "parent_id": parent, "code": code, "title": code});
    admin.create("objectives", objective("1", Value::Null)).await;
    admin.create("objectives", objective("1.1", json!("external:o1"))).await;
    change(admin, "1", json!({"objective_id": "external:o1.1"})).await;
    change(admin, "3", json!({"objective_id": "external:o1.1", "status": "completed", "evidence": "done"})).await;
    change(
        admin,
        "4",
        json!({"objective_id": "external:o1", "status": "not_started", "confidence": "red", "confidence_reason": "x"}),
    )
    .await;
    change(admin, "5", json!({"objective_id": "external:o1"})).await;
    change(admin, "6", json!({"objective_id": "external:o1", "status": "cancelled", "status_reason": "x"})).await;
    admin.patch("/v1/steps/external:s1", json!({"status": "in_progress"})).if_match(1).expect(200).await;
    let given = admin.create("progress-reports", report("2025-Q1", json!({"percent": 40, "state": "submitted"}))).await;
    let of = |rows: Vec<Value>, code: &str| rows.into_iter().find(|row| row["code"] == code).unwrap();
    let row = of(items(admin, "progress").await, "1.1");
    assert_eq!(
        (&row["percent"], &row["at_most"], &row["known"], &row["of"], &row["silent"]),
        (&json!(50.0), &json!(100.0), &json!(1), &json!(2), &json!(1)),
        "only what is accepted counts: {row}"
    );
    let path = format!("/v1/progress-reports/{}", given["id"].as_str().unwrap());
    admin.patch(path, json!({"state": "accepted"})).if_match(1).expect(200).await;
    let rows = items(admin, "progress").await;
    assert_eq!(column(&rows, "level"), json!(["strategy", "objective", "objective"]));
    assert_eq!(column(&rows, "percent"), json!([23.3, 35.0, 70.0]), "{rows:?}");
    assert_eq!(column(&rows, "at_most"), json!([73.3, 60.0, 70.0]), "{rows:?}");
    assert_eq!(column(&rows, "known"), json!([3, 3, 2]));
    assert_eq!(column(&rows, "of"), json!([6, 4, 2]));
    assert_eq!(column(&rows, "silent"), json!([3, 1, 0]));
    assert_eq!(column(&rows, "initiatives"), json!([6, 4, 2]));
    assert_eq!(column(&rows, "confidence"), json!(["red", "red", "green"]));
    let money = |code: &str, phase: &str, amount: &str, currency: &str| json!({"initiative_id": format!("external:i{code}"), "fiscal_year": 2025, "phase": phase, "money": {"amount": amount, "currency": currency}});
    for body in [
        money("1", "estimate", "300", "RON"),
        money("1", "appropriation", "900", "RON"),
        money("3", "estimate", "100", "RON"),
        money("4", "estimate", "5", "EUR"),
    ] {
        admin.post("/v1/budget-allocations", body).header("mandate-reason", "a test").expect(201).await;
    }
    let rows = items(admin, "progress?weights=money&currency=RON&explain=true").await;
    let row = of(rows.clone(), "1.1");
    assert_eq!(
        (&row["percent"], &row["weights"], &row["weight"], &row["known_weight"]),
        (&json!(46.0), &json!("money RON"), &json!("1000.00"), &json!("1000.00")),
        "{row}"
    );
    assert_eq!(of(rows.clone(), "4")["unweighted"], 1);
    let explained = of(rows, "3");
    assert_eq!(explained["source"], "status", "{explained}");
    assert_eq!(column(&items(admin, "progress?explain=true").await[3..4], "source"), json!(["report 2025-Q1"]));
    for (query, fault) in [
        ("weights=money", "currency required"),
        ("currency=RON", "currency not_allowed"),
        ("weights=money&currency=ABC", "currency not_allowed"),
    ] {
        assert_eq!(admin.get(format!("/v1/reports/progress?{query}")).expect(400).await.faults(), [fault]);
    }
}

#[tokio::test]
async fn attention_goes_to_delay_times_money_and_tells_its_formula() {
    let ground = ground().await;
    seven(&ground).await;
    let admin = &ground.admin;
    for (code, ends_on) in [("1", "2100-01-10"), ("2", "2100-01-01"), ("3", "2100-01-05"), ("4", "2099-12-01")] {
        let forecast = json!({"initiative_id": format!("external:i{code}"), "basis": "forecast", "ends_on": ends_on});
        admin.post("/v1/timelines", forecast).header("mandate-reason", "a test").expect(201).await;
    }
    for (code, amount) in [("1", "10.50"), ("2", "1000")] {
        let body = json!({"initiative_id": format!("external:i{code}"), "fiscal_year": 2025, "phase": "estimate", "money": {"amount": amount, "currency": "RON"}});
        admin.post("/v1/budget-allocations", body).header("mandate-reason", "a test").expect(201).await;
    }
    let rows = items(admin, "attention").await;
    assert_eq!(column(&rows, "code"), json!(["2", "1", "3"]), "{rows:?}");
    assert_eq!(column(&rows, "score"), json!(["1000.00", "105.00", null]));
    assert_eq!(rows[1]["formula"], "10 days * 10.50 RON");
}

#[tokio::test]
async fn the_reports_on_progress_speak_all_formats_and_have_a_past() {
    let Ground { admin, editor, options, .. } = ground().await;
    let names = ["summary", "progress", "matrix", "attention", "submissions"];
    let mut before = Vec::new();
    for name in names {
        before.push(items(&admin, name).await);
        admin.as_nobody().get(format!("/v1/reports/{name}")).expect(401).await;
        for format in ["application/x-ndjson", "text/csv", "text/plain"] {
            admin.as_viewer().get(format!("/v1/reports/{name}")).header("accept", format).expect(200).await;
        }
    }
    let then = now(&options).await;
    let late = json!({"state": "submitted", "forecast_ends_on": "2099-01-01", "challenges": "slow"});
    editor.create("progress-reports", report("2025-Q2", late)).await;
    change(&admin, "2", json!({"status": "completed", "evidence": "done"})).await;
    for (name, before) in names.iter().zip(&before) {
        assert_ne!(&items(&admin, name).await, before, "{name}");
        assert_eq!(&items(&admin, &format!("{name}?as_of={then}")).await, before, "{name}");
    }
}
