//! Rows of the record that no service has written: what does not fit its noun stops nobody else.

use std::process::{Command, Output};

use mandate::{
    base::limits::Limits,
    record::{misfits, proof::erase},
    repository::Author,
};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use crate::{
    feed::follow,
    support::{Client, database, service_over},
};

fn agency(name: &str) -> Value {
    json!({"name": {"en": name}, "kind": "agency"})
}

/// Writes a change by hand.
async fn by_hand(connection: &mut PgConnection, kind: &str, resource: Uuid, version: i32, after: Value) -> Uuid {
    sqlx::query_scalar(
        "insert into changes (kind, entity_id, version, action, actor, request_id, before, after)
         values ($1, $2, $3, case when $3 = 1 then 'created' else 'updated' end, 'hand', 'r', case when $3 > 1 then '{}'::jsonb end, $4)
         returning id",
    )
    .bind(kind)
    .bind(resource)
    .bind(version)
    .bind(after)
    .fetch_one(connection)
    .await
    .unwrap()
}

async fn positions(connection: &mut PgConnection) -> Vec<i64> {
    let all = "select position from as_of.misfits order by position";
    sqlx::query_scalar(all).fetch_all(connection).await.unwrap()
}

async fn versions(connection: &mut PgConnection, id: Uuid) -> Vec<i32> {
    let all = "select version from as_of.entities_versions where id = $1 order by recorded_from";
    sqlx::query_scalar(all).bind(id).fetch_all(connection).await.unwrap()
}

fn id(stored: &Value) -> Uuid {
    stored["id"].as_str().unwrap().parse().unwrap()
}

/// Some changes that fit, among them five that do not, each in its way.
async fn disturbed(client: &Client, connection: &mut PgConnection) -> Uuid {
    let kept = id(&client.create("entities", agency("kept")).await);
    // All in one transaction, and so in one round.
    let mut hand = connection.begin().await.unwrap();
    let row = |id: Uuid, more: Value| {
        let mut row = json!({"id": id, "version": 1, "name": {}, "kind": "agency"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let fresh = Uuid::now_v7;
    let good = fresh();
    by_hand(&mut hand, "entity", kept, 2, json!({"id": kept, "version": "two", "name": {}, "kind": "agency"})).await;
    by_hand(&mut hand, "entity", fresh(), 1, json!("nothing")).await;
    by_hand(&mut hand, "entity", good, 1, row(good, json!({}))).await;
    by_hand(&mut hand, "entity", fresh(), 1, json!([1])).await;
    by_hand(&mut hand, "entity", fresh(), 1, json!({"name": {}})).await;
    let strange = fresh();
    by_hand(&mut hand, "entity", strange, 1, row(strange, json!({"valid_from": "some day"}))).await;
    hand.commit().await.unwrap();
    client.create("strategies", json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"})).await;
    good
}

#[tokio::test]
async fn a_change_that_does_not_fit_its_noun_stops_no_other() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let good = disturbed(&client, &mut connection).await;
    let last = client.create("entities", agency("last")).await;
    let (seen, _) = follow(&client, "", "0", 9).await;
    let order: Vec<i64> = seen.iter().map(|change| change["position"].as_i64().unwrap()).collect();
    assert_eq!(order, (1..=9).collect::<Vec<_>>());
    // Which of one transaction comes first is not said; those that fit are in the past, the others are named.
    let named = misfits::list(&mut connection).await.unwrap();
    assert_eq!(named.len(), 5, "{named:?}");
    assert!(named.iter().all(|misfit| misfit.kind == "entity" && !misfit.why.is_empty()), "{named:?}");
    assert_eq!(versions(&mut connection, good).await, [1]);
    assert_eq!(versions(&mut connection, id(&last)).await, [1]);
    // Also what does not fit has ended the version before it.
    let kept = id(&json!({"id": seen[0]["resource_id"]}));
    let open = "select count(*) from as_of.entities_versions where id = $1 and recorded_to = 'infinity'";
    let open: i64 = sqlx::query_scalar(open).bind(kept).fetch_one(&mut connection).await.unwrap();
    assert_eq!((versions(&mut connection, kept).await, open), (vec![1], 0));
    // The log goes on over all of them.
    let size = "select size from proof_head";
    while sqlx::query_scalar::<_, i64>(size).fetch_one(&mut connection).await.unwrap() < 9 {
        tokio::task::yield_now().await;
    }
    // Made anew, the past is the same, and so are they.
    let before = positions(&mut connection).await;
    sqlx::raw_sql("select cleared.track(kind, noun) from as_of.tracked").execute(&mut connection).await.unwrap();
    assert_eq!(positions(&mut connection).await, before);
    assert_eq!(versions(&mut connection, good).await, [1]);
}

async fn doctor(options: &PgConnectOptions) -> Output {
    let url = options.to_url_lossy();
    let run = move || {
        Command::new(env!("CARGO_BIN_EXE_mandate")).arg("doctor").env("DATABASE_URL", url.as_str()).output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test]
async fn the_doctor_names_what_does_not_fit_until_it_is_erased() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    assert!(doctor(&options).await.status.success());
    let change = by_hand(&mut connection, "entity", Uuid::now_v7(), 1, json!({"name": 1})).await;
    follow(&client, "", "0", 1).await;
    let told = doctor(&options).await;
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.code() == Some(1) && text.contains(&change.to_string()), "{text}");
    let author = Author::at_the_command_line(None);
    erase::erase(&mut connection, &author, &erase::What::Change(change)).await.unwrap();
    assert!(doctor(&options).await.status.success());
}

#[tokio::test]
async fn what_is_not_the_fault_of_the_row_is_tried_again() {
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let row = Uuid::now_v7();
    by_hand(&mut connection, "entity", row, 1, json!({"id": row, "version": 1, "name": {}, "kind": "agency"})).await;
    sqlx::raw_sql("alter table as_of.entities_versions rename to away").execute(&mut connection).await.unwrap();
    sqlx::query("select sequence_changes(10)").execute(&mut connection).await.unwrap_err();
    sqlx::raw_sql("alter table as_of.away rename to entities_versions").execute(&mut connection).await.unwrap();
    sqlx::query("select sequence_changes(10)").execute(&mut connection).await.unwrap();
    assert_eq!((versions(&mut connection, row).await, positions(&mut connection).await), (vec![1], vec![]));
}
