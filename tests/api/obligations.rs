//! Who owes what by when.

use serde_json::{Value, json};

use crate::{
    as_of::now,
    progress::{Ground, ground, report},
    support::Client,
};

async fn rows(client: &Client, query: &str) -> Vec<Value> {
    let page = client.get(format!("/v1/obligations?{query}")).expect(200).await.json();
    page["items"].as_array().unwrap().clone()
}

/// Code, period, entity and state of each.
async fn owed(client: &Client, query: &str) -> Vec<String> {
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let line = |row: &Value| ["code", "period", "entity", "state"].map(|name| word(row, name)).join(" ");
    rows(client, query).await.iter().map(line).collect()
}

#[tokio::test]
async fn reports_are_owed_by_leads_until_they_are_submitted() {
    let Ground { admin, editor, .. } = ground().await;
    assert_eq!(owed(&admin, "kind=progress_report&on=2025-02-01").await, ["1 2025-Q1 AGY due", "2 2025-Q1 MIN due"]);
    let late = ["1 2025-Q1 AGY never_reported", "2 2025-Q1 MIN never_reported"];
    assert_eq!(owed(&admin, "kind=progress_report&on=2025-05-01&overdue=true").await, late);
    let row = rows(&admin, "kind=progress_report&on=2025-05-01&entity=code:AGY&overdue=true").await.remove(0);
    assert_eq!(
        (&row["days_overdue"], &row["owed_as"], &row["last_heard_on"]),
        (&json!(16), &json!("lead"), &Value::Null)
    );
    let draft = editor.create("progress-reports", report("2025-Q1", json!({}))).await;
    let row = rows(&admin, "kind=progress_report&on=2025-05-01&entity=code:AGY&overdue=true").await.remove(0);
    assert_eq!((&row["resource_id"], &row["report_state"]), (&draft["id"], &json!("draft")), "{row}");
    let path = format!("/v1/progress-reports/{}", draft["id"].as_str().unwrap());
    editor.patch(&path, json!({"state": "submitted"})).if_match(1).expect(200).await;
    let open = ["2 2025-Q1 MIN never_reported", "1 2025-Q2 AGY overdue", "2 2025-Q2 MIN never_reported"];
    assert_eq!(owed(&admin, "kind=progress_report&on=2025-08-01").await, open);
    assert!(rows(&admin, "kind=progress_report&entity=code:AGY&on=2025-08-01").await[0]["last_heard_on"].is_string());
    // What was returned is owed again.
    let returned = json!({"state": "returned", "return_note": "More"});
    admin.patch(&path, returned).if_match(2).expect(200).await;
    assert_eq!(
        owed(&admin, "kind=progress_report&on=2025-05-01&overdue=true&entity=code:AGY").await,
        ["1 2025-Q1 AGY overdue"]
    );
}

#[tokio::test]
async fn who_owes_is_the_lead_of_the_step_or_of_its_initiative_or_the_owner_or_nobody() {
    let Ground { admin, strategy, .. } = ground().await;
    let cycle = "/v1/reporting-cycles/external:c";
    admin.patch(cycle, json!({"covers": "both"})).header("mandate-reason", "a test").if_match(1).expect(200).await;
    admin.create("initiatives", json!({"external_id": "i3", "strategy_id": strategy, "code": "3", "title": "3"})).await;
    let on = "kind=progress_report&on=2025-02-01";
    let all = ["1 2025-Q1 AGY due", "a 2025-Q1 AGY due", "2 2025-Q1 MIN due", "3 2025-Q1 MIN due"];
    assert_eq!(owed(&admin, on).await, all);
    let as_owner = rows(&admin, on).await.remove(3);
    assert_eq!(as_owner["owed_as"], "owner", "{as_owner}");
    let path = format!("/v1/strategies/{}", strategy.as_str().unwrap());
    admin
        .patch(path, json!({"owner_id": null}))
        .header("mandate-reason", "a test")
        .header("if-match", "*")
        .expect(200)
        .await;
    assert_eq!(owed(&admin, on).await[3], "3 2025-Q1 - due");
    admin.patch(cycle, json!({"covers": "steps"})).header("mandate-reason", "a test").if_match(2).expect(200).await;
    assert_eq!(owed(&admin, on).await, ["a 2025-Q1 AGY due"]);
    admin.patch(cycle, json!({"status": "closed"})).header("mandate-reason", "a test").if_match(3).expect(200).await;
    assert!(owed(&admin, on).await.is_empty());
}

#[tokio::test]
async fn what_is_done_given_up_or_not_begun_owes_nothing() {
    let Ground { admin, .. } = ground().await;
    let change = async |body: Value| {
        let call = admin.patch("/v1/initiatives/external:i1", body).header("if-match", "*");
        call.header("mandate-reason", "a test").expect(200).await;
    };
    change(json!({"starts_on": "2025-04-01"})).await;
    assert_eq!(owed(&admin, "kind=progress_report&on=2025-04-02&entity=code:AGY").await, ["1 2025-Q2 AGY due"]);
    change(json!({"status": "completed", "evidence": "done"})).await;
    assert!(owed(&admin, "kind=progress_report&on=2025-04-02&entity=external:agency").await.is_empty());
}

#[tokio::test]
async fn milestones_with_a_deadline_are_owed_until_they_are_achieved() {
    let Ground { admin, .. } = ground().await;
    let milestone = |code: &str, deadline: Value| json!({"external_id": code, "initiative_id": "external:i1", "code": code, "title": code, "deadline": deadline});
    admin.create("milestones", milestone("m1", json!({"text": "2025-03-31"}))).await;
    admin.create("milestones", milestone("m2", Value::Null)).await;
    let rows = rows(&admin, "kind=milestone&on=2025-04-01").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(
        (&rows[0]["state"], &rows[0]["days_overdue"], &rows[0]["entity"]),
        (&json!("overdue"), &json!(1), &json!("AGY"))
    );
    let reached = json!({"achieved_on": "2025-04-01", "evidence": "seen"});
    admin.patch("/v1/milestones/external:m1", reached).if_match(1).expect(200).await;
    assert!(owed(&admin, "kind=milestone&on=2025-04-01").await.is_empty());
    assert_eq!(
        owed(&admin, "kind=progress_report&on=2025-02-01&due_before=2026-01-01").await.len(),
        4,
        "also periods to come"
    );
}

#[tokio::test]
async fn a_target_owes_a_measurement_from_whoever_measures_until_there_is_one_in_its_period() {
    let Ground { admin, strategy, .. } = ground().await;
    let indicator = |name: &str, about: Value| {
        let mut body = json!({"external_id": name, "code": name, "title": name, "value_chain_stage": "output", "measure": "unit",
            "direction": "ascending"});
        body.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
        body
    };
    let own = json!({"initiative_id": "external:i1", "entity_id": "code:MIN"});
    admin.create("indicators", indicator("n1", own)).await;
    admin.create("indicators", indicator("n2", json!({"initiative_id": "external:i1", "aggregation": "none"}))).await;
    admin.create("indicators", indicator("n3", json!({"strategy_id": strategy}))).await;
    for name in ["n1", "n2", "n3"] {
        let target = json!({"indicator_id": format!("external:{name}"), "period_from": "2025-01-01", "period_to": "2025-12-31", "value": "10"});
        admin.create("indicator-targets", target).await;
    }
    let due = "kind=measurement&on=2025-06-30";
    let period = "2025-01-01/2025-12-31";
    let mut all = owed(&admin, due).await;
    all.sort();
    assert_eq!(all, [format!("1 {period} AGY due"), format!("1 {period} MIN due"), format!("S {period} MIN due")]);
    let as_what = |rows: &[Value]| rows.iter().map(|row| row["owed_as"].clone()).collect::<Vec<_>>();
    assert_eq!(as_what(&rows(&admin, &format!("{due}&entity=code:AGY")).await), ["lead"]);
    assert_eq!(rows(&admin, "kind=measurement&on=2024-12-31").await.len(), 0, "not before the period has begun");
    let late = rows(&admin, "kind=measurement&on=2026-01-10&overdue=true&entity=code:AGY").await.remove(0);
    assert_eq!(
        (&late["state"], &late["days_overdue"], &late["title"]["ro"]),
        (&json!("never_reported"), &json!(10), &json!("n2"))
    );
    // Half a year is a measurement in the year; not for an indicator that is measured by exactly the periods of its targets.
    for name in ["n1", "n2"] {
        let half = json!({"indicator_id": format!("external:{name}"), "period_from": "2025-01-01", "period_to": "2025-06-30", "value": "4",
            "status": "final"});
        admin.create("measurements", half).await;
    }
    let left = rows(&admin, "kind=measurement&on=2026-01-10").await;
    assert_eq!(as_what(&left), ["lead", "owner"], "{left:?}");
    assert_eq!((&left[0]["state"], left[0]["last_heard_on"].is_string()), (&json!("overdue"), true), "{left:?}");
}

#[tokio::test]
async fn a_period_without_a_due_day_is_owed_and_never_late() {
    let Ground { admin, editor, .. } = ground().await;
    let open = json!({"periods": [{"code": "2025-Q1", "from": "2025-01-01", "to": "2025-03-31"}]});
    admin
        .patch("/v1/reporting-cycles/external:c", open)
        .header("mandate-reason", "a test")
        .if_match(1)
        .expect(200)
        .await;
    let rows = rows(&admin, "kind=progress_report&on=2027-01-01&entity=code:AGY").await;
    assert_eq!(
        (&rows[0]["state"], &rows[0]["due_on"], &rows[0]["days_overdue"]),
        (&json!("due"), &Value::Null, &Value::Null)
    );
    assert!(owed(&admin, "kind=progress_report&on=2027-01-01&overdue=true").await.is_empty());
    assert_eq!(owed(&admin, "kind=progress_report&on=2027-01-01&overdue=false").await.len(), 2);
    editor.create("progress-reports", report("2025-Q1", json!({"state": "submitted"}))).await;
    let page = admin.get("/v1/reports/submissions").expect(200).await.json();
    let counts = |row: &Value| ["in_time", "late", "outstanding", "missing"].map(|name| row[name].as_i64().unwrap());
    let all: Vec<_> = page["items"].as_array().unwrap().iter().map(counts).collect();
    assert_eq!(all, [[1, 0, 0, 0], [0, 0, 1, 0]], "{page}");
}

#[tokio::test]
async fn an_open_risk_owes_its_review() {
    let Ground { admin, .. } = ground().await;
    let risk = json!({"external_id": "r", "initiative_id": "external:i1", "title": "A risk", "level": "low", "owner_id": "code:MIN",
        "review_on": "2025-03-01"});
    admin.create("risks", risk).await;
    let row = rows(&admin, "kind=risk_review&on=2025-03-03").await.remove(0);
    assert_eq!(
        (&row["entity"], &row["owed_as"], &row["days_overdue"], &row["state"]),
        (&json!("MIN"), &json!("watches"), &json!(2), &json!("overdue"))
    );
    let closed = json!({"status": "closed", "status_reason": "It is over."});
    admin.patch("/v1/risks/external:r", closed).if_match(1).expect(200).await;
    assert!(owed(&admin, "kind=risk_review").await.is_empty());
}

#[tokio::test]
async fn obligations_are_strict_speak_all_formats_and_have_a_past() {
    let Ground { admin, editor, options, .. } = ground().await;
    admin.as_nobody().get("/v1/obligations").expect(401).await;
    let reply = admin.get("/v1/obligations?entity_id=x").expect(400).await;
    assert!(reply.text.contains("did you mean `entity`?"), "{}", reply.text);
    for format in ["application/json", "application/x-ndjson", "text/csv", "text/plain"] {
        let reply = admin.as_viewer().get("/v1/obligations").header("accept", format).expect(200).await;
        assert!(reply.text.contains("2025-Q2") && reply.header("content-type").starts_with(format), "{}", reply.text);
    }
    let before = admin.get("/v1/obligations").expect(200).await;
    let then = now(&options).await;
    editor.create("progress-reports", report("2025-Q1", json!({"state": "submitted"}))).await;
    assert_ne!(admin.get("/v1/obligations").expect(200).await.json()["items"], before.json()["items"]);
    let past = format!("/v1/obligations?as_of={then}");
    assert_eq!(admin.get(past).expect(200).await.json()["items"], before.json()["items"]);
}

#[tokio::test]
async fn what_is_restricted_owes_nothing_that_a_viewer_sees() {
    let Ground { admin, options, .. } = ground().await;
    let hidden = json!({"classification": "restricted"});
    admin.patch("/v1/initiatives/external:i2", hidden).if_match(1).expect(200).await;
    let on = "kind=progress_report&on=2025-02-01";
    assert_eq!(owed(&admin, on).await, ["1 2025-Q1 AGY due", "2 2025-Q1 MIN due"]);
    assert_eq!(owed(&admin.as_viewer(), on).await, ["1 2025-Q1 AGY due"]);
    for (client, total) in [(&admin, 2), (&admin.as_viewer(), 1)] {
        for report in ["summary", "matrix", "progress", "submissions"] {
            let rows = client.get(format!("/v1/reports/{report}")).expect(200).await.json();
            let counted: i64 = rows["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| ["total", "initiatives", "expected"].iter().find_map(|name| row[name].as_i64()).unwrap())
                .sum();
            let periods = if report == "submissions" { 2 } else { 1 };
            assert_eq!(counted, total * periods, "{report}: {rows}");
        }
    }
    // What is classified today is so in every past, and what a viewer may not see has no history of submissions either.
    let then = now(&options).await;
    assert_eq!(owed(&admin.as_viewer(), &format!("{on}&as_of={then}")).await, ["1 2025-Q1 AGY due"]);
}

#[tokio::test]
async fn a_strategy_without_a_code_owes_like_any_other() {
    let Ground { admin, .. } = ground().await;
    let strategy = json!({"title": "Without a code", "country": "XX", "kind": "strategy", "owner_id": "code:AGY"});
    let strategy = admin.create("strategies", strategy).await["id"].clone();
    let risk = json!({"strategy_id": strategy, "title": "A risk", "level": "low", "review_on": "2025-03-31"});
    admin.create("risks", risk).await;
    let rows = rows(&admin, "kind=risk_review&on=2025-04-01").await;
    assert_eq!((rows.len(), &rows[0]["code"], &rows[0]["entity"]), (1, &Value::Null, &json!("AGY")), "{rows:?}");
    let token = admin.create("calendar-tokens", json!({"name": "calendar", "entity_id": "code:AGY"})).await;
    let path = format!("/v1/calendars/external:agency.ics?token={}", token["token"].as_str().unwrap());
    let calendar = admin.as_nobody().get(path).expect(200).await.text;
    assert!(calendar.contains("SUMMARY:Overdue: Review of a risk: A risk"), "{calendar}");
}
