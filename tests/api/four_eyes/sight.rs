//! A proposal is seen by whoever sees all that it changes, as it is and as it would be, and all to which that refers.

use serde_json::{Value, json};

use super::{ALL, Ground, decided, ground};
use crate::support::{Call, Client};

fn path(proposal: &Value) -> String {
    format!("/v1/proposals/{}", proposal["id"].as_str().unwrap())
}

async fn classify(ground: &Ground, place: &str, classification: &str) {
    let change = json!({"classification": classification});
    let call = ground.bogdan.patch(format!("/v1/{place}"), change).header("if-match", "*");
    call.header("mandate-reason", "x").expect(200).await;
}

/// Whether a reader sees it, alone and in the list alike.
async fn sees(client: &Client, proposal: &Value) -> bool {
    let alone = client.get(path(proposal)).send().await;
    let listed = client.get("/v1/proposals?limit=200").expect(200).await;
    let is_listed = listed.text.contains(proposal["id"].as_str().unwrap());
    assert_eq!(alone.status == 200, is_listed, "{}", alone.text);
    is_listed
}

fn money(more: Value) -> Value {
    let mut body = json!({"initiative_id": "external:i", "fiscal_year": 2030, "phase": "appropriation", "money": {"amount": "5", "currency": "RON"}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn what_is_restricted_after_it_was_confirmed_is_so_in_its_proposal() {
    let ground = ground(ALL).await;
    let viewer = ground.admin.as_viewer();
    let body = money(json!({"external_id": "new", "note": "zqnote"}));
    let proposal = ground.proposed(ground.anna.post("/v1/budget-allocations", body)).await;
    assert!(sees(&viewer, &proposal).await);
    decided(&ground.bogdan, &proposal, "confirm").await;
    assert!(sees(&viewer, &proposal).await);
    classify(&ground, "budget-allocations/external:new", "restricted").await;
    assert!(!sees(&viewer, &proposal).await && sees(&ground.bogdan, &proposal).await);
    classify(&ground, "budget-allocations/external:new", "internal").await;
    assert!(sees(&viewer, &proposal).await);
    // What is deleted stays as it was, and as what it was part of is.
    let gone = ground.anna.delete("/v1/budget-allocations/external:new").header("if-match", "*");
    let deleted = ground.proposed(gone).await;
    assert!(sees(&viewer, &deleted).await);
    decided(&ground.bogdan, &deleted, "confirm").await;
    assert!(sees(&viewer, &deleted).await && sees(&viewer, &proposal).await);
    classify(&ground, "strategies/external:s", "restricted").await;
    assert!(!sees(&viewer, &deleted).await && !sees(&viewer, &proposal).await);
}

#[tokio::test]
async fn what_was_restricted_at_its_deletion_is_so_in_its_proposals() {
    let ground = ground(ALL).await;
    let viewer = ground.admin.as_viewer();
    let change = ground.anna.patch("/v1/budget-allocations/external:m1", json!({"money": {"amount": "80"}}));
    let changed = ground.proposed(change.header("if-match", "*")).await;
    decided(&ground.bogdan, &changed, "confirm").await;
    assert!(sees(&viewer, &changed).await);
    classify(&ground, "budget-allocations/external:m1", "restricted").await;
    let gone = ground.anna.delete("/v1/budget-allocations/external:m1").header("if-match", "*");
    let deleted = ground.proposed(gone).await;
    decided(&ground.bogdan, &deleted, "confirm").await;
    assert!(!sees(&viewer, &changed).await && !sees(&viewer, &deleted).await);
}

/// Things to which a field can refer, and requests with such a field; each is restricted when it is proposed, or after it.
fn cases(ground: &Ground) -> Vec<(&'static str, Call)> {
    let anna = &ground.anna;
    let strategy = |field: &str| {
        let mut body =
            json!({"code": field, "title": "zqtitle", "country": "XX", "kind": "strategy", "status": "closed"});
        body[field] = json!("external:other");
        body
    };
    let done = |more: Value| {
        let mut body = json!({"strategy_id": "external:s", "code": "9", "title": "zqtitle", "status": "completed", "evidence": "https://good.example/zq"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let timeline = json!({"initiative_id": "external:i", "basis": "approved", "ends_on": "2027-01-31", "legal_act_id": "external:other"});
    let any = |call: Call| call.header("if-match", "*");
    vec![
        ("objectives", anna.post("/v1/initiatives", done(json!({"objective_id": "external:other"})))),
        (
            "objectives",
            any(anna.patch(
                "/v1/initiatives/external:i",
                json!({"objective_id": "external:other", "status": "completed", "evidence": "x"}),
            )),
        ),
        ("strategies", anna.post("/v1/strategies", strategy("parent_id"))),
        ("strategies", anna.post("/v1/strategies", strategy("supersedes_id"))),
        ("strategies", anna.post("/v1/initiatives", done(json!({"strategy_id": "external:other"})))),
        ("entities", anna.post("/v1/strategies", strategy("owner_id"))),
        ("entities", anna.post("/v1/budget-allocations", money(json!({"entity_id": "external:other"})))),
        ("funding-sources", anna.post("/v1/budget-allocations", money(json!({"funding_source_id": "external:other"})))),
        ("legal-acts", anna.post("/v1/budget-allocations", money(json!({"legal_act_id": "external:other"})))),
        ("legal-acts", anna.post("/v1/strategies", strategy("legal_act_id"))),
        ("legal-acts", anna.post("/v1/timelines", timeline)),
        (
            "steps",
            any(anna.patch(
                "/v1/budget-allocations/external:m1",
                json!({"initiative_id": null, "step_id": "external:other"}),
            )),
        ),
        ("initiatives", any(anna.patch("/v1/steps/external:granted", json!({"initiative_id": "external:other"})))),
    ]
}

#[tokio::test]
async fn what_refers_to_something_restricted_is_seen_by_who_sees_that() {
    let ground = ground("").await;
    let anna = &ground.anna;
    anna.create(
        "strategies",
        json!({"external_id": "other", "code": "O", "title": "O", "country": "XX", "kind": "strategy"}),
    )
    .await;
    anna.create("objectives", json!({"external_id": "other", "strategy_id": "external:s", "code": "O", "title": "O"}))
        .await;
    anna.create("entities", json!({"external_id": "other", "name": "O", "kind": "agency"})).await;
    anna.create("funding-sources", json!({"external_id": "other", "name": "O", "kind": "state_budget"})).await;
    anna.create("legal-acts", json!({"external_id": "other", "country": "XX", "issuer": "P", "act_type": "law", "number": "9", "date": "2024-02-29"})).await;
    anna.create("initiatives", json!({"external_id": "other", "strategy_id": "external:s", "code": "O", "title": "O"}))
        .await;
    for name in ["other", "granted"] {
        anna.create("steps", json!({"external_id": name, "initiative_id": "external:i", "code": name, "title": "O"}))
            .await;
    }
    anna.create("budget-allocations", json!({"step_id": "external:granted", "fiscal_year": 2029, "phase": "appropriation", "money": {"amount": "5", "currency": "RON"}})).await;
    super::put_in_force(&ground.options, ALL).await;
    let viewer = ground.admin.as_viewer();
    let mut proposals = Vec::new();
    for (noun, call) in cases(&ground) {
        let proposal = ground.proposed(call).await;
        assert!(sees(&viewer, &proposal).await, "{noun}: {proposal}");
        proposals.push((noun, proposal));
    }
    for noun in ["objectives", "entities", "funding-sources", "legal-acts", "steps", "initiatives", "strategies"] {
        classify(&ground, &format!("{noun}/external:other"), "restricted").await;
        for (of, proposal) in proposals.iter().filter(|(of, _)| *of == noun) {
            assert!(!sees(&viewer, proposal).await, "{of}: {proposal}");
            assert!(sees(&ground.bogdan, proposal).await, "{of}: {proposal}");
        }
    }
    assert!(!viewer.get("/v1/proposals").expect(200).await.text.contains("zq"));
    // And what is restricted already when it is proposed.
    for (_, proposal) in &proposals {
        decided(&ground.anna, proposal, "withdraw").await;
    }
    for (noun, call) in cases(&ground) {
        let proposal = ground.proposed(call).await;
        assert!(!sees(&viewer, &proposal).await, "{noun}: {proposal}");
    }
}

#[tokio::test]
async fn what_would_be_restricted_is_seen_by_who_sees_what_is() {
    let ground = ground(ALL).await;
    let viewer = ground.admin.as_viewer();
    let change = json!({"classification": "restricted", "money": {"amount": "80"}});
    let call = ground.anna.patch("/v1/budget-allocations/external:m1", change).header("if-match", "*");
    assert!(!sees(&viewer, &ground.proposed(call).await).await);
    let file = json!({"format": "mandate-plan/1", "timelines": [{"initiative_id": "external:i", "basis": "approved", "ends_on": "2027-01-31",
        "legal_act_id": "external:law"}]});
    let several = ground.proposed(ground.anna.post("/v1/imports", file)).await;
    assert!(!sees(&viewer, &several).await && sees(&ground.bogdan, &several).await);
}

#[tokio::test]
async fn who_proposed_it_keeps_what_he_asked_for_and_sees_no_more() {
    let ground = ground(ALL).await;
    let body = json!({"name": "e", "role": "editor", "entity_id": ground.entity});
    let key = ground.admin.create("api-keys", body).await;
    let editor = ground.admin.with_key(key["key"].as_str().unwrap().to_owned());
    let done = json!({"status": "completed", "evidence": "https://good.example/act"});
    let call = editor.patch("/v1/steps/external:st", done.clone()).if_match(1);
    let proposal = ground.proposed(call).await;
    assert_eq!(proposal["changes"][0]["after"]["title"]["ro"], "A step", "{proposal}");
    ground.bogdan.patch("/v1/steps/external:st", json!({"title": "zqtitle"})).if_match(1).expect(200).await;
    let proposal = ground.proposed(editor.patch("/v1/steps/external:st", done.clone()).if_match(2)).await;
    classify(&ground, "steps/external:st", "restricted").await;
    let kept = editor.get(path(&proposal)).expect(200).await.json();
    let withheld = (&kept["after"], &kept["changes"], &kept["body"]);
    assert_eq!(withheld, (&Value::Null, &Value::Null, &done), "{kept}");
    assert!(!editor.get("/v1/proposals").expect(200).await.text.contains("zqtitle"));
    let withdrawn = decided(&editor, &proposal, "withdraw").await;
    assert_eq!((&withdrawn["after"], &withdrawn["changes"]), (&Value::Null, &Value::Null), "{withdrawn}");
    assert!(ground.bogdan.get(path(&proposal)).expect(200).await.text.contains("zqtitle"));
}
