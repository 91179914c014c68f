//! Pages while others write: what stays as it is, is met exactly once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::support::{Client, service};

const ORDERS: [&str; 10] = [
    "code",
    "-code",
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at,code",
    "title,-code",
    "-title,code",
    "status,-deadline,code",
    "-status,starts_on",
];
const STABLE: usize = 45;
const WRITERS: usize = 3;
/// Bounded, because in some orders new rows stand at the end, and a reader would follow them for ever.
const WRITES: usize = 120;

fn initiative(strategy: &Value, code: &str, number: usize) -> Value {
    let status = ["not_started", "in_progress", "on_hold"][number % 3];
    let mut body =
        json!({"strategy_id": strategy, "code": code, "title": format!("title {}", number % 4), "status": status});
    if number.is_multiple_of(2) {
        body["deadline"] = json!({"text": format!("2030-01-{:02}", number % 5 + 1)});
        body["starts_on"] = json!(format!("2029-01-{:02}", number % 3 + 1));
    }
    body
}

/// Creates, changes and deletes rows of its own all over the order.
async fn write(client: Client, strategy: Value, writer: usize, written: Arc<AtomicUsize>) {
    let mut own: Vec<String> = Vec::new();
    for turn in 0..WRITES {
        let code = format!("{}.{writer}.{turn}", turn * 7 % (2 * STABLE));
        match turn % 4 {
            0 | 1 => {
                let made = client.create("initiatives", initiative(&strategy, &code, turn)).await;
                own.push(made["id"].as_str().unwrap().into());
            }
            2 => {
                let path = format!("/v1/initiatives/{}", own[turn * 5 % own.len()]);
                let change = json!({"code": code, "title": format!("title {}", turn % 5), "status": "in_progress"});
                client.patch(path, change).header("if-match", "*").expect(200).await;
            }
            _ => {
                let path = format!("/v1/initiatives/{}", own.swap_remove(turn * 3 % own.len()));
                client.delete(path).header("if-match", "*").expect(204).await;
            }
        }
        written.fetch_add(1, Ordering::Relaxed);
    }
}

/// All pages, as pairs of id and version.
async fn read(client: &Client, order: &str) -> Vec<(String, i64)> {
    let mut path = format!("/v1/initiatives?sort={order}&limit=6");
    let mut seen = Vec::new();
    loop {
        let page = client.get(&path).expect(200).await.json();
        let items = page["items"].as_array().unwrap().iter();
        seen.extend(items.map(|item| (item["id"].as_str().unwrap().to_owned(), item["version"].as_i64().unwrap())));
        let Some(next) = page["next"].as_str() else { return seen };
        path = format!("/v1/initiatives?sort={order}&limit=6&after={next}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_among_writers_meets_what_stays_once_and_no_version_twice() {
    let client = service().await;
    let body = json!({"code": "S", "title": {"en": "A strategy"}, "country": "XX", "kind": "strategy"});
    let strategy = client.create("strategies", body).await["id"].clone();
    let mut stable = BTreeSet::new();
    for number in 0..STABLE {
        let made = client.create("initiatives", initiative(&strategy, &format!("{}.x", number * 2), number)).await;
        stable.insert(made["id"].as_str().unwrap().to_owned());
    }
    let written = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(client.clone(), strategy.clone(), writer, Arc::clone(&written))))
        .collect();
    let mut disturbed = 0;
    let mut rounds = 0;
    while rounds == 0 || written.load(Ordering::Relaxed) < WRITERS * WRITES {
        for order in ORDERS {
            let before = written.load(Ordering::Relaxed);
            let seen = read(&client, order).await;
            disturbed += usize::from(written.load(Ordering::Relaxed) > before);
            let mut times: BTreeMap<&str, usize> = BTreeMap::new();
            for (id, _) in &seen {
                *times.entry(id).or_default() += 1;
            }
            for id in &stable {
                assert_eq!(times.get(id.as_str()), Some(&1), "{order}: {id}, which nobody touched");
            }
            // A row may be met again where it was moved to, but then as another version.
            let distinct: BTreeSet<_> = seen.iter().collect();
            assert_eq!(distinct.len(), seen.len(), "{order}: {seen:?}");
        }
        rounds += 1;
        assert!(
            writers.iter().any(|writer| !writer.is_finished()) || written.load(Ordering::Relaxed) == WRITERS * WRITES
        );
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(disturbed > 2, "only {disturbed} of the reads had writers beside them");
}
