//! Who may not lower a classification publishes nothing by moving it: what counts is the effective classification before and after.

use mandate::base::limits::Limits;
use serde_json::{Value, json};

use crate::support::{Client, database, service_over};

/// A public strategy with an open initiative, and one that is internal because it serves an internal objective. Agency A leads both.
struct Ground {
    admin: Client,
    nobody: Client,
    agency: Value,
    strategy: Value,
    open: Value,
    closed: Value,
}

impl Ground {
    async fn lay() -> Self {
        let options = database().await;
        let admin = service_over(options.clone(), Limits::default()).await;
        let nobody = crate::public::open(options, &admin);
        let id = async |noun: &str, body: Value| admin.create(noun, body).await["id"].clone();
        let agency = id("entities", json!({"name": "Agency", "kind": "agency", "code": "A"})).await;
        let strategy =
            json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy", "classification": "public"});
        let strategy = id("strategies", strategy).await;
        let objective = json!({"strategy_id": strategy, "code": "1", "title": "Kept", "classification": "internal"});
        let objective = id("objectives", objective).await;
        let body = |code: &str, objective: &Value| json!({"strategy_id": strategy, "code": code, "title": code, "objective_id": objective});
        let open = id("initiatives", body("1", &Value::Null)).await;
        let closed = id("initiatives", body("2", &objective)).await;
        for initiative in [&open, &closed] {
            id("assignments", json!({"initiative_id": initiative, "entity_id": agency, "role": "lead"})).await;
        }
        Self { admin, nobody, agency, strategy, open, closed }
    }

    async fn key(&self, role: &str) -> Client {
        let entity = if ["editor", "finance"].contains(&role) { &self.agency } else { &Value::Null };
        let key = self.admin.create("api-keys", json!({"name": role, "role": role, "entity_id": entity})).await;
        self.admin.with_key(key["key"].as_str().unwrap().into())
    }

    async fn made(&self, noun: &str, body: Value) -> String {
        format!("/v1/{noun}/{}", self.admin.create(noun, body).await["id"].as_str().unwrap())
    }

    async fn step(&self, name: &str, classification: Value) -> String {
        let body = json!({"initiative_id": self.closed, "code": name, "title": name, "external_id": name,
            "classification": classification});
        self.made("steps", body).await
    }
}

/// Refused, with a fault at this reference that says what would be and what to do.
async fn is_refused(client: &Client, path: &str, change: Value, field: &str) {
    for query in ["", "?dry_run=true"] {
        let reply = client.patch(format!("{path}{query}"), change.clone()).header("if-match", "*").expect(403).await;
        assert_eq!(reply.faults(), [format!("#/{field} reserved")], "{}", reply.text);
        assert!(reply.text.contains("it would be published") && reply.text.contains("internal"), "{}", reply.text);
    }
}

#[tokio::test]
async fn what_is_moved_below_something_public_would_be_published_with_all_below_it() {
    let ground = Ground::lay().await;
    let (editor, finance) = (ground.key("editor").await, ground.key("finance").await);
    let step = ground.step("a", Value::Null).await;
    // Of another entity, below the step.
    let other = ground.admin.create("entities", json!({"name": "Other", "kind": "agency"})).await["id"].clone();
    let id = step.rsplit('/').next().unwrap();
    let theirs = ground.made("assignments", json!({"step_id": id, "entity_id": other, "role": "performer"})).await;
    let money = json!({"initiative_id": ground.closed, "fiscal_year": 2026, "phase": "estimate",
        "money": {"amount": "7", "currency": "RON"}});
    let money = ground.made("budget-allocations", money).await;
    let risk = ground.made("risks", json!({"step_id": id, "title": "No staff", "level": "low"})).await;
    is_refused(&editor, &step, json!({"initiative_id": ground.open}), "initiative_id").await;
    is_refused(&editor, &risk, json!({"step_id": null, "initiative_id": ground.open}), "initiative_id").await;
    is_refused(&finance, &money, json!({"initiative_id": ground.open}), "initiative_id").await;
    let closed = format!("/v1/initiatives/{}", ground.closed.as_str().unwrap());
    is_refused(&editor, &closed, json!({"objective_id": null}), "objective_id").await;
    let whole = json!({"initiative_id": ground.open, "code": "a", "title": "a"});
    for path in [&step, "/v1/steps/external:a"] {
        let reply = editor.put(path, whole.clone()).if_match(1).expect(403).await;
        assert_eq!(reply.faults(), ["#/initiative_id reserved"], "{}", reply.text);
    }
    // With the word that was taken away it is two faults.
    let named = ground.step("b", json!("internal")).await;
    let both = json!({"initiative_id": ground.open, "classification": null});
    let reply = editor.patch(&named, both).if_match(1).expect(403).await;
    assert_eq!(reply.faults(), ["#/classification reserved", "#/initiative_id reserved"], "{}", reply.text);
    for path in [&step, &theirs, &money, &risk, &closed, &named] {
        ground.nobody.get(path).expect(404).await;
    }
    // As the refusal says.
    let kept = json!({"initiative_id": ground.open, "classification": "internal"});
    editor.patch(&step, kept).if_match(1).expect(200).await;
    editor.patch(&named, json!({"initiative_id": ground.open})).if_match(1).expect(200).await;
    for path in [&step, &theirs, &risk, &named] {
        ground.nobody.get(path).expect(404).await;
    }
    // There it is published by no word either; the coordinator may.
    let reply = editor.patch(&step, json!({"classification": null})).if_match(2).expect(403).await;
    assert_eq!(reply.faults(), ["#/classification reserved"], "{}", reply.text);
    let coordinator = ground.key("coordinator").await;
    coordinator.patch(&step, json!({"classification": null})).if_match(2).expect(200).await;
    coordinator.patch(&closed, json!({"objective_id": null})).if_match(1).expect(200).await;
    for path in [&step, &theirs, &money, &closed] {
        ground.nobody.get(path).expect(200).await;
    }
}

#[tokio::test]
async fn what_does_not_lower_what_counts_is_no_lowering() {
    let ground = Ground::lay().await;
    let editor = ground.key("editor").await;
    let step = ground.step("a", json!("internal")).await;
    // It inherits the same.
    editor.patch(&step, json!({"classification": null})).if_match(1).expect(200).await;
    editor.patch(&step, json!({"classification": "internal"})).if_match(2).expect(200).await;
    // Below something internal nothing is public, whatever is said.
    let reply = editor.patch(&step, json!({"classification": "public"})).if_match(3).expect(422).await;
    assert_eq!(reply.faults(), ["#/classification below_parent"], "{}", reply.text);
    // What is public stays so when it says it.
    let body = json!({"initiative_id": ground.open, "code": "b", "title": "b"});
    let open = ground.made("steps", body).await;
    editor.patch(&open, json!({"classification": "public"})).if_match(1).expect(200).await;
    editor.patch(&open, json!({"initiative_id": ground.closed})).if_match(2).expect(200).await;
    ground.nobody.get(&open).expect(404).await;
    is_refused(&editor, &open, json!({"initiative_id": ground.open}), "initiative_id").await;
}

#[tokio::test]
async fn diplomats_and_assessors_publish_nothing_by_moves_and_move_nothing_between_plans() {
    let ground = Ground::lay().await;
    let (diplomat, assessor) = (ground.key("diplomat").await, ground.key("assessor").await);
    let forum = |code: &str, classification: &str, parent: Value| {
        json!({"code": code, "name": code, "kind": "conference",
        "classification": classification, "parent_id": parent})
    };
    let open = ground.admin.create("forums", forum("O", "public", Value::Null)).await["id"].clone();
    let closed = ground.admin.create("forums", forum("C", "internal", Value::Null)).await["id"].clone();
    let mut below = forum("B", "internal", closed.clone());
    below["classification"] = Value::Null;
    let below = ground.made("forums", below).await;
    let engagement = ground.made("engagements", json!({"forum_id": closed})).await;
    let delegation = json!({"engagement_id": engagement.rsplit('/').next(), "entity_id": ground.agency});
    let delegation = ground.made("delegations", delegation).await;
    let commitment = json!({"catalogue": "own", "code": "1", "kind": "norm", "forum_id": closed});
    let commitment = ground.made("commitments", commitment).await;
    let help = json!({"direction": "received", "title": "Help", "status": "pipeline"});
    let loose = ground.made("contributions", help.clone()).await;
    let mut kept = help;
    kept["initiative_id"] = ground.closed.clone();
    let kept = ground.made("contributions", kept).await;
    is_refused(&diplomat, &engagement, json!({"forum_id": open}), "forum_id").await;
    is_refused(&diplomat, &commitment, json!({"forum_id": open}), "forum_id").await;
    is_refused(&diplomat, &below, json!({"parent_id": open}), "parent_id").await;
    is_refused(&diplomat, &loose, json!({"strategy_id": ground.strategy}), "strategy_id").await;
    is_refused(&diplomat, &kept, json!({"initiative_id": ground.open}), "initiative_id").await;
    is_refused(&diplomat, &kept, json!({"initiative_id": null, "strategy_id": ground.strategy}), "strategy_id").await;
    let statement = json!({"kind": "statement", "title": "t", "claim": "x", "about": "other"});
    let evidence = ground.made("evidence", statement).await;
    is_refused(&assessor, &evidence, json!({"strategy_id": ground.strategy}), "strategy_id").await;
    for path in [&engagement, &delegation, &commitment, &below, &loose, &kept, &evidence] {
        ground.nobody.get(path).expect(404).await;
    }
    // What is of no plan may be put into one, and stays there.
    let closed = json!({"strategy_id": ground.strategy, "classification": "internal"});
    assessor.patch(&evidence, closed.clone()).if_match(1).expect(200).await;
    diplomat.patch(&loose, closed).if_match(1).expect(200).await;
    let plan = json!({"code": "T", "title": "T", "country": "XX", "kind": "strategy"});
    let plan = ground.admin.create("strategies", plan).await["id"].clone();
    for (client, path) in [(&assessor, &evidence), (&diplomat, &loose)] {
        for to in [&plan, &Value::Null] {
            let reply = client.patch(path, json!({"strategy_id": to})).if_match(2).expect(403).await;
            assert_eq!(reply.faults(), ["#/strategy_id reserved"], "{}", reply.text);
            assert!(reply.text.contains("Leave it in its plan"), "{}", reply.text);
        }
    }
}

#[tokio::test]
async fn a_batch_of_measurements_lowers_no_more_than_a_patch() {
    let ground = Ground::lay().await;
    let editor = ground.key("editor").await;
    for (initiative, name) in [(&ground.open, "open"), (&ground.closed, "closed")] {
        let body = json!({"initiative_id": initiative, "title": name, "value_chain_stage": "output", "measure": "unit",
            "direction": "ascending", "external_id": name});
        ground.admin.create("indicators", body).await;
    }
    let row = |name: &str, classification: Value| {
        json!({"indicator_id": format!("external:{name}"), "period_from": "2025-01-01",
        "period_to": "2025-12-31", "value": "1", "status": "provisional", "classification": classification})
    };
    let batch = async |rows: Value, status: u16| {
        editor.post("/v1/measurement-batches", json!({"items": rows})).expect(status).await
    };
    batch(json!([row("open", json!("internal")), row("closed", json!("internal"))]), 200).await;
    let reply = batch(json!([row("closed", Value::Null), row("open", Value::Null)]), 422).await;
    assert_eq!(reply.faults(), ["#/items/1/classification reserved"], "{}", reply.text);
    batch(json!([row("closed", Value::Null)]), 200).await;
    let mut new = row("open", json!("public"));
    new["period_from"] = json!("2025-07-01");
    let reply = batch(json!([new]), 422).await;
    assert_eq!(reply.faults(), ["#/items/0/classification reserved"], "{}", reply.text);
}
