//! Commands beside a service that runs the private PostgreSQL: those that only talk to the database use it as a guest.

use std::{
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use mandate::cli::database::MIGRATOR;
use mandate_postgres::Settings;
use sqlx::{Connection as _, PgConnection};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

use crate::crashes::exchange;

fn mandate(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mandate"));
    command.env_remove("DATABASE_URL").env("MANDATE_DATA_DIR", data).stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn settings(data: &Path) -> Settings {
    Settings {
        data_dir: data.to_owned(),
        binaries: std::env::var_os("MANDATE_POSTGRES_BIN").map(PathBuf::from),
        hide_installed: std::env::var_os("MANDATE_POSTGRES_BUNDLE").is_some(),
        durable: false,
    }
}

/// Runs a command to its end: whether it succeeded, and all that it said.
async fn run(data: &Path, arguments: &[&str]) -> (bool, String) {
    let output = mandate(data).args(arguments).output().await.unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// The service, once it answers.
async fn serve(data: &Path) -> (Child, SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut child =
        mandate(data).arg("serve").env("MANDATE_LISTEN", address.to_string()).stderr(Stdio::null()).spawn().unwrap();
    while exchange(address, "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.is_none() {
        assert!(child.try_wait().unwrap().is_none(), "the service has ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (child, address)
}

#[tokio::test]
async fn commands_use_the_private_postgresql_of_the_service_that_runs() {
    let place = tempfile::tempdir().unwrap();
    // The account that PostgreSQL runs as when this is root.
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let data = place.path().join("data");
    let (mut service, address) = serve(&data).await;
    let (done, key) = run(&data, &["key", "create", "--name", "x", "--role", "admin"]).await;
    assert!(done, "{key}");
    let key = key.trim().strip_prefix("key: ").unwrap();
    let request = |line: &str, body: &str| {
        format!(
            "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let body = r#"{"name": {"en": "a"}, "kind": "agency"}"#;
    let made = exchange(address, &request("POST /v1/entities", body)).await.unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    while exchange(address, &request("GET /v1/log/checkpoint", "")).await.unwrap().status != 200 {
        tokio::task::yield_now().await;
    }
    let (file, plan) = (place.path().join("log"), place.path().join("plan"));
    let (file, plan) = (file.to_str().unwrap(), plan.to_str().unwrap());
    for arguments in
        [&["audit", "export", file][..], &["audit", "verify", file], &["export", plan], &["key", "list"], &["doctor"]]
    {
        let (done, text) = run(&data, arguments).await;
        assert!(done, "{arguments:?}: {text}");
    }
    // What would start or change the database is refused.
    for arguments in [&["migrate"][..], &["serve", "--listen", "127.0.0.1:0"], &["demo", "--listen", "127.0.0.1:0"]] {
        let (done, text) = run(&data, arguments).await;
        assert!(!done && text.contains("another mandate"), "{arguments:?}: {text}");
    }
    // What was written by hand is counted; here it is nothing yet.
    let counted = async |count: usize| {
        let metric = format!("changes_without_version {count}\n");
        while !exchange(address, &request("GET /metrics", "")).await.unwrap().body.contains(&metric) {
            tokio::task::yield_now().await;
        }
    };
    counted(0).await;
    let private = mandate_postgres::of_another(&settings(&data), "mandate").unwrap();
    let mut connection = PgConnection::connect_with(&private).await.unwrap();
    let bad = "insert into changes (kind, entity_id, version, action, actor, request_id, after)
               values ('entity', gen_random_uuid(), 1, 'created', 'hand', 'r', '{}')";
    sqlx::query(bad).execute(&mut connection).await.unwrap();
    counted(1).await;
    connection.close().await.unwrap();
    // The guests have left it running.
    let read = exchange(address, &request("GET /v1/entities", "")).await.unwrap();
    assert_eq!(read.status, 200);
    let pid = rustix::process::Pid::from_raw(service.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(service.wait().await.unwrap().success());
    // With nobody else there a command starts it by itself, as ever.
    let (done, text) = run(&data, &["doctor"]).await;
    assert!(!done && text.contains("1 changes do not fit"), "{text}");
}

#[tokio::test]
async fn a_guest_of_another_version_is_refused() {
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let data = place.path().join("data");
    let cluster = mandate_postgres::start(&settings(&data)).await.unwrap();
    // Its holder is about to make the schema.
    let (done, text) = run(&data, &["key", "list"]).await;
    assert!(!done && text.contains("try again"), "{text}");
    let mut connection = PgConnection::connect_with(&cluster.options("mandate")).await.unwrap();
    MIGRATOR.run(&mut connection).await.unwrap();
    let (done, text) = run(&data, &["key", "list"]).await;
    assert!(done, "{text}");
    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&mut connection)
        .await
        .unwrap();
    let (done, text) = run(&data, &["key", "list"]).await;
    assert!(!done && text.contains("of another version"), "{text}");
    cluster.stop().await.unwrap();
}
