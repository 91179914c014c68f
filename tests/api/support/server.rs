//! One PostgreSQL for the whole run, and a database of its own for each test.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use clap::Parser as _;
use mandate::{
    access::{Role, keys, oidc::Issuer},
    app::{App, layered},
    base::limits::Limits,
    cli::{config::Cli, database::MIGRATOR},
    edge::Edge,
    record::{Record, webhooks::Dispatcher},
    repository, router,
};
use mandate_postgres::Settings;
use mandate_tlog::note::{Purpose, SignerKey};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};

use super::Client;

static SERVER: LazyLock<PgConnectOptions> = LazyLock::new(|| {
    // A thread and a runtime of its own, because the server outlives the runtime of the test that needs it first.
    let start = || {
        let runtime = Box::leak(Box::new(tokio::runtime::Runtime::new().unwrap()));
        runtime.block_on(start())
    };
    std::thread::spawn(start).join().unwrap()
});

async fn start() -> PgConnectOptions {
    let data_dir = std::env::temp_dir().join(format!("mandate-tests-{}", std::process::id()));
    let settings = Settings {
        data_dir: data_dir.clone(),
        binaries: std::env::var_os("MANDATE_POSTGRES_BIN").map(PathBuf::from),
        hide_installed: std::env::var_os("MANDATE_POSTGRES_BUNDLE").is_some(),
        durable: false,
    };
    let cluster = mandate_postgres::start(&settings).await.unwrap();
    assert!(!settings.hide_installed || cluster.origin().starts_with("bundle"), "{}", cluster.origin());
    stop_with_this_process(&data_dir);
    let options = cluster.options("postgres");
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    connection.execute("create database mandate_template").await.unwrap();
    let mut template = PgConnection::connect_with(&cluster.options("mandate_template")).await.unwrap();
    MIGRATOR.run(&mut template).await.unwrap();
    template.close().await.unwrap();
    Box::leak(Box::new(cluster));
    options
}

/// A test process has no last word of its own, so a shell waits for the end of a pipe that only this process holds, and stops the server.
fn stop_with_this_process(data_dir: &std::path::Path) {
    let script = "cat > /dev/null; for f in $(find \"$0\" -name postmaster.pid); do kill -INT $(head -1 \"$f\"); \
                  while kill -0 $(head -1 \"$f\" 2>/dev/null) 2>/dev/null; do sleep 0.1; done; done; rm -rf \"$0\"";
    let mut guard = Command::new("sh");
    guard.arg("-c").arg(script).arg(data_dir).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = guard.spawn().unwrap();
    Box::leak(Box::new(child));
    assert!(fs::exists(data_dir).unwrap());
}

/// The service of a test has so many connections.
pub(crate) const CONNECTIONS: usize = 8;

static DATABASES: AtomicU32 = AtomicU32::new(0);

async fn create(template: &str) -> PgConnectOptions {
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let server = tokio::task::spawn_blocking(|| LazyLock::force(&SERVER)).await.unwrap();
    let mut connection = PgConnection::connect_with(server).await.unwrap();
    // One copy of a template at a time: PostgreSQL refuses when another session is in it.
    loop {
        match connection.execute(AssertSqlSafe(format!("create database {name} template {template}"))).await {
            Ok(_) => break,
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("55006") => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    connection.close().await.unwrap();
    server.clone().database(&name)
}

/// A new database with nothing in it, not even the schema.
pub(crate) async fn empty_database() -> PgConnectOptions {
    create("template0").await
}

/// A new database with the newest schema.
pub(crate) async fn database() -> PgConnectOptions {
    create("mandate_template").await
}

/// The service over a new database, and a client with the key of an admin.
pub(crate) async fn service() -> Client {
    service_over(database().await, Limits::default()).await
}

/// The service over this database, and a client with the key of an admin.
pub(crate) async fn service_over(options: PgConnectOptions, limits: Limits) -> Client {
    let [client] = clients(options, limits, HEARTBEAT, ["UTC"]).await;
    client
}

/// The service over this database, changed like this, and a client with the key of an admin.
pub(crate) async fn service_changed(options: PgConnectOptions, change: impl FnOnce(App) -> App) -> Client {
    let [(client, app)] = parts(options, Limits::default(), HEARTBEAT, ["UTC"]).await;
    client.over(layered(router::routes(), change(app), Limits::default()))
}

/// The edge of the service with these options of the command line.
pub(crate) fn edge(words: &[&str]) -> Edge {
    Edge::from(&Cli::try_parse_from(["mandate", "serve"].iter().chain(words)).unwrap().settings.edge)
}

/// The service over this database, whose streams send a sign of life this often.
pub(crate) async fn service_with_heartbeat(options: PgConnectOptions, heartbeat: Duration) -> Client {
    let [client] = clients(options, Limits::default(), heartbeat, ["UTC"]).await;
    client
}

/// The service over this database, which takes tokens of this issuer, and whose streams send a sign of life often.
pub(crate) async fn service_with_tokens(options: PgConnectOptions, issuer: Issuer) -> Client {
    let [(client, app)] = parts(options, Limits::default(), Duration::from_millis(20), ["UTC"]).await;
    client.over(layered(router::routes(), app.with_issuer(Some(issuer)), Limits::default()))
}

/// Several services over one new database, each in a time zone of its own.
pub(crate) async fn services<const N: usize>(time_zones: [&str; N]) -> [Client; N] {
    services_over(database().await, time_zones).await
}

/// Several services over this database, each in a time zone of its own.
pub(crate) async fn services_over<const N: usize>(options: PgConnectOptions, time_zones: [&str; N]) -> [Client; N] {
    clients(options, Limits::default(), HEARTBEAT, time_zones).await
}

/// The key of every log here.
pub(crate) fn log_key() -> SignerKey {
    SignerKey::new("test.example/log", Purpose::Log, &[7; 32])
}

/// A key that is not in the record: what a test writes itself comes first there.
pub(crate) async fn silent_key(connection: &mut PgConnection, name: &str, role: Role) -> String {
    let mut transaction = connection.begin().await.unwrap();
    let key = keys::create(&mut transaction, name, role, None).await.unwrap();
    let forget =
        "set local session_replication_role = replica; delete from changes where kind = 'api_key' and at = now()";
    transaction.execute(forget).await.unwrap();
    transaction.commit().await.unwrap();
    key
}

/// No test waits for it.
const HEARTBEAT: Duration = Duration::from_mins(10);

async fn clients<const N: usize>(
    options: PgConnectOptions,
    limits: Limits,
    heartbeat: Duration,
    time_zones: [&str; N],
) -> [Client; N] {
    parts(options, limits, heartbeat, time_zones).await.map(|(client, _)| client)
}

/// Several services over this database, each with the task that sends to webhooks; those may be on 127.0.0.1.
pub(crate) async fn replicas<const N: usize>(options: PgConnectOptions) -> [(Client, Dispatcher); N] {
    let parts = parts(options, Limits::default(), HEARTBEAT, ["UTC"; N]).await;
    parts.map(|(client, app)| (client, app.start_dispatcher()))
}

async fn parts<const N: usize>(
    options: PgConnectOptions,
    limits: Limits,
    heartbeat: Duration,
    time_zones: [&str; N],
) -> [(Client, App); N] {
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let admin = silent_key(&mut connection, "admin", Role::Admin).await;
    let viewer = silent_key(&mut connection, "viewer", Role::Viewer).await;
    connection.close().await.unwrap();
    time_zones.map(|time_zone| {
        let pool =
            repository::connect(repository::in_time_zone(options.clone(), time_zone), CONNECTIONS, limits).unwrap();
        let record = Record::new(heartbeat).with_log_key(log_key());
        let app = App::new(pool, None).with_currency("RON").with_record(record.clone());
        let app = app.with_egress(vec!["127.0.0.1".parse().unwrap()].into());
        // It ends with the runtime of the test.
        drop(app.start_sequencer());
        let router = layered(router::routes(), app.clone(), limits);
        (Client::new(router, record, admin.clone(), viewer.clone()), app)
    })
}
