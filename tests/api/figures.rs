//! The one rule of progress: the example of `docs/reference/progress.md`, and what would make it say more than is known.

use serde_json::{Value, json};

use crate::{
    progress::{Ground, ground, report},
    support::Client,
};

pub(crate) async fn patch(client: &Client, path: &str, body: Value) {
    client
        .patch(format!("/v1/{path}"), body)
        .header("if-match", "*")
        .header("mandate-reason", "a test")
        .expect(200)
        .await;
}

pub(crate) async fn rows(client: &Client, path: &str) -> Vec<Value> {
    let page = client.get(format!("/v1/reports/{path}")).expect(200).await.json();
    page["items"].as_array().unwrap().clone()
}

/// `percent` to `at_most`, `known` of `of`.
fn told(row: &Value) -> String {
    format!("{} to {}, {} of {}", row["percent"], row["at_most"], row["known"], row["of"])
}

/// An initiative of the ground's strategy with steps in these states.
async fn initiative(ground: &Ground, code: &str, status: &str, steps: &[&str]) {
    let body = json!({"external_id": format!("i{code}"), "strategy_id": ground.strategy, "code": code, "title": code, "status": status,
        "status_reason": "a test", "evidence": "seen"});
    ground.admin.post("/v1/initiatives", body).header("mandate-reason", "a test").expect(201).await;
    for (place, status) in steps.iter().enumerate() {
        let body = json!({"external_id": format!("s{code}.{place}"), "initiative_id": format!("external:i{code}"), "code": place.to_string(), "title": code,
            "status": status, "status_reason": "a test", "evidence": "seen"});
        ground.admin.post("/v1/steps", body).header("mandate-reason", "a test").expect(201).await;
    }
}

/// A report on an initiative, led to a state.
async fn reported(ground: &Ground, code: &str, period: &str, state: &str, more: Value) {
    let mut body = report(period, more);
    body["initiative_id"] = json!(format!("external:i{code}"));
    body["state"] = json!("submitted");
    let id = ground.admin.create("progress-reports", body).await["id"].clone();
    if state != "submitted" {
        patch(&ground.admin, &format!("progress-reports/{}", id.as_str().unwrap()), json!({"state": state})).await;
    }
}

/// The example of the page: 2 is completed, 1 has an accepted report of 40, of five steps of 3 one is completed and four go on, 4 is not started, 5 is
/// cancelled.
async fn example() -> Ground {
    let ground = ground().await;
    patch(&ground.admin, "initiatives/external:i2", json!({"status": "completed", "evidence": "seen"})).await;
    reported(&ground, "1", "2025-Q1", "accepted", json!({"percent": 40})).await;
    let going = "in_progress";
    initiative(&ground, "3", going, &["completed", going, going, going, going]).await;
    initiative(&ground, "4", "not_started", &[]).await;
    initiative(&ground, "5", "cancelled", &["completed", going]).await;
    ground
}

#[tokio::test]
async fn the_example_of_the_page_comes_out_as_it_says_and_every_report_says_the_same() {
    let ground = example().await;
    let admin = &ground.admin;
    let explained = rows(admin, "progress?explain=true").await;
    let lines: Vec<String> =
        explained.iter().map(|row| format!("{}: {}", row["code"].as_str().unwrap(), told(row))).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    S: 40.0 to 60.0, 4 of 8
    1: 40.0 to 40.0, 1 of 1
    2: 100.0 to 100.0, 1 of 1
    3: 20.0 to 100.0, 1 of 5
    4: 0.0 to 0.0, 1 of 1
    ");
    let sources: Vec<&Value> = explained.iter().map(|row| &row["source"]).collect();
    assert_eq!(json!(sources), json!([null, "report 2025-Q1", "status", "steps", "status"]));
    assert_eq!((&explained[0]["weight"], &explained[0]["known_weight"]), (&json!("4"), &json!("3.20")));
    assert_eq!(told(&rows(admin, "summary").await[0]), told(&explained[0]));
    let matrix = rows(admin, "matrix").await;
    let cells: Vec<String> =
        matrix.iter().map(|row| format!("{}: {}", row["entity"].as_str().unwrap_or("-"), told(row))).collect();
    assert_eq!(cells, ["AGY: 40.0 to 40.0, 1 of 1", "MIN: 100.0 to 100.0, 1 of 1", "-: 10.0 to 50.0, 2 of 6"]);
    let plan: Vec<String> = rows(admin, "plan").await.iter().map(told).collect();
    assert_eq!(
        plan[..4],
        ["40.0 to 40.0, 1 of 1", "100.0 to 100.0, 1 of 1", "20.0 to 100.0, 1 of 5", "0.0 to 0.0, 1 of 1"]
    );
    assert_eq!(plan[4], "null to null, 0 of 0", "what is cancelled has no part");
    let attention = rows(admin, "attention").await;
    assert_eq!(attention.iter().map(told).collect::<Vec<_>>(), ["40.0 to 40.0, 1 of 1"], "{attention:?}");
}

#[tokio::test]
async fn what_is_submitted_counts_where_it_is_asked_for() {
    let ground = example().await;
    reported(&ground, "1", "2025-Q2", "submitted", json!({"percent": 70})).await;
    for (path, percent) in [
        ("summary", 40.0),
        ("summary?include=submitted", 47.5),
        ("progress?include=submitted", 47.5),
        ("plan?include=submitted", 70.0),
        ("attention?include=submitted", 70.0),
        ("matrix?include=submitted", 70.0),
    ] {
        assert_eq!(rows(&ground.admin, path).await[0]["percent"], percent, "{path}");
    }
    let reply = ground.admin.get("/v1/reports/summary?include=drafts").expect(400).await;
    assert!(reply.text.contains("submitted"), "{}", reply.text);
    // Of two that go on, and that nobody has accepted anything of, nothing is known: that is not zero.
    for code in ["2", "3", "4"] {
        patch(
            &ground.admin,
            &format!("initiatives/external:i{code}"),
            json!({"status": "cancelled", "status_reason": "a test"}),
        )
        .await;
    }
    let fresh = crate::progress::ground().await;
    reported(&fresh, "1", "2025-Q1", "submitted", json!({"percent": 40})).await;
    reported(&fresh, "2", "2025-Q1", "submitted", json!({"percent": 60})).await;
    patch(&fresh.admin, "steps/external:s1", json!({"status": "in_progress"})).await;
    assert_eq!(told(&rows(&fresh.admin, "progress").await[0]), "null to null, 0 of 2");
    assert_eq!(told(&rows(&fresh.admin, "progress?include=submitted").await[0]), "50.0 to 50.0, 2 of 2");
}

#[tokio::test]
async fn completed_is_a_hundred_whatever_was_reported_before_and_what_is_set_back_is_not() {
    let ground = ground().await;
    let admin = &ground.admin;
    let of = async |code: &str| {
        let rows = rows(admin, "progress?explain=true").await;
        told(rows.iter().find(|row| row["code"] == code).unwrap())
    };
    reported(&ground, "2", "2025-Q1", "accepted", json!({"percent": 40})).await;
    assert_eq!(of("2").await, "40.0 to 40.0, 1 of 1");
    patch(admin, "initiatives/external:i2", json!({"status": "completed", "evidence": "seen"})).await;
    assert_eq!(of("2").await, "100.0 to 100.0, 1 of 1");
    let back = |why: &str| json!({"status": "in_progress", "status_reason": why});
    patch(admin, "initiatives/external:i2", back("it was not done")).await;
    assert_eq!(of("2").await, "40.0 to 40.0, 1 of 1");
    // A report that says that it is completed knows nothing any more once it is set back, and what was said before that is overtaken.
    reported(&ground, "2", "2025-Q2", "accepted", json!({"status": "completed", "percent": 100, "evidence": "seen"}))
        .await;
    assert_eq!(of("2").await, "100.0 to 100.0, 1 of 1");
    patch(admin, "initiatives/external:i2", back("nor this time")).await;
    assert_eq!(of("2").await, "null to null, 0 of 1");
    patch(admin, "initiatives/external:i2", json!({"status": "not_started", "status_reason": "from the beginning"}))
        .await;
    assert_eq!(of("2").await, "0.0 to 0.0, 1 of 1");
    // Nor does a percent count that is reported of work that has not begun.
    initiative(&ground, "9", "not_started", &[]).await;
    reported(&ground, "9", "2025-Q1", "accepted", json!({"status": "not_started", "percent": 97})).await;
    assert_eq!(of("9").await, "0.0 to 0.0, 1 of 1");
    assert_eq!(rows(admin, "summary").await[0]["completed"], 0);
}

#[tokio::test]
async fn a_hundred_is_told_of_what_is_complete_only_and_nothing_of_what_has_not_begun_only() {
    let ground = ground().await;
    for code in ["1", "2"] {
        patch(
            &ground.admin,
            &format!("initiatives/external:i{code}"),
            json!({"status": "cancelled", "status_reason": "a test"}),
        )
        .await;
    }
    // One of three is unknown: 66.7 at least, 100 at most. A part of a third leaves nothing over in a sum.
    initiative(&ground, "3", "in_progress", &["completed", "completed", "in_progress"]).await;
    assert_eq!(told(&rows(&ground.admin, "summary").await[0]), "66.7 to 100.0, 2 of 3");
    let row = async |more: Value| {
        for (name, value) in more.as_object().unwrap() {
            patch(&ground.admin, &format!("steps/external:s3.{name}"), value.clone()).await;
        }
        told(&rows(&ground.admin, "summary").await[0])
    };
    assert_eq!(row(json!({"2": {"status": "cancelled", "status_reason": "x"}})).await, "100.0 to 100.0, 2 of 2");
    let many: Vec<Value> = (4..1500)
        .map(|code| json!({"strategy_id": ground.strategy, "code": code.to_string(), "title": "x", "status": "completed", "evidence": "seen"}))
        .collect();
    let file = json!({"format": "mandate-plan/1", "initiatives": many});
    let import = async |file: Value| {
        let call = ground.admin.call("POST", "/v1/imports").header("content-type", "application/json");
        call.header("mandate-reason", "a test").body(file.to_string()).expect(200).await;
    };
    import(file).await;
    initiative(&ground, "late", "not_started", &[]).await;
    let row = rows(&ground.admin, "summary").await.remove(0);
    assert_eq!((row["percent"].as_f64(), row["total"].as_i64()), (Some(99.9), Some(1500)), "{row}");
}
