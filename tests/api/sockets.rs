//! Clients that are slow, large, rude, or there when the service stops: over real sockets.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use mandate::{base::limits::Limits, cli::serve::serve};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{interval, timeout},
};

use crate::support::{CONNECTIONS, database, service_over};

const SHORT: Duration = Duration::from_millis(200);
/// Short, but enough to look up a key in the database of a busy machine.
const MODEST: Duration = Duration::from_secs(1);
/// Far beyond the short limits, and far below the long ones, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const LONG: Duration = Duration::from_mins(10);

/// Limits that no test waits for.
fn long() -> Limits {
    Limits { head_time: LONG, time: LONG, write_time: LONG, grace: LONG, ..Limits::default() }
}

/// The buffers of the sockets, so that an answer soon waits for its reader.
const SMALL: u32 = 16 * 1024;
/// The end of a chunked answer that is whole.
const LAST_CHUNK: &str = "0\r\n\r\n";

/// A service behind a socket.
struct Server {
    address: SocketAddr,
    authorization: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::over(database().await, limits).await
    }

    async fn over(options: PgConnectOptions, limits: Limits) -> Self {
        let client = service_over(options, limits).await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(SMALL).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, told) = oneshot::channel();
        let running = tokio::spawn(serve(listener, client.router(), limits, async { drop(told.await) }));
        Self { address, authorization: client.authorization(), stop, running }
    }

    async fn connect(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// A POST of which the service has read the head and wants the body.
    async fn post_under_way(&self, length: usize) -> TcpStream {
        let mut socket = self.connect().await;
        socket.write_all(self.head("expect: 100-continue\r\n", length).as_bytes()).await.unwrap();
        let mut interim = [0; 25];
        timeout(PATIENCE, socket.read_exact(&mut interim)).await.expect("no 100 Continue").unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        socket
    }

    /// A whole list of which the answer has begun, and which holds a database connection.
    async fn list_under_way(&self) -> TcpStream {
        let mut socket = self.connect().await;
        let head = format!(
            "GET /v1/entities HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\nauthorization: {}\r\n\r\n",
            self.authorization
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut start = [0; 12];
        timeout(PATIENCE, socket.read_exact(&mut start)).await.expect("no answer").unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
        socket
    }

    fn head(&self, more: &str, length: usize) -> String {
        format!(
            "POST /v1/entities HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n{more}\r\n",
            self.authorization
        )
    }
}

/// All that comes until the service closes, be it with a reset because it left something unread.
async fn rest(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    match timeout(PATIENCE, socket.read_to_end(&mut bytes)).await.expect("the connection stays open") {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Reads until the service closes, while writing `piece` again and again.
async fn rest_while_sending(socket: TcpStream, piece: &[u8], pace: Duration) -> String {
    let (mut from, mut to) = socket.into_split();
    let mut pace = interval(pace);
    let send = async {
        while to.write_all(piece).await.is_ok() {
            pace.tick().await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        answer = rest(&mut from) => answer,
        () = send => unreachable!("sending has no end of its own"),
    }
}

/// All that comes until a chunked answer or its connection ends.
async fn rest_of_chunks(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(LAST_CHUNK.as_bytes()) {
        match timeout(PATIENCE, socket.read_buf(&mut bytes)).await.expect("nothing comes") {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// More rows than the parts of a list that wait in memory.
async fn add_more_than_waits(options: &PgConnectOptions) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    let add = sqlx::query(
        "insert into entities (id, name, kind, description)
         select gen_random_uuid(), '{\"en\": \"x\"}', 'agency', jsonb_build_object('en', repeat('x', 800)) from generate_series(1, 5000)",
    );
    add.execute(&mut connection).await.unwrap();
}

#[track_caller]
fn assert_problem(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(answer.contains("\r\ncontent-type: application/problem+json\r\n"), "{answer}");
    let problem: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(problem["status"], status, "{answer}");
}

#[tokio::test]
async fn half_a_head_is_cut_off() {
    let server = Server::start(Limits { head_time: SHORT, ..long() }).await;
    for start in ["", "G", "GET /livez HTTP/1.1\r\nhost: x\r\n"] {
        let mut socket = server.connect().await;
        socket.write_all(start.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut socket).await, "", "after `{start}`");
    }
}

#[tokio::test]
async fn a_head_that_dribbles_is_cut_off() {
    let server = Server::start(Limits { head_time: SHORT, ..long() }).await;
    let mut socket = server.connect().await;
    socket.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nx-long: ").await.unwrap();
    assert_eq!(rest_while_sending(socket, b"a", SHORT / 10).await, "");
}

#[tokio::test]
async fn a_connection_without_a_next_request_is_closed() {
    let server = Server::start(Limits { head_time: SHORT, ..long() }).await;
    let mut socket = server.connect().await;
    socket.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(rest(&mut socket).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_body_that_never_comes_is_a_problem() {
    let server = Server::start(Limits { time: MODEST, ..long() }).await;
    let mut socket = server.post_under_way(30).await;
    assert_problem(&rest(&mut socket).await, 408);
}

#[tokio::test]
async fn a_body_that_dribbles_is_a_problem() {
    let server = Server::start(Limits { time: MODEST, ..long() }).await;
    let socket = server.post_under_way(100_000).await;
    assert_problem(&rest_while_sending(socket, b" ", SHORT / 10).await, 408);
}

#[tokio::test]
async fn a_body_that_is_broken_off_harms_nobody() {
    let server = Server::start(long()).await;
    let mut socket = server.post_under_way(30).await;
    socket.write_all(b"{\"name\": ").await.unwrap();
    socket.shutdown().await.unwrap();
    let answer = rest(&mut socket).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let mut socket = server.connect().await;
    socket.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest(&mut socket).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_head_without_end_is_refused_at_the_limit() {
    let limits = long();
    let server = Server::start(limits).await;
    let mut socket = server.connect().await;
    let mut head = "GET /livez HTTP/1.1\r\nhost: x\r\nx-long: ".to_owned();
    head.push_str(&"a".repeat(limits.head_bytes - head.len()));
    socket.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_while_it_is_sent() {
    let server = Server::start(long()).await;
    // Whoever says how much it is, is refused before it is sent; who does not, once it is too much.
    let mut socket = server.connect().await;
    socket.write_all(server.head("expect: 100-continue\r\n", 1 << 30).as_bytes()).await.unwrap();
    assert_problem(&rest(&mut socket).await, 413);
    let mut socket = server.connect().await;
    let head = server.head("transfer-encoding: chunked\r\n", 0).replace("content-length: 0\r\n", "");
    socket.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
    assert_problem(&rest_while_sending(socket, chunk.as_bytes(), Duration::from_nanos(1)).await, 413);
}

#[tokio::test]
async fn clients_that_do_not_read_give_their_database_connections_back() {
    let options = database().await;
    add_more_than_waits(&options).await;
    let server = Server::over(options, Limits { write_time: SHORT, ..long() }).await;
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(server.list_under_way().await);
    }
    let mut socket = server.connect().await;
    let head = format!(
        "GET /v1/entities?limit=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {}\r\n\r\n",
        server.authorization
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    assert!(rest(&mut socket).await.starts_with("HTTP/1.1 200 "));
    drop(idle);
}

#[tokio::test]
async fn a_list_that_the_database_breaks_off_does_not_look_whole() {
    let options = database().await;
    add_more_than_waits(&options).await;
    let server = Server::over(options.clone(), long()).await;
    let mut whole = server.list_under_way().await;
    let mut broken = server.list_under_way().await;
    assert!(rest_of_chunks(&mut whole).await.ends_with(LAST_CHUNK));
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let ended = sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    ended.execute(&mut connection).await.unwrap();
    assert!(!rest_of_chunks(&mut broken).await.ends_with(LAST_CHUNK));
}

#[tokio::test]
async fn garbage_after_a_request_does_not_spoil_its_answer() {
    let server = Server::start(long()).await;
    let mut socket = server.connect().await;
    socket.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n\x00\xffgarbage\r\n\r\n").await.unwrap();
    let answer = rest(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 2, "{answer}");
    assert!(answer.contains("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn what_is_under_way_at_the_stop_is_answered_and_nothing_new_is_taken() {
    let server = Server::start(long()).await;
    let body = r#"{"name": "The last one", "kind": "agency"}"#;
    let mut socket = server.post_under_way(body.len()).await;
    let (first, last) = body.split_at(10);
    socket.write_all(first.as_bytes()).await.unwrap();
    server.stop.send(()).unwrap();
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("connections are still taken");
    assert!(!server.running.is_finished(), "a request is under way");
    socket.write_all(last.as_bytes()).await.unwrap();
    let answer = rest(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let made: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(made["kind"], "agency");
    timeout(PATIENCE, server.running).await.expect("it does not stop").unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let server = Server::start(Limits { grace: SHORT, ..long() }).await;
    let _socket = server.post_under_way(30).await;
    server.stop.send(()).unwrap();
    timeout(PATIENCE, server.running).await.expect("it does not stop").unwrap();
}

#[tokio::test]
async fn clients_that_go_away_leave_no_busy_connection_behind() {
    let options = database().await;
    let server = Server::over(options.clone(), long()).await;
    let mut blocker = PgConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("begin; lock table entities in access exclusive mode").execute(&mut blocker).await.unwrap();
    let body = r#"{"name": "x", "kind": "agency"}"#;
    let mut gone = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut socket = server.connect().await;
        socket.write_all(format!("{}{body}", server.head("", body.len())).as_bytes()).await.unwrap();
        gone.push(socket);
    }
    // Another connection looks on: inside a transaction the view of activity stands still.
    let mut onlooker = PgConnection::connect_with(&options).await.unwrap();
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let all_wait = async {
        let mut pace = interval(Duration::from_millis(20));
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut onlooker).await.unwrap() < 8 {
            pace.tick().await;
        }
    };
    timeout(Duration::from_secs(8), all_wait).await.expect("not all statements wait for the lock");
    drop(gone);
    // Long before the blocked statements give up by themselves, after 10 s.
    let mut socket = server.connect().await;
    let head = format!(
        "GET /v1/strategies HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {}\r\n\r\n",
        server.authorization
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let answer = timeout(Duration::from_secs(4), rest(&mut socket)).await.expect("waits for the statements of others");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
