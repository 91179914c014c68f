//! How much one may ask: by principal, and by address without one.

use std::{net::SocketAddr, time::Duration};

use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use mandate::{base::limits::Limits, cli::serve::serve, record::Record};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{Client, client::Reply, database, edge, service_changed};

/// So many requests are more than one may make in the time that they take, also on a slow machine.
const MANY: usize = 1000;

/// One request a second, and so many at once.
async fn limited(burst: &str) -> Client {
    service_changed(database().await, |app| app.with_edge(edge(&["--rate", "1", "--burst", burst]))).await
}

/// Asks again and again until it is too often.
async fn until_refused(client: &Client, path: &str) -> Reply {
    for _ in 0..MANY {
        let reply = client.get(path).send().await;
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            return reply;
        }
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }
    panic!("{MANY} requests are not too many");
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_ask_again_and_others_are_served() {
    let client = limited("3").await;
    for _ in 0..3 {
        client.get("/v1/me").expect(200).await;
    }
    let refused = until_refused(&client, "/v1/entities").await;
    assert_eq!(refused.header("retry-after"), "1");
    let problem = refused.json();
    assert_eq!(problem["code"], "rate_limited");
    assert!(problem["detail"].as_str().unwrap().contains("1 requests a second"), "{problem}");
    client.get(problem["type"].as_str().unwrap()).expect(200).await;
    client.as_viewer().get("/v1/me").expect(200).await;
}

#[tokio::test]
async fn a_calendar_is_counted_with_a_key_and_with_a_token() {
    let client = limited("5").await;
    let agency = client.create("entities", json!({"name": "Agency", "kind": "agency"})).await;
    let path = format!("/v1/calendars/{}.ics", agency["id"].as_str().unwrap());
    let token = client.create("calendar-tokens", json!({"entity_id": agency["id"], "name": "x"})).await;
    assert_eq!(until_refused(&client, &path).await.json()["code"], "rate_limited");
    let open = format!("{path}?token={}", token["token"].as_str().unwrap());
    assert_eq!(until_refused(&client.as_nobody(), &open).await.json()["code"], "rate_limited");
}

#[tokio::test]
async fn a_refused_write_wrote_nothing() {
    let client = limited("2").await;
    let mut made = 0;
    for _ in 0..MANY {
        match client.post("/v1/entities", json!({"name": "Agency", "kind": "agency"})).send().await.status.as_u16() {
            201 => made += 1,
            429 => break,
            other => panic!("{other}"),
        }
    }
    let page = client.as_viewer().get("/v1/entities?count=true&limit=1").expect(200).await.json();
    assert_eq!(page["count"], made);
}

#[tokio::test]
async fn what_needs_no_key_has_no_limit() {
    let client = limited("1").await;
    until_refused(&client, "/v1/me").await;
    for path in ["/livez", "/readyz", "/openapi.json", "/problems/rate-limited", "/"] {
        for _ in 0..3 {
            client.get(path).expect(200).await;
        }
    }
}

#[tokio::test]
async fn an_answer_without_end_counts_once_however_long_it_lasts() {
    let often = Record::new(Duration::from_millis(5));
    let client = service_changed(database().await, |app| {
        app.with_edge(edge(&["--rate", "1", "--burst", "2"])).with_record(often)
    });
    let client = client.await;
    let mut stream = client.get("/v1/changes/stream").open().await.into_body();
    // At each sign of life the key is looked at again.
    for _ in 0..20 {
        stream.frame().await.unwrap().unwrap();
    }
    client.get("/v1/me").expect(200).await;
    until_refused(&client, "/v1/me").await;
}

#[tokio::test]
async fn a_service_has_no_limit_when_the_rate_is_0() {
    let client = service_changed(database().await, |app| app.with_edge(edge(&["--rate", "0"]))).await;
    for _ in 0..50 {
        client.get("/v1/me").expect(200).await;
    }
}

/// A service behind a socket that shows to everybody what is public.
async fn behind_a_socket(words: &[&str]) -> SocketAddr {
    let client = service_changed(database().await, |app| app.with_public(true).with_edge(edge(words))).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // It ends with the runtime of the test.
    tokio::spawn(serve(listener, client.router(), Limits::default(), std::future::pending()));
    address
}

/// The status of a reading without a key, with this header.
async fn ask(service: SocketAddr, header: &str) -> u16 {
    let mut socket = TcpStream::connect(service).await.unwrap();
    let head = format!("GET /v1/entities HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Asks with one header after another until it is too often.
async fn ask_until_refused(service: SocketAddr, header: impl Fn(usize) -> String) {
    for count in 0..MANY {
        match ask(service, &header(count)).await {
            200 => {}
            429 => return,
            other => panic!("{other}"),
        }
    }
    panic!("{MANY} requests are not too many");
}

#[tokio::test]
async fn without_a_key_each_address_has_its_own_limit() {
    let service = behind_a_socket(&["--rate", "1", "--burst", "2", "--trusted-proxies", "10.0.0.0/8,127.0.0.1"]).await;
    ask_until_refused(service, |_| "x-forwarded-for: 192.0.2.1".into()).await;
    assert_eq!(ask(service, "x-forwarded-for: 192.0.2.2").await, 200);
    assert_eq!(ask(service, "forwarded: for=\"[2001:db8:0:2::1]:4711\";proto=https").await, 200);
    // What a client writes before its proxy does makes no other client of it.
    ask_until_refused(service, |count| format!("x-forwarded-for: 192.0.2.{}, 192.0.2.3", count % 200)).await;
    // The addresses of one network of IPv6 are one client.
    ask_until_refused(service, |count| format!("x-forwarded-for: 2001:db8::{count:x}")).await;
}

#[tokio::test]
async fn a_client_that_is_no_proxy_cannot_choose_its_address() {
    let service = behind_a_socket(&["--rate", "1", "--burst", "2", "--trusted-proxies", "10.0.0.0/8"]).await;
    ask_until_refused(service, |count| format!("x-forwarded-for: 192.0.{}.1", count % 200)).await;
}
