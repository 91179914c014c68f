//! What changes nothing is not recorded.

use mandate::base::limits::Limits;
use sqlx::{Connection as _, PgConnection};

use super::*;
use crate::support::{database, service_over};

async fn recorded(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from changes").fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn what_changes_nothing_leaves_no_trace_and_other_writers_keep_their_tags() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let ground = ground(&client).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    for (noun, body, again) in [
        (
            "budget-allocations",
            json!({"money": {"amount": "1.5", "currency": "RON"}}),
            json!({"money": {"amount": "1.50"}}),
        ),
        (
            "staff-allocations",
            json!({"fte_planned": "2.50"}),
            json!({"fte_planned": "2.5", "cost": {"amount": "1000.00"}}),
        ),
        ("indicator-targets", json!({"value": "20.0"}), json!({"value": "20"})),
        ("initiatives", json!({"deadline": {"text": "Q3 2025"}}), json!({"deadline": {"text": "Q3 2025"}})),
        (
            "contributions",
            json!({"recipients": [{"country": "MD", "percentage": "60.0"}, {"region": "89", "percentage": "40"}]}),
            json!({"recipients": [{"country": "MD", "percentage": "60"}, {"region": "89", "percentage": "40.00"}]}),
        ),
        (
            "evidence",
            json!({"retrieved_at": "2026-01-31T10:00:00Z"}),
            json!({"retrieved_at": "2026-01-31T12:00:00+02:00"}),
        ),
    ] {
        let row = rows().into_iter().find(|(row, ..)| row.noun == noun).unwrap().0;
        let mut whole = merged(super::body(&row, &ground), &body);
        whole["external_id"] = json!("idle");
        let created = client.post(format!("/v1/{noun}"), whole.clone()).expect(201).await;
        let path = format!("/v1/{noun}/external:idle");
        let before = recorded(&mut connection).await;
        for patch in [json!({}), body, again.clone()] {
            let idle = client.patch(&path, patch.clone()).if_match(1).expect(200).await;
            assert_eq!((&idle.text, idle.header("etag")), (&created.text, "\"1\"".into()), "{path} {patch}");
            assert!(!idle.headers.contains_key("mandate-receipt"), "{path} {patch}");
        }
        let idle = client.put(&path, merged(whole.clone(), &again)).if_match(1).expect(200).await;
        assert_eq!(idle.text, created.text);
        let table = noun.replace('-', "_");
        let file = json!({"format": "mandate-plan/1", table.as_str(): [merged(whole, &again)]});
        let report = client.post("/v1/imports", file).expect(200).await.json();
        assert_eq!((&report["unchanged"], &report["changed"]), (&json!(1), &json!(0)), "{report}");
        assert_eq!(
            client.get(format!("{path}/history")).expect(200).await.json()["items"].as_array().unwrap().len(),
            1
        );
        assert_eq!(recorded(&mut connection).await, before, "{path}");
        client.patch(&path, json!({})).if_match(2).expect(412).await;
    }
}

#[tokio::test]
async fn an_idle_change_with_a_key_is_answered_again() {
    let client = service().await;
    let ground = ground(&client).await;
    let path = format!("/v1/strategies/{}", ground.strategy.as_str().unwrap());
    let call = || client.patch(&path, json!({})).header("if-match", "*").header("idempotency-key", "once");
    let first = call().expect(200).await;
    let second = call().expect(200).await;
    assert_eq!(first.text, second.text);
    assert_eq!(second.header("idempotency-replayed"), "true");
}
