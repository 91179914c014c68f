//! What a dry run says of the second principal.

use serde_json::{Value, json};

use super::{ALL, Ground, decided, ground};
use crate::support::Call;

/// Requests that can only be tried, and the acts for which the real ones wait.
async fn tries(ground: &Ground) -> Vec<(Vec<&'static str>, &'static str, Call, Call)> {
    let anna = &ground.anna;
    let draft = json!({"external_id": "r", "step_id": "external:st", "cycle_id": "external:c", "period": "1", "status": "completed",
        "confidence": "green", "narrative": "Done", "evidence": "https://example.org/x"});
    anna.create("progress-reports", draft).await;
    let patch = |acts, path: &str, body: Value| {
        let call = |query: &str| anna.patch(format!("/v1/{path}{query}"), body.clone()).header("if-match", "*");
        (acts, "PATCH", call("?dry_run=true"), call(""))
    };
    let post = |acts, path: &str, and: &str, body: Value| {
        let call = |query: &str| anna.post(format!("/v1/{path}{query}"), body.clone());
        (acts, "POST", call(&format!("?dry_run=true{and}")), call(&and.replacen('&', "?", 1)))
    };
    let done = json!({"status": "completed", "evidence": "https://example.org/x"});
    let steps = json!([{"external_id": "st", "status": "completed", "evidence": "https://example.org/x"}]);
    let ends = json!([{"external_id": "t2", "ends_on": "2025-07-31"}]);
    let file = |sections: Value| {
        let mut file = json!({"format": "mandate-plan/1"});
        file.as_object_mut().unwrap().extend(sections.as_object().unwrap().clone());
        file
    };
    let whole = json!([{"external_id": "t2", "initiative_id": "external:i", "basis": "revised", "ends_on": "2025-06-30", "reason": "x", "set_on": "2025-01-01"}]);
    vec![
        patch(vec!["completion"], "steps/external:st", done),
        patch(vec!["approved_timeline"], "timelines/external:t2", json!({"set_on": "2025-01-01"})),
        patch(vec!["appropriation"], "budget-allocations/external:m1", json!({"money": {"amount": "90"}})),
        patch(vec!["completion"], "progress-reports/external:r", json!({"state": "submitted"})),
        patch(vec![], "steps/external:st", json!({"title": "Other words"})),
        patch(vec![], "timelines/external:t1", json!({"set_on": "2025-01-01"})),
        post(vec!["completion"], "imports", "", file(json!({"steps": steps}))),
        post(vec!["approved_timeline", "completion"], "imports", "", file(json!({"steps": steps, "timelines": ends}))),
        post(vec!["approved_timeline"], "imports", "&mode=replace", file(json!({"timelines": whole}))),
        post(vec![], "imports", "", file(json!({"steps": [{"external_id": "st", "title": "Again other words"}]}))),
        post(
            vec!["completion"],
            "progress-report-batches",
            "",
            json!({"items": [{"external_id": "r", "state": "submitted"}]}),
        ),
    ]
}

#[tokio::test]
async fn a_dry_run_names_the_acts_for_which_it_would_stand_as_proposed() {
    let ground = ground(ALL).await;
    for (acts, method, tried, real) in tries(&ground).await {
        let before = ground.record().await;
        let reply = tried.expect(200).await;
        assert_eq!(ground.record().await, before);
        let told = &reply.json()["proposed_for"];
        let wanted = if acts.is_empty() { Value::Null } else { json!(acts) };
        assert_eq!(*told, wanted, "{method}: {}", reply.text);
        if let Some(first) = acts.first() {
            let proposal = ground.proposed(real).await;
            assert!(acts.contains(&proposal["act"].as_str().unwrap()), "{first}: {proposal}");
            decided(&ground.anna, &proposal, "withdraw").await;
        } else {
            assert_eq!(real.send().await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_dry_run_names_no_act_that_is_not_in_force_and_none_beside_a_refusal() {
    let ground = ground("closing").await;
    for (_, method, tried, _) in tries(&ground).await {
        let reply = tried.expect(200).await;
        assert!(!reply.text.contains("proposed_for"), "{method}: {}", reply.text);
    }
    super::put_in_force(&ground.options, ALL).await;
    let steps = json!([{"external_id": "st", "status": "completed", "evidence": "x"}, {"external_id": "st2", "status": "completed"}]);
    let file = json!({"format": "mandate-plan/1", "steps": steps});
    let reply = ground.anna.post("/v1/imports?dry_run=true", file).expect(200).await;
    assert!(reply.json()["refused"] == 1 && !reply.text.contains("proposed_for"), "{}", reply.text);
}
