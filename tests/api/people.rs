//! People as numbers, and what the reports make of them.

use serde_json::{Value, json};

use crate::support::{Client, service};

async fn plan(client: &Client) {
    let plan = json!({
        "format": "mandate-plan/1",
        "entities": [{"external_id": "min", "code": "MIN", "name": "Ministry", "kind": "ministry"}, {"external_id": "agy", "code": "AGY", "name": "Agency", "kind": "agency"}],
        "strategies": [{"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"}],
        "initiatives": [
            {"external_id": "a", "strategy_id": "external:s", "code": "A", "title": "A", "deadline": {"text": "2024-06-30"}},
            {"external_id": "b", "strategy_id": "external:s", "code": "B", "title": "B", "deadline": {"text": "2024-06-30"}, "status": "completed", "evidence": "seen"},
            {"external_id": "c", "strategy_id": "external:s", "code": "C", "title": "C", "deadline": {"text": "2099-06-30"}}],
        "steps": [{"external_id": "a1", "initiative_id": "external:a", "code": "A.1", "title": "A1", "deadline": {"text": "2024-03-31"}}],
    });
    client
        .call("POST", "/v1/imports")
        .header("content-type", "application/json")
        .body(plan.to_string())
        .expect(200)
        .await;
}

fn people(item: &str, entity: &str, days: (&str, &str), planned: &str, filled: Option<&str>) -> Value {
    let field = if item.len() > 1 { "step_id" } else { "initiative_id" };
    json!({field: format!("external:{item}"), "entity_id": format!("external:{entity}"), "profile": "cybersecurity_auditor",
        "starts_on": days.0, "ends_on": days.1, "fte_planned": planned, "fte_filled": filled})
}

async fn told(client: &Client, path: &str) -> String {
    let text = client.get(path).header("accept", "text/csv").expect(200).await.text.replace('\r', "");
    // The first column is an id.
    text.lines().map(|line| line.split_once(',').unwrap().1).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn people_are_counted_by_days_and_what_is_not_known_is_no_zero() {
    let client = service().await;
    plan(&client).await;
    for body in [
        // Half of the 366 days of 2024.
        people("a", "min", ("2024-01-01", "2024-07-01"), "4", Some("1")),
        people("a1", "min", ("2024-01-01", "2024-12-31"), "1", None),
        people("c", "agy", ("2024-04-01", "2024-04-30"), "2", Some("2")),
    ] {
        client.create("staff-allocations", body).await;
    }
    let body = json!({"entity_id": "external:min", "profile": "cybersecurity_auditor", "starts_on": "2023-01-01", "fte": "2.5"});
    client.create("staff-capacities", body).await;
    insta::assert_snapshot!(told(&client, "/v1/reports/staffing").await, @"
    entity,name.ro,name.en,profile,from,to,planned,filled,gap,unknown,capacity,over_allocated
    AGY,Agency,,cybersecurity_auditor,2024-01-01,2024-12-31,0.16,0.16,0.00,0,,
    MIN,Ministry,,cybersecurity_auditor,2024-01-01,2024-12-31,3.00,0.50,1.50,1,2.50,true
    ");
    insta::assert_snapshot!(told(&client, "/v1/reports/staffing?per=quarter&entity_id=external:agy").await, @"
    entity,name.ro,name.en,profile,from,to,planned,filled,gap,unknown,capacity,over_allocated
    AGY,Agency,,cybersecurity_auditor,2024-04-01,2024-06-30,0.66,0.66,0.00,0,,
    ");
    let month = client.get("/v1/reports/staffing?per=month&entity_id=external:min").expect(200).await.json();
    let over: Vec<_> =
        month["items"].as_array().unwrap().iter().map(|row| row["over_allocated"].as_bool().unwrap()).collect();
    assert_eq!(over, [true, true, true, true, true, true, false, false, false, false, false, false], "{month}");
    // Whose people they are is asked of all; of a part of the plan only who is to work on it is told.
    let clerks = json!({"entity_id": "external:agy", "profile": "own:clerk", "starts_on": "2023-01-01", "fte": "1"});
    client.create("staff-capacities", clerks).await;
    let profiles = async |query: &str| {
        let page = client.get(format!("/v1/reports/staffing?{query}")).expect(200).await.json();
        page["items"].as_array().unwrap().iter().map(|row| row["profile"].clone()).collect::<Value>()
    };
    assert_eq!(profiles("entity_id=external:agy").await, json!(["cybersecurity_auditor", "own:clerk"]));
    assert_eq!(profiles("entity_id=external:agy&strategy_id=external:s").await, json!(["cybersecurity_auditor"]));
    let none = client.get("/v1/reports/staffing?profile=own:clerk").expect(200).await.json();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn what_is_late_and_lacks_people_is_told() {
    let client = service().await;
    plan(&client).await;
    let now = ("2000-01-01", "2009-12-31");
    // What is not of today does not count.
    client.create("staff-allocations", people("a", "min", now, "3", Some("3"))).await;
    let states = async || {
        let page = client.as_viewer().get("/v1/reports/understaffed").expect(200).await.json();
        let state = |row: &Value| format!("{} {} {} {}", row["code"], row["state"], row["planned"], row["filled"]);
        page["items"].as_array().unwrap().iter().map(state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [r#""A" "no_staff" null null"#, r#""A.1" "no_staff" null null"#]);
    let today = ("2023-01-01", "2032-12-31");
    let made = client.create("staff-allocations", people("a", "min", today, "3", None)).await;
    client.create("staff-allocations", people("a1", "agy", today, "2", Some("1.5"))).await;
    // The people of its steps are those of the initiative too.
    assert_eq!(states().await, [r#""A" "unknown" "5.00" "1.50""#, r#""A.1" "understaffed" "2.00" "1.50""#]);
    let path = format!("/v1/staff-allocations/{}", made["id"].as_str().unwrap());
    client.patch(path, json!({"fte_filled": "3"})).if_match(1).expect(200).await;
    assert_eq!(states().await, [r#""A" "understaffed" "5.00" "4.50""#, r#""A.1" "understaffed" "2.00" "1.50""#]);
    client.patch("/v1/initiatives/external:a", json!({"status": "continuous"})).if_match(1).expect(200).await;
    assert_eq!(states().await, [r#""A.1" "understaffed" "2.00" "1.50""#], "what never ends is not late");
    // A forecast beyond the end makes C late before its day.
    client
        .create("timelines", json!({"initiative_id": "external:c", "basis": "forecast", "ends_on": "2099-07-10"}))
        .await;
    assert_eq!(states().await.last().unwrap(), r#""C" "no_staff" null null"#);
}

#[tokio::test]
async fn people_have_rules() {
    let client = service().await;
    plan(&client).await;
    let mut body = people("a", "min", ("2024-01-01", "2024-07-01"), "4", None);
    for (change, fault) in [
        (json!({"profile": "cybersecurity_auditer"}), "#/profile unknown_code"),
        (json!({"profile": "Jane Doe"}), "#/profile wrong_format"),
        (json!({"fte_planned": "-1"}), "#/fte_planned wrong_format"),
        (json!({"fte_planned": "1.125"}), "#/fte_planned wrong_format"),
        (json!({"ends_on": "2023-12-31"}), "#/ends_on ends_before_start"),
        (json!({"ends_on": "2044-12-31"}), "#/ends_on too_long"),
        (json!({"starts_on": "1989-12-31", "ends_on": "1990-12-31"}), "#/starts_on out_of_range"),
        (json!({"step_id": "external:a1"}), "#/step_id exactly_one"),
        (json!({"cost": {"amount": "1.234", "currency": "RON"}}), "#/cost/amount too_many_decimals"),
        (json!({"cost": {"amount": "1", "currency": "QQQ"}}), "#/cost/currency unknown_code"),
    ] {
        let mut wrong = body.clone();
        wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = client.post("/v1/staff-allocations", wrong).expect(422).await;
        assert_eq!(refused.faults(), [fault], "{change}: {}", refused.text);
    }
    body["profile"] = json!("own:clerk");
    let made = client.create("staff-allocations", body).await;
    assert_eq!((&made["cost"], &made["fte_filled"]), (&Value::Null, &Value::Null));
    let listed = client.get("/v1/staff-allocations?profile=own:clerk&is_filled_known=false").expect(200).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}
