//! The records that could prove an indicator: a case for each rule, found and not found.

use serde_json::{Value, json};

use super::{assess, evidence, rows};
use crate::support::{Client, service};

/// A framework of one indicator, with these rules.
fn asking(rules: &Value) -> Value {
    let indicator = json!({"code": "1", "name": "Asked", "max_points": "1", "candidates": rules});
    json!({"code": "F", "edition": "1", "name": "A framework", "areas": [{"code": "A", "name": "Area", "indicators": [indicator]}]})
}

async fn found(client: &Client, query: &str) -> Vec<Value> {
    let page = client.get(format!("/v1/assessments/external:a/candidates?{query}")).expect(200).await.json();
    page["items"].as_array().unwrap().clone()
}

/// Whether it can prove, of what noun, and why.
async fn told(client: &Client) -> Value {
    let found = found(client, "").await;
    found.iter().map(|row| json!([row["can_prove"], row["noun"], row["why"]])).collect()
}

async fn id(client: &Client, noun: &str, body: Value) -> Value {
    client.create(noun, body).await["id"].clone()
}

async fn change(client: &Client, noun: &str, id: &Value, change: Value) {
    let path = format!("/v1/{noun}/{}", id.as_str().unwrap());
    client.patch(path, change).header("if-match", "*").header("mandate-reason", "a test").expect(200).await;
}

/// The noun of each candidate; null where a rule finds nothing.
async fn nouns(client: &Client) -> Value {
    told(client).await.as_array().unwrap().iter().map(|row| row[1].clone()).collect()
}

/// A strategy in force and a plan that carries it out; the id of the plan.
async fn plan(client: &Client) -> Value {
    let act = json!({"country": "RO", "issuer": "Parliament", "act_type": "law", "number": "7", "date": "2024-02-29"});
    let act = id(client, "legal-acts", act).await;
    let strategy = json!({"code": "S", "title": "A strategy", "country": "RO", "kind": "strategy", "status": "in_force", "legal_act_id": act});
    let strategy = id(client, "strategies", strategy).await;
    let plan = json!({"code": "P", "title": "A plan", "country": "RO", "kind": "action_plan", "status": "in_force", "legal_act_id": act, "parent_id": strategy});
    id(client, "strategies", plan).await
}

#[tokio::test]
async fn an_approved_plan_with_all_that_it_needs() {
    let client = service().await;
    assess(
        &client,
        asking(&json!([{"record": "approved_plan", "words": "plan",
        "needs": ["objectives", "steps", "entities", "timelines", "people", "money", "metrics"]}])),
    )
    .await;
    let nothing = told(&client).await;
    assert_eq!(nothing[0][0], false);
    let words = nothing[0][2].as_str().unwrap();
    assert!(
        words.contains("objectives, steps, entities, timelines, people, money, metrics")
            && words.contains("/v1/strategies"),
        "{words}"
    );
    let plan = plan(&client).await;
    let lacking = told(&client).await;
    assert_eq!(
        lacking,
        json!([[
            false,
            "strategy",
            "approved by Parliament law 7 2024-02-29; lacks objectives, steps, entities, timelines, people, money, metrics"
        ]])
    );
    let objective = id(&client, "objectives", json!({"strategy_id": plan, "code": "1", "title": "Aim"})).await;
    let work = json!({"strategy_id": plan, "objective_id": objective, "code": "1.1", "title": "Work", "deadline": {"text": "2030"}});
    let work = id(&client, "initiatives", work).await;
    let step = id(&client, "steps", json!({"initiative_id": work, "code": "a", "title": "Step"})).await;
    let agency = id(&client, "entities", json!({"name": "Agency", "kind": "agency"})).await;
    id(&client, "assignments", json!({"initiative_id": work, "entity_id": agency, "role": "support"})).await;
    let money =
        json!({"step_id": step, "fiscal_year": 2026, "phase": "estimate", "money": {"amount": "5", "currency": "EUR"}});
    id(&client, "budget-allocations", money).await;
    assert!(told(&client).await[0][2].as_str().unwrap().ends_with("; lacks people, metrics"));
    let people = json!({"step_id": step, "entity_id": agency, "profile": "own:clerk", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "fte_planned": "1"});
    id(&client, "staff-allocations", people).await;
    let metric = json!({"objective_id": objective, "title": "Trained", "value_chain_stage": "output", "measure": "unit", "direction": "ascending"});
    id(&client, "indicators", metric).await;
    let why = "approved by Parliament law 7 2024-02-29; has 1 objectives, 1 steps, 1 entities, 1 timelines, 1 people, 1 money, 1 metrics";
    assert_eq!(told(&client).await, json!([[true, "strategy", why]]));
    let supply = rows(&client, "").await[0]["missing"][0]["supply"].clone();
    assert_eq!(supply, json!([format!("strategy A plan could prove it: {why}")]));
    change(&client, "strategies", &plan, json!({"ends_on": "2025-01-01"})).await;
    assert_eq!(found(&client, "").await[0]["noun"], Value::Null);
    assert_eq!(found(&client, "on=2025-01-01").await[0]["can_prove"], true);
}

#[tokio::test]
async fn strategies_acts_and_entities() {
    let client = service().await;
    assess(
        &client,
        asking(&json!([{"record": "strategy"}, {"record": "legal_act", "act_type": "law", "words": "data"},
        {"record": "entity", "entity_kinds": ["council"]}])),
    )
    .await;
    assert_eq!(nouns(&client).await, json!([null, null, null]));
    plan(&client).await;
    let act = json!({"country": "RO", "issuer": "Parliament", "act_type": "law", "number": "8", "date": "2024-03-01", "title": "Personal data"});
    let act = id(&client, "legal-acts", act).await;
    id(&client, "entities", json!({"name": "Council", "kind": "council", "valid_to": "2020-01-01"})).await;
    id(&client, "entities", json!({"name": "Foreign council", "kind": "council", "country": "XX"})).await;
    let council = id(&client, "entities", json!({"name": "The council", "kind": "council"})).await;
    let rows = found(&client, "can_prove=true").await;
    let seen: Value = rows.iter().map(|row| json!([row["record"], row["noun"], row["code"]])).collect();
    assert_eq!(
        seen,
        json!([["strategy", "strategy", "S"], ["legal_act", "legal_act", "8"], ["entity", "entity", null]])
    );
    assert_eq!(rows[2]["id"], council);
    change(&client, "legal-acts", &act, json!({"status": "repealed"})).await;
    assert_eq!(found(&client, "can_prove=false").await[0]["record"], "legal_act");
}

#[tokio::test]
async fn forums_and_what_was_given_there() {
    let client = service().await;
    assess(&client, asking(&json!([{"record": "forum_membership"}, {"record": "engagement", "within_days": 365}])))
        .await;
    let forum = json!({"code": "OEWG", "name": "A group", "kind": "open_ended_working_group", "membership": "member", "member_to": "2020-01-01"});
    let forum = id(&client, "forums", forum).await;
    id(&client, "engagements", json!({"forum_id": forum, "starts_on": "2019-01-01", "capacity": "chair"})).await;
    assert_eq!(nouns(&client).await, json!([null, null]));
    change(&client, "forums", &forum, json!({"member_to": null, "member_from": "2019-01-01"})).await;
    let today = client.get("/v1/reports/readiness").expect(200).await.json()["items"][0]["on"].clone();
    let session = json!({"forum_id": forum, "session": "second", "starts_on": today, "capacity": "member"});
    let session = id(&client, "engagements", session).await;
    let day = today.as_str().unwrap();
    let seen = told(&client).await;
    assert_eq!(seen[0], json!([true, "forum", "member since 2019-01-01"]));
    let why = format!("OEWG, second, {day}; as member; lacks a statement, or a part that leads");
    assert_eq!(seen[1], json!([false, "engagement", why]));
    // They are of the state whose register this is, and prove nothing of another.
    change(&client, "assessments", &json!("external:a"), json!({"country": "XX"})).await;
    assert_eq!(nouns(&client).await, json!([null, null]));
    change(&client, "assessments", &json!("external:a"), json!({"country": "RO"})).await;
    change(&client, "engagements", &session, json!({"statements": [{"title": "On norms", "language": "en"}]})).await;
    assert_eq!(
        told(&client).await[1],
        json!([true, "engagement", format!("OEWG, second, {day}; as member; 1 statements")])
    );
}

#[tokio::test]
async fn positions_as_the_reader_may_see_them() {
    let client = service().await;
    assess(&client, asking(&json!([{"record": "position", "topics": ["human_rights"]}]))).await;
    let first =
        json!({"country": "RO", "title": "First", "topics": ["human_rights", "ihl"], "issued_on": "2021-01-01"});
    let first = id(&client, "positions", first).await;
    id(&client, "positions", json!({"country": "RO", "title": "Other", "topics": ["ihl"]})).await;
    id(&client, "positions", json!({"country": "XX", "title": "Foreign", "topics": ["human_rights"]})).await;
    assert_eq!(told(&client).await, json!([[true, "position", "issued on 2021-01-01; on human_rights, ihl"]]));
    let second = json!({"country": "RO", "title": "Second", "topics": ["human_rights"], "issued_on": "2024-01-01", "supersedes_id": first, "classification": "restricted"});
    let second = client.create("positions", second).await;
    assert_eq!(found(&client, "").await[0]["id"], second["id"]);
    assert_eq!(found(&client, "on=2023-12-31").await[0]["id"], first);
    // To a viewer the restricted one is not there.
    assert_eq!(found(&client.as_viewer(), "").await[0]["id"], first);
    // A later write: what was recorded before it is in the past of its moment.
    let later = json!({"note": "looked at"});
    let later = client.patch("/v1/assessments/external:a", later).header("if-match", "*").expect(200).await.json();
    let then = later["updated_at"].as_str().unwrap();
    client
        .delete(format!("/v1/positions/{}", second["id"].as_str().unwrap()))
        .header("if-match", "*")
        .expect(204)
        .await;
    change(&client, "positions", &first, json!({"topics": ["ihl"]})).await;
    assert_eq!(told(&client).await[0][1], Value::Null);
    assert_eq!(found(&client, &format!("as_of={then}")).await[0]["id"], second["id"]);
    let unknown = client.get("/v1/assessments/external:a/candidates?indicator=2").expect(400).await;
    assert_eq!(unknown.faults(), ["indicator unknown_indicator"]);
    assert_eq!(found(&client, "indicator=1").await.len(), 1);
    client.get("/v1/assessments/external:b/candidates").expect(404).await;
    client.delete("/v1/assessments/external:a").header("if-match", "*").expect(204).await;
    client.get("/v1/assessments/external:a/candidates").expect(410).await;
}

#[tokio::test]
async fn a_treaty_binds_from_the_day_of_its_effect() {
    let client = service().await;
    assess(&client, asking(&json!([{"record": "treaty_in_force", "treaty": "CETS-185"}]))).await;
    let treaty = id(&client, "treaties", json!({"code": "CETS-185", "name": "Convention"})).await;
    assert_eq!(told(&client).await[0][1], Value::Null);
    let act =
        |action: &str, day: &str| json!({"treaty_id": treaty, "country": "RO", "action": action, "acted_on": day});
    id(&client, "treaty-actions", act("signed", "2020-01-01")).await;
    assert_eq!(
        told(&client).await,
        json!([[false, "treaty_action", "signed on 2020-01-01; lacks the consent to be bound"]])
    );
    let bound = id(&client, "treaty-actions", act("ratified", "2021-01-01")).await;
    let why = "ratified on 2021-01-01; lacks the day from which it has effect";
    assert_eq!(told(&client).await, json!([[false, "treaty_action", why]]));
    change(&client, "treaty-actions", &bound, json!({"effective_on": "2021-04-01"})).await;
    assert_eq!(
        told(&client).await,
        json!([[true, "treaty_action", "ratified on 2021-01-01; with effect from 2021-04-01"]])
    );
    assert_eq!(found(&client, "on=2021-03-31").await[0]["can_prove"], false);
    let mut end = act("denounced", "2022-01-01");
    end["effective_on"] = json!("2022-04-01");
    id(&client, "treaty-actions", end).await;
    assert_eq!(told(&client).await[0][1], Value::Null);
    assert_eq!(found(&client, "on=2022-03-31").await[0]["can_prove"], true);
}

/// The report of treaties and the candidates go by the same cycles.
#[tokio::test]
async fn who_denounces_and_consents_anew_on_one_day_is_bound() {
    let client = service().await;
    assess(&client, asking(&json!([{"record": "treaty_in_force", "treaty": "T"}]))).await;
    let treaty = id(&client, "treaties", json!({"code": "T", "name": "Convention"})).await;
    for (action, day, effect) in [
        ("acceded", "1990-01-01", json!("1990-04-01")),
        ("denounced", "1998-05-26", json!("1998-08-26")),
        ("acceded", "1998-05-26", json!("1998-08-26")),
        ("denounced", "2000-03-27", Value::Null),
    ] {
        let act =
            json!({"treaty_id": treaty, "country": "RO", "action": action, "acted_on": day, "effective_on": effect});
        id(&client, "treaty-actions", act).await;
        let report = client.get("/v1/reports/treaties").expect(200).await.json();
        assert_eq!(report["items"][0]["is_member"], action == "acceded" || effect.is_null(), "{report}");
        assert_eq!(told(&client).await[0][0], report["items"][0]["is_member"], "{action} {day}");
    }
}

#[tokio::test]
async fn capacity_commitments_training_and_evidence() {
    let client = service().await;
    let rules = json!([{"record": "contribution", "direction": "given", "within_days": 1000}, {"record": "commitment", "catalogue": "norms", "code": "13(a)"},
        {"record": "training", "within_days": 1000}, {"record": "evidence", "about": ["plan"]}]);
    assess(&client, asking(&rules)).await;
    let plan = plan(&client).await;
    change(&client, "assessments", &json!("external:a"), json!({"strategy_id": plan})).await;
    assert_eq!(nouns(&client).await, json!([null, null, null, null]));
    let other = json!({"code": "O", "title": "Another", "country": "RO", "kind": "strategy"});
    let other = id(&client, "strategies", other).await;
    let today = client.get("/v1/reports/readiness").expect(200).await.json()["items"][0]["on"].clone();

    let help = json!({"direction": "given", "title": "Help", "status": "pipeline", "recipients": [{"country": "MD"}]});
    let help = id(&client, "contributions", help).await;
    let norm = json!({"catalogue": "norms", "code": "13(a)", "kind": "norm", "title": "A norm"});
    let norm = id(&client, "commitments", norm).await;
    let lessons = |strategy: &Value| json!({"strategy_id": strategy, "title": "Lessons", "audience": "public"});
    id(&client, "training-programmes", lessons(&other)).await;
    let taught = id(&client, "training-programmes", lessons(&plan)).await;
    evidence(&client, "official_website", json!({"strategy_id": other})).await;
    let page = evidence(&client, "official_website", json!({"state": "proposed", "strategy_id": plan})).await;
    assert_eq!(
        told(&client).await,
        json!([
            [false, "contribution", "given; pipeline; for MD; lacks its start"],
            [false, "commitment", "norms 13(a); unknown; lacks measures that keep it"],
            [false, "training_programme", "lacks a session that was held"],
            [false, "evidence", "official website; proposed; lacks its verification"]
        ])
    );
    change(&client, "contributions", &help, json!({"status": "implementation", "actual_starts_on": "2020-01-01"}))
        .await;
    change(&client, "commitments", &norm, json!({"state": "implemented", "measures_taken": "A law"})).await;
    let session =
        json!({"programme_id": taught, "starts_on": today, "ends_on": today, "status": "held", "participants": 12});
    id(&client, "training-sessions", session).await;
    change(&client, "evidence", &page, json!({"state": "verified"})).await;
    assert_eq!(
        told(&client).await,
        json!([
            [true, "contribution", "given; implementation; from 2020-01-01; for MD"],
            [true, "commitment", "norms 13(a); implemented"],
            [
                true,
                "training_programme",
                format!("1 sessions held, the last on {}; 12 participants", today.as_str().unwrap())
            ],
            [true, "evidence", "official website; verified"]
        ])
    );
    change(&client, "contributions", &help, json!({"actual_ends_on": "2020-06-01"})).await;
    let supply = rows(&client, "").await[0]["missing"][0]["supply"].clone();
    assert_eq!(supply.as_array().unwrap().len(), 3, "{supply}");
}
