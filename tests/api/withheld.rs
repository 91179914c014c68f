//! What is withheld is counted, and never told as if it were not there; and what a change of classification would do is told before it is made.

use mandate::base::limits::Limits;
use serde_json::{Value, json};

use crate::support::{Client, database, service, service_over};

const FORCE: (&str, &str) = ("if-match", "*");

async fn id(client: &Client, noun: &str, body: Value) -> String {
    client.create(noun, body).await["id"].as_str().unwrap().to_owned()
}

/// The kinds of gaps of one initiative.
async fn gaps(client: &Client, report: &str, id: &str) -> Vec<String> {
    let page = client.get(format!("/v1/reports/{report}")).expect(200).await.json();
    let rows = page["items"].as_array().unwrap().iter().filter(|row| row["id"] == id);
    rows.map(|row| row["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_is_withheld_is_not_said_to_be_missing() {
    let client = service().await;
    let viewer = client.as_viewer();
    let strategy =
        id(&client, "strategies", json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"})).await;
    let objective = id(&client, "objectives", json!({"strategy_id": strategy, "code": "1", "title": "One"})).await;
    let initiative = json!({"strategy_id": strategy, "code": "1", "title": "One", "deadline": {"text": "2025-01-31"}});
    let initiative = id(&client, "initiatives", initiative).await;
    let agency = id(&client, "entities", json!({"name": "Agency", "kind": "agency"})).await;
    let forum = json!({"code": "F", "name": "F", "kind": "expert_group", "membership": "member"});
    let forum = id(&client, "forums", forum).await;
    let missing =
        ["initiative_without_lead", "initiative_without_money", "initiative_without_people", "initiative_without_step"];
    assert_eq!(gaps(&viewer, "gaps", &initiative).await, missing);
    let page = viewer.get("/v1/reports/gaps").expect(200).await;
    assert_eq!((&page.json()["withheld"], page.headers.get("mandate-withheld")), (&json!({}), None));

    let hidden = |mut body: Value| {
        body["classification"] = json!("restricted");
        body
    };
    let people = json!({"initiative_id": initiative, "entity_id": agency, "profile": "penetration_tester", "starts_on": "2024-01-01", "ends_on": "2024-12-31", "fte_planned": "1"});
    let money = json!({"initiative_id": initiative, "fiscal_year": 2024, "phase": "estimate", "money": {"amount": "7", "currency": "RON"}});
    for (noun, body) in [
        ("assignments", json!({"initiative_id": initiative, "entity_id": agency, "role": "lead"})),
        ("staff-allocations", people),
        ("budget-allocations", money),
        ("steps", json!({"initiative_id": initiative, "code": "a", "title": "A step"})),
        ("initiatives", json!({"strategy_id": strategy, "objective_id": objective, "code": "2", "title": "Two"})),
        ("engagements", json!({"forum_id": forum, "session": "1", "starts_on": "2024-02-29", "capacity": "chair"})),
    ] {
        id(&client, noun, hidden(body)).await;
    }
    for report in ["gaps", "quality"] {
        assert_eq!(gaps(&viewer, report, &initiative).await, Vec::<String>::new(), "{report}");
        let of_objective = gaps(&viewer, report, &objective).await;
        assert!(of_objective.is_empty(), "{report}: {of_objective:?}");
    }
    for (report, mark) in
        [("responsibilities", "\"entity_id\":null"), ("silent-forums", "never"), ("understaffed", "no_staff")]
    {
        let text = viewer.get(format!("/v1/reports/{report}")).expect(200).await.text;
        assert!(!text.contains(mark), "{report}: {text}");
    }
    // How much it is, of all there are, in every format; and nothing to those who see all.
    let page = viewer.get("/v1/reports/gaps").expect(200).await;
    let counts =
        json!({"assignments": 1, "budget-allocations": 1, "initiatives": 1, "staff-allocations": 1, "steps": 1});
    assert_eq!(page.json()["withheld"], counts);
    let csv = viewer.get("/v1/reports/gaps").header("accept", "text/csv").expect(200).await;
    let words = "assignments=1, budget-allocations=1, initiatives=1, staff-allocations=1, steps=1";
    assert_eq!(csv.header("mandate-withheld"), words);
    assert_eq!(viewer.get("/v1/reports/gaps?status=completed").expect(200).await.json()["withheld"], counts);
    assert_eq!(client.get("/v1/reports/gaps").expect(200).await.json().get("withheld"), None);
    assert_eq!(viewer.get("/v1/obligations").expect(200).await.json()["withheld"]["assignments"], 1);
}

#[tokio::test]
async fn a_dry_run_says_who_would_see_what_and_writes_nothing() {
    let client = service().await;
    let strategy =
        id(&client, "strategies", json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"})).await;
    let mut initiatives = Vec::new();
    for code in ["1", "2", "3"] {
        let body = json!({"strategy_id": strategy, "code": code, "title": code, "classification": if code == "3" { json!("restricted") } else { Value::Null }});
        initiatives.push(id(&client, "initiatives", body).await);
    }
    id(&client, "steps", json!({"initiative_id": initiatives[2], "code": "a", "title": "A step"})).await;
    let path = format!("/v1/strategies/{strategy}");
    let before = client.get(&path).expect(200).await.json();
    let head = client.get("/v1/changes?limit=200").expect(200).await.json()["items"].as_array().unwrap().len();
    let dry =
        client.patch(format!("{path}?dry_run=true"), json!({"classification": "public"})).if_match(1).expect(200).await;
    assert_eq!(dry.headers.get("mandate-receipt"), None);
    let dry = dry.json();
    assert_eq!((&dry["classification"], &dry["version"]), (&json!("public"), &json!(2)));
    let counts = |public: i64, internal: i64, restricted: i64| json!({"public": public, "internal": internal, "restricted": restricted});
    assert_eq!(
        dry["dry_run"],
        json!([
            {"noun": "initiatives", "before": counts(0, 2, 1), "after": counts(2, 0, 1), "stay": 1, "stay_ids": [initiatives[2]]},
            {"noun": "steps", "before": counts(0, 0, 1), "after": counts(0, 0, 1), "stay": 1, "stay_ids": dry["dry_run"][1]["stay_ids"]},
            {"noun": "strategies", "before": counts(0, 1, 0), "after": counts(1, 0, 0), "stay": 0, "stay_ids": []},
        ])
    );
    assert_eq!(client.get(&path).expect(200).await.json(), before);
    let items = client.get("/v1/changes?limit=200").expect(200).await.json()["items"].as_array().unwrap().len();
    assert!(
        items >= head && !client.get("/v1/changes?limit=200").expect(200).await.text.contains("\"action\":\"updated\"")
    );
    // It is judged as the change itself is.
    client.patch(format!("{path}?dry_run=true"), json!({"classification": "public"})).if_match(7).expect(412).await;
    client.patch(format!("{path}?dry_run=true"), json!({"kind": "plam"})).if_match(1).expect(422).await;
    client.patch(format!("{path}?dry_run=perhaps"), json!({})).if_match(1).expect(400).await;
    client.as_viewer().patch(format!("{path}?dry_run=true"), json!({})).if_match(1).expect(403).await;
}

#[tokio::test]
async fn a_captured_copy_is_named_by_whoever_sees_it_or_brought_it() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let key = client.create("api-keys", json!({"name": "assessor", "role": "assessor"})).await;
    let assessor = client.with_key(key["key"].as_str().unwrap().into());
    let upload = async |client: &Client, text: &str| {
        let call = client.call("POST", "/v1/documents").header("content-type", "text/plain").body(text);
        call.send().await.json()["sha256"].as_str().unwrap().to_owned()
    };
    let evidence =
        |hash: &str| json!({"kind": "statement", "title": "A copy", "claim": "So", "about": "other", "document": hash});
    let secret = upload(&client, "secret").await;
    let mut restricted = evidence(&secret);
    restricted["classification"] = json!("restricted");
    client.create("evidence", restricted).await;
    // As what is not there at all.
    for hash in [secret.clone(), "0".repeat(64)] {
        let refused = assessor.post("/v1/evidence", evidence(&hash)).expect(422).await;
        assert_eq!(refused.faults(), ["#/document not_found"], "{}", refused.text);
    }
    let own = upload(&assessor, "mine").await;
    let kept = id(&assessor, "evidence", evidence(&own)).await;
    let path = format!("/v1/evidence/{kept}");
    let refused = assessor.patch(&path, json!({"document": secret})).header(FORCE.0, FORCE.1).expect(422).await;
    assert_eq!(refused.faults(), ["#/document not_found"]);
    assessor.get(format!("/v1/documents/{secret}")).expect(404).await;
    assessor.patch(&path, json!({"title": "Renamed"})).header(FORCE.0, FORCE.1).expect(200).await;
    // Who has the bytes needs no leave, and who sees evidence that names them neither.
    assert_eq!(upload(&assessor, "secret").await, secret);
    assessor.patch(&path, json!({"document": secret})).header(FORCE.0, FORCE.1).expect(200).await;
    let open = upload(&client, "open").await;
    client.create("evidence", evidence(&open)).await;
    assessor.post("/v1/evidence", evidence(&open)).expect(201).await;
}

#[tokio::test]
async fn a_refused_movement_tells_no_sum_that_is_withheld() {
    let ledger = crate::movements::Ledger::open("100").await;
    let agency = id(&ledger.client, "entities", json!({"name": "Treasury", "kind": "agency"})).await;
    let allocation = ledger.allocation.as_str().unwrap();
    let row = ledger.client.get(format!("/v1/budget-allocations/{allocation}")).expect(200).await.json();
    let item = if row["step_id"].is_null() { "initiative_id" } else { "step_id" };
    let lead = json!({item: row[item], "entity_id": agency, "role": "lead"});
    let led = ledger.client.post("/v1/assignments", lead).send().await;
    assert!([201, 409].contains(&led.status.as_u16()), "{}", led.text);
    let key = ledger.client.create("api-keys", json!({"name": "f", "role": "finance", "entity_id": agency})).await;
    let finance = ledger.client.with_key(key["key"].as_str().unwrap().into());
    let movement = |amount: &str| json!({"allocation_id": allocation, "kind": "allotment", "dated_on": row["fiscal_year"].as_i64().map(|year| format!("{year}-02-28")), "money": {"amount": amount, "currency": "RON"}});
    let told = finance.post("/v1/budget-movements", movement("500")).expect(409).await;
    assert!(told.text.contains("100"), "{}", told.text);
    let mut hidden = movement("66.67");
    hidden["classification"] = json!("restricted");
    ledger.client.create("budget-movements", hidden).await;
    let refused = finance.post("/v1/budget-movements", movement("50")).expect(409).await;
    assert_eq!(refused.faults(), ["#/money/amount ceiling_exceeded"]);
    assert!(!refused.text.contains("66.67") && !refused.text.contains("33.33"), "{}", refused.text);
    assert!(refused.text.contains("withheld"), "{}", refused.text);
    let all = ledger.client.post("/v1/budget-movements", movement("50")).expect(409).await;
    assert!(all.text.contains("66.67"), "{}", all.text);
}
