//! What a progress report moves where it is classified higher than what it is on: the status goes over, and its words stay with it.

use serde_json::{Value, json};

use crate::{
    progress::{Ground, ground, report},
    support::Client,
};

const WORDS: &str = "Not for all";

async fn publish(ground: &Ground) -> Client {
    let path = format!("/v1/strategies/{}", ground.strategy.as_str().unwrap());
    let call = ground.admin.patch(path, json!({"classification": "public"})).header("if-match", "*");
    call.header("mandate-reason", "open").expect(200).await;
    crate::public::open(ground.options.clone(), &ground.admin)
}

/// Everything that could show the words, as this reader has it.
async fn tells_nothing(reader: &Client, day: &str) {
    for path in [
        "/v1/initiatives/external:i1",
        "/v1/initiatives/external:i1/history",
        "/v1/steps/external:s1/history",
        "/v1/timelines",
        "/v1/progress-reports",
        "/v1/reports/timeline",
        "/v1/reports/attention",
        "/v1/changes?limit=200",
        "/v1/diff?from=2020-01-01",
    ] {
        let text = reader.get(path).expect(200).await.text;
        assert!(!text.contains(WORDS) && !text.contains(day), "{path}: {text}");
    }
}

fn closed(period: &str, classification: &str, more: Value) -> Value {
    let mut body = report(
        period,
        json!({"state": "submitted", "classification": classification, "status_reason": WORDS,
        "evidence": format!("https://example.org/{WORDS}"), "challenges": WORDS, "narrative": WORDS}),
    );
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn the_words_of_a_report_that_is_classified_higher_stay_with_it() {
    let ground = ground().await;
    let nobody = publish(&ground).await;
    let editors = closed("2025-Q1", "internal", json!({"forecast_ends_on": "2025-12-24"}));
    ground.editor.post("/v1/progress-reports", editors).header("mandate-reason", WORDS).expect(201).await;
    let now = nobody.get("/v1/initiatives/external:i1").expect(200).await.json();
    assert_eq!((&now["status"], &now["confidence"]), (&json!("in_progress"), &json!("green")), "{now}");
    tells_nothing(&nobody, "2025-12-24").await;
    let history = ground.admin.get("/v1/initiatives/external:i1/history").expect(200).await.json();
    assert_eq!(history["items"][0]["reason"], "progress report", "{history}");
    let timelines = ground.admin.as_viewer().get("/v1/timelines").expect(200).await.json();
    assert_eq!(timelines["items"][0]["classification"], "internal", "{timelines}");
    // A restricted one, on a step, for whoever sees what is internal.
    let body =
        json!({"initiative_id": null, "step_id": "external:s1", "status": "on_hold", "forecast_ends_on": "2025-11-11"});
    let restricted = closed("2025-Q1", "restricted", body);
    ground.admin.post("/v1/progress-reports", restricted).header("mandate-reason", WORDS).expect(201).await;
    let viewer = ground.admin.as_viewer();
    assert_eq!(nobody.get("/v1/steps/external:s1").expect(200).await.json()["status"], "on_hold");
    for path in ["/v1/steps/external:s1", "/v1/steps/external:s1/history"] {
        let text = viewer.get(path).expect(200).await.text;
        assert!(!text.contains(WORDS), "{path}: {text}");
    }
    assert!(!viewer.get("/v1/timelines").expect(200).await.text.contains("2025-11-11"));
}

#[tokio::test]
async fn a_report_inherits_from_its_cycle_what_its_initiative_is_not() {
    let ground = ground().await;
    let nobody = publish(&ground).await;
    let cycle = json!({"classification": "internal"});
    ground.admin.patch("/v1/reporting-cycles/external:c", cycle).if_match(1).expect(200).await;
    let mut body = closed("2025-Q1", "internal", json!({"forecast_ends_on": "2025-12-24"}));
    body["classification"] = Value::Null;
    ground.editor.post("/v1/progress-reports", body).header("mandate-reason", WORDS).expect(201).await;
    tells_nothing(&nobody, "2025-12-24").await;
}

#[tokio::test]
async fn where_words_are_needed_they_are_given_on_the_item_itself() {
    let ground = ground().await;
    let nobody = publish(&ground).await;
    let path = "/v1/initiatives/external:i1";
    let before = ground.admin.get(format!("{path}/history")).expect(200).await.text;
    for more in [
        json!({"status": "completed", "percent": 100}),
        json!({"status": "cancelled"}),
        json!({"confidence": "amber"}),
        json!({"confidence": "red", "status": "on_hold"}),
    ] {
        let body = closed("2025-Q1", "internal", more);
        let reply = ground.editor.post("/v1/progress-reports", body).header("mandate-reason", "x").expect(422).await;
        assert_eq!(reply.faults(), ["#/classification needs_words"], "{}", reply.text);
        assert!(reply.text.contains("on the initiative itself"), "{}", reply.text);
    }
    assert_eq!(ground.admin.get(format!("{path}/history")).expect(200).await.text, before);
    // As the refusal says: there, or with the classification of the initiative.
    let reason = json!({"confidence_reason": "For all"});
    ground.editor.patch(path, reason).header("if-match", "*").expect(200).await;
    let body = closed("2025-Q1", "internal", json!({"confidence": "amber"}));
    let given = ground.editor.post("/v1/progress-reports", body).expect(201).await.json();
    let now = nobody.get(path).expect(200).await.json();
    assert_eq!((&now["confidence"], &now["confidence_reason"]["ro"]), (&json!("amber"), &json!("For all")), "{now}");
    let done = json!({"status": "completed", "evidence": "https://example.org/done"});
    ground.editor.patch(path, done).header("if-match", "*").expect(200).await;
    let body = closed("2025-Q2", "internal", json!({"status": "completed", "percent": 100}));
    ground.editor.post("/v1/progress-reports", body).expect(201).await;
    let now = nobody.get(path).expect(200).await.json();
    assert_eq!((&now["status"], &now["evidence"]), (&json!("completed"), &json!("https://example.org/done")), "{now}");
    tells_nothing(&nobody, "2025-12-24").await;
    // Words that are only words prove nothing here either, and the fault is where something can be done.
    let step = "/v1/steps/external:s1";
    ground.editor.patch(step, json!({"evidence": "trust me"})).header("if-match", "*").expect(200).await;
    let more = json!({"initiative_id": null, "step_id": "external:s1", "status": "completed"});
    let reply = ground.editor.post("/v1/progress-reports", closed("2025-Q1", "internal", more)).expect(422).await;
    assert_eq!(reply.faults(), ["#/classification needs_words"], "{}", reply.text);
    assert_eq!(given["state"], "submitted");
}

#[tokio::test]
async fn what_was_copied_while_both_were_open_is_the_items_own() {
    let ground = ground().await;
    let nobody = publish(&ground).await;
    let body = report("2025-Q1", json!({"state": "submitted", "confidence": "amber", "challenges": "Said openly"}));
    let given = ground.editor.create("progress-reports", body).await["id"].clone();
    let path = format!("/v1/progress-reports/{}", given.as_str().unwrap());
    let raised = json!({"classification": "internal"});
    ground.editor.patch(&path, raised).header("if-match", "*").expect(200).await;
    nobody.get(&path).expect(404).await;
    let now = nobody.get("/v1/initiatives/external:i1").expect(200).await.json();
    assert_eq!(now["confidence_reason"]["ro"], "Said openly", "{now}");
}
