//! What stays as it is once it was reported on.

use serde_json::{Value, json};

use crate::progress::{Ground, ground, report};

/// What was reported stays where and of what days it was, so that a plan can always be read again.
#[tokio::test]
async fn what_was_reported_on_stays_in_its_strategy_and_its_period_keeps_its_days() {
    let Ground { admin, editor, .. } = ground().await;
    editor.create("progress-reports", report("2025-Q1", json!({"state": "submitted"}))).await;
    let mut of_step = report("2025-Q2", json!({"state": "submitted"}));
    (of_step["initiative_id"], of_step["step_id"]) = (Value::Null, json!("external:s1"));
    editor.create("progress-reports", of_step).await;
    let other = json!({"code": "T", "title": "T", "country": "XX", "kind": "strategy"});
    let other = admin.create("strategies", other).await["id"].clone();
    let work = json!({"strategy_id": other, "code": "9", "title": "9", "external_id": "elsewhere"});
    admin.create("initiatives", work).await;
    let change = |path: &str, body: Value| {
        let call = admin.patch(format!("/v1/{path}"), body).header("if-match", "*");
        call.header("mandate-reason", "a test").expect(409)
    };
    let to_other = json!({"strategy_id": other});
    let cycle = "reporting-cycles/external:c";
    assert_eq!(change(cycle, to_other.clone()).await.faults(), ["#/strategy_id in_use"]);
    assert_eq!(change("initiatives/external:i1", to_other).await.faults(), ["#/strategy_id has_reports"]);
    let elsewhere = json!({"initiative_id": "external:elsewhere"});
    assert_eq!(change("steps/external:s1", elsewhere).await.faults(), ["#/initiative_id has_reports"]);
    let mut periods = admin.get(format!("/v1/{cycle}")).expect(200).await.json()["periods"].clone();
    periods[0]["to"] = json!("2025-03-30");
    assert_eq!(change(cycle, json!({"periods": periods})).await.faults(), ["#/periods in_use"]);
    periods[0]["to"] = json!("2025-03-31");
    periods[0]["due_on"] = json!("2025-04-30");
    let call = admin.patch(format!("/v1/{cycle}"), json!({"periods": periods})).header("if-match", "*");
    call.header("mandate-reason", "more time").expect(200).await;
    // A plan that is completed by now owes what it did not report before.
    let done = report("2025-Q2", json!({"state": "submitted", "status": "completed", "evidence": "seen"}));
    let mut of_other = done.clone();
    of_other["initiative_id"] = json!("external:i2");
    admin.create("progress-reports", of_other).await;
    let rows = admin.get("/v1/reports/submissions").expect(200).await.json()["items"].clone();
    let missing: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| json!([row["period"], row["entity"], row["missing"]])).collect();
    assert!(missing.contains(&json!(["2025-Q1", "MIN", 1])), "{rows}");
}
