//! The database goes away in every way it can, under clients that go on asking; when it is back, so is the service, without a restart.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use mandate::{base::limits::Limits, cli::database::MIGRATOR};
use mandate_postgres::{Cluster, Settings};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};
use tokio::{sync::watch, time::timeout};

use crate::support::{
    CONNECTIONS, Client,
    client::Call,
    database,
    proxy::{Mode, PATIENCE, Proxy},
    service_over,
};

/// Clients at once: more than there are connections.
const CLIENTS: usize = CONNECTIONS + 4;

/// Short, so that what does not answer is noticed soon.
fn limits() -> Limits {
    Limits {
        time: Duration::from_secs(2),
        pool_wait: Duration::from_secs(1),
        connect_time: Duration::from_secs(1),
        sign_of_life: Duration::from_millis(300),
        // PostgreSQL does not see that its client is out of reach, and keeps a transaction that has begun, with its locks and its key.
        transaction_idle: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// What the clients have seen.
struct Seen {
    /// Writes that were acknowledged, and failures.
    done: watch::Sender<usize>,
    failed: watch::Sender<usize>,
    /// Set when the clients are to go home.
    enough: watch::Sender<bool>,
    names: AtomicUsize,
}

impl Seen {
    async fn more(counter: &watch::Sender<usize>, many: usize) {
        let goal = *counter.borrow() + many;
        let mut counter = counter.subscribe();
        timeout(PATIENCE, counter.wait_for(|count| *count >= goal)).await.expect("the clients are stuck").unwrap();
    }
}

/// Sends it until it succeeds; all failures say that this is right.
async fn persist(call: impl Fn() -> Call, seen: &Seen) -> serde_json::Value {
    loop {
        let reply = call().send().await;
        let status = reply.status.as_u16();
        if reply.status.is_success() {
            return reply.json();
        }
        seen.failed.send_modify(|count| *count += 1);
        let problem = reply.json();
        let code = problem["code"].as_str().unwrap();
        // A write that hangs in the database still holds its key.
        let known = [(503, "unavailable"), (503, "outcome_unknown"), (504, "timeout"), (409, "idempotency_key_in_use")];
        assert!(known.contains(&(status, code)), "{}", reply.text);
        assert!(reply.headers.contains_key("retry-after"), "{}", reply.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Writes and reads until it is enough; each answer must belong to its question. Returns what was acknowledged.
async fn client(client: &Client, seen: &Seen) -> Vec<String> {
    let mut acknowledged = Vec::new();
    while !*seen.enough.borrow() {
        let name = format!("name {}", seen.names.fetch_add(1, Ordering::Relaxed));
        let body = json!({"name": {"en": name}, "kind": "agency"});
        let post = || client.post("/v1/entities", body.clone()).header("idempotency-key", name.replace(' ', "-"));
        let created = persist(post, seen).await;
        assert_eq!(created["name"]["en"], name.as_str());
        let path = format!("/v1/entities/{}", created["id"].as_str().unwrap());
        assert_eq!(persist(|| client.get(&path), seen).await, created);
        acknowledged.push(name);
        seen.done.send_modify(|count| *count += 1);
    }
    acknowledged
}

/// All connections of the pool at work at once: as many requests wait for one lock.
async fn assert_whole(service: &Client, direct: &PgConnectOptions) {
    let mut lock = PgConnection::connect_with(direct).await.unwrap();
    let mut outside = PgConnection::connect_with(direct).await.unwrap();
    // The key is known from here on, so that no request needs the database for it.
    service.get("/v1/entities?limit=1").expect(200).await;
    let mut held = lock.begin().await.unwrap();
    held.execute("lock table entities in access exclusive mode").await.unwrap();
    let requests = join_all((0..CONNECTIONS).map(|_| service.get("/v1/entities?limit=1").expect(200)));
    let release = async {
        let waiting =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let all = i64::try_from(CONNECTIONS).unwrap();
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut outside).await.unwrap() < all {
            tokio::task::yield_now().await;
        }
        held.rollback().await.unwrap();
    };
    tokio::join!(requests, release);
}

/// Does the fault to a service under load and lifts it, waits until all is well, and compares.
async fn survive(name: &str, direct: &PgConnectOptions, proxy: &Proxy, strike: impl AsyncFnOnce(&Seen)) {
    let service = service_over(proxy.options(direct), limits()).await;
    let seen = Seen {
        done: watch::Sender::new(0),
        failed: watch::Sender::new(0),
        enough: watch::Sender::new(false),
        names: AtomicUsize::new(0),
    };
    let clients = join_all((0..CLIENTS).map(|_| client(&service, &seen)));
    let fault = async {
        Seen::more(&seen.done, CLIENTS).await;
        strike(&seen).await;
        Seen::more(&seen.done, 3 * CLIENTS).await;
        seen.enough.send_replace(true);
    };
    let (acknowledged, ()) = tokio::join!(clients, fault);
    assert_whole(&service, direct).await;
    let mut outside = PgConnection::connect_with(direct).await.unwrap();
    let mut found: Vec<String> =
        sqlx::query_scalar("select name ->> 'en' from entities").fetch_all(&mut outside).await.unwrap();
    let mut acknowledged = acknowledged.concat();
    found.sort();
    acknowledged.sort();
    assert_eq!(found, acknowledged, "{name}");
    outside.execute("delete from entities").await.unwrap();
}

struct Own {
    place: tempfile::TempDir,
    cluster: Cluster,
}

impl Own {
    /// A server that this test may stop and kill. What it has acknowledged it must keep, so it is durable.
    async fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let settings = Settings {
            data_dir: place.path().join("data"),
            binaries: std::env::var_os("MANDATE_POSTGRES_BIN").map(Into::into),
            hide_installed: std::env::var_os("MANDATE_POSTGRES_BUNDLE").is_some(),
            durable: true,
        };
        let cluster = mandate_postgres::start(&settings).await.unwrap();
        let mut connection = PgConnection::connect_with(&cluster.options("mandate")).await.unwrap();
        MIGRATOR.run(&mut connection).await.unwrap();
        Self { place, cluster }
    }

    fn signal(&self, signal: Signal) {
        let file: &Path = &self.place.path().join("data/postgres/postmaster.pid");
        let text = fs::read_to_string(file).unwrap();
        kill_process(pid(text.lines().next().unwrap().trim().parse().unwrap()), signal).unwrap();
    }
}

fn pid(number: i32) -> Pid {
    Pid::from_raw(number).unwrap()
}

#[tokio::test]
async fn the_service_heals_when_the_database_is_back() {
    let own = Own::start().await;
    let direct = own.cluster.options("mandate");
    let proxy = Proxy::before(&direct).await;
    // The launcher starts PostgreSQL again.
    for (name, signal) in [("restart", Signal::INT), ("kill -9", Signal::KILL)] {
        survive(name, &direct, &proxy, async |seen| {
            own.signal(signal);
            Seen::more(&seen.failed, 1).await;
        })
        .await;
    }
    survive("stopped backends", &direct, &proxy, async |seen| {
        let mut outside = PgConnection::connect_with(&direct).await.unwrap();
        let backends: Vec<i32> = sqlx::query_scalar(
            "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
        )
        .fetch_all(&mut outside)
        .await
        .unwrap();
        assert!(backends.len() > 1, "{backends:?}");
        let all = |signal| {
            for backend in &backends {
                let _ = kill_process(pid(*backend), signal);
            }
        };
        all(Signal::STOP);
        Seen::more(&seen.failed, 1).await;
        all(Signal::CONT);
    })
    .await;
    // Each until so many requests have failed.
    for (name, mode, failures) in [
        ("reset", Mode::Reset, CLIENTS),
        ("half-open", Mode::HalfOpen, CLIENTS),
        ("frozen", Mode::Freeze, CLIENTS),
        ("cut at byte 1", Mode::Cut(1), CLIENTS),
        ("cut at byte 100", Mode::Cut(100), CLIENTS),
        ("cut at byte 1000", Mode::Cut(1000), CLIENTS),
        ("cut at byte 10000", Mode::Cut(10_000), 2),
    ] {
        survive(name, &direct, &proxy, async |seen| {
            proxy.set(mode);
            Seen::more(&seen.failed, failures).await;
            proxy.set(Mode::Pass);
        })
        .await;
    }
    // Slow is not broken.
    survive("slow", &direct, &proxy, async |seen| {
        proxy.set(Mode::Delay(Duration::from_millis(5)));
        Seen::more(&seen.done, CLIENTS).await;
        proxy.set(Mode::Pass);
    })
    .await;
    own.cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_pool_full_of_silent_connections_costs_one_wait() {
    let direct = database().await;
    let proxy = Proxy::before(&direct).await;
    // One wait fits into the time of a request, eight do not.
    let limits = Limits { sign_of_life: Duration::from_secs(1), time: Duration::from_secs(6), ..Limits::default() };
    let service = service_over(proxy.options(&direct), limits).await;
    assert_whole(&service, &direct).await;
    proxy.set(Mode::HalfOpen);
    // A connection that was used just now is not asked for a sign of life; from half a second on it is.
    tokio::time::sleep(Duration::from_millis(700)).await;
    proxy.set(Mode::Pass);
    service.get("/v1/entities").expect(200).await;
    assert_whole(&service, &direct).await;
}

#[tokio::test]
async fn while_the_database_is_away_the_service_says_so() {
    let direct = database().await;
    let proxy = Proxy::before(&direct).await;
    // The time of the request, and of making a connection, are far longer than what a request waits for one.
    let limits =
        Limits { pool_wait: Duration::from_millis(300), connect_time: Duration::from_mins(10), ..Limits::default() };
    for mode in [Mode::Freeze, Mode::HalfOpen, Mode::Reset, Mode::Cut(1)] {
        let service = service_over(proxy.options(&direct), limits).await.as_nobody();
        proxy.set(mode);
        let away = service.get("/readyz").expect(503).await;
        assert_eq!(away.json()["code"], "unavailable");
        assert!(away.headers.contains_key("retry-after"));
        service.get("/livez").expect(200).await;
        proxy.set(Mode::Pass);
        // On a busy machine a connection may take longer than this test lets a request wait for it.
        while service.get("/readyz").send().await.status != 200 {}
    }
}
