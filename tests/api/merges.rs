//! An import is a merge of named fields: it touches what it names, sets back nothing that was reported, and tells what it does.

use mandate::transfer::folder;
use serde_json::{Value, json};

use crate::support::{
    Client,
    client::{Call, Reply},
    service,
};

/// A plan under a strategy of this status, with much in it that files seldom name.
fn plan(status: &str) -> Value {
    json!({
        "format": "mandate-plan/1",
        "legal_acts": [{"external_id": "act", "country": "XX", "issuer": "Council", "act_type": "decision", "number": "1", "date": "2024-01-31"}],
        "entities": [{"external_id": "min", "code": "MIN", "name": "Ministry", "kind": "ministry"}],
        "strategies": [{"external_id": "s", "title": "S", "country": "XX", "kind": "strategy", "status": status, "legal_act_id": "external:act"}],
        "objectives": [{"external_id": "o", "strategy_id": "external:s", "code": "O", "title": {"ro": "Obiectiv", "en": "Objective"}}],
        "initiatives": [{"external_id": "i", "strategy_id": "external:s", "code": "I", "title": {"ro": "Cursuri", "en": "Courses"},
            "description": {"ro": "Ce", "en": "What"}, "starts_on": "2025-01-01", "deadline": {"text": "2026-06-30"}, "funding_note": {"ro": "PNRR"},
            "status": "completed", "evidence": "https://example.org/1", "confidence": "green"}],
        "steps": [{"external_id": "p", "initiative_id": "external:i", "code": "P", "title": "P", "status": "in_progress"}],
        "budget_allocations": [{"external_id": "b", "initiative_id": "external:i", "fiscal_year": 2026, "phase": "estimate",
            "money": {"amount": "100", "currency": "RON"}, "note": {"ro": "notă", "en": "note"}}]
    })
}

fn send(client: &Client, path: &str, plan: &Value) -> Call {
    client.call("POST", path).header("content-type", "application/json").body(plan.to_string())
}

fn rows(section: &str, rows: Value) -> Value {
    json!({"format": "mandate-plan/1", section: rows})
}

async fn with(status: &str) -> Client {
    let client = service().await;
    send(&client, "/v1/imports", &plan(status)).expect(200).await;
    client
}

async fn export(client: &Client) -> Value {
    client.get("/v1/exports/plan").expect(200).await.json()
}

/// The fields of a noun, but for its version and times.
async fn fields(client: &Client, path: &str) -> Value {
    let mut row = client.get(format!("/v1/{path}")).expect(200).await.json();
    for name in ["version", "updated_at"] {
        row.as_object_mut().unwrap().remove(name);
    }
    row
}

fn faults(reply: &Reply) -> Vec<String> {
    reply.faults()
}

#[tokio::test]
async fn a_partial_row_touches_the_fields_that_it_names() {
    let client = with("draft").await;
    let whole = export(&client).await;
    let partial = json!({
        "format": "mandate-plan/1",
        "objectives": [{"external_id": "o", "title": {"en": "Aim"}}],
        "initiatives": [{"external_id": "i", "title": "Cursuri noi", "description": {"en": null}, "funding_note": null}],
        "budget_allocations": [{"external_id": "b", "money": {"amount": "120"}}]
    });
    let report = send(&client, "/v1/imports", &partial).expect(200).await.json();
    assert_eq!((&report["changed"], &report["created"]), (&json!(3), &json!(0)), "{report}");
    let mut wanted = whole.clone();
    wanted["objectives"][0]["title"]["en"] = "Aim".into();
    wanted["initiatives"][0]["title"]["ro"] = "Cursuri noi".into();
    wanted["initiatives"][0]["description"].as_object_mut().unwrap().remove("en");
    wanted["initiatives"][0].as_object_mut().unwrap().remove("funding_note");
    wanted["budget_allocations"][0]["money"]["amount"] = "120.00".into();
    assert_eq!(export(&client).await, wanted);
    // A field that nobody knows is named, also when it is to be cleared.
    let wrong = rows("initiatives", json!([{"external_id": "i", "titel": null}]));
    let refused = send(&client, "/v1/imports", &wrong).expect(422).await;
    assert_eq!(faults(&refused), ["#/initiatives/0/titel unknown_field"]);
}

#[tokio::test]
async fn a_partial_row_of_a_folder_touches_the_cells_that_it_fills() {
    let client = with("draft").await;
    let before = fields(&client, "initiatives/external:i").await;
    let csv = "external_id,title.en,status,evidence,deadline.text\ni,Trainings,,,\n".as_bytes().to_vec();
    let read = folder::read(&[("initiatives.csv".into(), csv)], mandate::router::nouns());
    let (document, _) = read.unwrap_or_else(|error| panic!("{error:?}"));
    let call = client.call("POST", "/v1/imports").header("content-type", "application/json").body(document);
    assert_eq!(call.expect(200).await.json()["changed"], 1);
    let mut wanted = before;
    wanted["title"]["en"] = "Trainings".into();
    assert_eq!(fields(&client, "initiatives/external:i").await, wanted);
}

#[tokio::test]
async fn what_a_replacement_does_not_name_is_cleared_but_not_what_was_reported() {
    let client = with("draft").await;
    let row =
        rows("initiatives", json!([{"external_id": "i", "strategy_id": "external:s", "code": "I", "title": "Alt"}]));
    let report = send(&client, "/v1/imports?mode=replace", &row).expect(200).await.json();
    assert_eq!(report["mode"], "replace", "{report}");
    let after = fields(&client, "initiatives/external:i").await;
    assert_eq!(
        (&after["title"], &after["description"], &after["deadline"]),
        (&json!({"ro": "Alt"}), &Value::Null, &Value::Null)
    );
    assert_eq!((&after["status"], &after["evidence"]), (&json!("completed"), &json!("https://example.org/1")));
    send(&client, "/v1/imports?mode=other", &row).expect(400).await;
}

#[tokio::test]
async fn what_is_there_is_left_alone_by_an_import_that_adds() {
    let client = with("draft").await;
    let before = export(&client).await;
    let row = rows(
        "initiatives",
        json!([{"external_id": "i", "title": "Alt"}, {"external_id": "j", "strategy_id": "external:s", "code": "J", "title": "J"}]),
    );
    let report = send(&client, "/v1/imports?mode=add", &row).expect(200).await.json();
    assert_eq!(
        (&report["created"], &report["unchanged"], &report["changed"]),
        (&json!(1), &json!(1), &json!(0)),
        "{report}"
    );
    let after = export(&client).await;
    assert_eq!(after["initiatives"][0], before["initiatives"][0]);
}

#[tokio::test]
async fn nothing_that_was_reported_is_set_back_without_a_reason() {
    for status in ["draft", "in_force"] {
        let client = with(status).await;
        for (row, fault) in [
            (json!({"status": "not_started"}), "#/initiatives/0/status needs_reason"),
            (json!({"status": null}), "#/initiatives/0/status needs_reason"),
            (json!({"status": "in_progress", "status_reason": "again"}), "#/initiatives/0/status needs_reason"),
            (json!({"evidence": "other"}), "#/initiatives/0/evidence needs_reason"),
            (json!({"confidence": null}), "#/initiatives/0/confidence needs_reason"),
        ] {
            let mut row = row;
            row["external_id"] = "i".into();
            let plan = rows("initiatives", json!([row]));
            let refused = send(&client, "/v1/imports", &plan).expect(422).await;
            assert!(faults(&refused).contains(&fault.to_owned()), "{plan}: {}", refused.text);
        }
        let whole = json!([{"external_id": "i", "strategy_id": "external:s", "code": "I", "title": "T", "status": "in_progress", "status_reason": "x"}]);
        let refused = send(&client, "/v1/imports?mode=replace", &rows("initiatives", whole)).expect(422).await;
        assert!(faults(&refused).contains(&"#/initiatives/0/status needs_reason".to_owned()), "{}", refused.text);
        let plan = rows("initiatives", json!([{"external_id": "i", "status": "not_started", "evidence": null}]));
        let done = send(&client, "/v1/imports", &plan).header("mandate-reason", "entered by mistake").expect(200).await;
        assert_eq!(done.json()["changes"], json!({"initiatives": {"evidence": 1, "status": 1}}), "{}", done.text);
    }
}

#[tokio::test]
async fn what_a_progress_report_says_is_not_moved_by_a_file_at_all_without_a_reason() {
    let client = with("draft").await;
    let cycle = json!({"external_id": "c", "strategy_id": "external:s", "code": "C", "title": "C", "cadence": "semesterly",
        "periods": [{"code": "1", "from": "2026-01-01", "to": "2026-06-30", "due_on": "2026-07-31"}]});
    let cycle = client.post("/v1/reporting-cycles", cycle).send().await;
    assert!(cycle.status.is_success(), "{}", cycle.text);
    client
        .create(
            "progress-reports",
            json!({"step_id": "external:p", "cycle_id": "external:c", "period": "1", "state": "submitted", "status": "on_hold", "confidence": "amber",
                "status_reason": "no staff", "narrative": "Nothing", "challenges": "Staff"}),
        )
        .await;
    let forward = rows("steps", json!([{"external_id": "p", "status": "completed", "evidence": "a note"}]));
    let refused = send(&client, "/v1/imports", &forward).expect(422).await;
    assert_eq!(faults(&refused), ["#/steps/0/evidence needs_reason", "#/steps/0/status needs_reason"]);
    send(&client, "/v1/imports", &forward).header("mandate-reason", "letter of the ministry").expect(200).await;
}

#[tokio::test]
async fn a_report_tells_each_field_before_and_after_and_counts_them() {
    let client = with("draft").await;
    let changed = json!({
        "format": "mandate-plan/1",
        "initiatives": [{"external_id": "i", "title": {"en": "Trainings"}, "deadline": {"text": "sometime soon"}}],
        "steps": [{"external_id": "p", "status": "completed", "evidence": "done"}, {"external_id": "q", "initiative_id": "external:i", "code": "Q", "title": "Q"}]
    });
    let dry = send(&client, "/v1/imports?dry_run=true", &changed).expect(200).await.json();
    let done = send(&client, "/v1/imports", &changed).expect(200).await.json();
    assert_eq!(
        dry["changes"],
        json!({"initiatives": {"deadline": 1, "title": 1}, "steps": {"evidence": 1, "status": 1}})
    );
    let fields = &dry["rows"][0]["fields"];
    assert_eq!(fields[0], json!({"field": "title.en", "before": "Courses", "after": "Trainings"}), "{dry}");
    assert_eq!(fields[1]["field"], "deadline.text", "{dry}");
    assert_eq!(
        dry["unread_deadlines"],
        json!({"count": 1, "first": [{"pointer": "#/initiatives/0/deadline", "words": "sometime soon"}]})
    );
    let told = |report: &Value| {
        let mut report = report.clone();
        report["dry_run"] = true.into();
        report["committed"] = false.into();
        report["rows"][2].as_object_mut().unwrap().remove("id");
        report
    };
    assert_eq!(told(&dry), told(&done));
}

#[tokio::test]
async fn a_refused_import_says_that_nothing_came_of_it() {
    let client = with("draft").await;
    let wrong = json!({
        "format": "mandate-plan/1",
        "entities": [{"external_id": "e", "name": "E", "kind": "agency"}, {"external_id": "f", "name": "F", "kind": "agncy"}],
        "initiatives": [{"external_id": "i", "title": "Alt"}]
    });
    let dry = send(&client, "/v1/imports?dry_run=true", &wrong).expect(200).await.json();
    let counts = ["created", "changed", "unchanged", "refused", "would_create", "would_change"].map(|name| &dry[name]);
    assert_eq!(counts, [0, 0, 0, 1, 1, 1], "{dry}");
}

#[tokio::test]
async fn rows_with_a_code_and_no_external_id_are_found_by_it() {
    let client = service().await;
    let coded = || {
        json!({
            "format": "mandate-plan/1",
            "entities": [{"code": "MIN", "name": "Ministry", "kind": "ministry"}],
            "funding_sources": [{"code": "PNRR", "name": "PNRR", "kind": "other"}],
            "strategies": [{"code": "S", "title": "S", "country": "XX", "kind": "strategy"}],
            "forums": [{"code": "UN", "name": "UN", "kind": "un"}],
        })
    };
    let first = send(&client, "/v1/imports?dry_run=true", &coded()).send().await;
    // What forums need besides is not what this is about.
    let mut plan = coded();
    if first.json()["refused"] != json!(0) {
        plan.as_object_mut().unwrap().remove("forums");
    }
    plan["objectives"] = json!([{"code": "O", "strategy_id": "code:S", "title": "O"}]);
    plan["initiatives"] = json!([{"code": "1", "strategy_id": "code:S", "title": "I"}, {"code": "2", "strategy_id": "code:S", "title": "J"}]);
    let made = send(&client, "/v1/imports", &plan).expect(200).await.json()["created"].as_u64().unwrap();
    let again = send(&client, "/v1/imports", &plan).expect(200).await.json();
    assert_eq!((&again["created"], &again["unchanged"]), (&json!(0), &json!(made)), "{again}");
    let initiative = client.get("/v1/initiatives?code=1").expect(200).await.json()["items"][0]["id"].take();
    let below = |title: &str| {
        json!({
            "format": "mandate-plan/1",
            "steps": [{"code": "A", "initiative_id": initiative, "title": title}],
            "milestones": [{"code": "M", "initiative_id": initiative, "title": title}],
            "indicators": [{"code": "N", "initiative_id": initiative, "title": title, "measure": "unit", "direction": "ascending", "value_chain_stage": "output"}],
            "initiatives": [{"code": "1", "strategy_id": "code:S", "title": {"en": title}}]
        })
    };
    let made = send(&client, "/v1/imports", &below("X")).send().await;
    assert!(made.status == 200, "{}", made.text);
    let again = send(&client, "/v1/imports", &below("Y")).expect(200).await.json();
    assert_eq!((&again["created"], &again["changed"]), (&json!(0), &json!(4)), "{again}");
    // Twice in one file is a mistake, and no second thought.
    let twice = rows(
        "initiatives",
        json!([{"code": "1", "strategy_id": "code:S", "title": "a"}, {"code": "1", "strategy_id": "code:S", "title": "b"}]),
    );
    assert_eq!(faults(&send(&client, "/v1/imports", &twice).expect(422).await), ["#/initiatives/1 duplicate"]);
    // A row without an external id gets the first that is given to it; one that has another keeps it, and is not meant.
    let named = |name: &str| {
        rows("entities", json!([{"external_id": name, "code": "MIN", "name": "Ministry", "kind": "ministry"}]))
    };
    assert_eq!(send(&client, "/v1/imports", &named("a")).expect(200).await.json()["changed"], 1);
    assert_eq!(faults(&send(&client, "/v1/imports", &named("b")).expect(422).await), ["#/entities/0/code taken"]);
}

#[tokio::test]
async fn entities_without_a_code_are_found_by_their_name() {
    let client = service().await;
    let named = |name: &str| rows("entities", json!([{"name": name, "kind": "ministry"}]));
    send(&client, "/v1/imports", &named("Ministerul Educației")).expect(200).await;
    let again = send(&client, "/v1/imports", &named("MINISTERUL  EDUCATIEI*")).expect(200).await.json();
    assert_eq!((&again["created"], &again["unchanged"]), (&json!(0), &json!(1)), "{again}");
    client.create("entities", json!({"name": "Ministerul Educației", "kind": "ministry"})).await;
    let refused = send(&client, "/v1/imports", &named("ministerul educatiei")).expect(422).await;
    assert_eq!(faults(&refused), ["#/entities/0/name ambiguous"]);
}

#[tokio::test]
async fn entities_that_must_exist_are_not_made() {
    let client = with("draft").await;
    let entities = rows(
        "entities",
        json!([{"code": "MIN", "name": {"en": "Ministry"}}, {"code": "NEW", "name": "New", "kind": "agency"}]),
    );
    let refused = send(&client, "/v1/imports?entities=must-exist", &entities).expect(422).await;
    assert_eq!(faults(&refused), ["#/entities/1/name must_exist"]);
    let made = send(&client, "/v1/imports", &entities).expect(200).await.json();
    assert_eq!(
        made["made_entities"],
        json!({"count": 1, "first": [{"pointer": "#/entities/1/name", "words": "New"}]}),
        "{made}"
    );
}
