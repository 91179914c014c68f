//! Evidence: its states, its rules, what the calendar makes of it, and what the reports tell.

use serde_json::{Value, json};

use crate::support::{Client, service};

fn piece(change: Value) -> Value {
    let mut body = json!({"kind": "official_website", "title": "A page", "claim": "There is a plan", "about": "plan", "country": "XX"});
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

fn seen() -> Value {
    json!({"url": "https://plan.example/", "retrieved_at": "2026-01-31T10:00:00Z"})
}

fn verified(mut change: Value) -> Value {
    change["state"] = json!("verified");
    change.as_object_mut().unwrap().extend(seen().as_object().unwrap().clone());
    piece(change)
}

fn path(item: &Value) -> String {
    format!("/v1/evidence/{}", item["id"].as_str().unwrap())
}

#[tokio::test]
async fn states_follow_one_another_and_are_explained() {
    let client = service().await;
    let path = path(&client.create("evidence", piece(json!({}))).await);
    let refused = async |change: Value, fault: &str| {
        let problem = client.patch(&path, change).header("if-match", "*").expect(422).await;
        assert!(problem.faults().contains(&fault.to_owned()), "{fault}: {}", problem.text);
    };
    let taken = async |change: Value| client.patch(&path, change).header("if-match", "*").expect(200).await.json();
    assert_eq!(client.get(&path).expect(200).await.json()["state"], "proposed");
    refused(json!({"state": "verified"}), "#/state needs_source").await;
    refused(json!({"state": "verified", "url": "https://plan.example/"}), "#/retrieved_at required").await;
    refused(json!({"state": "expired"}), "#/state not_allowed").await;
    let mut seen = seen();
    seen["state"] = json!("verified");
    taken(seen).await;
    refused(json!({"state": "proposed"}), "#/state transition").await;
    refused(json!({"url": null}), "#/state needs_source").await;
    refused(json!({"state": "disputed"}), "#/state_reason needs_reason").await;
    taken(json!({"state": "disputed", "state_reason": "It is of another country"})).await;
    refused(json!({"state": "proposed"}), "#/state transition").await;
    refused(json!({"state": "verified"}), "#/state_reason needs_reason").await;
    refused(json!({"state": "verified", "state_reason": null}), "#/state_reason needs_reason").await;
    taken(json!({"state": "verified", "state_reason": "The gazette of this country has it"})).await;
    taken(json!({"state": "withdrawn", "state_reason": "The page is gone"})).await;
    for state in ["proposed", "verified", "disputed"] {
        refused(json!({"state": state, "state_reason": "A new reason"}), "#/state transition").await;
    }
    let history = client.get(format!("{path}/history")).expect(200).await.json();
    let states: Vec<&Value> =
        history["items"].as_array().unwrap().iter().map(|entry| &entry["after"]["state"]).collect();
    assert_eq!(states, ["withdrawn", "verified", "disputed", "verified", "proposed"]);
    assert_eq!(history["items"][0]["actor"], "key:admin");
}

#[tokio::test]
async fn each_rule_of_a_piece_is_kept() {
    let client = service().await;
    for (change, fault) in [
        (json!({"about": "plan_content"}), "#/content required"),
        (json!({"content": "steps_and_entities"}), "#/content not_allowed"),
        (json!({"content": "steps", "about": "plan_content"}), "#/content not_allowed"),
        (json!({"annex": "2"}), "#/annex needs_legal_act"),
        (json!({"country": "QA1"}), "#/country wrong_format"),
        (json!({"country": "XK9"}), "#/country wrong_format"),
        (json!({"country": "UU"}), "#/country unknown_code"),
        (json!({"quote_language": "qq"}), "#/quote_language unknown_code"),
        (json!({"languages": ["en", "qq"]}), "#/languages/1 unknown_code"),
        (json!({"document": "9F86"}), "#/document wrong_format"),
        (json!({"retrieved_at": "2026-01-31"}), "#/retrieved_at wrong_format"),
        (json!({"url": "ftp://plan.example"}), "#/url wrong_format"),
        (json!({"state": "disputed"}), "#/state_reason needs_reason"),
        (json!({"state": "withdrawn"}), "#/state_reason needs_reason"),
        (json!({"claim": null}), "#/claim wrong_type"),
        (json!({"legal_act_id": "external:none"}), "#/legal_act_id not_found"),
    ] {
        let problem = client.post("/v1/evidence", piece(change.clone())).expect(422).await;
        assert_eq!(problem.faults(), [fault], "{change}: {}", problem.text);
    }
    assert_eq!(client.get("/v1/evidence?count=true").expect(200).await.json()["count"], 0);
    // An act or a captured copy is a source too, and needs no day.
    let act = json!({"external_id": "act", "country": "XX", "issuer": "P", "act_type": "law", "number": "1", "date": "2024-01-31"});
    client.create("legal-acts", act).await;
    let of_act = json!({"state": "verified", "legal_act_id": "external:act", "annex": "Annex 2"});
    client.create("evidence", piece(of_act)).await;
    client.create("evidence", piece(json!({"state": "verified", "document": "0".repeat(64)}))).await;
}

#[tokio::test]
async fn a_piece_cannot_replace_itself() {
    let client = service().await;
    let first = client.create("evidence", piece(json!({"external_id": "first"}))).await;
    client.create("evidence", piece(json!({"external_id": "second", "supersedes_id": "external:first"}))).await;
    let change = json!({"supersedes_id": "external:second"});
    let problem = client.patch(path(&first), change).header("if-match", "*").expect(409).await;
    assert_eq!(problem.faults(), ["#/supersedes_id cycle"]);
    client.delete(path(&first)).header("if-match", "*").expect(409).await;
}

async fn named(client: &Client, path: &str) -> Vec<String> {
    let page = client.get(path).expect(200).await.json();
    page["items"].as_array().unwrap().iter().map(|item| item["external_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_has_expired_follows_from_the_day() {
    let client = service().await;
    for (name, until, state) in [
        ("old", json!("2020-01-01"), "verified"),
        ("good", json!("2099-12-31"), "verified"),
        ("ever", Value::Null, "verified"),
        ("unseen", json!("2020-01-01"), "proposed"),
    ] {
        let mut body = verified(json!({"external_id": name, "valid_until": until}));
        body["state"] = json!(state);
        client.create("evidence", body).await;
    }
    assert_eq!(named(&client, "/v1/evidence?standing=expired").await, ["old"]);
    assert_eq!(named(&client, "/v1/evidence?standing=verified").await, ["good", "ever"]);
    assert_eq!(named(&client, "/v1/evidence?standing=proposed&standing=expired").await, ["old", "unseen"]);
    assert_eq!(named(&client, "/v1/evidence?state=verified").await, ["old", "good", "ever"]);
    assert_eq!(named(&client, "/v1/evidence?valid_until_before=2021-01-01&sort=-valid_until").await, ["unseen", "old"]);
}

async fn report(client: &Client, path: &str, fields: &[&str]) -> Vec<Value> {
    let page = client.as_viewer().get(path).expect(200).await.json();
    let row = |row: &Value| Value::Array(fields.iter().map(|field| row[*field].clone()).collect());
    page["items"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn what_expires_is_told_in_time_for_any_day() {
    let client = service().await;
    let strategy = json!({"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"});
    client.create("strategies", strategy).await;
    for (name, change) in [
        ("march", json!({"valid_until": "2026-03-31", "strategy_id": "external:s", "document": "1".repeat(64)})),
        ("june", json!({"valid_until": "2026-06-30"})),
        ("ever", json!({})),
        ("hidden", json!({"valid_until": "2026-03-30", "classification": "restricted"})),
        ("replaced", json!({"valid_until": "2026-03-01"})),
        ("replacing", json!({"valid_until": "2027-03-01", "supersedes_id": "external:replaced"})),
    ] {
        let mut body = verified(change);
        body["title"] = json!({"en": name});
        body["external_id"] = json!(name);
        client.create("evidence", body).await;
    }
    let gone =
        piece(json!({"title": "gone", "valid_until": "2026-03-01", "state": "withdrawn", "state_reason": "gone"}));
    client.create("evidence", gone).await;
    let told = async |query: &str| {
        let path = format!("/v1/reports/expiring-evidence?{query}");
        report(&client, &path, &["title", "standing", "valid_until", "days_left", "copy"]).await
    };
    let march = |standing: &str, left: i32| json!([{"en": "march"}, standing, "2026-03-31", left, "missing"]);
    let june = |standing: &str, left: i32| json!([{"en": "june"}, standing, "2026-06-30", left, "none"]);
    assert_eq!(told("on=2026-03-01").await, [march("verified", 30)]);
    assert_eq!(told("on=2026-03-01&within=29").await, [] as [Value; 0]);
    assert_eq!(told("on=2026-03-31&within=0").await, [march("verified", 0)]);
    assert_eq!(told("on=2026-04-01&within=90").await, [march("expired", -1), june("verified", 90)]);
    assert_eq!(told("on=2026-07-01&strategy_id=external:s").await, [march("expired", -92)]);
    // The piece that replaces another has expired too, so both are told.
    let later = told("on=2028-01-01").await;
    assert_eq!(later.len(), 4, "{later:?}");
    // Evidence is no work of the plan: what narrows that is refused, not answered with nothing.
    let problem = client.get("/v1/reports/expiring-evidence?status=in_progress").expect(400).await;
    assert_eq!(problem.faults(), ["status unknown_parameter"], "{}", problem.text);
    let problem = client.get("/v1/reports/expiring-evidence?within=4000&on=soon").expect(400).await;
    assert_eq!(problem.faults(), ["on wrong_format", "within too_large"], "{}", problem.text);
    let all = report(&client, "/v1/reports/expiring-evidence", &["title"]).await;
    assert!(all.contains(&json!([{"en": "march"}])), "{all:?}");
    let csv = client.get("/v1/reports/expiring-evidence?on=2026-03-01").header("accept", "text/csv").expect(200).await;
    assert!(csv.text.starts_with("id,"), "{}", csv.text);
    client.get("/v1/reports/expiring-evidence?as_of=2020-01-01&on=2026-03-01").expect(200).await;
}

#[tokio::test]
async fn disputed_claims_are_told_with_who_disputes_them_and_why() {
    let client = service().await;
    let strategy = json!({"external_id": "s", "code": "S", "title": {"en": "Decision 257"}, "country": "XX", "kind": "strategy",
        "source": "a newspaper", "evidence_state": "proposed"});
    let strategy = client.create("strategies", strategy).await;
    let change = json!({"evidence_state": "disputed", "evidence_note": {"en": "It is an act of another country"}});
    client.patch("/v1/strategies/external:s", change).if_match(1).expect(200).await;
    let assessor = client.create("api-keys", json!({"name": "reviewer", "role": "assessor"})).await;
    let assessor = client.with_key(assessor["key"].as_str().unwrap().to_owned());
    let disputed = assessor
        .create("evidence", verified(json!({"claim": {"en": "It is in force"}, "strategy_id": "external:s"})))
        .await;
    let change = json!({"state": "disputed", "state_reason": {"en": "The page speaks of another country"}});
    assessor.patch(path(&disputed), change).if_match(1).expect(200).await;
    // A later change is not the dispute.
    client.patch(path(&disputed), json!({"publisher": "P"})).if_match(2).expect(200).await;
    let better = client.create("evidence", piece(json!({"supersedes_id": disputed["id"]}))).await;
    client.create("evidence", verified(json!({}))).await;
    let fields = ["noun", "id", "claim", "reason", "disputed_by", "source", "superseded_by_id"];
    let rows = report(&client, "/v1/reports/disputed-claims", &fields).await;
    assert_eq!(
        rows,
        [
            json!(["strategy", strategy["id"], {"en": "Decision 257"}, {"en": "It is an act of another country"}, "key:admin", "a newspaper", null]),
            json!(["evidence", disputed["id"], {"en": "It is in force"}, {"en": "The page speaks of another country"}, "key:reviewer",
                "https://plan.example/", better["id"]]),
        ]
    );
    assert_eq!(report(&client, "/v1/reports/disputed-claims?strategy_id=external:s", &["noun"]).await.len(), 2);
    let days = report(&client, "/v1/reports/disputed-claims", &["disputed_on"]).await;
    assert!(days.iter().all(|row| row[0].is_string()), "{days:?}");
    let text = client.get("/v1/reports/disputed-claims").header("accept", "text/plain").expect(200).await;
    assert!(text.text.contains("another country"), "{}", text.text);
    assert_eq!(report(&client, "/v1/reports/disputed-claims?as_of=2020-01-01", &["noun"]).await.len(), 0);
}

#[tokio::test]
async fn a_plan_file_carries_hashes_and_the_copies_may_stay_behind() {
    let (here, there) = (service().await, service().await);
    let hash = "a".repeat(64);
    let strategy = json!({"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"});
    here.create("strategies", strategy).await;
    let body = verified(
        json!({"external_id": "e", "strategy_id": "external:s", "document": hash, "quote": "= SUM(1)", "languages": ["ro"]}),
    );
    here.create("evidence", body).await;
    let plan = here.get("/v1/exports/plan?strategy_id=external:s").expect(200).await.json();
    assert_eq!(plan["evidence"][0]["document"], hash, "{plan}");
    there.post("/v1/imports", plan.clone()).expect(200).await;
    assert_eq!(named(&there, "/v1/evidence?copy=missing").await, ["e"]);
    assert_eq!(
        there.get("/v1/exports/plan?strategy_id=external:s").expect(200).await.json()["evidence"],
        plan["evidence"]
    );
    let again = there.post("/v1/imports", plan).expect(200).await.json();
    assert_eq!((&again["created"], &again["changed"]), (&json!(0), &json!(0)), "{again}");
}
