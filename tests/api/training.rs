//! Training programmes, their sessions, and how many took part.

use serde_json::{Value, json};

use crate::support::{Client, service};

async fn plan(client: &Client) {
    let plan = json!({
        "format": "mandate-plan/1",
        "entities": [{"external_id": "aca", "code": "ACA", "name": "Academy", "kind": "academic"}],
        "strategies": [{"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"},
            {"external_id": "t", "code": "T", "title": "T", "country": "XX", "kind": "strategy"}],
        "initiatives": [{"external_id": "a", "strategy_id": "external:s", "code": "A", "title": "A"}],
        "training_programmes": [
            {"external_id": "p1", "initiative_id": "external:a", "title": "A", "audience": "specialists", "level": "advanced", "provider_id": "external:aca"},
            {"external_id": "p2", "strategy_id": "external:s", "title": "B", "audience": "pupils"},
            {"external_id": "p3", "strategy_id": "external:s", "title": "C", "audience": "public"},
            {"external_id": "p4", "strategy_id": "external:t", "title": "D", "audience": "public"}],
        "training_sessions": [
            {"programme_id": "external:p1", "starts_on": "2023-03-01", "ends_on": "2023-03-02", "status": "held", "participants": 20, "women": 8, "men": 11},
            {"programme_id": "external:p1", "starts_on": "2024-03-01", "ends_on": "2024-03-02", "status": "held", "participants": 5},
            {"programme_id": "external:p1", "starts_on": "2024-04-01", "ends_on": "2024-04-02", "status": "held"},
            {"programme_id": "external:p1", "starts_on": "2024-05-01", "ends_on": "2024-05-02", "status": "cancelled"},
            {"programme_id": "external:p1", "starts_on": "2024-06-01", "ends_on": "2024-06-02"},
            {"programme_id": "external:p2", "starts_on": "2098-06-01", "ends_on": "2098-06-02", "places": 30},
            {"programme_id": "external:p4", "starts_on": "2023-04-01", "ends_on": "2023-04-02", "status": "held"}],
    });
    let request = client.call("POST", "/v1/imports").header("content-type", "application/json");
    request.body(plan.to_string()).expect(200).await;
}

async fn told(client: &Client, query: &str) -> Vec<String> {
    let page = client.as_viewer().get(format!("/v1/reports/training?{query}")).expect(200).await.json();
    let short = |row: &Value| {
        let columns = [
            "planned",
            "overdue",
            "held",
            "cancelled",
            "participants",
            "women",
            "men",
            "unknown",
            "uncounted",
            "places",
        ];
        let numbers: Vec<String> = columns.iter().map(|name| row[*name].to_string()).collect();
        format!("{} {} {}", row["title"]["ro"].as_str().unwrap(), row["state"].as_str().unwrap(), numbers.join(" "))
    };
    page["items"].as_array().unwrap().iter().map(short).collect()
}

#[tokio::test]
async fn sessions_are_summed_by_programme_and_none_is_a_state() {
    let client = service().await;
    plan(&client).await;
    assert_eq!(
        told(&client, "").await,
        [
            "A held 0 1 3 1 25 8 11 6 1 null",
            "B planned 1 0 0 0 0 0 0 0 0 30",
            "C no_sessions 0 0 0 0 0 0 0 0 0 null",
            "D held 0 0 1 0 null null null null 1 null",
        ]
    );
    assert_eq!(told(&client, "strategy_id=external:t").await.len(), 1);
    assert_eq!(
        told(&client, "from=2024-01-01&to=2024-04-30&entity_id=code:ACA").await,
        ["A held 0 0 2 0 5 0 0 5 1 null"]
    );
    assert_eq!(told(&client, "audience=pupils&audience=public&strategy_id=external:s").await.len(), 2);
    let found = client.get("/v1/training-programmes?has_sessions=false").expect(200).await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
}

#[tokio::test]
async fn a_session_has_rules() {
    let client = service().await;
    plan(&client).await;
    let body = json!({"programme_id": "external:p1", "starts_on": "2024-03-01", "ends_on": "2024-03-02", "status": "held", "participants": 20});
    for (change, fault) in [
        (json!({"ends_on": "2024-02-01"}), "#/ends_on ends_before_start"),
        (json!({"status": "planned"}), "#/participants not_held"),
        (json!({"participants": -1}), "#/participants too_small"),
        (json!({"women": 15, "men": 6}), "#/participants too_small"),
        (json!({"participants": null, "women": 6}), "#/participants required"),
        (json!({"starts_on": "2098-03-01", "ends_on": "2098-03-01"}), "#/status in_future"),
        (json!({"modality": "remote"}), "#/modality not_allowed"),
        (json!({"programme_id": "external:none"}), "#/programme_id not_found"),
    ] {
        let mut wrong = body.clone();
        wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let status = if fault.ends_with("in_future") { 409 } else { 422 };
        let refused = client.post("/v1/training-sessions", wrong).expect(status).await;
        assert_eq!(refused.faults(), [fault], "{change}: {}", refused.text);
    }
    let neither = client.post("/v1/training-programmes", json!({"title": "X", "audience": "public"})).expect(422).await;
    assert_eq!(neither.faults(), ["#/initiative_id exactly_one"]);
    let programme = client.get("/v1/training-programmes/external:p1").expect(200).await.json();
    client
        .delete(format!("/v1/training-programmes/{}", programme["id"].as_str().unwrap()))
        .if_match(1)
        .expect(409)
        .await;
}
