//! `kill -9`: the real binary is killed at every point around a commit, and every write is sent again to the next process. Nothing happens
//! twice, nothing by half, and nothing that was acknowledged is lost.

use std::{collections::BTreeMap, net::SocketAddr, process::Stdio, sync::Mutex, time::Duration};

use futures_util::future::join_all;
use mandate::{
    access::{Role, keys},
    base::limits::Limits,
};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

use crate::support::{
    database,
    proxy::{Point, Proxy},
    service_over,
};

/// Processes killed, each with a write at every place: 203 writes are interrupted.
const KILLS: usize = 29;

/// Where a write is when its process is killed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// It is committed, but its client does not know: the process tidies up before it answers. (Only the first write of a process does.)
    Committed,
    /// It is answered.
    Answered,
    /// Its key has not reached PostgreSQL.
    Key,
    /// Its statement has not.
    Statement,
    /// Its statement is done, and the answer is on its way.
    StatementDone,
    /// The word to commit is lost.
    CommitLost,
    /// The word to commit arrives long after the process has died, while the next one already works on the same key.
    CommitLate,
    /// PostgreSQL has committed, and its answer is on its way.
    CommitDone,
}

const PLACES: [Place; 8] = [
    Place::Committed,
    Place::Answered,
    Place::Key,
    Place::Statement,
    Place::StatementDone,
    Place::CommitLost,
    Place::CommitLate,
    Place::CommitDone,
];

impl Place {
    /// The message to PostgreSQL that is stopped for a write of this name, and how.
    fn trap(self, name: &str) -> Option<(String, Point)> {
        match self {
            Self::Answered => None,
            Self::Committed => Some(("delete from idempotency_keys".into(), Point::Before)),
            Self::Key => Some((format!("key {name}").replace(' ', "-"), Point::Before)),
            Self::Statement => Some((format!("title {name}"), Point::Before)),
            Self::StatementDone => Some((format!("title {name}"), Point::After)),
            Self::CommitLost => Some(("COMMIT".into(), Point::Before)),
            Self::CommitLate => Some(("COMMIT".into(), Point::Late)),
            Self::CommitDone => Some(("COMMIT".into(), Point::After)),
        }
    }

    /// Whether the write had its effect, and so is only answered again.
    fn had_its_effect(self) -> bool {
        matches!(self, Self::Committed | Self::Answered | Self::CommitLate | Self::CommitDone)
    }
}

/// An answer that came whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    /// A header that it has.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}: {self:?}")).clone()
    }

    fn is_replayed(&self) -> bool {
        self.headers.contains_key("idempotency-replayed")
    }

    /// What does not depend on the request: a replay has this in common with the first.
    fn kept(&self) -> (u16, Vec<Option<&String>>, &str) {
        let kept = ["content-type", "etag", "location"].map(|name| self.headers.get(name));
        (self.status, kept.to_vec(), &self.body)
    }
}

/// Sends a request to this address, and reads the answer if it comes whole.
pub(crate) async fn exchange(address: SocketAddr, request: &str) -> Option<Answer> {
    let mut socket = TcpStream::connect(address).await.ok()?;
    socket.write_all(request.as_bytes()).await.ok()?;
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.ok()?;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let headers: BTreeMap<_, _> =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into())).collect();
    let whole = headers.get("content-length").is_some_and(|length| *length == body.len().to_string());
    whole.then(|| Answer { status, headers, body: body.into() })
}

/// The service as it is run.
struct Service {
    url: String,
    address: Mutex<SocketAddr>,
    authorization: String,
    strategy: Value,
}

impl Service {
    /// Starts it on a port that was free a moment ago; on another when somebody took it meanwhile.
    async fn start(&self) -> Child {
        loop {
            let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
            *self.address.lock().unwrap() = address;
            let mut child = Command::new(env!("CARGO_BIN_EXE_mandate"))
                .arg("serve")
                .env("DATABASE_URL", &self.url)
                .env("MANDATE_LISTEN", address.to_string())
                .env("MANDATE_LOG", "error")
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            while child.try_wait().unwrap().is_none() {
                if self.exchange("GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.is_some() {
                    return child;
                }
                // It answers nobody yet; asking without a pause would take the core that it starts on.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    /// Sends a request, and reads the answer if it comes whole.
    async fn exchange(&self, request: &str) -> Option<Answer> {
        let address = *self.address.lock().unwrap();
        exchange(address, request).await
    }

    /// Creates the initiative of this name, under its key.
    async fn write(&self, name: &str) -> Option<Answer> {
        let body = json!({"strategy_id": self.strategy, "code": name, "title": {"en": format!("title {name}")}});
        let (body, authorization) = (body.to_string(), &self.authorization);
        self.exchange(&format!(
            "POST /v1/initiatives HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {authorization}\r\n\
             content-type: application/json\r\nidempotency-key: key-{name}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await
    }

    /// Sends it as long as the answer says "again".
    async fn persist(&self, name: &str) -> Answer {
        loop {
            let answer = self.write(name).await.expect("the service is there");
            if answer.status == 201 {
                return answer;
            }
            assert!([409, 503].contains(&answer.status), "{name}: {answer:?}");
            assert!(answer.headers.contains_key("retry-after"), "{name}: {answer:?}");
        }
    }
}

/// Sends the write again to the next process, twice, and compares.
async fn retry(service: &Service, proxy: &Proxy, place: Place, name: String, first: Option<Answer>) {
    let name = name.as_str();
    if place == Place::CommitLate {
        // The transaction of the dead process still holds the key.
        let told = service.write(name).await.expect("the service is there");
        assert_eq!(told.status, 409, "{told:?}");
        assert!(told.body.contains("idempotency_key_in_use"), "{told:?}");
        proxy.deliver();
    }
    let again = service.persist(name).await;
    assert_eq!(again.is_replayed(), place.had_its_effect(), "{place:?} {name}");
    assert_eq!(first.is_some(), place == Place::Answered, "{place:?} {name}: {first:?}");
    if let Some(first) = first {
        assert_eq!(again.kept(), first.kept());
    }
    let replayed = service.persist(name).await;
    assert!(replayed.is_replayed());
    assert_eq!(replayed.kept(), again.kept());
}

async fn service(direct: &PgConnectOptions, proxy: &Proxy) -> Service {
    let strategy = json!({"code": "S", "title": "A strategy", "country": "XX", "kind": "strategy"});
    let client = service_over(direct.clone(), Limits::default()).await;
    let strategy = client.create("strategies", strategy).await["id"].clone();
    let mut connection = PgConnection::connect_with(direct).await.unwrap();
    let key = keys::create(&mut connection, "nightly", Role::Coordinator, None).await.unwrap();
    let through = proxy.options(direct);
    let (user, port, name) = (through.get_username(), proxy.port, through.get_database().unwrap());
    Service {
        url: format!("postgres://{user}@127.0.0.1:{port}/{name}?sslmode=disable"),
        address: Mutex::new(([127, 0, 0, 1], 0).into()),
        authorization: format!("Bearer {key}"),
        strategy,
    }
}

/// A write that is due again, with the answer that its client has got.
struct Due {
    place: Place,
    name: String,
    first: Option<Answer>,
}

/// Writes at every place in one process, which has just been started, and kills it. Meanwhile what is due is sent again.
async fn round(service: &Service, proxy: &Proxy, mut process: Child, kill: usize, due: Vec<Due>) -> Vec<Due> {
    let names = PLACES.map(|place| (place, format!("{kill:02}{place:?}")));
    let mut due = Some(due);
    let (mut stopped, mut next) = (Vec::new(), Vec::new());
    for (index, (place, name)) in names.iter().enumerate() {
        let Some((word, point)) = place.trap(name) else {
            let first = service.write(name).await;
            next.push(Due { place: *place, name: name.clone(), first });
            continue;
        };
        proxy.trap(word, point);
        let mut write = Box::pin(service.write(name));
        tokio::select! {
            answer = &mut write => panic!("{place:?} {name} was answered: {answer:?}"),
            () = proxy.caught(kill * (PLACES.len() - 1) + stopped.len() + 1) => {}
        }
        stopped.push(async move { Due { place: *place, name: name.clone(), first: write.await } });
        if index == 0 {
            // Only the first write of a process tidies up, so the others come after it.
            settle(service, proxy, due.take().unwrap_or_default()).await;
        }
    }
    process.kill().await.unwrap();
    proxy.release();
    next.extend(join_all(stopped).await);
    next
}

async fn settle(service: &Service, proxy: &Proxy, due: Vec<Due>) {
    join_all(due.into_iter().map(|due| retry(service, proxy, due.place, due.name, due.first))).await;
}

#[tokio::test]
async fn a_killed_service_does_nothing_twice_and_nothing_by_half() {
    let direct = database().await;
    let proxy = Proxy::before(&direct).await;
    let service = service(&direct, &proxy).await;
    let mut due = Vec::new();
    for kill in 0..KILLS {
        let process = service.start().await;
        due = round(&service, &proxy, process, kill, due).await;
    }
    let mut process = service.start().await;
    settle(&service, &proxy, due).await;
    process.kill().await.unwrap();
    balance(&direct).await;
}

/// The books of the database: everything once, and whole.
async fn balance(direct: &PgConnectOptions) {
    let mut connection = PgConnection::connect_with(direct).await.unwrap();
    let all = i64::try_from(KILLS * PLACES.len()).unwrap();
    for (what, expected, sql) in [
        ("initiatives", all, "select count(*) from initiatives"),
        ("different ones", all, "select count(distinct code) from initiatives"),
        ("changes of initiatives", all, "select count(*) from changes where kind = 'initiative'"),
        (
            "initiatives with exactly their change",
            all,
            "select count(*) from initiatives i join changes c on c.entity_id = i.id and c.action = 'created'
             and c.after ->> 'code' = i.code",
        ),
        ("keys", all, "select count(*) from idempotency_keys"),
        (
            "keys with their effect",
            all,
            "select count(*) from idempotency_keys k
             join initiatives i on i.id::text = convert_from(k.body, 'UTF8')::jsonb ->> 'id' and k.key = 'key-' || i.code
             where k.status = 201",
        ),
    ] {
        let found: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        assert_eq!(found, expected, "{what}");
    }
}
