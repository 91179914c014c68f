//! What a reader may not see is not there: in lists, alone, beside something else, in histories, the feed, reports, the past, and in writes.

use mandate::router;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::{Client, database, service};

/// A plan with one open initiative and one restricted, each with a lead and money.
struct Plan {
    strategy: Value,
    agency: Value,
    open: Value,
    hidden: Value,
}

async fn plan(client: &Client) -> Plan {
    let id = async |noun: &str, body: Value| client.create(noun, body).await["id"].clone();
    let strategy = json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy", "classification": "public"});
    let strategy = id("strategies", strategy).await;
    let agency = id("entities", json!({"name": "Agency", "kind": "agency", "code": "A"})).await;
    let body = |code: &str, classification: &str| json!({"strategy_id": strategy, "code": code, "title": format!("Initiative {classification}"), "external_id": classification, "classification": classification});
    let open = id("initiatives", body("1", "internal")).await;
    let hidden = id("initiatives", body("2", "restricted")).await;
    for initiative in [&open, &hidden] {
        id("assignments", json!({"initiative_id": initiative, "entity_id": agency, "role": "lead"})).await;
    }
    Plan { strategy, agency, open, hidden }
}

async fn codes(client: &Client, path: &str) -> Vec<String> {
    let page = client.get(path).expect(200).await.json();
    page["items"].as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The body of a problem without what is of the request.
async fn problem(client: &Client, path: &str, id: &str) -> Value {
    let mut body = client.get(path.replace("{id}", id)).expect(404).await.json();
    for own in ["instance", "request_id"] {
        body.as_object_mut().unwrap().remove(own);
    }
    serde_json::from_str(&body.to_string().replace(id, "{id}")).unwrap()
}

#[tokio::test]
async fn what_is_restricted_is_not_there_for_a_viewer() {
    let client = service().await;
    let plan = plan(&client).await;
    let viewer = client.as_viewer();
    let hidden = plan.hidden.as_str().unwrap();
    assert_eq!(codes(&client, "/v1/initiatives?sort=code").await, ["1", "2"]);
    assert_eq!(codes(&viewer, "/v1/initiatives?sort=code").await, ["1"]);
    let counted = |page: Value| (page["count"].clone(), page["withheld"].clone());
    let all = "/v1/initiatives?count=true";
    assert_eq!(counted(viewer.get(all).expect(200).await.json()), (json!(1), json!(1)));
    assert_eq!(counted(client.get(all).expect(200).await.json()), (json!(2), json!(0)));
    // Whatever is asked for: else a reader could ask what hidden rows say, word by word.
    let asked = "/v1/initiatives?count=true&q=nothing&fields=code";
    assert_eq!(counted(viewer.get(asked).expect(200).await.json()), (json!(0), json!(1)));
    assert_eq!(viewer.get("/v1/initiatives").expect(200).await.json().get("withheld"), None);
    for accept in ["text/csv", "application/x-ndjson", "text/plain"] {
        let list = viewer.get("/v1/initiatives").header("accept", accept).expect(200).await.text;
        assert!(list.contains("Initiative internal") && !list.contains("Initiative restricted"), "{accept}: {list}");
    }
    let nothing = "0190aaaa-0000-7000-8000-000000000000";
    for path in ["/v1/initiatives/{id}", "/v1/initiatives/{id}/history", "/v1/initiatives/{id}?expand=strategy"] {
        assert_eq!(problem(&viewer, path, hidden).await, problem(&viewer, path, nothing).await, "{path}");
    }
    viewer.get("/v1/initiatives/external:restricted").expect(404).await;
    viewer.get("/v1/steps?initiative_id=external:restricted").expect(400).await;
    let rows = viewer.get("/v1/assignments?expand=initiative&sort=created_at").expect(200).await.json();
    assert_eq!((&rows["items"][0]["initiative"]["code"], &rows["items"][1]["initiative"]), (&json!("1"), &Value::Null));
    for report in ["plan", "timeline", "responsibilities", "gaps", "budget"] {
        let path = format!("/v1/reports/{report}");
        let seen = viewer.get(&path).expect(200).await.text;
        assert!(!seen.contains(hidden) && !seen.contains("Initiative restricted"), "{seen}");
    }
    assert_eq!(codes(&viewer, "/v1/reports/plan").await, ["1"]);
    let carried = viewer.get("/v1/reports/responsibilities").expect(200).await.json();
    assert_eq!(carried["items"][0]["total"], 1);

    // Deleted, it is gone without a trace.
    let assignments = format!("/v1/assignments?initiative_id={hidden}");
    let lead = client.get(assignments).expect(200).await.json()["items"][0]["id"].clone();
    client.delete(format!("/v1/assignments/{}", lead.as_str().unwrap())).if_match(1).expect(204).await;
    client.delete(format!("/v1/initiatives/{hidden}")).if_match(1).expect(204).await;
    client.get(format!("/v1/initiatives/{hidden}")).expect(410).await;
    viewer.get(format!("/v1/initiatives/{hidden}")).expect(404).await;
    viewer.get("/v1/initiatives/external:restricted").expect(404).await;
    client.get(format!("/v1/strategies/{}", plan.strategy.as_str().unwrap())).expect(200).await;
}

#[tokio::test]
async fn an_auditor_sees_all_and_the_past_hides_what_is_hidden_today() {
    let client = service().await;
    let plan = plan(&client).await;
    let viewer = client.as_viewer();
    let auditor = client.create("api-keys", json!({"name": "a", "role": "auditor"})).await;
    let auditor = client.with_key(auditor["key"].as_str().unwrap().into());
    assert_eq!(codes(&auditor, "/v1/initiatives?sort=code").await, ["1", "2"]);
    auditor.get("/v1/exports/plan").expect(200).await;
    let path = format!("/v1/initiatives/{}", plan.open.as_str().unwrap());
    let then =
        client.patch(&path, json!({"title": "Renamed"})).if_match(1).expect(200).await.json()["updated_at"].clone();
    let then = format!("as_of={}", then.as_str().unwrap());
    assert_eq!(codes(&viewer, &format!("/v1/initiatives?{then}")).await, ["1"]);
    assert_eq!(codes(&viewer, &format!("/v1/reports/plan?{then}")).await, ["1"]);
    client.patch(&path, json!({"classification": "restricted"})).if_match(2).expect(200).await;
    let past = viewer.get(format!("/v1/initiatives?count=true&{then}")).expect(200).await.json();
    assert_eq!((&past["items"], &past["count"], &past["withheld"]), (&json!([]), &json!(0), &json!(2)));
    viewer.get(format!("{path}?{then}")).expect(404).await;
    viewer.get(format!("{path}/history?{then}")).expect(404).await;
    assert_eq!(codes(&auditor, &format!("/v1/initiatives?sort=code&{then}")).await, ["1", "2"]);

    // The feed does not tell of it either, not even what was open when it was written.
    let kinds = async |client: &Client| {
        let page = client.get("/v1/changes?kind=initiative").expect(200).await.json();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!((kinds(&auditor).await, kinds(&viewer).await), (4, 0));
    // Nor after it has been opened again, what it was while it was not.
    client.patch(&path, json!({"classification": "internal"})).if_match(3).expect(200).await;
    viewer.get(&path).expect(200).await;
    let history = viewer.get(format!("{path}/history")).expect(200).await.json();
    let versions: Vec<i64> =
        history["items"].as_array().unwrap().iter().map(|e| e["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, [2, 1]);
}

#[tokio::test]
async fn an_editor_writes_as_if_what_it_may_not_see_were_not_there() {
    let client = service().await;
    let plan = plan(&client).await;
    let key = client.create("api-keys", json!({"name": "e", "role": "editor", "entity_id": plan.agency})).await;
    let editor = client.with_key(key["key"].as_str().unwrap().into());
    let hidden = format!("/v1/initiatives/{}", plan.hidden.as_str().unwrap());
    editor.patch(&hidden, json!({"code": "9"})).if_match(1).expect(404).await;
    editor.patch(&hidden, json!({"code": "9"})).if_match(1).header("idempotency-key", "1").expect(404).await;
    editor.put(&hidden, json!({"code": "9"})).if_match(1).expect(404).await;
    let step = |initiative: &Value| json!({"initiative_id": initiative, "code": "a", "title": "A step"});
    for initiative in [&plan.hidden, &json!("external:restricted"), &json!("0190aaaa-0000-7000-8000-000000000000")] {
        let problem = editor.post("/v1/steps", step(initiative)).expect(422).await;
        assert_eq!(problem.faults(), ["#/initiative_id not_found"], "{}", problem.text);
    }
    let mut body = step(&plan.open);
    body["classification"] = json!("restricted");
    assert_eq!(editor.post("/v1/steps", body.clone()).expect(422).await.faults(), ["#/classification not_allowed"]);
    client.create("steps", body).await;
    // That a name is taken is all that is said of what has it.
    let problem = editor.post("/v1/steps", step(&plan.open)).expect(409).await;
    assert_eq!(problem.faults(), ["#/code taken"]);
    let mut own = step(&plan.open);
    own["code"] = json!("b");
    let own = editor.create("steps", own).await["id"].clone();
    let milestone = json!({"step_id": own, "fiscal_year": 2025, "phase": "estimate", "money": {"amount": "1", "currency": "RON"}, "classification": "restricted"});
    let money = client.create("budget-allocations", milestone).await["id"].clone();
    let problem = editor.delete(format!("/v1/steps/{}", own.as_str().unwrap())).if_match(1).expect(409).await;
    assert_eq!(problem.faults(), ["# referred_to"]);
    assert!(!problem.text.contains(money.as_str().unwrap()), "{}", problem.text);
}

#[tokio::test]
async fn an_omission_opens_nothing() {
    let client = service().await;
    let plan = plan(&client).await;
    let body = json!({"strategy_id": plan.strategy, "code": "2", "title": "Replaced"});
    let replaced = client.put("/v1/initiatives/external:restricted", body.clone()).if_match(1).expect(200).await.json();
    assert_eq!((&replaced["title"]["ro"], &replaced["classification"]), (&json!("Replaced"), &json!("restricted")));
    let mut file = client.get("/v1/exports/plan").expect(200).await.json();
    for row in file["initiatives"].as_array_mut().unwrap() {
        row.as_object_mut().unwrap().remove("classification");
    }
    let report = client.post("/v1/imports", file).expect(200).await.json();
    assert_eq!((&report["changed"], &report["created"]), (&json!(0), &json!(0)), "{report}");
}

#[tokio::test]
async fn every_noun_has_all_its_columns_in_every_view() {
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    for noun in router::nouns() {
        for schema in ["cleared", "cleared_past", "as_of"] {
            // What is effective is computed; in the past it follows from what was above then.
            let sql =
                "select column_name::text from information_schema.columns where table_schema = $1 and table_name = $2
                and column_name <> 'effective_classification' order by 1";
            let mut columns = Vec::new();
            for schema in ["public", schema] {
                let names: Vec<String> =
                    sqlx::query_scalar(sql).bind(schema).bind(noun.table).fetch_all(&mut connection).await.unwrap();
                columns.push(names);
            }
            assert_eq!(columns[0], columns[1], "{schema}.{}", noun.table);
        }
    }
}

#[tokio::test]
async fn what_moves_on_hidden_money_is_hidden_whenever_it_was_written() {
    let ledger = crate::movements::Ledger::open("100").await;
    let moved = ledger.made("allotment", "66.67", serde_json::json!({})).await;
    let viewer = ledger.client.as_viewer();
    let (path, from) = (format!("/v1/budget-movements/{}", moved.as_str().unwrap()), "/v1/diff?from=2020-01-01");
    let seen = viewer.get(&path).expect(200).await.json();
    assert!(viewer.get(from).expect(200).await.text.contains("66.67"));
    let allocation = format!("/v1/budget-allocations/{}", ledger.allocation.as_str().unwrap());
    let hide = serde_json::json!({"classification": "restricted"});
    ledger.client.patch(allocation, hide).header("if-match", "*").expect(200).await;
    viewer.get(&path).expect(404).await;
    viewer.get(format!("{path}/history")).expect(404).await;
    viewer.get(format!("{path}?as_of={}", seen["created_at"].as_str().unwrap())).expect(404).await;
    for path in ["/v1/budget-movements", "/v1/changes?kind=budget_movement", from] {
        let text = viewer.get(path).expect(200).await.text;
        assert!(!text.contains("66.67"), "{path}: {text}");
        assert!(ledger.client.get(path).expect(200).await.text.contains("66.67"), "{path}");
    }
}
