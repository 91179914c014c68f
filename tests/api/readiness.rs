//! Frameworks, assessments and their scores: what is claimed, what is proven, what is missing, and what if.

mod candidates;
mod rules;
mod structure;

use chrono::{NaiveDate, TimeDelta};
use mandate::base::limits::Limits;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{Client, database, service, service_over};

/// A framework of two areas: points in the first, none in the second.
pub(super) fn framework() -> Value {
    let act = json!(["legal_act", "official_document"]);
    json!({"code": "F", "edition": "1", "name": "A framework", "areas": [
        {"code": "1", "name": "Plans", "indicators": [
            {"code": "1.1", "name": "A plan", "max_points": "3", "accepted_evidence": act},
            {"code": "1.2", "name": "Its steps", "max_points": "2"},
            {"code": "1.10", "name": "Its money", "max_points": "1"}]},
        {"code": "2", "name": "Norms", "indicators": [{"code": "13(a)", "name": "A norm"}]}]})
}

/// An assessment by a framework; its id.
pub(super) async fn assess(client: &Client, framework: Value) -> Value {
    let framework = client.create("frameworks", framework).await["id"].clone();
    let body = json!({"framework_id": framework, "country": "RO", "title": "How ready", "assessed_on": "2026-01-31", "external_id": "a"});
    client.create("assessments", body).await["id"].clone()
}

pub(super) async fn answer(client: &Client, assessment: &Value, indicator: &str, change: Value) -> Value {
    let mut body = json!({"assessment_id": assessment, "indicator": indicator});
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    client.create("answers", body).await["id"].clone()
}

/// Evidence in a state; its id.
pub(super) async fn evidence(client: &Client, kind: &str, change: Value) -> Value {
    let mut body = json!({"kind": kind, "title": "A page", "claim": "There is a plan", "about": "plan", "country": "RO", "state": "verified",
        "url": "https://plan.example/", "retrieved_at": "2026-01-31T10:00:00Z"});
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    client.create("evidence", body).await["id"].clone()
}

pub(super) async fn cite(client: &Client, answer: &Value, evidence: &Value) {
    client.create("citations", json!({"answer_id": answer, "evidence_id": evidence})).await;
}

pub(super) async fn rows(client: &Client, query: &str) -> Vec<Value> {
    let page = client.get(format!("/v1/reports/readiness?{query}")).expect(200).await.json();
    page["items"].as_array().unwrap().clone()
}

/// Answered, claimed and proven of the whole.
pub(super) async fn score(client: &Client, query: &str) -> Value {
    let row = rows(client, query).await.pop().unwrap();
    assert_eq!(row["area"], Value::Null);
    json!([row["answered"], row["claimed"], row["proven"]])
}

async fn reasons(client: &Client, query: &str) -> Value {
    let rows = rows(client, query).await;
    let all = rows.iter().flat_map(|row| row["missing"].as_array().unwrap());
    all.map(|lack| json!([lack["indicator"], lack["points"], lack["reason"]])).collect()
}

async fn set_state(client: &Client, evidence: &Value, state: &str) {
    let path = format!("/v1/evidence/{}", evidence.as_str().unwrap());
    let change = json!({"state": state, "state_reason": format!("now {state}")});
    client.patch(path, change).header("if-match", "*").expect(200).await;
}

#[tokio::test]
async fn a_score_follows_the_states_of_its_evidence() {
    let client = service().await;
    let assessment = assess(&client, framework()).await;
    let all = reasons(&client, "").await;
    assert_eq!(
        all,
        json!([
            ["1.1", "3", "unanswered"],
            ["1.2", "2", "unanswered"],
            ["1.10", "1", "unanswered"],
            ["13(a)", null, "unanswered"]
        ])
    );
    assert_eq!(score(&client, "assessment_id=external:a").await, json!([0, "0", "0"]));

    let plan = answer(&client, &assessment, "1.1", json!({"is_met": true})).await;
    answer(&client, &assessment, "1.2", json!({"points": "0.5"})).await;
    answer(&client, &assessment, "1.10", json!({"is_met": false})).await;
    let norm = answer(&client, &assessment, "13(a)", json!({"is_met": true})).await;
    assert_eq!(score(&client, "").await, json!([4, "3.5", "0"]));
    let all = reasons(&client, "").await;
    assert_eq!(
        all,
        json!([
            ["1.1", "3", "not_cited"],
            ["1.2", "2", "not_cited"],
            ["1.10", "1", "not_claimed"],
            ["13(a)", null, "not_cited"]
        ])
    );

    let act = evidence(&client, "legal_act", json!({"state": "proposed", "valid_until": "2100-12-31"})).await;
    cite(&client, &plan, &act).await;
    cite(&client, &norm, &act).await;
    assert_eq!(reasons(&client, "").await[0], json!(["1.1", "3", "not_verified"]));
    assert_eq!(score(&client, "").await, json!([4, "3.5", "0"]));
    set_state(&client, &act, "verified").await;
    assert_eq!(score(&client, "").await, json!([4, "3.5", "3"]));
    let areas = rows(&client, "").await;
    assert_eq!((&areas[0]["proven_percent"], &areas[0]["claimed_percent"]), (&json!("50.00"), &json!("58.33")));
    // An indicator without points is counted, and adds none.
    let norms = json!([areas[1]["unscored"], areas[1]["proven_in_full"], areas[1]["max"], areas[1]["proven_percent"]]);
    assert_eq!(norms, json!([1, 1, null, null]));
    assert_eq!(score(&client, "on=2100-12-31").await, json!([4, "3.5", "3"]));
    assert_eq!(score(&client, "on=2101-01-01").await, json!([4, "3.5", "0"]));
    assert_eq!(reasons(&client, "on=2101-01-01").await[0], json!(["1.1", "3", "expired"]));
    set_state(&client, &act, "disputed").await;
    assert_eq!(score(&client, "").await, json!([4, "3.5", "0"]));
    assert_eq!(reasons(&client, "").await[0], json!(["1.1", "3", "disputed"]));
    set_state(&client, &act, "withdrawn").await;
    assert_eq!(reasons(&client, "").await[0], json!(["1.1", "3", "withdrawn"]));
}

#[tokio::test]
async fn evidence_of_a_kind_that_is_not_accepted_proves_nothing() {
    let client = service().await;
    let assessment = assess(&client, framework()).await;
    let (plan, steps) = (
        answer(&client, &assessment, "1.1", json!({"is_met": true})).await,
        answer(&client, &assessment, "1.2", json!({"is_met": true})).await,
    );
    let page = evidence(&client, "secondary_source", json!({})).await;
    cite(&client, &plan, &page).await;
    assert_eq!(score(&client, "").await, json!([2, "5", "0"]));
    assert_eq!(reasons(&client, "").await[0], json!(["1.1", "3", "kind_not_accepted"]));
    // Where the framework names no kinds, any proves; and one piece serves many.
    cite(&client, &steps, &page).await;
    assert_eq!(score(&client, "").await, json!([2, "5", "2"]));
    let explained = rows(&client, "explain=true").await;
    assert!(explained[0]["rule"].as_str().unwrap().contains("verified"), "{}", explained[0]);
    let source = &explained[0]["answers"][0]["sources"][0];
    assert_eq!(
        json!([source["evidence_id"], source["standing"], source["is_accepted"], source["counts"]]),
        json!([page, "verified", false, false])
    );
    assert_eq!(explained[0]["answers"][1]["proven"], "2");
    // What is cited is not deleted, but withdrawn.
    let path = format!("/v1/evidence/{}", page.as_str().unwrap());
    let refused = client.delete(path).header("if-match", "*").expect(409).await;
    assert!(refused.text.contains("/v1/citations"), "{}", refused.text);
}

#[tokio::test]
async fn what_if_changes_no_score() {
    let client = service().await;
    let assessment = assess(&client, framework()).await;
    let strategy = json!({"code": "S", "title": "A strategy", "country": "RO", "kind": "strategy"});
    let strategy = client.create("strategies", strategy).await["id"].clone();
    let work = json!({"strategy_id": strategy, "code": "1", "title": "Work", "external_id": "work"});
    let work = client.create("initiatives", work).await["id"].clone();
    let plan =
        answer(&client, &assessment, "1.1", json!({"points": "1", "initiative_id": work, "expected_points": "2.5"}))
            .await;
    answer(&client, &assessment, "1.2", json!({"is_met": false, "initiative_id": work})).await;
    answer(&client, &assessment, "13(a)", json!({"is_met": false, "initiative_id": work})).await;
    let proposed = json!({"state": "proposed", "external_id": "e", "valid_until": "2100-12-31"});
    let act = evidence(&client, "legal_act", proposed).await;
    cite(&client, &plan, &act).await;
    assert_eq!(score(&client, "").await, json!([3, "1", "0"]));
    assert_eq!(score(&client, "if_verified=external:e").await, json!([3, "1", "1"]));
    assert_eq!(score(&client, "if_verified=external:e&on=2101-01-01").await, json!([3, "1", "0"]));
    assert_eq!(score(&client, "if_completed=external:work").await, json!([3, "4.5", "4.5"]));
    let what_if = rows(&client, "if_completed=external:work&explain=true").await;
    assert_eq!(what_if[0]["answers"][0]["is_assumed"], true);
    assert_eq!(what_if[1]["proven_in_full"], 1);
    set_state(&client, &act, "withdrawn").await;
    assert_eq!(score(&client, "if_verified=external:e").await, json!([3, "1", "0"]));
    assert_eq!(score(&client, "").await, json!([3, "1", "0"]));
    let unknown = client.get("/v1/reports/readiness?if_completed=external:nothing").expect(400).await;
    assert_eq!(unknown.faults(), ["if_completed not_found"]);
    let unknown = client.get("/v1/reports/readiness?objective_id=x").expect(400).await;
    assert_eq!(unknown.faults(), ["objective_id unknown_parameter"]);
}

async fn instant(client: &Client) -> String {
    let reply = client.get("/v1/frameworks?limit=1").expect(200).await;
    let updated = reply.json()["items"][0]["updated_at"].as_str().unwrap().to_owned();
    // The clock of the database, by a write of its own.
    let framework = &reply.json()["items"][0]["id"];
    let path = format!("/v1/frameworks/{}", framework.as_str().unwrap());
    let changed =
        client.patch(path, json!({"source": format!("after {updated}")})).header("if-match", "*").expect(200).await;
    changed.json()["updated_at"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_score_can_be_asked_as_it_was_and_has_a_history() {
    let client = service().await;
    let assessment = assess(&client, framework()).await;
    let before = instant(&client).await;
    let plan = answer(&client, &assessment, "1.1", json!({"is_met": true})).await;
    let act = evidence(&client, "legal_act", json!({"valid_until": "2020-01-01"})).await;
    let good = evidence(&client, "legal_act", json!({})).await;
    cite(&client, &plan, &act).await;
    let unproven = instant(&client).await;
    cite(&client, &plan, &good).await;
    let proven = instant(&client).await;
    client.delete(format!("/v1/answers/{}", plan.as_str().unwrap())).header("if-match", "*").expect(409).await;
    set_state(&client, &good, "disputed").await;
    assert_eq!(score(&client, &format!("as_of={before}")).await, json!([0, "0", "0"]));
    assert_eq!(score(&client, &format!("as_of={unproven}")).await, json!([1, "3", "0"]));
    assert_eq!(score(&client, &format!("as_of={proven}")).await, json!([1, "3", "3"]));
    assert_eq!(score(&client, "").await, json!([1, "3", "0"]));

    // All this was one day, which counts as it ended.
    let history = client.get("/v1/reports/readiness-history?assessment_id=external:a").expect(200).await.json();
    let told: Vec<Value> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["answered"], row["claimed"], row["proven"]]))
        .collect();
    assert_eq!(told, [json!([1, "3", "0"])], "{history}");
    let asked = format!("/v1/reports/readiness-history?assessment_id=external:a&as_of={proven}");
    let then = client.get(asked).expect(200).await.json();
    assert_eq!(then["items"][0]["proven"], "3", "{then}");
    assert_eq!(then["items"][0]["proven_percent"], "50.00", "{then}");
}

#[tokio::test]
async fn a_viewer_sees_less_and_is_told_so() {
    let client = service().await;
    let assessment = assess(&client, framework()).await;
    let plan = answer(&client, &assessment, "1.1", json!({"is_met": true})).await;
    let secret = evidence(&client, "legal_act", json!({"classification": "restricted"})).await;
    cite(&client, &plan, &secret).await;
    assert_eq!(score(&client, "").await, json!([1, "3", "3"]));
    let seen = rows(&client.as_viewer(), "explain=true").await;
    assert_eq!(json!([seen[0]["proven"], seen[0]["withheld"]]), json!(["0", 1]));
    assert_eq!(seen[0]["missing"][0]["reason"], "withheld");
    assert!(!json!(seen).to_string().contains(secret.as_str().unwrap()), "{seen:?}");
    // No place is kept for what is hidden, beside what is shown or alone.
    assert_eq!(seen[0]["answers"][0]["sources"], json!([]));
    let open = evidence(&client, "legal_act", json!({})).await;
    cite(&client, &plan, &open).await;
    let hidden = evidence(&client, "legal_act", json!({})).await;
    let citation = json!({"answer_id": plan, "evidence_id": hidden, "classification": "restricted"});
    client.create("citations", citation).await;
    let seen = rows(&client.as_viewer(), "explain=true").await;
    let sources = seen[0]["answers"][0]["sources"].as_array().unwrap();
    assert_eq!((sources.len(), &sources[0]["evidence_id"], &seen[0]["withheld"]), (1, &open, &json!(2)), "{seen:?}");
    assert_eq!(rows(&client, "explain=true").await[0]["answers"][0]["sources"].as_array().unwrap().len(), 3);
    let of_all = rows(&client, "").await;
    assert_eq!(of_all[0]["withheld"], 0);
}

#[tokio::test]
async fn assessors_assess_and_others_read() {
    let client = service().await;
    let assessment = assess(&client, framework()).await;
    let key = async |role: &str| {
        let key = client.create("api-keys", json!({"name": role, "role": role})).await;
        client.with_key(key["key"].as_str().unwrap().to_owned())
    };
    let (assessor, diplomat) = (key("assessor").await, key("diplomat").await);
    let plan = answer(&assessor, &assessment, "1.1", json!({"is_met": true})).await;
    let act = evidence(&assessor, "legal_act", json!({})).await;
    cite(&assessor, &plan, &act).await;
    assert_eq!(score(&diplomat, "").await, json!([1, "3", "3"]));
    let body = json!({"assessment_id": assessment, "indicator": "1.2", "is_met": true});
    diplomat.post("/v1/answers", body).expect(403).await;
}

#[tokio::test]
async fn the_history_goes_by_days_and_knows_what_expired() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let assessment = assess(&client, framework()).await;
    let plan = answer(&client, &assessment, "1.1", json!({"is_met": true})).await;
    let steps = answer(&client, &assessment, "1.2", json!({"points": "1"})).await;
    let act = evidence(&client, "legal_act", json!({"state": "proposed"})).await;
    cite(&client, &plan, &act).await;
    set_state(&client, &act, "verified").await;
    let today: NaiveDate = rows(&client, "").await[0]["on"].as_str().unwrap().parse().unwrap();
    let day = |ago: i64| today - TimeDelta::days(ago);
    let path = format!("/v1/evidence/{}", act.as_str().unwrap());
    client.patch(path, json!({"valid_until": day(3)})).header("if-match", "*").expect(200).await;

    // The record as it would be, had all that been done in the course of three weeks.
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let (act, steps) = (act.as_str().unwrap(), steps.as_str().unwrap());
    let earlier = format!(
        "set session_replication_role = replica; update changes set at = at - case when entity_id = '{steps}' then interval '7 days' \
         when entity_id = '{act}' and version > 1 then interval '10 days' else interval '20 days' end where kind in ('answer', 'citation', 'evidence')"
    );
    sqlx::raw_sql(AssertSqlSafe(earlier)).execute(&mut connection).await.unwrap();
    let history = client.get("/v1/reports/readiness-history?assessment_id=external:a").expect(200).await.json();
    let told: Value = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["on"], row["answered"], row["claimed"], row["proven"]]))
        .collect();
    let expected =
        json!([[day(20), 1, "3", "0"], [day(10), 1, "3", "3"], [day(7), 2, "4", "3"], [day(2), 2, "4", "0"]]);
    assert_eq!(told, expected, "{history}");
}
