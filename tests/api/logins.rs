//! Logins that fail: who tries keys is no longer listened to, and his neighbours are.

use std::{net::SocketAddr, process::Stdio};

use axum::{body::Body, extract::ConnectInfo, http::Request};
use mandate::{
    access::{Role, keys},
    repository::Author,
};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStderr, Command},
};
use tower::ServiceExt as _;

use crate::support::{
    Client, database, edge,
    proxy::{Mode, Proxy},
    service_changed,
};

/// A service that listens to no more logins after three that failed.
async fn guarded(options: PgConnectOptions) -> Client {
    service_changed(options, |app| app.with_edge(edge(&["--login-failures", "3", "--rate", "0"]))).await
}

/// The status that a key gets from an address, and its `Retry-After`.
async fn login(client: &Client, address: [u8; 4], key: &str) -> (u16, Option<u64>) {
    let request = Request::get("/v1/me")
        .header("authorization", format!("Bearer {key}"))
        .extension(ConnectInfo(SocketAddr::from((address, 4711))));
    let answer = client.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().parse().unwrap());
    (answer.status().as_u16(), wait)
}

async fn new_key(options: &PgConnectOptions) -> String {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    keys::create(&mut connection, "another", Role::Viewer, None).await.unwrap()
}

async fn revoke(options: &PgConnectOptions, key: &str) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    assert_eq!(
        keys::revoke(&mut connection, &Author::at_the_command_line(None), keys::split(key).unwrap().0).await.unwrap(),
        1
    );
}

const HERE: [u8; 4] = [192, 0, 2, 1];
const THERE: [u8; 4] = [192, 0, 2, 2];

#[tokio::test]
async fn one_bad_key_is_refused_by_itself() {
    let options = database().await;
    let client = guarded(options.clone()).await;
    let old = new_key(&options).await;
    revoke(&options, &old).await;
    for _ in 0..3 {
        assert_eq!(login(&client, HERE, &old).await, (401, None));
    }
    for _ in 0..10 {
        let (status, wait) = login(&client, HERE, &old).await;
        assert_eq!(status, 429);
        assert!((1..=60).contains(&wait.unwrap()), "{wait:?}");
    }
    // A good key from there works, although the service has never seen it.
    assert_eq!(login(&client, HERE, &new_key(&options).await).await.0, 200);
    assert_eq!(login(&client, HERE, "mandate_junk").await.0, 401);
    assert_eq!(login(&client, THERE, &old).await.0, 401);
}

#[tokio::test]
async fn who_tries_one_key_after_another_is_refused_and_good_keys_from_there_are_not() {
    let options = database().await;
    let client = guarded(options.clone()).await;
    let (known, unseen) = (new_key(&options).await, new_key(&options).await);
    assert_eq!(login(&client, THERE, &known).await.0, 200);
    for key in ["mandate_a", "mandate_b", "mandate_c"] {
        assert_eq!(login(&client, HERE, key).await.0, 401);
    }
    assert_eq!(login(&client, HERE, "mandate_d").await.0, 429);
    assert_eq!(login(&client, HERE, &known).await.0, 200);
    // Nobody can say whether this one is guessed without looking it up.
    assert_eq!(login(&client, HERE, &unseen).await.0, 429);
    assert_eq!(login(&client, THERE, &unseen).await.0, 200);
    assert_eq!(login(&client, HERE, &unseen).await.0, 200);
    // A good key that is revoked is bad like all others.
    revoke(&options, &known).await;
    let mut status = 200;
    while status == 200 {
        status = login(&client, HERE, &known).await.0;
    }
    assert_eq!(status, 401);
    assert_eq!(login(&client, HERE, &known).await.0, 429);
}

#[tokio::test]
async fn a_refused_login_asks_no_database() {
    let options = database().await;
    let proxy = Proxy::before(&options).await;
    let client = guarded(proxy.options(&options)).await;
    let (old, other) = (new_key(&options).await, new_key(&options).await);
    revoke(&options, &old).await;
    for key in [&old, &old, &old, "mandate_a", "mandate_b"] {
        assert_eq!(login(&client, HERE, key).await.0, 401);
    }
    proxy.set(Mode::Reset);
    assert_eq!(login(&client, HERE, &old).await.0, 429);
    assert_eq!(login(&client, HERE, &other).await.0, 429);
    // While the database is away nobody fails: it is not known whether a key is good.
    for _ in 0..4 {
        assert_eq!(login(&client, THERE, &other).await.0, 503);
    }
    proxy.set(Mode::Pass);
    while login(&client, THERE, &other).await.0 == 503 {}
    assert_eq!(login(&client, THERE, &other).await.0, 200);
}

#[tokio::test]
async fn who_sends_no_key_does_not_fail_at_a_login() {
    let client = guarded(database().await).await;
    for _ in 0..10 {
        client.as_nobody().get("/v1/me").expect(401).await;
    }
    let basic = || client.as_nobody().get("/v1/me").header("authorization", "Basic eA==");
    for _ in 0..3 {
        basic().expect(401).await;
    }
    let refused = basic().expect(429).await;
    assert_eq!(refused.json()["code"], "failed_logins");
    client.get(refused.json()["type"].as_str().unwrap()).expect(200).await;
}

/// The real binary with its log, on a port that was free a moment ago; on another when somebody took it meanwhile.
async fn real(options: &PgConnectOptions) -> (SocketAddr, Child, Lines<BufReader<ChildStderr>>) {
    loop {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_mandate"))
            .args(["serve", "--login-failures", "3", "--trusted-proxies", "127.0.0.1", "--log", "info"])
            .env("DATABASE_URL", options.to_url_lossy().as_str())
            .env("MANDATE_LISTEN", address.to_string())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        while let Some(line) = log.next_line().await.unwrap() {
            // The port is open before that is said.
            if line.contains("\"serving\"") {
                return (address, child, log);
            }
        }
    }
}

/// The answer to a reading through a proxy at 127.0.0.1.
async fn ask(service: SocketAddr, path: &str, key: &str) -> String {
    let mut socket = TcpStream::connect(service).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_failed_login_is_logged_without_the_secret_and_counted() {
    let options = database().await;
    let old = new_key(&options).await;
    revoke(&options, &old).await;
    let (service, child, mut log) = real(&options).await;
    for (key, status) in [(&*old, 401), (&old, 401), (&old, 401), (&old, 429), ("mandate_junk", 401)] {
        let answer = ask(service, "/v1/me", key).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let metrics = ask(service, "/metrics", "").await;
    assert!(metrics.contains("\nlogins_failed_total 4\n"), "{metrics}");
    assert!(metrics.contains("\nrequests_limited_total{code=\"failed_logins\"} 1\n"), "{metrics}");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    let mut lines = Vec::new();
    while let Some(line) = log.next_line().await.unwrap() {
        lines.push(line);
    }
    let (id, secret) = keys::split(&old).unwrap();
    let with = |words: &[&str]| lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).count();
    let (address, id) = ("\"address\":\"192.0.2.1\"", format!("\"key_id\":\"{id}\""));
    assert_eq!(with(&["\"a login failed\"", address, "\"request_id\":\""]), 4, "{lines:#?}");
    assert_eq!(with(&["\"a login failed\"", &id]), 3, "{lines:#?}");
    assert_eq!(with(&["\"path\":\"/v1/me\"", address]), 5, "{lines:#?}");
    assert_eq!(with(&[secret]) + with(&["junk"]), 0, "{lines:#?}");
}
