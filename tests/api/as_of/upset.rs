//! A plan is upset.

use serde_json::json;

use super::items;
use crate::support::Client;

/// Changes or deletes much of what there is, and adds other things.
pub(super) async fn upset(client: &Client) {
    for item in items(client, "/v1/timelines?limit=200&basis=forecast").await {
        client
            .delete(format!("/v1/timelines/{}", item["id"].as_str().unwrap()))
            .header("if-match", "*")
            .header("mandate-reason", "a test")
            .expect(204)
            .await;
    }
    for item in items(client, "/v1/initiatives?limit=200&sort=-created_at").await {
        let path = format!("/v1/initiatives/{}", item["id"].as_str().unwrap());
        let code = format!("X{}", item["code"].as_str().unwrap());
        let body = json!({"code": code, "title": "Renamed", "status": "cancelled", "status_reason": "a test", "deadline": null});
        client.patch(&path, body).header("if-match", "*").header("mandate-reason", "a test").send().await;
    }
    for item in items(client, "/v1/entities?limit=200").await {
        let path = format!("/v1/entities/{}", item["id"].as_str().unwrap());
        client.patch(&path, json!({"name": {"en": "Renamed"}})).header("if-match", "*").expect(200).await;
    }
    for item in items(client, "/v1/assignments?limit=200&role=lead").await {
        client
            .delete(format!("/v1/assignments/{}", item["id"].as_str().unwrap()))
            .header("if-match", "*")
            .header("mandate-reason", "a test")
            .expect(204)
            .await;
    }
    for noun in [
        "risks",
        "milestones",
        "staff-allocations",
        "staff-capacities",
        "indicators",
        "reporting-cycles",
        "progress-reports",
        "evidence",
        "treaties",
        "treaty-actions",
        "positions",
        "forums",
        "engagements",
        "delegations",
        "commitments",
        "contact-points",
        "contributions",
        "contribution-partners",
        "training-programmes",
        "training-sessions",
        "frameworks",
        "assessments",
        "answers",
        "citations",
    ] {
        for item in items(client, &format!("/v1/{noun}")).await {
            let path = format!("/v1/{noun}/{}", item["id"].as_str().unwrap());
            let change = json!({"classification": "restricted"});
            let call = client.patch(&path, change).header("if-match", "*").header("mandate-reason", "a test");
            call.expect(200).await;
        }
    }
    let movement = items(client, "/v1/budget-movements?kind=allotment").await[0].clone();
    let back = json!({"allocation_id": movement["allocation_id"], "kind": "allotment", "dated_on": "2026-03-01", "money": {"amount": "1", "currency": "EUR"}});
    client.post("/v1/budget-movements", back).send().await;
    let measured = json!({"indicator_id": "external:exl-k2", "period_from": "2026-01-01", "period_to": "2026-06-30", "value": "7", "status": "final"});
    client.create("measurements", measured).await;
    client.create("entities", json!({"code": "NEW", "name": "New", "kind": "agency"})).await;
}
