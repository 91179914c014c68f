//! What is written on confirmation is what the second principal was shown, whatever has become meanwhile of names, drafts and rows.

use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{ALL, Ground, decide, decided, ground};
use crate::support::{Call, Client};

fn draft(name: &str, more: Value) -> Value {
    let mut body = json!({"external_id": name, "initiative_id": "external:i", "cycle_id": "external:c", "period": "1", "status": "completed",
        "confidence": "green", "narrative": "Done", "evidence": "https://good.example/act"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn written(client: &Client, path: &str, change: Value) {
    let call = client.patch(path, change).header("if-match", "*").header("mandate-reason", "x");
    call.expect(200).await;
}

/// It is not written, and the proposal is over and says so.
async fn refused(ground: &Ground, proposal: &Value, what: &str) {
    let before = ground.record().await;
    let reply = decide(&ground.bogdan, proposal, "confirm").await;
    let as_ever = reply.status == 409 && reply.faults() == ["#/proposal_id stale"];
    assert!(as_ever && reply.text.contains("not what was proposed"), "{what}: {}", reply.text);
    assert!(reply.text.contains("proposed again"), "{what}: {}", reply.text);
    assert_eq!(ground.record().await, before, "{what}");
    let path = format!("/v1/proposals/{}", proposal["id"].as_str().unwrap());
    let kept = ground.admin.get(path).expect(200).await.json();
    assert!(kept["state"] == "stale" && kept["changes"] == proposal["changes"], "{what}: {kept}");
}

async fn editor(ground: &Ground) -> Client {
    let body = json!({"name": "e", "role": "editor", "entity_id": ground.entity});
    let key = ground.admin.create("api-keys", body).await;
    ground.admin.with_key(key["key"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_draft_that_is_changed_after_it_was_proposed_is_not_what_was_shown() {
    let path = "/v1/progress-reports/external:r";
    let other = json!({"evidence": "https://other.example/"});
    for door in 0..4 {
        let ground = ground(ALL).await;
        let editor = editor(&ground).await;
        editor.create("progress-reports", draft("r", json!({}))).await;
        let any = |call: Call| call.header("if-match", "*");
        let batch = json!({"items": [{"external_id": "r", "state": "submitted"}]});
        let file = json!({"format": "mandate-plan/1", "initiatives": [{"external_id": "i", "status": "completed", "evidence": "https://good.example/act"}]});
        let (what, call) = match door {
            0 => ("PATCH", any(editor.patch(path, json!({"state": "submitted"})))),
            1 => ("batch", editor.post("/v1/progress-report-batches", batch)),
            2 => ("PUT", any(ground.anna.put(path, draft("r", json!({"state": "submitted"}))))),
            _ => ("import", ground.anna.post("/v1/imports", file)),
        };
        let proposal = ground.proposed(call).await;
        let changes = proposal["changes"].as_array().unwrap();
        let of = |kind: &str| changes.iter().find(|change| change["kind"] == kind).unwrap_or(&Value::Null);
        assert_eq!(of("initiative")["after"]["evidence"], "https://good.example/act", "{what}: {proposal}");
        if door == 3 {
            written(&ground.anna, "/v1/initiatives/external:i", json!({"title": "Other"})).await;
        } else {
            assert_eq!(of("progress_report")["version"], 1, "{what}: {proposal}");
            editor.patch(path, other.clone()).if_match(1).expect(200).await;
        }
        refused(&ground, &proposal, what).await;
        let kept = ground.admin.get("/v1/initiatives/external:i").expect(200).await.json();
        assert_eq!((&kept["status"], &kept["evidence"]), (&json!("not_started"), &Value::Null), "{what}");
    }
}

#[tokio::test]
async fn what_a_report_moves_besides_is_as_it_was_shown() {
    let ground = ground(ALL).await;
    let report = draft("r", json!({"state": "submitted"}));
    // The initiative is another version, the report is not there yet.
    let proposal = ground.proposed(ground.anna.post("/v1/progress-reports", report.clone())).await;
    written(&ground.anna, "/v1/initiatives/external:i", json!({"title": "Other"})).await;
    refused(&ground, &proposal, "the initiative").await;
    // The same again is another proposal, because it would write something else.
    let again = ground.proposed(ground.anna.post("/v1/progress-reports", report)).await;
    assert_ne!(again["id"], proposal["id"]);
    decided(&ground.bogdan, &again, "confirm").await;
    let any =
        || ground.anna.patch("/v1/timelines/external:t2", json!({"ends_on": "2026-01-31"})).header("if-match", "*");
    let first = ground.proposed(any()).await;
    assert_eq!(ground.proposed(any()).await["id"], first["id"]);
    written(&ground.anna, "/v1/timelines/external:t2", json!({"reason": "other words"})).await;
    let second = ground.proposed(any()).await;
    assert_ne!(second["id"], first["id"]);
    refused(&ground, &first, "the older").await;
    decided(&ground.bogdan, &second, "confirm").await;
}

/// The names of the two of a noun, one after the other.
async fn name(ground: &Ground, noun: &str, ids: &[Value], names: [(usize, &str); 2]) {
    let field = if noun == "funding-sources" { "code" } else { "external_id" };
    for (place, name) in names {
        let path = format!("/v1/{noun}/{}", ids[place].as_str().unwrap());
        written(&ground.anna, &path, json!({field: name})).await;
    }
}

#[tokio::test]
async fn a_name_that_stands_for_another_thing_by_then_is_not_what_was_shown() {
    let ground = ground("").await;
    let anna = &ground.anna;
    for name in ["toc-a", "toc-b"] {
        let body = json!({"external_id": name, "strategy_id": "external:s", "code": name, "title": name});
        anna.create("initiatives", body).await;
        let act = json!({"external_id": name, "country": "XX", "issuer": "P", "act_type": "law", "number": name, "date": "2024-02-29"});
        anna.create("legal-acts", act).await;
        anna.create("entities", json!({"external_id": name, "name": name, "kind": "agency"})).await;
        let step = json!({"external_id": name, "initiative_id": "external:i", "code": name, "title": name});
        anna.create("steps", step).await;
        let source = json!({"external_id": name, "code": name, "name": name, "kind": "eu"});
        anna.create("funding-sources", source).await;
    }
    let money = json!({"external_id": "named", "initiative_id": "external:i", "fiscal_year": 2031, "phase": "appropriation", "money": {"amount": "7", "currency": "RON"}});
    anna.create("budget-allocations", money.clone()).await;
    super::put_in_force(&ground.options, ALL).await;
    let allocation = |field: &str, name: &str| {
        let mut body = money.clone();
        body.as_object_mut().unwrap().shift_remove("external_id");
        body["fiscal_year"] = json!(2032);
        if field == "step_id" {
            body.as_object_mut().unwrap().shift_remove("initiative_id");
        }
        body[field] = json!(name);
        body
    };
    let any = |call: Call| call.header("if-match", "*");
    let done = json!({"status": "completed", "evidence": "https://good.example/act"});
    let timeline = json!({"initiative_id": "external:toc-a", "basis": "approved", "ends_on": "2027-01-31", "legal_act_id": "external:law"});
    let row = allocation("initiative_id", "external:toc-a");
    let mut whole = allocation("initiative_id", "external:i");
    (whole["entity_id"], whole["external_id"]) = (json!("external:toc-a"), json!("named"));
    let cases: Vec<(&str, Call)> = vec![
        ("initiatives", anna.post("/v1/budget-allocations", row.clone())),
        ("funding-sources", anna.post("/v1/budget-allocations", allocation("funding_source_id", "code:toc-a"))),
        ("initiatives", anna.post("/v1/timelines", timeline)),
        ("initiatives", anna.post("/v1/imports", json!({"format": "mandate-plan/1", "budget_allocations": [row]}))),
        ("initiatives", any(anna.patch("/v1/initiatives/external:toc-a", done.clone()))),
        ("steps", any(anna.patch("/v1/steps/external:toc-a", done.clone()))),
        ("steps", anna.post("/v1/budget-allocations", allocation("step_id", "external:toc-a"))),
        (
            "legal-acts",
            any(anna.patch("/v1/budget-allocations/external:named", json!({"legal_act_id": "external:toc-a"}))),
        ),
        ("entities", any(anna.put("/v1/budget-allocations/external:named", whole))),
    ];
    for (noun, call) in cases {
        let proposal = ground.proposed(call).await;
        let mut ids = Vec::new();
        for name in ["toc-a", "toc-b"] {
            ids.push(anna.get(format!("/v1/{noun}/external:{name}")).expect(200).await.json()["id"].clone());
        }
        name(&ground, noun, &ids, [(0, "was"), (1, "toc-a")]).await;
        refused(&ground, &proposal, &format!("{noun}: {proposal}")).await;
        name(&ground, noun, &ids, [(1, "toc-b"), (0, "toc-a")]).await;
    }
}

#[tokio::test]
async fn what_is_new_may_have_another_id_and_refer_to_what_is_new() {
    let ground = ground(ALL).await;
    let initiative =
        |name: &str| json!({"external_id": name, "strategy_id": "external:s", "code": name, "title": "New"});
    let step = |name: &str, of: &str| json!({"external_id": name, "initiative_id": format!("external:{of}"), "code": name, "title": "New"});
    let money = |name: &str, year: i32| {
        json!({"external_id": name, "step_id": format!("external:{name}"), "fiscal_year": year, "phase": "appropriation",
        "money": {"amount": "7", "currency": "RON"}})
    };
    let file = json!({"format": "mandate-plan/1",
        "initiatives": [initiative("n2"), initiative("n1"), {"external_id": "i", "title": "Better words"}],
        "steps": [step("b", "n1"), step("a", "n1"), step("c", "n2")],
        "budget_allocations": [money("a", 2031), money("b", 2031), money("c", 2031)]});
    let proposal = ground.proposed(ground.anna.post("/v1/imports", file)).await;
    assert_eq!(proposal["changes"].as_array().unwrap().len(), 9, "{proposal}");
    let confirmed = decided(&ground.bogdan, &proposal, "confirm").await;
    // The confirmed proposal has what was written, by its ids.
    let changes = confirmed["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 9, "{confirmed}");
    for change in changes.iter().filter(|change| change["kind"] == "step") {
        ground.anna.get(format!("/v1/steps/{}", change["id"].as_str().unwrap())).expect(200).await;
    }
    let listed = ground.anna.get("/v1/proposals").expect(200).await.json();
    assert!(listed["items"][0]["after"].is_object() && listed["items"][0].get("changes").is_none(), "{listed}");
    // A transfer is two movements that name each other.
    let id = async |name: &str| {
        ground.anna.get(format!("/v1/budget-allocations/external:{name}")).expect(200).await.json()["id"].clone()
    };
    let body = json!({"allocation_id": id("m1").await, "to_allocation_id": id("m2").await, "kind": "virement", "dated_on": "2025-03-01",
        "legal_act_id": "external:law", "money": {"amount": "1", "currency": "RON"}});
    let proposal = ground.proposed(ground.anna.post("/v1/budget-movements", body)).await;
    assert_eq!(proposal["changes"].as_array().unwrap().len(), 2, "{proposal}");
    decided(&ground.bogdan, &proposal, "confirm").await;
}

#[tokio::test]
async fn a_report_that_is_confirmed_on_another_day_has_its_forecast_of_that_day() {
    let ground = ground(ALL).await;
    let report = draft("r", json!({"state": "submitted", "forecast_ends_on": "2025-03-20"}));
    let proposal = ground.proposed(ground.anna.post("/v1/progress-reports", report)).await;
    let mut connection = PgConnection::connect_with(&ground.options).await.unwrap();
    // As it would be if it had been proposed the day before.
    let aged = "update proposals set created_at = created_at - interval '1 day',
        changes = replace(changes::text, to_char(today(), 'YYYY-MM-DD'), to_char(today() - 1, 'YYYY-MM-DD'))::jsonb";
    connection.execute(aged).await.unwrap();
    let confirmed = decided(&ground.bogdan, &proposal, "confirm").await;
    let set_on = confirmed["changes"].as_array().unwrap().iter().find_map(|change| change["after"]["set_on"].as_str());
    let today: String = sqlx::query_scalar("select today()::text").fetch_one(&mut connection).await.unwrap();
    assert_eq!(set_on, Some(&*today), "{confirmed}");
}

#[tokio::test]
async fn what_changes_more_than_a_proposal_holds_is_refused() {
    let ground = ground(ALL).await;
    let act = |place: usize| json!({"external_id": format!("x{place}"), "country": "XX", "issuer": "P", "act_type": "law", "number": format!("{place}/x"), "date": "2024-02-29"});
    let file = |many: usize| {
        json!({"format": "mandate-plan/1", "legal_acts": (0..many).map(act).collect::<Vec<_>>(),
            "steps": [{"external_id": "st", "status": "completed", "evidence": "https://good.example/act"}]})
    };
    let before = ground.record().await;
    let reply = ground.anna.post("/v1/imports", file(1000)).header("mandate-reason", "x").expect(422).await;
    assert_eq!(reply.faults(), ["# needs_second"], "{}", reply.text);
    assert_eq!(ground.record().await, before);
    let proposal = ground.proposed(ground.anna.post("/v1/imports", file(999))).await;
    decided(&ground.bogdan, &proposal, "confirm").await;
}
