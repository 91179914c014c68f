//! What a dry run says of the second principal, and what who confirms is told when it is too late.

use serde_json::{Value, json};

use super::{ALL, Ground, decide, decided, ground};
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

#[tokio::test]
async fn who_confirms_too_late_is_told_both_versions_and_nothing_to_do_that_he_cannot() {
    let ground = ground(ALL).await;
    let (anna, bogdan) = (&ground.anna, &ground.bogdan);
    let note = |path: &str, body: Value| bogdan.patch(path, body).header("if-match", "*").header("mandate-reason", "x");
    let draft = json!({"external_id": "r", "step_id": "external:st", "cycle_id": "external:c", "period": "1", "status": "completed",
        "confidence": "green", "narrative": "Done", "evidence": "https://example.org/x"});
    anna.create("progress-reports", draft).await;
    let (m1, step, t2) = ("/v1/budget-allocations/external:m1", "/v1/steps/external:st", "/v1/timelines/external:t2");
    let whole = json!({"initiative_id": "external:i", "basis": "revised", "ends_on": "2026-01-31", "reason": "x"});
    let batch = json!({"items": [{"external_id": "r", "state": "submitted", "version": 1}]});
    let cases: Vec<(Call, &str, Value)> = vec![
        (anna.patch(m1, json!({"money": {"amount": "80"}})).if_match(1), m1, json!({"note": "seen"})),
        (
            anna.patch(step, json!({"status": "completed", "evidence": "x"})).header("if-match", "*"),
            step,
            json!({"title": "Other"}),
        ),
        (anna.put(t2, whole).if_match(1), t2, json!({"reason": "y"})),
        (
            anna.post("/v1/progress-report-batches", batch),
            "/v1/progress-reports/external:r",
            json!({"narrative": "All done"}),
        ),
        (
            anna.delete("/v1/budget-allocations/external:m2").if_match(1),
            "/v1/budget-allocations/external:m2",
            json!({"note": "seen"}),
        ),
    ];
    for (call, path, change) in cases {
        let proposal = ground.proposed(call).await;
        note(path, change).expect(200).await;
        let reply = decide(bogdan, &proposal, "confirm").await;
        assert_eq!((reply.status.as_u16(), reply.faults()), (409, vec!["#/proposal_id stale".to_owned()]), "{path}");
        assert!(
            reply.text.contains("from version 1 to version 2") && reply.text.contains("proposed again"),
            "{}",
            reply.text
        );
        assert!(!reply.text.contains("If-Match") && !reply.text.contains("read it again"), "{}", reply.text);
        let kept = anna.get(format!("/v1/proposals/{}", proposal["id"].as_str().unwrap())).expect(200).await.json();
        assert!(kept["state"] == "stale" && kept["problem"].as_str().unwrap().contains("to version 2"), "{kept}");
        // As it says, nothing is left to do with it.
        assert_eq!(decide(anna, &proposal, "withdraw").await.status, 409);
    }
    // What is gone has no versions.
    let proposal = ground.proposed(anna.patch(t2, json!({"ends_on": "2026-03-31"})).header("if-match", "*")).await;
    decided(bogdan, &ground.proposed(anna.delete(t2).header("if-match", "*")).await, "confirm").await;
    let reply = decide(bogdan, &proposal, "confirm").await;
    assert!(reply.status == 409 && reply.text.contains("deleted after it was proposed"), "{}", reply.text);
}
