//! Days that cannot be meant: refused where the row itself shows it, found by `quality` where another row does.

use mandate::{base::limits::Limits, cli::database::MIGRATOR};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, migrate::Migrator};

use crate::support::{Client, empty_database, service, service_over};

async fn plan(client: &Client) {
    let plan = json!({"format": "mandate-plan/1",
        "entities": [{"external_id": "e", "code": "E", "name": "E", "kind": "agency", "valid_from": "1866-04-01"}],
        "strategies": [{"external_id": "s", "title": "S", "country": "XX", "kind": "strategy", "starts_on": "2024-01-01", "ends_on": "2027-12-31"}],
        "initiatives": [{"external_id": "i", "strategy_id": "external:s", "code": "1", "title": "I", "starts_on": "2025-01-01", "deadline": {"text": "Q3 2025"}}],
        "steps": [{"external_id": "p", "initiative_id": "external:i", "code": "1", "title": "P", "deadline": {"text": "2025-06-30"}}],
        "milestones": [{"external_id": "m", "initiative_id": "external:i", "title": "M", "evidence": "E"}]});
    client.post("/v1/imports", plan).expect(200).await;
}

#[tokio::test]
async fn work_does_not_start_after_it_is_due() {
    let client = service().await;
    plan(&client).await;
    for (path, late, fits) in
        [("initiatives/external:i", "2025-10-01", "2025-09-30"), ("steps/external:p", "2025-07-01", "2025-06-30")]
    {
        let change = |change: Value| client.patch(format!("/v1/{path}"), change).header("if-match", "*");
        assert_eq!(
            change(json!({"starts_on": late})).expect(422).await.faults(),
            ["#/starts_on starts_after_deadline"]
        );
        change(json!({"starts_on": fits})).expect(200).await;
        let earlier = change(json!({"deadline": {"text": "Q1 2025"}})).expect(422).await;
        assert_eq!(earlier.faults(), ["#/starts_on starts_after_deadline"]);
        change(json!({"starts_on": late, "deadline": {"text": "2026"}})).expect(200).await;
        change(json!({"deadline": null})).expect(200).await;
    }
    let body = json!({"initiative_id": "external:i", "basis": "forecast", "starts_on": "2027-01-01", "deadline": {"text": "2026"}});
    assert_eq!(client.post("/v1/timelines", body).expect(422).await.faults(), ["#/starts_on starts_after_deadline"]);
    let row = json!({"format": "mandate-plan/1", "steps": [{"external_id": "p", "initiative_id": "external:i", "code": "1", "title": "P", "starts_on": "2027-01-01", "deadline": {"text": "2026"}}]});
    let refused = client.post("/v1/imports", row).send().await;
    assert!(refused.text.contains("starts_after_deadline"), "{}", refused.text);
}

#[tokio::test]
async fn the_days_of_a_deadline_are_those_of_its_words() {
    let client = service().await;
    plan(&client).await;
    let path = "/v1/initiatives/external:i";
    let change = |deadline: Value| client.patch(path, json!({"deadline": deadline})).header("if-match", "*");
    let refused = change(json!({"to": "2027-12-31"})).expect(422).await;
    assert_eq!(refused.faults(), ["#/deadline/to disagrees"]);
    assert!(refused.text.contains("say 2025-09-30"), "{}", refused.text);
    assert_eq!(change(json!({"from": "2025-08-01"})).expect(422).await.faults(), ["#/deadline/from disagrees"]);
    let new = json!({"text": "Q3 2025", "kind": "exact", "to": "2025-10-01"});
    assert_eq!(change(new).expect(422).await.faults(), ["#/deadline/to disagrees"]);
    // With new words, or words that are not understood, or the day that they say.
    let read = change(json!({"text": "Q4 2026"})).expect(200).await.json();
    assert_eq!(read["deadline"]["to"], "2026-12-31");
    change(json!({"text": "when the law is there", "kind": "exact", "to": "2026-05-01"})).expect(200).await;
    change(json!({"to": "2026-05-02"})).expect(200).await;
    change(json!({"text": "until 2026", "kind": "exact", "from": null, "to": "2026-12-31"})).expect(200).await;
    for kind in ["continuous", "none", "unparsed"] {
        let refused =
            change(json!({"text": "always", "kind": kind, "from": null, "to": "2026-12-31"})).expect(422).await;
        assert_eq!(refused.faults(), ["#/deadline/kind not_allowed"], "{kind}");
    }
    for (noun, id) in [("steps", "p"), ("milestones", "m")] {
        let wrong = json!({"deadline": {"text": "2026", "kind": "year", "to": "2027-12-31"}});
        let call = client.patch(format!("/v1/{noun}/external:{id}"), wrong).header("if-match", "*");
        assert_eq!(call.expect(422).await.faults(), ["#/deadline/to disagrees"], "{noun}");
    }
}

#[tokio::test]
async fn what_happened_did_not_happen_tomorrow() {
    let client = service().await;
    plan(&client).await;
    // In no zone is it another day than the day before or after that of Greenwich.
    let entity = client.create("entities", json!({"name": "Clock", "kind": "agency"})).await;
    let now: chrono::DateTime<chrono::Utc> = entity["created_at"].as_str().unwrap().parse().unwrap();
    let today = now.date_naive();
    let later = today + chrono::Days::new(2);
    let change = |change: Value| client.patch("/v1/milestones/external:m", change).header("if-match", "*");
    for day in [later.to_string(), "2099-01-01".into()] {
        assert_eq!(change(json!({"achieved_on": day})).expect(422).await.faults(), ["#/achieved_on in_future"]);
    }
    change(json!({"achieved_on": today - chrono::Days::new(1)})).expect(200).await;
    let rows = json!({"format": "mandate-plan/1", "milestones": [{"external_id": "n", "initiative_id": "external:i", "title": "N", "evidence": "E", "achieved_on": "2099-01-01"}]});
    let refused = client.post("/v1/imports", rows).send().await;
    assert!(refused.status.is_client_error() && refused.text.contains("in_future"), "{}", refused.text);
    let risk = json!({"initiative_id": "external:i", "title": "R", "level": "low", "status": "open", "escalated_to_id": "external:e", "escalated_on": "2098-01-01", "escalation_reason": "x"});
    let refused = client.post("/v1/risks", risk).expect(422).await;
    assert!(refused.text.contains("in_future"), "{}", refused.text);
}

#[tokio::test]
async fn a_day_is_reported_on_in_one_period_of_a_cycle() {
    let client = service().await;
    plan(&client).await;
    let period = |code: &str, from: &str, to: &str| json!({"code": code, "from": from, "to": to});
    let body = |periods: Value| json!({"strategy_id": "external:s", "code": "C", "title": "C", "cadence": "irregular", "periods": periods});
    let year = period("Y", "2025-01-01", "2025-12-31");
    let second = period("Q2", "2025-04-01", "2025-06-30");
    let next = period("N", "2025-12-31", "2026-01-31");
    let wrong = json!([second, year, next]);
    let refused = client.post("/v1/reporting-cycles", body(wrong)).expect(422).await;
    assert_eq!(refused.faults(), ["#/periods/0/from overlaps", "#/periods/2/from overlaps"]);
    let right = json!([period("2", "2026-01-01", "2026-12-31"), year]);
    let made = client.create("reporting-cycles", body(right)).await;
    let path = format!("/v1/reporting-cycles/{}", made["id"].as_str().unwrap());
    let far = json!({"periods": [period("1", "1026-01-01", "1026-12-31")]});
    let refused = client.patch(&path, far).if_match(1).expect(422).await;
    assert_eq!(refused.faults(), ["#/periods/0/from out_of_range", "#/periods/0/to out_of_range"]);
}

#[tokio::test]
async fn what_is_told_of_the_past_may_lie_far_back() {
    let client = service().await;
    let act =
        |date: &str| json!({"country": "XX", "issuer": "Parliament", "act_type": "law", "number": date, "date": date});
    client.post("/v1/legal-acts", act("1866-07-13")).expect(201).await;
    assert_eq!(client.post("/v1/legal-acts", act("1799-12-31")).expect(422).await.faults(), ["#/date out_of_range"]);
    let treaty = json!({"code": "T", "name": "T", "adopted_on": "1899-07-29"});
    client.post("/v1/treaties", treaty).expect(201).await;
}

async fn found(client: &Client) -> Vec<String> {
    let rows = client.get("/v1/reports/quality").expect(200).await.json();
    let mut found: Vec<String> = rows["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["asked_by"].is_null())
        .map(|row| {
            format!(
                "{} {} {}",
                row["kind"].as_str().unwrap(),
                row["noun"].as_str().unwrap(),
                row["code"].as_str().unwrap_or("-")
            )
        })
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn quality_finds_what_other_rows_contradict() {
    let client = service().await;
    plan(&client).await;
    assert_eq!(found(&client).await, [""; 0]);
    let patch = async |path: &str, change: Value| {
        client.patch(format!("/v1/{path}"), change).header("if-match", "*").expect(200).await;
    };
    patch("steps/external:p", json!({"code": "P", "deadline": {"text": "Q4 2025"}})).await;
    assert_eq!(found(&client).await, ["step_after_initiative step P"]);
    patch("initiatives/external:i", json!({"deadline": {"text": "2025, apoi permanent"}})).await;
    assert_eq!(found(&client).await, [""; 0], "it goes on after its first end");
    patch("initiatives/external:i", json!({"deadline": {"text": "2028"}})).await;
    assert_eq!(found(&client).await, ["outside_strategy initiative 1"]);
    patch("initiatives/external:i", json!({"deadline": {"text": "2027"}, "starts_on": "2023-12-31"})).await;
    assert_eq!(found(&client).await, ["outside_strategy initiative 1"]);
    patch("initiatives/external:i", json!({"starts_on": "2024-01-01"})).await;
    client
        .create("assignments", json!({"initiative_id": "external:i", "entity_id": "external:e", "role": "lead"}))
        .await;
    assert_eq!(found(&client).await, [""; 0]);
    patch("entities/external:e", json!({"valid_to": "2025-01-01"})).await;
    assert_eq!(found(&client).await, ["lead_dissolved initiative 1"]);
    patch("initiatives/external:i", json!({"status": "cancelled", "status_reason": "x"})).await;
    assert_eq!(found(&client).await, [""; 0], "what is given up contradicts nothing");
}

#[tokio::test]
async fn rows_from_before_the_rules_stay_changeable_and_are_found() {
    let options = empty_database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let older = MIGRATOR.iter().filter(|migration| migration.version < 37).cloned().collect();
    Migrator::with_migrations(older).run(&mut connection).await.unwrap();
    sqlx::raw_sql(
        "insert into entities (id, name, kind, code, external_id) values
            ('01900000-0000-7000-8000-0000000000e1', '{\"en\": \"A\"}', 'agency', U&'S\\0326', U&'erp-s\\0326');
         insert into strategies (id, title, country, kind) values ('01900000-0000-7000-8000-0000000000a1', '{\"en\": \"S\"}', 'XX', 'strategy');
         insert into initiatives (id, strategy_id, code, title, starts_on, deadline_text, deadline_kind, deadline_to, status, external_id) values
            ('01900000-0000-7000-8000-0000000000b1', '01900000-0000-7000-8000-0000000000a1', U&'1\\200B', '{\"en\": \"I\"}', '1026-01-01', 'Q3 2025', 'quarter', '2031-01-01', 'in_progress', 'i1'),
            ('01900000-0000-7000-8000-0000000000b2', '01900000-0000-7000-8000-0000000000a1', '2', '{\"en\": \"I\"}', '2026-01-01', 'always', 'continuous', '2025-01-01', 'in_progress', 'i2');
         insert into milestones (id, initiative_id, title, achieved_on, evidence, external_id) values
            ('01900000-0000-7000-8000-0000000000d1', '01900000-0000-7000-8000-0000000000b2', '{\"en\": \"M\"}', '2099-01-01', 'E', 'm')",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    MIGRATOR.run(&mut connection).await.unwrap();
    let client = service_over(options, Limits::default()).await;
    let change = |path: &str, change: Value| client.patch(format!("/v1/{path}"), change).header("if-match", "*");
    let kinds = [
        "code_not_plain initiative 1\u{200b}",
        "deadline_disagrees initiative 1\u{200b}",
        "deadline_disagrees initiative 2",
    ];
    assert_eq!(found(&client).await, kinds);
    change("initiatives/external:i2", json!({"title": {"en": "Other"}})).expect(200).await;
    change("milestones/external:m", json!({"title": {"en": "Other"}})).expect(200).await;
    change("milestones/external:m", json!({"achieved_on": "2098-01-01"})).expect(422).await;
    // A code that cannot be seen is written anew with the next change.
    let refused = change("initiatives/external:i1", json!({"title": "J"})).expect(422).await;
    assert_eq!(refused.faults(), ["#/code invisible_character"]);
    change("initiatives/external:i1", json!({"title": "J", "code": "1"})).expect(200).await;
    assert_eq!(found(&client).await, kinds[1..].iter().map(|kind| kind.replace('\u{200b}', "")).collect::<Vec<_>>());
    // What was kept with its marks apart is found by either spelling, and composed when it is written anew.
    for name in ["erp-s%CC%A6", "erp-%C8%99"] {
        client.get(format!("/v1/entities/external:{name}")).expect(200).await;
        let page = client.get(format!("/v1/entities?external_id={name}&code=%C8%98")).expect(200).await.json();
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "{name}");
    }
    let owned = json!({"title": "P", "country": "XX", "kind": "strategy", "owner_id": "code:Ș"});
    client.post("/v1/strategies", owned).expect(201).await;
    let composed = change("entities/external:erp-%C8%99", json!({"code": "S\u{326}", "external_id": "erp-s\u{326}"}))
        .expect(200)
        .await
        .json();
    assert_eq!((&composed["code"], &composed["external_id"]), (&json!("Ș"), &json!("erp-ș")));
}
