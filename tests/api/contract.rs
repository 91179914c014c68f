//! Every noun, through every shared behaviour. A noun whose paths are in the document and not in the table fails.

mod capacity;
mod days;
mod diplomacy;
mod law;
mod readiness;

use serde_json::{Value, json};

use crate::support::{Client, service};

/// What the rows of the table refer to.
pub(super) struct Ground {
    entity: Value,
    pub(super) strategy: Value,
    objective: Value,
    first: Value,
    second: Value,
    step: Value,
    cycle: Value,
    indicator: Value,
    appropriation: Value,
    treaty: Value,
    forum: Value,
    engagement: Value,
    pub(super) contribution: Value,
    programme: Value,
    framework: Value,
    pub(super) assessment: Value,
    answer: Value,
    evidence: Value,
}

impl Ground {
    pub(super) async fn lay(client: &Client) -> Self {
        let entity =
            client.create("entities", json!({"name": {"en": "Ministry of Examples"}, "kind": "ministry"})).await["id"]
                .clone();
        let strategy = client
            .create(
                "strategies",
                json!({"code": "S", "title": {"en": "A strategy"}, "country": "XX", "kind": "strategy"}),
            )
            .await["id"]
            .clone();
        let objective = client
            .create("objectives", json!({"strategy_id": strategy, "code": "1", "title": {"en": "An objective"}}))
            .await["id"]
            .clone();
        let initiative = |code: &str| json!({"strategy_id": strategy, "objective_id": objective, "code": code, "title": {"en": "An initiative"}});
        let first = client.create("initiatives", initiative("1.1")).await["id"].clone();
        let second = client.create("initiatives", initiative("1.2")).await["id"].clone();
        let step =
            client.create("steps", json!({"initiative_id": first, "code": "a", "title": {"en": "A step"}})).await["id"]
                .clone();
        let cycle = client.create("reporting-cycles", cycle(&strategy, "first")).await["id"].clone();
        let indicator = json!({"strategy_id": strategy, "title": "Trained", "value_chain_stage": "output", "measure": "unit", "direction": "ascending"});
        let indicator = client.create("indicators", indicator).await["id"].clone();
        let granted = json!({"step_id": step, "fiscal_year": 2024, "phase": "appropriation", "money": {"amount": "500", "currency": "RON"}});
        let appropriation = client.create("budget-allocations", granted).await["id"].clone();
        let treaty = client.create("treaties", json!({"code": "GROUND", "name": "A treaty"})).await["id"].clone();
        let forum = client.create("forums", json!({"code": "F", "name": "A forum", "kind": "expert_group"})).await;
        let forum = forum["id"].clone();
        let engagement = client.create("engagements", json!({"forum_id": forum})).await["id"].clone();
        let received = json!({"direction": "received", "title": "Help", "status": "pipeline"});
        let contribution = client.create("contributions", received).await["id"].clone();
        let taught = json!({"strategy_id": strategy, "title": "Lessons", "audience": "public"});
        let programme = client.create("training-programmes", taught).await["id"].clone();
        let (framework, assessment, answer, evidence) = readiness::lay(client).await;
        Self {
            entity,
            strategy,
            objective,
            first,
            second,
            step,
            cycle,
            indicator,
            appropriation,
            treaty,
            forum,
            engagement,
            contribution,
            programme,
            framework,
            assessment,
            answer,
            evidence,
        }
    }
}

fn cycle(strategy: &Value, code: &str) -> Value {
    let period = json!({"code": "2025-03", "from": "2025-03-01", "to": "2025-03-31", "due_on": "2025-04-10"});
    json!({"strategy_id": strategy, "code": code, "title": "A cycle", "cadence": "monthly", "periods": [period]})
}

/// A noun: a good body, a change to it (null where it is only added to), and a bad field with the fault that names it.
pub(super) struct Row {
    pub(super) noun: &'static str,
    pub(super) body: fn(&Ground) -> Value,
    pub(super) change: Value,
    bad: (Value, &'static str),
}

#[expect(clippy::too_many_lines, reason = "a table, a row a noun")]
pub(super) fn table() -> Vec<Row> {
    let row = |noun, body, change, bad| Row { noun, body, change, bad };
    let mut table = vec![
        row(
            "legal-acts",
            |_| json!({"country": "XX", "issuer": "Parliament", "act_type": "law", "number": "7", "date": "2024-02-29"}),
            json!({"number": "8"}),
            (json!({"date": "2024-02-30"}), "#/date wrong_format"),
        ),
        row(
            "entities",
            |_| json!({"name": "Agency", "kind": "agency"}),
            json!({"name": {"en": "The agency"}}),
            (json!({"kind": "minstry"}), "#/kind not_allowed"),
        ),
        row(
            "funding-sources",
            |_| json!({"name": {"en": "State budget"}, "kind": "state_budget"}),
            json!({"kind": "eu"}),
            (json!({"name": 7}), "#/name wrong_type"),
        ),
        row(
            "strategies",
            |_| json!({"code": "T", "title": {"en": "Another"}, "country": "XX", "kind": "action_plan"}),
            json!({"title": {"en": "Renamed"}}),
            (json!({"status": "approved"}), "#/legal_act_id needs_legal_act"),
        ),
        row(
            "objectives",
            |ground| json!({"strategy_id": ground.strategy, "parent_id": ground.objective, "code": "1.9", "title": {"en": "Below"}}),
            json!({"code": "1.10"}),
            (json!({"code": ""}), "#/code empty"),
        ),
        row(
            "initiatives",
            |ground| json!({"strategy_id": ground.strategy, "objective_id": ground.objective, "code": "1.3", "title": {"en": "A third"}, "deadline": {"text": "Q3 2025"}}),
            json!({"status": "in_progress"}),
            (json!({"status": "completed"}), "#/evidence needs_evidence"),
        ),
        row(
            "steps",
            |ground| json!({"initiative_id": ground.first, "code": "b", "title": {"en": "Another step"}}),
            json!({"title": {"en": "Renamed"}}),
            (json!({"status": "cancelled"}), "#/status_reason needs_reason"),
        ),
        row(
            "assignments",
            |ground| json!({"initiative_id": ground.first, "entity_id": ground.entity, "role": "lead"}),
            json!({"source_label": "Responsible"}),
            (json!({"role": "boss"}), "#/role not_allowed"),
        ),
        row(
            "timelines",
            |ground| json!({"initiative_id": ground.first, "basis": "forecast", "ends_on": "2025-06-30"}),
            json!({"set_on": "2024-03-01"}),
            (json!({"basis": "approved"}), "#/legal_act_id needs_legal_act"),
        ),
        row(
            "milestones",
            |ground| json!({"initiative_id": ground.first, "title": {"en": "Reached"}, "deadline": {"text": "2025-03-31"}}),
            json!({"title": {"en": "Nearly reached"}}),
            (json!({"title": {"en": " "}}), "#/title/en wrong_format"),
        ),
        row(
            "dependencies",
            |ground| json!({"predecessor_initiative_id": ground.first, "successor_initiative_id": ground.second, "lag_days": 5}),
            json!({"lag_days": 6}),
            (json!({"lag_days": 1.5}), "#/lag_days wrong_type"),
        ),
        row(
            "budget-allocations",
            |ground| json!({"step_id": ground.step, "fiscal_year": 2025, "phase": "estimate", "money": {"amount": "120000.50", "currency": "RON"}}),
            json!({"money": {"amount": "1"}}),
            (json!({"money": {"amount": 5, "currency": "RON"}}), "#/money/amount wrong_type"),
        ),
        row(
            "staff-allocations",
            |ground| json!({"step_id": ground.step, "entity_id": ground.entity, "profile": "penetration_tester", "starts_on": "2025-01-01", "ends_on": "2025-12-31", "fte_planned": "2.5", "cost": {"amount": "1000", "currency": "RON"}}),
            json!({"fte_filled": "1.75"}),
            (json!({"fte_planned": 2.5}), "#/fte_planned wrong_type"),
        ),
        row(
            "staff-capacities",
            |ground| json!({"entity_id": ground.entity, "profile": "own:network_engineer", "starts_on": "2025-01-01", "fte": "12"}),
            json!({"fte": "11.5"}),
            (json!({"profile": "penetration_testr"}), "#/profile unknown_code"),
        ),
        row(
            "reporting-cycles",
            |ground| cycle(&ground.strategy, "second"),
            json!({"status": "closed"}),
            (json!({"periods": []}), "#/periods too_few"),
        ),
        row(
            "progress-reports",
            |ground| json!({"initiative_id": ground.second, "cycle_id": ground.cycle, "period": "2025-03", "status": "in_progress", "confidence": "green"}),
            json!({"percent": 40}),
            (json!({"percent": 101}), "#/percent too_large"),
        ),
        row(
            "risks",
            |ground| json!({"initiative_id": ground.second, "title": "No staff", "level": "medium", "owner_id": ground.entity}),
            json!({"review_on": "2025-09-01"}),
            (json!({"level": "critical"}), "#/mitigation needs_mitigation"),
        ),
        row(
            "indicators",
            |ground| json!({"initiative_id": ground.first, "title": "Incidents", "value_chain_stage": "outcome", "measure": "unit", "direction": "descending"}),
            json!({"baseline_value": "80.50", "baseline_on": "2024-12-31"}),
            (json!({"direction": null}), "#/direction needs_direction"),
        ),
        row(
            "indicator-targets",
            |ground| json!({"indicator_id": ground.indicator, "period_from": "2025-01-01", "period_to": "2025-12-31", "value": "20"}),
            json!({"value": "25"}),
            (json!({"value": 20}), "#/value wrong_type"),
        ),
        row(
            "measurements",
            |ground| json!({"indicator_id": ground.indicator, "period_from": "2025-01-01", "period_to": "2025-12-31", "value": "20.5", "status": "provisional", "disaggregation": {"sex": "female", "age": "0-17"}}),
            json!({"value": "25"}),
            (json!({"period_to": "2024-12-31"}), "#/period_to ends_before_start"),
        ),
        row(
            "exchange-rates",
            |_| json!({"base_currency": "EUR", "quote_currency": "RON", "valid_on": "2025-06-30", "rate": "5.0777", "source": "ECB"}),
            json!({"rate": "5.0778"}),
            (json!({"rate": 5.0777}), "#/rate wrong_type"),
        ),
        row(
            "budget-movements",
            |ground| json!({"allocation_id": ground.appropriation, "kind": "allotment", "dated_on": "2024-02-29", "money": {"amount": "10", "currency": "RON"}}),
            Value::Null,
            (json!({"kind": "payment"}), "#/follows_id required"),
        ),
        row(
            "evidence",
            |ground| json!({"kind": "official_website", "title": {"en": "The plan"}, "claim": "There is a plan", "about": "plan_content", "content": "timeframes_and_metrics", "strategy_id": ground.strategy, "url": "https://example.org/plan", "retrieved_at": "2026-01-31T10:00:00Z", "languages": ["en"]}),
            json!({"valid_until": "2027-01-31"}),
            (json!({"content": null}), "#/content required"),
        ),
    ];
    table.extend(law::rows());
    table.extend(diplomacy::rows());
    table.extend(capacity::rows());
    table.extend(readiness::rows());
    table
}

#[tokio::test]
async fn the_table_has_every_noun_of_the_document() {
    let client = service().await;
    let document = client.get("/openapi.json").expect(200).await.json();
    let mut documented: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .filter_map(|path| Some(path.strip_prefix("/v1/")?.strip_suffix("/{id}/history")?.to_owned()))
        .collect();
    let mut known: Vec<String> = table().iter().map(|row| row.noun.to_owned()).collect();
    documented.sort();
    known.sort();
    assert_eq!(documented, known);
}

#[tokio::test]
async fn every_noun_behaves_alike() {
    let client = service().await;
    let ground = Ground::lay(&client).await;
    for row in table() {
        let collection = format!("/v1/{}", row.noun);
        let body = (row.body)(&ground);
        let mut named = body.clone();
        named["external_id"] = json!("erp-1");

        // Who may write.
        client.as_nobody().post(&collection, body.clone()).expect(401).await;
        client.as_viewer().post(&collection, body.clone()).expect(403).await;

        // Create, and read it back under both names.
        let reply = client.post(&collection, named.clone()).expect(201).await;
        let created = reply.json();
        let path = format!("{collection}/{}", created["id"].as_str().unwrap());
        assert_eq!(reply.header("location"), path);
        assert_eq!(reply.header("etag"), "\"1\"");
        let found = client.as_viewer().get(&path).expect(200).await;
        assert_eq!(found.json(), created);
        assert_eq!(client.get(format!("{collection}/external:erp-1")).expect(200).await.json(), created);
        client.get(&path).header("if-none-match", "\"1\"").expect(304).await;

        // All faults at once, and what was meant.
        let mut wrong = body.clone();
        wrong["titel"] = json!("x");
        for (name, value) in row.bad.0.as_object().unwrap() {
            wrong[name] = value.clone();
        }
        let problem = client.post(&collection, wrong.clone()).expect(422).await;
        assert!(problem.faults().contains(&"#/titel unknown_field".to_owned()), "{}", problem.text);
        wrong.as_object_mut().unwrap().remove("titel");
        let problem = client.post(&collection, wrong).expect(422).await;
        assert!(problem.faults().contains(&row.bad.1.to_owned()), "{}: {}", row.noun, problem.text);
        client.post(&collection, named.clone()).expect(409).await;

        // Lists: filter, page, formats, strictness.
        let page = client.get(format!("{collection}?external_id=erp-1&count=true")).expect(200).await;
        assert_eq!(page.json()["count"], 1);
        assert_eq!(page.json()["items"][0], created);
        let problem = client.get(format!("{collection}?limt=1&sort=colour")).expect(400).await;
        assert_eq!(problem.faults(), ["limt unknown_parameter"]);
        assert!(problem.text.contains("did you mean `limit`?"), "{}", problem.text);
        client.get(format!("{collection}?limit=201")).expect(400).await;
        client.get(format!("{collection}?sort=colour")).expect(400).await;
        client.get(format!("{collection}?after=nonsense")).expect(400).await;
        for (accept, part) in [("text/csv", "id"), ("application/x-ndjson", "\"id\""), ("text/plain", "id")] {
            let list = client.get(&collection).header("accept", accept).expect(200).await;
            assert!(
                list.text.contains(part) && list.text.contains(created["id"].as_str().unwrap()),
                "{accept}: {}",
                list.text
            );
        }
        client.get(&collection).header("accept", "image/png").expect(406).await;

        if row.change.is_null() {
            for method in ["PUT", "PATCH", "DELETE"] {
                client.call(method, &path).json(body.clone()).header("if-match", "*").expect(405).await;
            }
            let history = client.get(format!("{path}/history")).expect(200).await.json();
            assert_eq!(history["items"][0]["action"], "created");
            continue;
        }

        // Changes need the version.
        client.patch(&path, row.change.clone()).expect(428).await;
        let stale = client.patch(&path, row.change.clone()).if_match(7).expect(412).await;
        assert_eq!(stale.json()["current"], created);
        let changed = client.patch(&path, row.change.clone()).if_match(1).expect(200).await;
        assert_eq!(changed.json()["version"], 2);
        client.patch(&path, json!({"titel": null})).if_match(2).expect(422).await;
        let replaced =
            client.put(format!("{collection}/external:erp-1"), body.clone()).header("if-match", "*").expect(200).await;
        assert_eq!(replaced.json()["version"], 3);
        assert_eq!(replaced.json()["id"], created["id"]);
        client.as_viewer().patch(&path, row.change.clone()).if_match(3).expect(403).await;

        // Delete: gone, with its history.
        client.delete(&path).expect(428).await;
        client.delete(&path).if_match(1).expect(412).await;
        client.delete(&path).if_match(3).header("mandate-reason", "a test").expect(204).await;
        let gone = client.get(&path).expect(410).await.json();
        let history = client.get(gone["history"].as_str().unwrap()).expect(200).await.json();
        let actions: Vec<&str> =
            history["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["deleted", "updated", "updated", "created"]);
        assert_eq!(history["items"][0]["actor"], "key:admin");
        assert_eq!(history["items"][0]["reason"], "a test");
        assert_eq!(history["items"][1]["after"], history["items"][0]["before"]);

        // A version of what is not there matches nothing; what was deleted says so.
        let named = format!("{collection}/external:erp-1");
        for tag in ["\"1\"", "*", "W/\"3\"", "\"3-gzip\"", "\"1\", \"2\""] {
            let gone = client.put(&named, body.clone()).header("if-match", tag).expect(410).await.json();
            assert!(gone["history"].as_str().unwrap().ends_with("/history"), "{tag}: {gone}");
            let never = client.put(format!("{collection}/external:never"), (row.body)(&ground));
            let absent = never.header("if-match", tag).expect(412).await.json();
            assert_eq!(absent["code"], "absent", "{tag}: {absent}");
            client.patch(format!("{collection}/external:never"), json!({})).header("if-match", tag).expect(404).await;
            client.delete(format!("{collection}/external:never")).header("if-match", tag).expect(404).await;
        }
        client.put(&named, body.clone()).header("if-match", "1").expect(400).await;
        client.put(&named, body.clone()).header("if-none-match", "1").expect(400).await;
        let none = client.get(format!("{collection}?external_id=erp-1&external_id=never")).expect(200).await.json();
        assert_eq!(none["items"], json!([]));

        // A name can be used again, and PUT creates under it.
        let again = client.put(&named, body.clone()).header("if-none-match", "*").expect(201).await.json();
        client.put(&named, body).header("if-none-match", "*").header("if-match", "*").expect(412).await;
        assert_ne!(again["id"], created["id"]);
        client.delete(format!("{collection}/{}", again["id"].as_str().unwrap())).if_match("1").expect(204).await;
        client.get(format!("{collection}/0190aaaa-0000-7000-8000-000000000000")).expect(404).await;
        client.get(format!("{collection}/not-an-id")).expect(404).await;
        client.call("TRACE", &collection).expect(405).await;
    }
}
