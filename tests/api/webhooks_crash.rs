//! The real binary, killed between the request and the note that it was answered.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::support::{
    database,
    receiver::{Receiver, always, deliveries},
    service_over,
};

fn serve(options: &PgConnectOptions) -> Child {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Command::new(env!("CARGO_BIN_EXE_mandate"))
        .arg("serve")
        .env("DATABASE_URL", options.to_url_lossy().as_str())
        .env("MANDATE_LISTEN", free.to_string())
        .env("MANDATE_WEBHOOK_ALLOW", "127.0.0.1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn what_was_sent_and_not_written_down_is_sent_again_with_the_same_id() {
    let options = database().await;
    // This service makes changes, and sends nothing.
    let client = service_over(options.clone(), mandate::base::limits::Limits::default()).await;
    let receiver = Receiver::start().await;
    receiver.answer(|_| Box::pin(std::future::pending()));
    receiver.subscribe(&client, json!({})).await;
    client.create("entities", json!({"name": {"en": "x"}, "kind": "agency"})).await;
    let mut first = serve(&options);
    receiver.wait(1).await;
    // SIGKILL.
    first.kill().unwrap();
    first.wait().unwrap();
    receiver.answer(always(200));
    // As if the lease of the dead had ended.
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let ended = "update deliveries set next_attempt_at = now() where lease is not null";
    let done = sqlx::query(AssertSqlSafe(ended)).execute(&mut connection).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
    let mut second = serve(&options);
    let got = receiver.wait(2).await;
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    assert_eq!(got[0].body, got[1].body);
    deliveries(&client, "delivered", 1).await;
    rustix::process::kill_process(rustix::process::Pid::from_child(&second), rustix::process::Signal::TERM).unwrap();
    let ended = tokio::task::spawn_blocking(move || second.wait().unwrap());
    let status = tokio::time::timeout(Duration::from_secs(30), ended).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(receiver.count(), 2);
}
