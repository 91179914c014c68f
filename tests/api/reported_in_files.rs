//! What was reported is not set back by a file, by whatever way it would come to that.

use serde_json::{Value, json};

use crate::{
    progress::{Ground, ground, report},
    support::{Client, client::Call, service},
};

fn send(client: &Client, query: &str, section: &str, rows: Value) -> Call {
    let plan = json!({"format": "mandate-plan/1", section: rows});
    client.call("POST", format!("/v1/imports{query}")).header("content-type", "application/json").body(plan.to_string())
}

/// A draft with two initiatives, the first of which has a forecast, and had another before that.
async fn forecast() -> Client {
    let client = service().await;
    let plan = json!({
        "format": "mandate-plan/1",
        "strategies": [{"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"}],
        "initiatives": [
            {"external_id": "i", "strategy_id": "external:s", "code": "1", "title": "1"},
            {"external_id": "j", "strategy_id": "external:s", "code": "2", "title": "2"}
        ],
        "timelines": [
            {"external_id": "old", "initiative_id": "external:i", "basis": "forecast", "ends_on": "2026-06-30", "set_on": "2025-01-31"},
            {"external_id": "now", "initiative_id": "external:i", "basis": "forecast", "ends_on": "2026-12-31", "set_on": "2025-06-30"}
        ]
    });
    client.post("/v1/imports", plan).expect(200).await;
    client
}

#[tokio::test]
async fn which_forecast_counts_changes_with_a_reason_only() {
    let later = |day: &str| json!([{"initiative_id": "external:i", "basis": "forecast", "ends_on": day, "set_on": "2025-09-30"}]);
    for (query, row, fault) in [
        ("", later("2026-03-31"), "ends_on"),
        ("", later("2027-03-31"), "ends_on"),
        (
            "",
            json!([{"initiative_id": "external:i", "basis": "forecast", "deadline": {"text": "permanent"}, "set_on": "2025-09-30"}]),
            "ends_on",
        ),
        ("", json!([{"external_id": "now", "set_on": "2024-12-31"}]), "set_on"),
        ("", json!([{"external_id": "old", "set_on": "2025-12-31"}]), "set_on"),
        ("", json!([{"external_id": "now", "initiative_id": "external:j"}]), "initiative_id"),
        ("", json!([{"external_id": "now", "basis": "revised", "reason": "a decision"}]), "basis"),
        ("", json!([{"external_id": "now", "ends_on": "2027-01-31"}]), "ends_on"),
        ("", json!([{"external_id": "now", "ends_on": null, "deadline": {"text": "2025"}}]), "ends_on"),
        (
            "?mode=replace",
            json!([{"external_id": "now", "initiative_id": "external:i", "basis": "forecast", "ends_on": "2026-11-30"}]),
            "ends_on",
        ),
        (
            "?mode=replace",
            json!([{"external_id": "now", "initiative_id": "external:j", "basis": "forecast"}]),
            "initiative_id",
        ),
    ] {
        let client = forecast().await;
        let refused = send(&client, query, "timelines", row.clone()).expect(422).await;
        assert!(refused.faults().contains(&format!("#/timelines/0/{fault} needs_reason")), "{row}: {}", refused.text);
        send(&client, query, "timelines", row).header("mandate-reason", "a letter").expect(200).await;
    }
}

#[tokio::test]
async fn what_leaves_the_forecast_as_it_stands_needs_none() {
    let client = forecast().await;
    for (query, row) in [
        // One of before, the same day once more, another start, and another initiative that has none.
        (
            "",
            json!([{"initiative_id": "external:i", "basis": "forecast", "ends_on": "2026-01-31", "set_on": "2025-02-28"}]),
        ),
        (
            "",
            json!([{"initiative_id": "external:i", "basis": "forecast", "ends_on": "2026-12-31", "set_on": "2025-09-30"}]),
        ),
        ("", json!([{"external_id": "now", "starts_on": "2025-01-31"}])),
        ("", json!([{"initiative_id": "external:j", "basis": "forecast", "ends_on": "2026-01-31"}])),
        (
            "",
            json!([{"initiative_id": "external:i", "basis": "revised", "ends_on": "2026-03-31", "reason": "a decision"}]),
        ),
        ("?mode=replace", json!([{"external_id": "now", "initiative_id": "external:i", "basis": "forecast"}])),
    ] {
        let done = send(&client, query, "timelines", row.clone()).send().await;
        assert_eq!(done.status, 200, "{row}: {}", done.text);
    }
    let now = client.get("/v1/timelines/external:now").expect(200).await.json();
    assert_eq!(
        (&now["ends_on"], &now["set_on"], &now["starts_on"]),
        (&json!("2026-12-31"), &json!("2025-06-30"), &json!("2025-01-31"))
    );
}

#[tokio::test]
async fn a_forecast_over_many_portions_of_a_first_import_needs_no_reason() {
    let client = forecast().await;
    let rows: Vec<Value> = (0..700)
        .map(|n| json!({"initiative_id": "external:j", "basis": "forecast", "ends_on": "2026-01-31", "set_on": "2025-01-31", "reason": format!("{n}")}))
        .chain([json!({"initiative_id": "external:j", "basis": "forecast", "ends_on": "2026-08-31", "set_on": "2025-08-31"})])
        .collect();
    send(&client, "", "timelines", rows.into()).expect(200).await;
}

#[tokio::test]
async fn a_report_that_was_submitted_stays_as_it_is_without_a_reason() {
    let Ground { admin, editor, .. } = ground().await;
    let first = json!({"external_id": "r", "state": "submitted", "percent": 60, "challenges": "Staff"});
    editor.create("progress-reports", report("2025-Q1", first)).await;
    let returned = admin.patch("/v1/progress-reports/external:r", json!({"state": "returned", "return_note": "More"}));
    returned.header("if-match", "*").expect(200).await;
    for (row, fault) in [
        (json!({"initiative_id": "external:i2"}), "initiative_id"),
        (json!({"period": "2025-Q2"}), "period"),
        (json!({"percent": 10}), "percent"),
        (json!({"percent": null}), "percent"),
        (json!({"status": "on_hold"}), "status"),
        (json!({"confidence": "red"}), "confidence"),
        (json!({"challenges": null}), "challenges"),
    ] {
        let mut row = row;
        row["external_id"] = json!("r");
        let refused = send(&admin, "", "progress_reports", json!([row])).expect(422).await;
        assert_eq!(refused.faults(), [format!("#/progress_reports/0/{fault} needs_reason")], "{}", refused.text);
    }
    // A replacement leaves what it does not name.
    let bare = json!([{"external_id": "r", "initiative_id": "external:i1", "cycle_id": "external:c", "period": "2025-Q1", "status": "in_progress", "confidence": "green"}]);
    assert_eq!(send(&admin, "?mode=replace", "progress_reports", bare).expect(200).await.json()["unchanged"], 1);
    let row = json!([{"external_id": "r", "percent": 50}]);
    send(&admin, "", "progress_reports", row).header("mandate-reason", "counted anew").expect(200).await;
    // What is submitted goes its way, and back only with a reason.
    let forth = json!([{"external_id": "r", "state": "submitted"}]);
    send(&admin, "", "progress_reports", forth).expect(200).await;
    let back = json!([{"external_id": "r", "state": "returned", "return_note": "Again"}]);
    let refused = send(&admin, "", "progress_reports", back).expect(422).await;
    assert!(refused.faults().contains(&"#/progress_reports/0/state needs_reason".to_owned()), "{}", refused.text);
    // Another report that says less than the one that counts.
    let less = |percent: u8| {
        let mut row = report("2025-Q2", json!({"state": "submitted", "percent": percent}));
        row["external_id"] = json!("r2");
        json!([row])
    };
    let refused = send(&admin, "", "progress_reports", less(5)).expect(422).await;
    assert_eq!(refused.faults(), ["#/progress_reports/0/percent needs_reason"], "{}", refused.text);
    send(&admin, "", "progress_reports", less(70)).expect(200).await;
}

#[tokio::test]
async fn a_replacement_leaves_the_status_that_it_does_not_name() {
    let Ground { admin, .. } = ground().await;
    let whole = json!([{"code": "S", "title": "Alt", "country": "XX", "kind": "strategy", "legal_act_id": admin.get("/v1/legal-acts").expect(200).await.json()["items"][0]["id"]}]);
    send(&admin, "?mode=replace", "strategies", whole).header("mandate-reason", "a new name").expect(200).await;
    let strategy = admin.get("/v1/strategies?code=S").expect(200).await.json()["items"][0].take();
    assert_eq!((&strategy["status"], &strategy["title"]["ro"]), (&json!("in_force"), &json!("Alt")));
    let risk = json!({"external_id": "risk", "initiative_id": "external:i1", "title": "R", "level": "high", "status": "accepted", "status_reason": "done"});
    let made = admin.post("/v1/risks", risk).send().await;
    let status = made.json()["status"].clone();
    assert!(made.status.is_success(), "{}", made.text);
    let bare = json!([{"external_id": "risk", "initiative_id": "external:i1", "title": "Alt", "level": "high"}]);
    send(&admin, "?mode=replace", "risks", bare).header("mandate-reason", "words").expect(200).await;
    assert_eq!(admin.get("/v1/risks/external:risk").expect(200).await.json()["status"], status);
}
