//! Progress reports: their way, who leads them, and what their submission moves.

use serde_json::{Value, json};

use mandate::base::limits::Limits;
use sqlx::postgres::PgConnectOptions;

use crate::support::{Client, client::Reply, database, service, service_over};

/// A strategy with a cycle of two periods, an initiative led by an agency, and its step.
pub(crate) struct Ground {
    pub(crate) admin: Client,
    pub(crate) editor: Client,
    pub(crate) strategy: Value,
    pub(crate) agency: Value,
    pub(crate) options: PgConnectOptions,
}

pub(crate) async fn ground() -> Ground {
    let options = database().await;
    let admin = service_over(options.clone(), Limits::default()).await;
    let id = async |noun: &str, body: Value| admin.create(noun, body).await["id"].clone();
    let act =
        json!({"country": "XX", "issuer": "Council", "act_type": "decision", "number": "1", "date": "2024-01-31"});
    let act = id("legal-acts", act).await;
    let agency =
        id("entities", json!({"code": "AGY", "name": "Agency", "kind": "agency", "external_id": "agency"})).await;
    let other = id("entities", json!({"code": "MIN", "name": "Ministry", "kind": "ministry"})).await;
    let strategy =
        json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy", "legal_act_id": act, "owner_id": other});
    let strategy = id("strategies", strategy).await;
    for (code, lead) in [("1", &agency), ("2", &other)] {
        let initiative = json!({"external_id": format!("i{code}"), "strategy_id": strategy, "code": code, "title": code, "deadline": {"text": "2025-06-30"}});
        let initiative = id("initiatives", initiative).await;
        id("assignments", json!({"initiative_id": initiative, "entity_id": lead, "role": "lead"})).await;
    }
    id("steps", json!({"external_id": "s1", "initiative_id": "external:i1", "code": "a", "title": "a"})).await;
    let period =
        |code: &str, from: &str, to: &str, due: &str| json!({"code": code, "from": from, "to": to, "due_on": due});
    let periods = [
        period("2025-Q1", "2025-01-01", "2025-03-31", "2025-04-15"),
        period("2025-Q2", "2025-04-01", "2025-06-30", "2025-07-15"),
    ];
    let cycle = json!({"external_id": "c", "strategy_id": strategy, "code": "q", "title": "Quarters", "cadence": "quarterly", "periods": periods});
    id("reporting-cycles", cycle).await;
    for status in ["submitted", "approved", "in_force"] {
        let path = format!("/v1/strategies/{}", strategy.as_str().unwrap());
        let call = admin.patch(path, json!({"status": status})).header("if-match", "*");
        call.header("mandate-reason", "as it goes").expect(200).await;
    }
    let key = admin.create("api-keys", json!({"name": "agency", "role": "editor", "entity_id": agency})).await;
    let editor = admin.with_key(key["key"].as_str().unwrap().to_owned());
    Ground { admin, editor, strategy, agency, options }
}

/// A report on the first initiative, with these fields besides.
pub(crate) fn report(period: &str, more: Value) -> Value {
    let mut body = json!({"initiative_id": "external:i1", "cycle_id": "external:c", "period": period, "status": "in_progress",
        "confidence": "green", "narrative": {"ro": "S-a lucrat", "en": "Work was done"}});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Leads a report to a state.
async fn lead(client: &Client, id: &Value, change: Value) -> Reply {
    let path = format!("/v1/progress-reports/{}", id.as_str().unwrap());
    client.patch(path, change).header("if-match", "*").send().await
}

async fn led(client: &Client, id: &Value, state: &str) {
    let reply = lead(client, id, json!({"state": state})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[tokio::test]
async fn a_submission_moves_the_initiative_and_its_forecast_and_the_report_is_the_reason() {
    let Ground { admin, editor, .. } = ground().await;
    let more =
        json!({"confidence": "amber", "challenges": "No staff", "forecast_ends_on": "2025-09-30", "percent": 20});
    let draft = editor.create("progress-reports", report("2025-Q1", more)).await;
    let initiative = admin.get("/v1/initiatives/external:i1").expect(200).await.json();
    assert_eq!((&initiative["status"], &initiative["version"]), (&json!("not_started"), &json!(1)), "{initiative}");
    led(&editor, &draft["id"], "submitted").await;
    let initiative = admin.get("/v1/initiatives/external:i1").expect(200).await.json();
    assert_eq!(initiative["status"], "in_progress", "{initiative}");
    assert_eq!(initiative["confidence"], "amber", "{initiative}");
    assert_eq!(initiative["confidence_reason"], json!({"ro": "No staff"}), "{initiative}");
    let timelines = admin.get("/v1/timelines").expect(200).await.json();
    assert_eq!(timelines["items"].as_array().unwrap().len(), 1, "{timelines}");
    assert_eq!(timelines["items"][0]["ends_on"], "2025-09-30", "{timelines}");
    assert_eq!(timelines["items"][0]["basis"], "forecast", "{timelines}");
    for path in [
        "/v1/initiatives/external:i1/history".to_owned(),
        format!("/v1/timelines/{}/history", timelines["items"][0]["id"].as_str().unwrap()),
    ] {
        let history = admin.get(path).expect(200).await.json();
        assert_eq!(history["items"][0]["reason"], "progress report 2025-Q1", "{history}");
        assert_eq!(history["items"][0]["actor"], "key:agency", "{history}");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_when_the_work_is_behind() {
    let Ground { admin, editor, .. } = ground().await;
    let before = admin.get("/v1/exports/plan").expect(200).await.text;
    for (more, fault) in [
        (json!({"confidence": "red"}), "#/challenges needs_challenges"),
        (json!({"status": "on_hold"}), "#/challenges needs_challenges"),
        (json!({"forecast_ends_on": "2025-07-01"}), "#/challenges needs_challenges"),
        (json!({"status": "completed"}), "#/evidence needs_evidence"),
        (json!({"status": "cancelled"}), "#/status_reason needs_reason"),
        (json!({"narrative": null}), "#/narrative needs_narrative"),
    ] {
        let mut body = report("2025-Q1", more);
        body["state"] = json!("submitted");
        let reply = editor.post("/v1/progress-reports", body).expect(422).await;
        assert_eq!(reply.faults(), [fault], "{}", reply.text);
    }
    assert_eq!(admin.get("/v1/exports/plan").expect(200).await.text, before, "what was refused left a trace");
    let in_time = report("2025-Q1", json!({"forecast_ends_on": "2025-06-30", "state": "submitted"}));
    editor.create("progress-reports", in_time).await;
    // What was to be done within the period and is not is behind, whatever its confidence.
    let earlier = json!({"deadline": {"text": "2025-03-30"}});
    let call = admin.patch("/v1/initiatives/external:i2", earlier).header("if-match", "*");
    call.header("mandate-reason", "a test").expect(200).await;
    let mut late = report("2025-Q1", json!({"initiative_id": "external:i2", "state": "submitted"}));
    let reply = admin.post("/v1/progress-reports", late.clone()).expect(422).await;
    assert_eq!(reply.faults(), ["#/challenges needs_challenges"], "{}", reply.text);
    late["challenges"] = json!("The tender failed");
    admin.create("progress-reports", late).await;
    let mut never = report("2025-Q2", json!({"state": "submitted", "forecast_ends_on": "2025-03-31"}));
    let reply = editor.post("/v1/progress-reports", never.clone()).expect(422).await;
    assert_eq!(reply.faults(), ["#/forecast_ends_on before_period"], "{}", reply.text);
    (never["status"], never["evidence"], never["percent"]) =
        (json!("completed"), json!("https://example.org/seen"), json!(90));
    let reply = editor.post("/v1/progress-reports", never.clone()).expect(422).await;
    assert_eq!(reply.faults(), ["#/percent not_done"], "{}", reply.text);
    never["percent"] = json!(100);
    editor.create("progress-reports", never).await;
}

#[tokio::test]
async fn each_leads_a_report_where_it_is_his_to_lead_it() {
    let Ground { admin, editor, .. } = ground().await;
    let body = report("2025-Q1", json!({"external_id": "r"}));
    let id = editor.create("progress-reports", body.clone()).await["id"].clone();
    assert_eq!(lead(&editor, &id, json!({"state": "accepted"})).await.status, 403);
    assert_eq!(lead(&admin, &id, json!({"state": "accepted"})).await.status, 409);
    led(&editor, &id, "submitted").await;
    for state in ["accepted", "returned"] {
        let reply = lead(&editor, &id, json!({"state": state, "return_note": "More figures"})).await;
        assert_eq!(reply.status, 403, "{}", reply.text);
        assert!(reply.text.contains("coordinator"), "{}", reply.text);
    }
    let reply = lead(&editor, &id, json!({"percent": 5})).await;
    assert_eq!((reply.status.as_u16(), reply.faults()), (409, vec!["# not_open".to_owned()]), "{}", reply.text);
    let reply = lead(&admin, &id, json!({"state": "returned"})).await;
    assert_eq!((reply.status.as_u16(), reply.faults()), (422, vec!["#/return_note needs_note".to_owned()]));
    assert_eq!(lead(&admin, &id, json!({"state": "returned", "return_note": "More figures"})).await.status, 200);
    let reply = lead(&editor, &id, json!({"return_note": "All is well"})).await;
    assert_eq!(reply.faults(), ["#/return_note not_open"], "{}", reply.text);
    assert_eq!(lead(&editor, &id, json!({"percent": 5})).await.status, 200);
    for (client, state) in [(&editor, "submitted"), (&admin, "accepted"), (&admin, "consolidated")] {
        led(client, &id, state).await;
    }
    for client in [&editor, &admin] {
        let reply = lead(client, &id, json!({"percent": 6})).await;
        assert_eq!((reply.status.as_u16(), reply.faults()), (409, vec!["# locked".to_owned()]), "{}", reply.text);
        assert!(reply.text.contains("corrects_id"), "{}", reply.text);
        let path = format!("/v1/progress-reports/{}", id.as_str().unwrap());
        let reply = client.delete(path).header("if-match", "*").expect(409).await;
        assert_eq!(reply.faults(), ["# not_draft"]);
    }
    led(&admin, &id, "published").await;
    assert_eq!(lead(&admin, &id, json!({"state": "accepted"})).await.status, 409);
    let later = admin.post("/v1/progress-reports", report("2025-Q2", json!({"state": "accepted"}))).expect(409).await;
    assert_eq!(later.faults(), ["#/state transition"], "{}", later.text);
}

#[tokio::test]
async fn an_item_has_one_report_of_a_period_and_one_correction_of_each() {
    let Ground { admin, editor, .. } = ground().await;
    let id = editor.create("progress-reports", report("2025-Q1", json!({}))).await["id"].clone();
    let again = editor.post("/v1/progress-reports", report("2025-Q1", json!({}))).expect(409).await;
    assert_eq!(again.faults(), ["#/period taken"], "{}", again.text);
    let early = editor.post("/v1/progress-reports", report("2025-Q1", json!({"corrects_id": id}))).expect(409).await;
    assert_eq!(early.faults(), ["#/corrects_id not_correctable"], "{}", early.text);
    for state in ["submitted", "accepted", "consolidated"] {
        led(&admin, &id, state).await;
    }
    let stray = editor.post("/v1/progress-reports", report("2025-Q2", json!({"corrects_id": id}))).expect(409).await;
    assert_eq!(stray.faults(), ["#/corrects_id not_correctable"], "{}", stray.text);
    let more =
        json!({"corrects_id": id, "status": "completed", "evidence": "https://example.org/done", "state": "submitted"});
    editor.create("progress-reports", report("2025-Q1", more.clone())).await;
    let initiative = admin.get("/v1/initiatives/external:i1").expect(200).await.json();
    assert_eq!(initiative["status"], "completed", "{initiative}");
    let twice = editor.post("/v1/progress-reports", report("2025-Q1", more)).expect(409).await;
    assert_eq!(twice.faults(), ["#/corrects_id taken"], "{}", twice.text);
    let corrected = admin.get("/v1/progress-reports?is_corrected=true").expect(200).await.json();
    assert_eq!(corrected["items"][0]["id"], id, "{corrected}");
}

#[tokio::test]
async fn the_list_of_periods_is_closed_and_what_was_reported_stays_in_it() {
    let Ground { admin, editor, strategy, .. } = ground().await;
    let strange = editor.post("/v1/progress-reports", report("2025-Q3", json!({}))).expect(409).await;
    assert_eq!(strange.faults(), ["#/period unknown_period"], "{}", strange.text);
    assert!(strange.text.contains("2025-Q1, 2025-Q2"), "{}", strange.text);
    editor.create("progress-reports", report("2025-Q1", json!({}))).await;
    let period =
        |code: &str, from: &str, to: &str, due: &str| json!({"code": code, "from": from, "to": to, "due_on": due});
    let only = json!({"periods": [period("2025-Q2", "2025-04-01", "2025-06-30", "2025-07-15")]});
    let path = "/v1/reporting-cycles/external:c";
    let reply = admin.patch(path, only).header("mandate-reason", "a test").header("if-match", "*").expect(409).await;
    assert_eq!(reply.faults(), ["#/periods in_use"], "{}", reply.text);
    let wrong =
        [period("a", "2025-02-01", "2025-01-01", "2025-03-01"), period("a", "2025-02-01", "2025-02-28", "2025-01-31")];
    let reply = admin.patch(path, json!({"periods": wrong})).header("if-match", "*").expect(422).await;
    let faults =
        ["#/periods/0/to ends_before_start", "#/periods/1/code duplicate", "#/periods/1/due_on due_before_start"];
    assert_eq!(reply.faults(), faults, "{}", reply.text);
    let other = json!({"code": "T", "title": "T", "country": "XX", "kind": "strategy"});
    let other = admin.create("strategies", other).await["id"].clone();
    assert_ne!(other, strategy);
    admin.create("initiatives", json!({"external_id": "far", "strategy_id": other, "code": "1", "title": "1"})).await;
    let mut far = report("2025-Q1", json!({}));
    far["initiative_id"] = json!("external:far");
    let reply = admin.post("/v1/progress-reports", far).expect(409).await;
    assert_eq!(reply.faults(), ["#/cycle_id other_strategy"], "{}", reply.text);
}

#[tokio::test]
async fn a_late_report_of_an_older_period_writes_nothing_over_a_newer_one() {
    let Ground { admin, editor, .. } = ground().await;
    let newer = json!({"state": "submitted", "status": "completed", "evidence": "https://example.org/done"});
    editor.create("progress-reports", report("2025-Q2", newer)).await;
    let older = json!({"state": "submitted", "forecast_ends_on": "2025-05-31"});
    editor.create("progress-reports", report("2025-Q1", older)).await;
    let initiative = admin.get("/v1/initiatives/external:i1").expect(200).await.json();
    assert_eq!(initiative["status"], "completed", "{initiative}");
    assert_eq!(admin.get("/v1/timelines").expect(200).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_step_is_reported_on_like_an_initiative_and_others_report_on_neither() {
    let Ground { admin, editor, .. } = ground().await;
    let mut body =
        report("2025-Q1", json!({"state": "submitted", "forecast_ends_on": "2025-08-01", "external_id": "of-step"}));
    body["initiative_id"] = Value::Null;
    body["step_id"] = json!("external:s1");
    editor.create("progress-reports", body).await;
    assert_eq!(admin.get("/v1/steps/external:s1").expect(200).await.json()["status"], "in_progress");
    let timelines = admin.get("/v1/timelines").expect(200).await.json();
    assert!(timelines["items"][0]["step_id"].is_string(), "{timelines}");
    let mut other = report("2025-Q1", json!({}));
    other["initiative_id"] = json!("external:i2");
    editor.post("/v1/progress-reports", other.clone()).expect(403).await;
    other["state"] = json!("submitted");
    editor.post("/v1/progress-reports", other).expect(403).await;
    assert_eq!(admin.get("/v1/initiatives/external:i2").expect(200).await.json()["version"], 1);
}

#[tokio::test]
async fn a_batch_leads_all_reports_or_none_and_answers_each_row() {
    let Ground { admin, editor, .. } = ground().await;
    let batch = "/v1/progress-report-batches";
    for (name, period) in [("r1", "2025-Q1"), ("r2", "2025-Q2")] {
        editor.create("progress-reports", report(period, json!({"external_id": name}))).await;
    }
    let mut foreign = report("2025-Q1", json!({"external_id": "r3"}));
    foreign["initiative_id"] = json!("external:i2");
    admin.create("progress-reports", foreign).await;
    let step = |name: &str, state: &str| json!({"external_id": name, "state": state});
    let items = json!({"items": [step("r1", "submitted"), step("r3", "submitted"), step("nothing", "submitted"), step("r2", "accepted")]});
    let before = admin.get("/v1/exports/plan").expect(200).await.text;
    let faults = ["#/items/1 forbidden", "#/items/2 not_found", "#/items/3 forbidden"];
    let reply = editor.post(batch, items.clone()).expect(422).await;
    assert_eq!(reply.faults(), faults, "{}", reply.text);
    let tried = editor.post(format!("{batch}?dry_run=true"), items).expect(200).await.json();
    let outcomes: Vec<_> = tried["rows"].as_array().unwrap().iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(json!(outcomes), json!(["changed", "refused", "refused", "refused"]), "{tried}");
    let misspelt = json!({"items": [step("r1", "submited"), step("nothing", "submitted")]});
    let reply = editor.post(batch, misspelt).expect(422).await;
    assert_eq!(
        reply.faults(),
        ["#/items/0/state not_allowed", "#/items/1 not_found"],
        "each row is judged: {}",
        reply.text
    );
    assert_eq!((&tried["committed"], &tried["rows"][1]["errors"][0]["code"]), (&json!(false), &json!("forbidden")));
    assert_eq!(
        admin.get("/v1/exports/plan").expect(200).await.text,
        before,
        "a batch that was not committed left a trace"
    );
    let items = json!({"items": [step("r1", "submitted"), step("r2", "submitted")]});
    let first = editor.post(batch, items.clone()).header("idempotency-key", "k1").expect(200).await;
    assert_eq!((&first.json()["changed"], &first.json()["committed"]), (&json!(2), &json!(true)), "{}", first.text);
    assert_eq!(admin.get("/v1/initiatives/external:i1").expect(200).await.json()["status"], "in_progress");
    let replayed = editor.post(batch, items.clone()).header("idempotency-key", "k1").expect(200).await;
    assert_eq!(replayed.text, first.text);
    let again = editor.post(batch, items).expect(200).await.json();
    assert_eq!((&again["changed"], &again["unchanged"]), (&json!(0), &json!(2)), "{again}");
    let mut old = step("r2", "returned");
    old["version"] = json!(1);
    let items = json!({"items": [step("r1", "accepted"), old]});
    assert_eq!(admin.post(batch, items).expect(422).await.faults(), ["#/items/1/version stale"]);
    let both = json!({"items": [{"state": "accepted"}]});
    assert_eq!(admin.post(batch, both).expect(422).await.faults(), ["#/items/0/id exactly_one"]);
    admin.post(batch, json!({"items": [step("r1", "accepted"), step("r2", "accepted")]})).expect(200).await;
}

#[tokio::test]
async fn a_risk_is_on_one_thing_and_a_grave_one_says_what_is_done() {
    let Ground { admin, editor, strategy, .. } = ground().await;
    let risk = |more: Value| {
        let mut body = json!({"title": "No staff", "level": "low"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let of = json!({"initiative_id": "external:i1"});
    let with = |more: Value| {
        let mut body = risk(of.clone());
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, faults) in [
        (risk(json!({})), vec!["#/initiative_id exactly_one"]),
        (with(json!({"strategy_id": strategy})), vec!["#/initiative_id exactly_one"]),
        (with(json!({"level": "high"})), vec!["#/mitigation needs_mitigation"]),
        (with(json!({"status": "closed"})), vec!["#/status_reason needs_reason"]),
        (
            with(json!({"escalated_to_id": "external:agency"})),
            vec!["#/escalated_on needs_escalation", "#/escalation_reason needs_escalation"],
        ),
    ] {
        assert_eq!(admin.post("/v1/risks", body).expect(422).await.faults(), faults);
    }
    let grave = json!({"level": "critical", "mitigation": "Hiring", "escalated_to_id": "external:agency", "escalated_on": "2025-05-01", "escalation_reason": "No budget"});
    editor.create("risks", with(grave)).await;
    editor.create("risks", with(json!({}))).await;
    admin.create("risks", risk(json!({"strategy_id": strategy}))).await;
    editor.post("/v1/risks", risk(json!({"strategy_id": strategy}))).expect(403).await;
    let sorted = admin.get("/v1/risks?sort=-level&limit=1").expect(200).await.json();
    assert_eq!(sorted["items"][0]["level"], "critical", "{sorted}");
    assert_eq!(admin.get("/v1/risks?is_escalated=true&count=true").expect(200).await.json()["count"], 1);
}

#[tokio::test]
async fn of_many_who_report_on_one_period_at_once_one_is_taken_and_the_plan_says_what_it_says() {
    let Ground { admin, editor, .. } = ground().await;
    let writers = (0..8).map(|index| {
        let day = format!("2025-06-{:02}", index + 10);
        let body = report("2025-Q1", json!({"state": "submitted", "forecast_ends_on": day, "percent": index}));
        editor.post("/v1/progress-reports", body).send()
    });
    let replies = futures_util::future::join_all(writers).await;
    let taken: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
    let texts: Vec<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    assert_eq!(taken.len(), 1, "{texts:#?}");
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!((reply.status.as_u16(), reply.faults()), (409, vec!["#/period taken".to_owned()]), "{}", reply.text);
    }
    let timelines = admin.get("/v1/timelines").expect(200).await.json();
    assert_eq!(timelines["items"].as_array().unwrap().len(), 1, "{timelines}");
    assert_eq!(timelines["items"][0]["ends_on"], taken[0].json()["forecast_ends_on"]);
    assert_eq!(admin.get("/v1/initiatives/external:i1").expect(200).await.json()["version"], 2);
}

#[tokio::test]
async fn a_plan_with_reports_goes_out_and_comes_in_again_and_moves_nothing() {
    let Ground { admin, editor, .. } = ground().await;
    let more = json!({"state": "submitted", "external_id": "r", "forecast_ends_on": "2025-06-01"});
    let given = editor.create("progress-reports", report("2025-Q1", more)).await;
    led(&admin, &given["id"], "accepted").await;
    led(&admin, &given["id"], "consolidated").await;
    let plan = admin.get("/v1/exports/plan").expect(200).await.text;
    let again = service().await;
    let call = again.call("POST", "/v1/imports").header("content-type", "application/json").body(plan.clone());
    let report = call.expect(200).await.json();
    assert_eq!(report["refused"], 0, "{report}");
    let rows = |text: &str| {
        let mut file: Value = serde_json::from_str(text).unwrap();
        file.as_object_mut().unwrap().retain(|name, _| name != "source" && name != "exported_at");
        file
    };
    assert_eq!(rows(&again.get("/v1/exports/plan").expect(200).await.text), rows(&plan));
    let call = again.call("POST", "/v1/imports").header("content-type", "application/json").body(plan);
    let report = call.expect(200).await.json();
    assert_eq!((&report["changed"], &report["created"]), (&json!(0), &json!(0)), "{report}");
    // What is locked is locked for a file too.
    let mut file: Value = serde_json::from_str(&again.get("/v1/exports/plan").expect(200).await.text).unwrap();
    file["progress_reports"][0]["percent"] = json!(99);
    let call = again.call("POST", "/v1/imports").header("content-type", "application/json").body(file.to_string());
    assert_eq!(call.expect(422).await.faults(), ["#/progress_reports/0 locked"]);
}
