//! The order of the feed: no gap, none missed, none twice, whoever commits when.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use mandate::base::limits::Limits;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::{
    feed::follow,
    support::{Client, database, service_over, services_over},
};

/// A change as a service writes it, with a time as its clock may say.
async fn record(connection: &mut PgConnection, id: Uuid, version: i32, ago: &str) {
    sqlx::query(
        "insert into changes (kind, entity_id, version, action, actor, request_id, before, after, at)
         select 'entity', $1, $2, case when $2 = 1 then 'created' else 'updated' end, 'key:x', 'r',
             case when $2 > 1 then '{}'::jsonb end,
             jsonb_build_object('id', $1, 'version', $2, 'created_at', now(), 'updated_at', now(), 'name', '{}'::jsonb, 'kind', 'agency'),
             now() - cast($3 as text)::interval",
    )
    .bind(id)
    .bind(version)
    .bind(ago)
    .execute(connection)
    .await
    .unwrap();
}

fn resources(changes: &[Value]) -> Vec<Uuid> {
    changes.iter().map(|change| change["resource_id"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn what_commits_late_is_not_missed() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut early = PgConnection::connect_with(&options).await.unwrap();
    let mut late = PgConnection::connect_with(&options).await.unwrap();
    let [first, second, third] = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    let mut open = late.begin().await.unwrap();
    record(&mut open, first, 1, "0").await;
    let mut quick = early.begin().await.unwrap();
    record(&mut quick, second, 1, "0").await;
    quick.commit().await.unwrap();
    // The reader is past the second when the first commits.
    let (seen, next) = follow(&client, "", "0", 1).await;
    assert_eq!(resources(&seen), [second]);
    open.commit().await.unwrap();
    let (seen, next) = follow(&client, "", &next, 1).await;
    assert_eq!(resources(&seen), [first]);
    record(&mut early, third, 1, "0").await;
    let (seen, _) = follow(&client, "", &next, 1).await;
    assert_eq!(resources(&seen), [third]);
    // Who reads later reads the same.
    let (all, _) = follow(&client, "", "0", 3).await;
    assert_eq!(resources(&all), [second, first, third]);
}

#[tokio::test]
async fn versions_rise_also_when_the_clock_goes_back() {
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let [one, other] = [Uuid::now_v7(), Uuid::now_v7()];
    sqlx::query("update record_head set complete_until = now() + interval '1 hour'")
        .execute(&mut connection)
        .await
        .unwrap();
    for (id, version, ago) in [(one, 1, "1 day"), (one, 2, "9 days"), (other, 1, "5 days"), (one, 3, "3 days")] {
        record(&mut connection, id, version, ago).await;
    }
    // Two at a time: a batch does not take a later version before an earlier one.
    while sqlx::query_scalar::<_, i64>("select given from sequence_changes(2)")
        .fetch_one(&mut connection)
        .await
        .unwrap()
        > 0
    {}
    let order: Vec<(Uuid, i32)> = sqlx::query_as("select entity_id, version from changes order by position")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(order, [(other, 1), (one, 1), (one, 2), (one, 3)]);
    assert_dense(&mut connection, 4).await;
}

/// Positions count from 1, times rise with them, and the head says the last.
async fn assert_dense(connection: &mut PgConnection, count: i64) {
    let (least, last, all, unsorted, head): (i64, i64, i64, i64, bool) = sqlx::query_as(
        "with o as (select position, recorded_at, lag(recorded_at) over (order by position) as before, kind, entity_id, version,
             lag(version) over (partition by kind, entity_id order by position) as version_before from changes)
         select min(position), max(position), count(distinct position), count(*) filter (where recorded_at < before or version <= version_before),
             (select h.position = max(o.position) and h.complete_until >= max(o.recorded_at) from record_head h)
         from o",
    )
    .fetch_one(connection)
    .await
    .unwrap();
    assert_eq!((least, last, all, unsorted, head), (1, count, count, 0, true));
}

#[tokio::test]
async fn several_sequencers_give_each_change_one_position() {
    const WRITERS: usize = 4;
    const CHANGES: usize = 100;
    let options = database().await;
    // Two services, and four more who give positions besides.
    let clients = services_over(options.clone(), ["UTC", "UTC"]).await;
    let more = (0..4).map(async |_| {
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        loop {
            let head: i64 =
                sqlx::query_scalar("select head from sequence_changes(7)").fetch_one(&mut connection).await.unwrap();
            if head == i64::try_from(WRITERS * CHANGES).unwrap() {
                break;
            }
        }
    });
    let writers = (0..WRITERS).map(async |_| {
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        let id = Uuid::now_v7();
        for version in 1..=CHANGES {
            record(&mut connection, id, i32::try_from(version).unwrap(), "0").await;
        }
    });
    tokio::join!(join_all(more), join_all(writers));
    assert_dense(&mut PgConnection::connect_with(&options).await.unwrap(), 400).await;
    let (one, _) = follow(&clients[0], "limit=200", "0", 400).await;
    let (other, _) = follow(&clients[1], "limit=37", "0", 400).await;
    assert_eq!(one, other);
}

const WRITERS: usize = 16;
const TURNS: usize = 16;
/// Created, changed twice, deleted.
const EACH: usize = 4;

async fn write(client: Client, writer: usize) {
    for turn in 0..TURNS {
        let body = json!({"name": {"en": format!("{writer} {turn}")}, "kind": "agency"});
        let made = client.create("entities", body).await;
        let path = format!("/v1/entities/{}", made["id"].as_str().unwrap());
        for version in 1..3 {
            let body = json!({"name": {"en": format!("{writer} {turn} {version}")}});
            client.patch(&path, body).if_match(version).expect(200).await;
        }
        client.delete(&path).if_match(3).expect(204).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_reader_sees_all_of_sixteen_writers_once_and_in_order() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(client.clone(), writer))).collect();
    // Together, so that a writer who fails ends the test, and not the reader's hope.
    let written = async {
        for writer in writers {
            writer.await.unwrap();
        }
    };
    let ((seen, next), ()) = tokio::join!(follow(&client, "limit=100", "0", WRITERS * TURNS * EACH), written);
    let end = client.get(format!("/v1/changes?after={next}")).expect(200).await.json();
    assert_eq!(end["items"], json!([]));
    let positions: Vec<usize> =
        seen.iter().map(|change| usize::try_from(change["position"].as_u64().unwrap()).unwrap()).collect();
    assert!(positions.iter().copied().eq(1..=WRITERS * TURNS * EACH), "{positions:?}");
    let mut versions: BTreeMap<Uuid, Vec<i64>> = BTreeMap::new();
    for (id, change) in resources(&seen).into_iter().zip(&seen) {
        versions.entry(id).or_default().push(change["version"].as_i64().unwrap());
    }
    assert_eq!(versions.len(), WRITERS * TURNS);
    assert!(versions.values().all(|versions| *versions == [1, 2, 3, 4]), "{versions:?}");
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let kept: Vec<Uuid> = sqlx::query_scalar("select id from changes").fetch_all(&mut connection).await.unwrap();
    let told: BTreeSet<Uuid> = seen.iter().map(|change| change["id"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(told, kept.into_iter().collect());
}
