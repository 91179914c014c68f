//! Logins that fail: who tries keys is no longer listened to, and his neighbours are.

use std::{
    io::Write,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use mandate::access::{Role, keys};
use metrics_exporter_prometheus::PrometheusBuilder;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
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
    assert_eq!(keys::revoke(&mut connection, keys::split(key).unwrap().0).await.unwrap(), 1);
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

/// What a log was told.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_failed_login_is_logged_without_the_secret_and_counted() {
    let options = database().await;
    let client = guarded(options.clone()).await;
    let old = new_key(&options).await;
    revoke(&options, &old).await;
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || lines.clone()).finish();
    let _here = tracing::subscriber::set_default(subscriber);
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counted = metrics::set_default_local_recorder(&recorder);
    for _ in 0..4 {
        login(&client, HERE, &old).await;
    }
    login(&client, HERE, "mandate_junk").await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let (id, secret) = keys::split(&old).unwrap();
    let failed: Vec<_> = text.lines().filter(|line| line.contains("a login failed")).collect();
    assert_eq!(failed.len(), 4, "{text}");
    assert!(failed.iter().all(|line| line.contains("\"address\":\"192.0.2.1\"") && line.contains("\"request_id\":\"")));
    assert_eq!(failed.iter().filter(|line| line.contains(&format!("\"key_id\":\"{id}\""))).count(), 3, "{text}");
    assert!(!text.contains(secret) && !text.contains("junk"), "{text}");
    let requests =
        text.lines().filter(|line| line.contains("duration_ms") && line.contains("\"address\":\"192.0.2.1\""));
    assert_eq!(requests.count(), 5, "{text}");
    let metrics = recorder.handle().render();
    assert!(metrics.contains("logins_failed_total 4\n"), "{metrics}");
    assert!(metrics.contains("requests_limited_total{code=\"failed_logins\"} 1\n"), "{metrics}");
    assert_eq!(client.get("/livez").send().await.status, StatusCode::OK);
}
