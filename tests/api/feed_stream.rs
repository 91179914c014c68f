//! The feed as it comes: server-sent events.

use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use mandate::{access::keys, base::limits::Limits, cli::serve::serve, repository::Author};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

use crate::support::{Call, Client, database, service, service_over, service_with_heartbeat};

const SHORT: Duration = Duration::from_millis(20);
/// Far beyond what anything takes here, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A reader of events.
struct Listener {
    body: Body,
    text: String,
}

#[derive(Debug)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

impl Listener {
    async fn open(call: Call) -> Self {
        let response = call.open().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next block of lines; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_string();
                return Some(block);
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.expect("nothing comes")?;
            self.text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
    }

    /// The next event, with the signs of life before it passed over.
    async fn event(&mut self) -> Event {
        loop {
            let block = self.block().await.expect("the stream has ended");
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            if !field("data: ").is_empty() {
                let data = serde_json::from_str(field("data: ")).unwrap();
                return Event { id: field("id: ").into(), name: field("event: ").into(), data };
            }
        }
    }
}

async fn create(client: &Client, name: &str) -> Value {
    client.create("entities", json!({"name": {"en": name}, "kind": "agency"})).await
}

fn name(event: &Event) -> &str {
    event.data["after"]["name"]["en"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn events_come_from_now_on_and_again_after_the_last_that_was_seen() {
    let client = service().await;
    create(&client, "before").await;
    // Positions are given in the background; the stream begins after what has one.
    crate::feed::follow(&client, "", "0", 1).await;
    let mut listener = Listener::open(client.as_viewer().get("/v1/changes/stream")).await;
    let made = create(&client, "first").await;
    let event = listener.event().await;
    assert_eq!((event.id.as_str(), event.name.as_str(), name(&event)), ("2", "entity.created", "first"));
    let page = client.get("/v1/changes?after=1").expect(200).await.json();
    assert_eq!(page["items"], json!([event.data]));
    drop(listener);
    create(&client, "second").await;
    client.delete(format!("/v1/entities/{}", made["id"].as_str().unwrap())).if_match(1).expect(204).await;
    // The header counts more than the parameter, which a browser keeps sending.
    let call = client.get("/v1/changes/stream?after=0").header("last-event-id", event.id);
    let mut listener = Listener::open(call.header("accept", "text/event-stream")).await;
    assert_eq!(name(&listener.event().await), "second");
    let deleted = listener.event().await;
    assert_eq!((deleted.id.as_str(), deleted.name.as_str()), ("4", "entity.deleted"));
    let mut from_start = Listener::open(client.get("/v1/changes/stream?after=0&action=created&kind=entity")).await;
    for expected in ["before", "first", "second"] {
        assert_eq!(name(&from_start.event().await), expected);
    }
    client.create("funding-sources", json!({"name": "x", "kind": "eu"})).await;
    create(&client, "third").await;
    let third = from_start.event().await;
    assert_eq!((third.id.as_str(), name(&third)), ("6", "third"));
}

#[tokio::test]
async fn a_listener_hears_only_what_it_may_see() {
    let client = service().await;
    let mut viewer = Listener::open(client.as_viewer().get("/v1/changes/stream")).await;
    let mut auditor = Listener::open(client.get("/v1/changes/stream")).await;
    for (name, classification) in [("one", "internal"), ("two", "restricted"), ("three", "public")] {
        client
            .create("entities", json!({"name": {"en": name}, "kind": "agency", "classification": classification}))
            .await;
    }
    let heard =
        [name(&auditor.event().await), name(&auditor.event().await), name(&auditor.event().await)].map(str::to_owned);
    assert_eq!(heard, ["one", "two", "three"]);
    let heard = [name(&viewer.event().await), name(&viewer.event().await)].map(str::to_owned);
    assert_eq!(heard, ["one", "three"]);
}

#[tokio::test]
async fn a_stream_goes_on_after_its_database_was_lost() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut listener = Listener::open(client.get("/v1/changes/stream?after=0")).await;
    let mut outside = PgConnection::connect_with(&options).await.unwrap();
    for turn in 0..5 {
        let name_of_turn = format!("turn {turn}");
        while client.post("/v1/entities", json!({"name": {"en": name_of_turn}, "kind": "agency"})).send().await.status
            != 201
        {}
        let event = listener.event().await;
        assert_eq!(
            (event.id, event.data["after"]["name"]["en"].as_str().unwrap()),
            ((turn + 1).to_string(), &*name_of_turn)
        );
        let ended = sqlx::query(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
        );
        ended.execute(&mut outside).await.unwrap();
    }
}

#[tokio::test]
async fn more_listeners_than_connections_hear_all() {
    let client = service().await;
    let mut listeners = Vec::new();
    for _ in 0..100 {
        listeners.push(Listener::open(client.get("/v1/changes/stream")).await);
    }
    // None of them holds a connection.
    for turn in 0..20 {
        create(&client, &turn.to_string()).await;
    }
    join_all(listeners.iter_mut().map(async |listener| {
        for turn in 0..20 {
            let event = listener.event().await;
            assert_eq!(
                (event.id, event.data["after"]["name"]["en"].as_str()),
                ((turn + 1).to_string(), Some(&*turn.to_string()))
            );
        }
    }))
    .await;
}

#[tokio::test]
async fn a_quiet_stream_shows_that_it_lives_and_where_it_is() {
    let options = database().await;
    let client = service_with_heartbeat(options.clone(), SHORT).await;
    let mut listener = Listener::open(client.get("/v1/changes/stream?kind=strategy")).await;
    let block = listener.block().await.unwrap();
    assert!(block.starts_with(": ") && block.ends_with("\nid: 0"), "{block}");
    create(&client, "of another kind").await;
    while !listener.block().await.unwrap().ends_with("\nid: 1") {}
    // A key that is revoked ends it.
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    keys::revoke(&mut connection, &Author::at_the_command_line(None), "admin").await.unwrap();
    while listener.block().await.is_some() {}
}

#[tokio::test]
async fn a_stop_ends_the_streams() {
    let client = service().await;
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, told) = oneshot::channel::<()>();
    let record = client.record();
    let stopped = async move {
        drop(told.await);
        record.drain();
    };
    let running =
        tokio::spawn(serve(socket, client.router(), Limits { grace: 10 * PATIENCE, ..Limits::default() }, stopped));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        format!("GET /v1/changes/stream HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\n\r\n", client.authorization());
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"id: 0\n\n\r\n") {
        assert_ne!(timeout(PATIENCE, stream.read_buf(&mut text)).await.unwrap().unwrap(), 0);
    }
    stop.send(()).unwrap();
    timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("the stream stays").unwrap();
    assert!(text.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&text));
    timeout(PATIENCE, running).await.expect("it does not stop").unwrap();
}
