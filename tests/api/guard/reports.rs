//! What a progress report may take back, and how long a plan obliges.

use super::*;

#[tokio::test]
async fn a_report_that_takes_a_status_back_says_why() {
    let client = service().await;
    let ground = ground(&client).await;
    let row = rows().into_iter().find(|(row, ..)| row.noun == "progress-reports").unwrap().0;
    let mut report = body(&row, &ground);
    lead(&client, &ground.strategy, "in_force").await;
    let item = format!("/v1/initiatives/{}", report["initiative_id"].as_str().unwrap());
    client.patch(&item, json!({"status": "in_progress"})).if_match(1).expect(200).await;
    for (field, value) in [
        ("status", json!("not_started")),
        ("state", json!("submitted")),
        ("narrative", json!("Nothing was done after all.")),
        ("challenges", json!("No staff")),
    ] {
        report[field] = value;
    }
    let bare = client.post("/v1/progress-reports", report.clone()).expect(422).await;
    assert_eq!(bare.faults(), ["Mandate-Reason needs_reason"], "{}", bare.text);
    assert_eq!(client.get(&item).expect(200).await.json()["status"], "in_progress");
    report["status_reason"] = json!("The kick-off is void.");
    client.create("progress-reports", report).await;
    let history = client.get(format!("{item}/history")).expect(200).await.json();
    assert_eq!(history["items"][0]["after"]["status"], "not_started", "{history}");
    assert_eq!(history["items"][0]["reason"], "progress report 2025-03", "{history}");
}

#[tokio::test]
async fn an_amended_plan_obliges_on_until_it_is_closed() {
    for (status, obliges) in [("in_force", true), ("amended", true), ("closed", false)] {
        let client = service().await;
        let ground = ground(&client).await;
        lead(&client, &ground.strategy, status).await;
        let path = format!("/v1/obligations?strategy_id={}", ground.strategy.as_str().unwrap());
        let owed = client.get(path).expect(200).await.json();
        assert_eq!(!owed["items"].as_array().unwrap().is_empty(), obliges, "{status}: {owed}");
    }
}
