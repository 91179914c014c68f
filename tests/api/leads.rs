//! Who leads on a day: one at most, whoever writes, however many at once.

use futures_util::future::join_all;
use mandate::{base::limits::Limits, cli::database::MIGRATOR};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, migrate::Migrator};

use crate::support::{Client, empty_database, service, service_over};

async fn plan(client: &Client) {
    let entities: Vec<Value> =
        ["a", "b", "c"].iter().map(|name| json!({"external_id": name, "name": name, "kind": "agency"})).collect();
    let plan = json!({"format": "mandate-plan/1", "entities": entities,
        "strategies": [{"external_id": "s", "title": "S", "country": "XX", "kind": "strategy"}],
        "initiatives": [{"external_id": "i", "strategy_id": "external:s", "code": "1", "title": "I"}, {"external_id": "j", "strategy_id": "external:s", "code": "2", "title": "J"}],
        "steps": [{"external_id": "p", "initiative_id": "external:i", "code": "1", "title": "P"}]});
    client.post("/v1/imports", plan).expect(200).await;
}

fn lead(of: &str, entity: &str, from: Option<&str>, to: Option<&str>) -> Value {
    let field = if of == "p" { "step_id" } else { "initiative_id" };
    json!({ field: format!("external:{of}"), "entity_id": format!("external:{entity}"), "role": "lead", "valid_from": from, "valid_to": to })
}

#[tokio::test]
async fn no_two_leads_have_a_day_in_common() {
    let client = service().await;
    plan(&client).await;
    let post = |of: &str, entity: &str, from, to| client.post("/v1/assignments", lead(of, entity, from, to));
    let first = post("i", "a", Some("2024-01-01"), Some("2099-12-31")).expect(201).await.json();
    for (from, to) in [
        (None, None),
        (Some("2099-12-31"), None),
        (None, Some("2024-01-01")),
        (Some("2025-01-01"), Some("2025-01-01")),
        (Some("2020-01-01"), Some("2030-01-01")),
    ] {
        let refused = post("i", "b", from, to).expect(409).await;
        assert_eq!(refused.faults(), ["#/role taken"], "{from:?} {to:?}");
        assert!(refused.text.contains("end that one"), "{}", refused.text);
    }
    // The day after and the day before are free; so are other roles, other items, and the step of the same.
    post("i", "b", Some("2100-01-01"), None).expect(201).await;
    post("i", "b", None, Some("2023-12-31")).expect(201).await;
    post("j", "b", None, None).expect(201).await;
    post("p", "c", None, None).expect(201).await;
    let mut helper = lead("i", "b", None, None);
    helper["role"] = json!("co_lead");
    let helper = client.create("assignments", helper).await;
    // Changes are judged as creations are.
    let path = |row: &Value| format!("/v1/assignments/{}", row["id"].as_str().unwrap());
    let change = |row: &Value, change: Value| client.patch(path(row), change).header("if-match", "*");
    assert_eq!(change(&helper, json!({"role": "lead"})).expect(409).await.faults(), ["#/role taken"]);
    change(&first, json!({"valid_to": null})).expect(409).await;
    change(&first, json!({"valid_from": "2023-12-31"})).expect(409).await;
    change(&first, json!({"valid_to": "2026-06-30", "note": "a new law"})).expect(200).await;
    change(&helper, json!({"role": "lead", "valid_from": "2026-07-01", "valid_to": "2099-12-31"})).expect(200).await;
}

#[tokio::test]
async fn of_many_who_would_lead_at_once_one_does() {
    let client = service().await;
    plan(&client).await;
    let periods = [
        (Some("2030-01-01"), None),
        (None, Some("2031-01-01")),
        (None, None),
        (Some("2020-01-01"), Some("2040-01-01")),
    ];
    for of in ["i", "j", "p"] {
        let posts = periods.iter().zip(["a", "b", "c", "a"]).map(|((from, to), entity)| {
            let call = client.post("/v1/assignments", lead(of, entity, *from, *to));
            // Some as a transaction.
            if entity == "b" { call.header("idempotency-key", format!("lead-{of}")) } else { call }.send()
        });
        let replies = join_all(posts).await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409], "{replies:?}");
    }
}

#[tokio::test]
async fn leads_that_overlapped_before_stop_no_migration() {
    let options = empty_database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let older = MIGRATOR.iter().filter(|migration| migration.version < 37).cloned().collect();
    Migrator::with_migrations(older).run(&mut connection).await.unwrap();
    sqlx::raw_sql(
        "insert into entities (id, name, kind) values
            ('01900000-0000-7000-8000-0000000000e1', '{\"en\": \"A\"}', 'agency'), ('01900000-0000-7000-8000-0000000000e2', '{\"en\": \"B\"}', 'agency');
         insert into strategies (id, title, country, kind) values ('01900000-0000-7000-8000-0000000000a1', '{\"en\": \"S\"}', 'XX', 'strategy');
         insert into initiatives (id, strategy_id, code, title) values
            ('01900000-0000-7000-8000-0000000000b1', '01900000-0000-7000-8000-0000000000a1', '1', '{\"en\": \"I\"}');
         insert into assignments (id, created_at, initiative_id, entity_id, role, valid_from, valid_to) values
            ('01900000-0000-7000-8000-0000000000c1', '2024-01-01', '01900000-0000-7000-8000-0000000000b1', '01900000-0000-7000-8000-0000000000e1', 'lead', '2024-01-01', '2099-12-31'),
            ('01900000-0000-7000-8000-0000000000c2', '2024-01-02', '01900000-0000-7000-8000-0000000000b1', '01900000-0000-7000-8000-0000000000e2', 'lead', null, null)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    MIGRATOR.run(&mut connection).await.unwrap();

    let client = service_over(options, Limits::default()).await;
    let path = |number: u8| format!("/v1/assignments/01900000-0000-7000-8000-0000000000c{number}");
    let change = |number: u8, change: Value| client.patch(path(number), change).header("if-match", "*");
    // They stay as they are, and changeable; a new period is judged.
    change(2, json!({"note": "to be settled"})).expect(200).await;
    change(2, json!({"valid_from": "2025-01-01"})).expect(409).await;
    let more = json!({"initiative_id": "01900000-0000-7000-8000-0000000000b1", "entity_id": "01900000-0000-7000-8000-0000000000e2", "role": "lead", "valid_from": "2024-02-01"});
    client.post("/v1/assignments", more).expect(409).await;
    change(1, json!({"valid_to": "2024-12-31"})).expect(200).await;
    change(2, json!({"valid_from": "2025-01-01"})).expect(200).await;
    change(1, json!({"valid_to": "2025-01-01"})).expect(409).await;
}
