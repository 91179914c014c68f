//! A long queue: a claim costs the same however much waits, also when PostgreSQL believes that nothing does.

use std::time::Duration;

use mandate::{
    base::limits::Limits,
    record::webhooks::{CLAIM, PLANNING},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::time::timeout;

use crate::support::{
    database,
    receiver::{Receiver, deliveries},
    replicas, service_over,
};

/// The pages that a claim reads and writes; what it takes is given back.
async fn pages(connection: &mut PgConnection, taken: usize) -> u64 {
    let mut transaction = connection.begin().await.unwrap();
    let ask = "explain (analyze, buffers, format json) execute claim('{}', '{}', 4, 2, 5, 64, 60)";
    let told: Value = sqlx::query_scalar(ask).fetch_one(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    let plan = &told[0]["Plan"];
    assert_eq!(plan["Actual Rows"].as_f64().map(|rows| format!("{rows}")), Some(taken.to_string()), "{told:#}");
    ["Shared Hit Blocks", "Shared Read Blocks"].iter().map(|name| plan[name].as_u64().unwrap()).sum()
}

/// Fifty thousand deliveries of as many resources, and fifty thousand of one.
const MANY: &str = "
    insert into deliveries (webhook_id, position, kind, resource_id)
    select id, 1000000 + n, 'entity', case when n % 2 = 0 then gen_random_uuid() else '0192f0c0-0000-7000-8000-000000000001' end
    from webhooks, generate_series(1, 100000) n;
    select give_turns(id) from webhooks";

#[tokio::test]
async fn a_claim_costs_the_same_with_ten_and_with_a_hundred_thousand_waiting() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let receiver = Receiver::start().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    for table in ["deliveries", "changes", "webhooks"] {
        let freeze = format!("alter table {table} set (autovacuum_enabled = off); analyze {table}");
        connection.execute(AssertSqlSafe(freeze)).await.unwrap();
    }
    receiver.subscribe(&client, json!({})).await;
    for name in 0..10 {
        client.create("entities", json!({"name": {"en": format!("x{name}")}, "kind": "agency"})).await;
    }
    // The changes get their positions, and then become deliveries.
    client.get("/v1/changes").expect(200).await;
    let wait = async {
        loop {
            connection.execute("select fan_out_deliveries(1000)").await.unwrap();
            let made: i64 =
                sqlx::query_scalar("select count(*) from deliveries").fetch_one(&mut connection).await.unwrap();
            if made == 10 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_mins(1), wait).await.expect("the changes became no deliveries");
    let prepare =
        format!("prepare claim (uuid[], bigint[], bigint, bigint, integer, bigint, double precision) as {CLAIM}");
    connection.execute(PLANNING).await.unwrap();
    connection.execute(AssertSqlSafe(prepare)).await.unwrap();
    let mut few = 0;
    // More often than PostgreSQL plans a statement anew.
    for _ in 0..8 {
        few = pages(&mut connection, 4).await;
    }
    connection.execute(MANY).await.unwrap();
    let mut many = 0;
    for _ in 0..8 {
        many = pages(&mut connection, 4).await;
    }
    assert!(many < few * 2, "{many} pages with 100,000 waiting, and {few} with ten");
    // The first of a resource waits for another attempt, and with it all that are behind it.
    connection.execute("update deliveries set next_attempt_at = now() + interval '1 hour' where turn").await.unwrap();
    // In place of autovacuum, which is off here, so that the statistics stay as they were.
    connection.execute("vacuum deliveries").await.unwrap();
    let none = pages(&mut connection, 0).await;
    assert!(none < few, "{none} pages for nothing that is due");
}

#[tokio::test]
async fn what_waited_while_its_webhook_was_paused_comes_in_order() {
    let options = database().await;
    let [(client, _dispatcher), (_, _other)] = replicas(options.clone()).await;
    let receiver = Receiver::start().await;
    let hook = receiver.subscribe(&client, json!({"active": false})).await;
    let mut ids = Vec::new();
    for name in 0..40 {
        let entity = client.create("entities", json!({"name": {"en": format!("{name}")}, "kind": "agency"})).await;
        ids.push(entity["id"].as_str().unwrap().to_owned());
    }
    for round in 1..=3 {
        for (name, id) in ids.iter().enumerate() {
            let patch = json!({"name": {"en": format!("{name}.{round}")}});
            client.patch(format!("/v1/entities/{id}"), patch).header("if-match", "*").expect(200).await;
        }
    }
    let path = format!("/v1/webhooks/{}", hook["id"].as_str().unwrap());
    client.patch(path, json!({"active": true})).header("if-match", "*").expect(200).await;
    let got = receiver.wait(160).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    for (name, id) in ids.iter().enumerate() {
        let of_it =
            got.iter().filter(|got| got.event()["subject"].as_str().is_some_and(|subject| subject.contains(id)));
        let names: Vec<String> = of_it.map(super::support::receiver::Got::name).collect();
        let wanted: Vec<String> =
            std::iter::once(name.to_string()).chain((1..=3).map(|round| format!("{name}.{round}"))).collect();
        assert_eq!(names, wanted);
    }
    deliveries_end(&mut connection).await;
    deliveries(&client, "waiting", 0).await;
}

/// Waits until nothing waits; then nothing has a turn.
async fn deliveries_end(connection: &mut PgConnection) {
    let wait = async {
        let waiting = "select count(*) from deliveries where status = 'waiting'";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *connection).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_mins(1), wait).await.expect("some wait for ever");
    let turns: i64 =
        sqlx::query_scalar("select count(*) from deliveries where turn").fetch_one(connection).await.unwrap();
    assert_eq!(turns, 0);
}
