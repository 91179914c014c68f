//! The one rule of the end that counts, in every report that says by when something is to end, or that it is late.

use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::{
    figures::{patch, rows},
    progress::{Ground, ground},
    support::Client,
};

/// A timeline of the first initiative.
async fn timeline(client: &Client, basis: &str, ends_on: &str, set_on: Value) -> Value {
    let act = &client.get("/v1/legal-acts").expect(200).await.json()["items"][0]["id"];
    let act = if basis == "approved" { act.clone() } else { Value::Null };
    let body = json!({"initiative_id": "external:i1", "basis": basis, "ends_on": ends_on, "set_on": set_on, "legal_act_id": act, "reason": "a test"});
    client.post("/v1/timelines", body).header("mandate-reason", "a test").expect(201).await.json()
}

/// The first initiative's end, as each reading has it.
async fn ends(ground: &Ground) -> Vec<Value> {
    let admin = &ground.admin;
    let timeline = &rows(admin, "timeline").await[0];
    let owed = admin.get("/v1/obligations?kind=initiative&entity=code:AGY").expect(200).await.json();
    let attention = rows(admin, "attention").await;
    let attention =
        attention.iter().find(|row| row["code"] == "1").map_or(Value::Null, |row| row["planned_on"].clone());
    let understaffed = rows(admin, "understaffed").await;
    let understaffed =
        understaffed.iter().find(|row| row["code"] == "1").map_or(Value::Null, |row| row["due_on"].clone());
    vec![timeline["counts_to"].clone(), owed["items"][0]["due_on"].clone(), attention, understaffed]
}

#[tokio::test]
async fn the_newest_by_the_day_it_was_set_or_recorded_counts_in_every_reading() {
    let ground = ground().await;
    let admin = &ground.admin;
    let all = |day: &str| vec![json!(day); 4];
    assert_eq!(ends(&ground).await, all("2025-06-30"), "the deadline");
    timeline(admin, "approved", "2025-07-31", json!("2025-01-10")).await;
    assert_eq!(ends(&ground).await, all("2025-07-31"), "the approved end");
    timeline(admin, "revised", "2025-08-31", json!("2025-05-01")).await;
    assert_eq!(ends(&ground).await, all("2025-08-31"), "the revised end");
    timeline(admin, "approved", "2025-12-31", json!("2025-06-01")).await;
    assert_eq!(ends(&ground).await, all("2025-08-31"), "a revision counts before an approved end");
    // Without a day it was set when it was recorded, which is after all of these.
    let newest = timeline(admin, "revised", "2025-09-30", Value::Null).await;
    assert_eq!(ends(&ground).await, all("2025-09-30"), "the one without a day is the newest");
    timeline(admin, "revised", "2025-10-31", json!("2025-05-02")).await;
    assert_eq!(
        ends(&ground).await,
        all("2025-09-30"),
        "what was set earlier is not the newest, though it was recorded later"
    );
    let path = format!("timelines/{}", newest["id"].as_str().unwrap());
    patch(admin, &path, json!({"set_on": "2025-04-01"})).await;
    assert_eq!(ends(&ground).await, all("2025-10-31"));
    // Words without a day: then there is no end by which it could be late.
    let open = json!({"initiative_id": "external:i1", "basis": "revised", "deadline": {"text": "Permanent"}, "reason": "a test"});
    admin.post("/v1/timelines", open).header("mandate-reason", "a test").expect(201).await;
    assert_eq!(ends(&ground).await, vec![Value::Null; 4]);
    // A timeline that says a start only says nothing of the end.
    timeline(admin, "revised", "2025-11-30", Value::Null).await;
    let start =
        json!({"initiative_id": "external:i1", "basis": "revised", "starts_on": "2025-02-01", "reason": "a test"});
    admin.post("/v1/timelines", start).header("mandate-reason", "a test").expect(201).await;
    assert_eq!(ends(&ground).await, all("2025-11-30"));
    assert_eq!(rows(admin, "timeline").await[0]["counts_from"], "2025-02-01");
}

#[tokio::test]
async fn the_newest_forecast_counts_and_integrity_measures_by_the_same_ends() {
    let ground = ground().await;
    let admin = &ground.admin;
    let slip = async || {
        let rows = rows(admin, "integrity?by=item").await;
        rows.iter().find(|row| row["code"] == "1").unwrap()["longest_slip_days"].clone()
    };
    timeline(admin, "revised", "2025-07-10", json!("2025-02-01")).await;
    assert_eq!(slip().await, 10);
    timeline(admin, "revised", "2025-07-20", Value::Null).await;
    timeline(admin, "revised", "2025-08-29", json!("2025-01-01")).await;
    assert_eq!(slip().await, 20, "what was set earlier does not count, though it was recorded last");
    timeline(admin, "forecast", "2025-09-01", json!("2025-03-01")).await;
    timeline(admin, "forecast", "2025-07-30", Value::Null).await;
    assert_eq!(slip().await, 30);
    assert_eq!(rows(admin, "timeline").await[0]["forecast_to"], "2025-07-30");
}

#[tokio::test]
async fn a_timeline_is_not_set_on_a_day_to_come() {
    let Ground { admin, .. } = ground().await;
    let future = json!({"external_id": "t", "initiative_id": "external:i1", "basis": "forecast", "ends_on": "2025-09-01", "set_on": "2099-01-01"});
    let reply = admin.post("/v1/timelines", future.clone()).header("mandate-reason", "a test").expect(409).await;
    assert_eq!(reply.faults(), ["#/set_on in_future"], "{}", reply.text);
    let file = json!({"format": "mandate-plan/1", "timelines": [future.clone()]});
    let call =
        admin.call("POST", "/v1/imports").header("content-type", "application/json").header("mandate-reason", "a test");
    let reply = call.body(file.to_string()).expect(422).await;
    assert!(reply.text.contains("in_future"), "{}", reply.text);
    let mut today = future;
    today["set_on"] = json!("2025-01-01");
    admin.post("/v1/timelines", today).header("mandate-reason", "a test").expect(201).await;
    let call = admin.patch("/v1/timelines/external:t", json!({"set_on": "2099-01-01"})).if_match(1);
    assert_eq!(call.header("mandate-reason", "a test").expect(409).await.faults(), ["#/set_on in_future"]);
}

#[tokio::test]
async fn a_day_to_come_that_was_recorded_before_it_was_refused_is_the_day_of_its_recording() {
    let ground = ground().await;
    timeline(&ground.admin, "revised", "2025-09-30", json!("2025-01-01")).await;
    timeline(&ground.admin, "revised", "2025-10-31", Value::Null).await;
    let mut connection = PgConnection::connect_with(&ground.options).await.unwrap();
    connection.execute("update timelines set set_on = '2099-01-01' where ends_on = '2025-09-30'").await.unwrap();
    assert_eq!(ends(&ground).await, vec![json!("2025-10-31"); 4], "it was recorded before the other");
}

#[tokio::test]
async fn work_that_is_overdue_is_owed_by_its_lead_until_it_is_done() {
    let Ground { admin, editor, .. } = ground().await;
    patch(&admin, "steps/external:s1", json!({"deadline": {"text": "2025-05-31"}})).await;
    let owed = async |query: &str| {
        let page = admin.get(format!("/v1/obligations?kind=initiative&kind=step&{query}")).expect(200).await.json();
        page["items"].as_array().unwrap().clone()
    };
    let lines = async |query: &str| -> Vec<String> {
        let word = |row: &Value, name: &str| row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
        let line = |row: &Value| {
            ["kind", "code", "entity", "owed_as", "state", "days_overdue"].map(|name| word(row, name)).join(" ")
        };
        owed(query).await.iter().map(line).collect()
    };
    let due = ["step a AGY lead due null", "initiative 1 AGY lead due null", "initiative 2 MIN lead due null"];
    assert_eq!(lines("on=2025-05-31").await, due);
    assert!(lines("on=2025-05-31&overdue=true").await.is_empty(), "the last day is in time");
    assert_eq!(lines("on=2025-06-01&overdue=true").await, ["step a AGY lead overdue 1"]);
    let late = ["step a AGY lead overdue 31", "initiative 1 AGY lead overdue 1", "initiative 2 MIN lead overdue 1"];
    assert_eq!(lines("on=2025-07-01&overdue=true").await, late);
    timeline(&admin, "revised", "2025-07-31", Value::Null).await;
    let row =
        owed("on=2025-08-10&entity=code:AGY&kind=initiative").await.into_iter().find(|row| row["code"] == "1").unwrap();
    assert_eq!(
        (&row["due_on"], &row["revised_on"], &row["days_overdue"]),
        (&json!("2025-07-31"), &json!("2025-07-31"), &json!(10)),
        "{row}"
    );
    assert_eq!((&row["last_heard_on"], &row["resource_id"]), (&Value::Null, &row["item_id"]), "{row}");
    editor.create("progress-reports", crate::progress::report("2025-Q1", json!({"state": "submitted"}))).await;
    assert!(owed("entity=code:AGY").await.iter().find(|row| row["code"] == "1").unwrap()["last_heard_on"].is_string());
    let token = admin.create("calendar-tokens", json!({"name": "calendar", "entity_id": "code:AGY"})).await;
    let path = format!("/v1/calendars/external:agency.ics?token={}", token["token"].as_str().unwrap());
    let calendar = admin.as_nobody().get(path).expect(200).await.text;
    assert!(calendar.contains("SUMMARY:Overdue: End of 1: 1"), "{calendar}");
    patch(&admin, "steps/external:s1", json!({"status": "completed", "evidence": "seen"})).await;
    patch(&admin, "initiatives/external:i1", json!({"status": "cancelled", "status_reason": "a test"})).await;
    assert_eq!(lines("on=2025-07-01").await, ["initiative 2 MIN lead overdue 1"]);
    patch(&admin, "initiatives/external:i2", json!({"status": "continuous"})).await;
    assert!(lines("on=2025-07-01").await.is_empty());
}
