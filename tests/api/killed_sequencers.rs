//! `kill -9` of the processes that give positions and sign the log, again and again, while others write: no gap, no double, nothing missing.

use std::{
    collections::BTreeSet,
    fs::File,
    io::BufReader,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mandate::{access::Role, base::limits::Limits, record::proof::export::export};
use mandate_tlog::verify::{Evidence, receipt, verify};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::watch,
};
use uuid::Uuid;

use crate::{
    crashes::exchange,
    support::{database, log_key, service_over, silent_key},
};

/// Processes killed.
const KILLS: usize = 24;
/// Writes that are acknowledged between two kills. Few: a process that has started anew shall be in the middle of its first rounds.
const BETWEEN: usize = 6;
const WRITERS: usize = 4;
/// Changes of one transaction, so that a round is not over in a moment.
const AT_ONCE: i64 = 700;

/// Two services over one database.
struct Pair {
    url: String,
    key: std::path::PathBuf,
    authorization: String,
    addresses: [Mutex<SocketAddr>; 2],
    /// What was acknowledged: the id of the entity, and the receipt.
    acknowledged: Mutex<Vec<(Uuid, String)>>,
    count: watch::Sender<usize>,
    ended: AtomicBool,
}

impl Pair {
    async fn new(options: &PgConnectOptions, key: &Path) -> Self {
        let mut connection = PgConnection::connect_with(options).await.unwrap();
        let bearer = silent_key(&mut connection, "writer", Role::Coordinator).await;
        let nowhere = || Mutex::new(([127, 0, 0, 1], 1).into());
        Self {
            url: options.to_url_lossy().to_string(),
            key: key.to_owned(),
            authorization: format!("Bearer {bearer}"),
            addresses: [nowhere(), nowhere()],
            acknowledged: Mutex::default(),
            count: watch::Sender::new(0),
            ended: AtomicBool::new(false),
        }
    }

    async fn start(&self, place: usize) -> Child {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        *self.addresses[place].lock().unwrap() = address;
        Command::new(env!("CARGO_BIN_EXE_mandate"))
            .arg("serve")
            .env("DATABASE_URL", &self.url)
            .env("MANDATE_LOG_KEY", &self.key)
            .env("MANDATE_LISTEN", address.to_string())
            .env("MANDATE_LOG", "error")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Creates one entity after the other, each sent again to the other service until one acknowledges it.
    async fn write(&self, writer: usize) {
        for turn in 0.. {
            let body = json!({"name": {"en": format!("{writer} {turn}")}, "kind": "agency"}).to_string();
            let request = format!(
                "POST /v1/entities HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
                 idempotency-key: {writer}-{turn}\r\ncontent-length: {}\r\n\r\n{body}",
                self.authorization,
                body.len()
            );
            for place in (0..2).cycle().skip(turn) {
                if self.ended.load(Ordering::Relaxed) {
                    return;
                }
                let address = *self.addresses[place].lock().unwrap();
                match exchange(address, &request).await {
                    Some(answer) if answer.status == 201 => {
                        let made: Value = serde_json::from_str(&answer.body).unwrap();
                        let id = made["id"].as_str().unwrap().parse().unwrap();
                        self.acknowledged.lock().unwrap().push((id, answer.header("mandate-receipt")));
                        self.count.send_modify(|count| *count += 1);
                        break;
                    }
                    Some(answer) => assert!([409, 503].contains(&answer.status), "{answer:?}"),
                    // It is dead or starts; asking without a pause would take the core that it starts on.
                    None => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        }
    }

    /// Writes many changes at once, as an import does; the number of them.
    async fn import(&self, options: &PgConnectOptions) -> i64 {
        let mut connection = PgConnection::connect_with(options).await.unwrap();
        let insert = "insert into changes (kind, entity_id, version, action, actor, request_id, after)
                      select 'entity', id, 1, 'created', 'key:x', 'r', jsonb_build_object('id', id, 'version', 1, 'created_at', now(),
                          'updated_at', now(), 'name', '{}'::jsonb, 'kind', 'agency')
                      from (select gen_random_uuid() as id from generate_series(1, $1)) new";
        let mut written = 0;
        let mut count = self.count.subscribe();
        while !self.ended.load(Ordering::Relaxed) {
            sqlx::query(insert).bind(AT_ONCE).execute(&mut connection).await.unwrap();
            written += AT_ONCE;
            count.changed().await.unwrap();
        }
        written
    }

    /// Kills one service after the other, whatever it is doing, and starts it again.
    async fn kill(&self) {
        let mut processes = [self.start(0).await, self.start(1).await];
        let mut count = self.count.subscribe();
        for kill in 0..KILLS {
            let before = *count.borrow_and_update();
            count.wait_for(|count| *count >= before + BETWEEN).await.unwrap();
            processes[kill % 2].kill().await.unwrap();
            processes[kill % 2] = self.start(kill % 2).await;
        }
        self.ended.store(true, Ordering::Relaxed);
        self.count.send_modify(|count| *count += 1);
        for mut process in processes {
            process.kill().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_sequencers_leave_no_gap_no_double_and_nothing_out() {
    let options = database().await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, log_key().to_file()).unwrap();
    let pair = Pair::new(&options, &key).await;
    let writers = futures_util::future::join_all((0..WRITERS).map(|writer| pair.write(writer)));
    let (imported, _, ()) = tokio::join!(pair.import(&options), writers, pair.kill());
    let acknowledged = pair.acknowledged.into_inner().unwrap();

    // One more sequencer brings it to an end.
    let _client = service_over(options.clone(), Limits::default()).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let all: i64 = sqlx::query_scalar("select count(*) from changes").fetch_one(&mut connection).await.unwrap();
    while sqlx::query_scalar::<_, i64>("select size from proof_head").fetch_one(&mut connection).await.unwrap() < all {
        tokio::task::yield_now().await;
    }
    let (dense, versions, written): (bool, i64, i64) = sqlx::query_as(
        "select min(position) = 1 and max(position) = count(*) and count(distinct position) = count(*)
                and (select h.position from record_head h) = count(*),
             (select count(*) from as_of.entities_versions), (select count(*) from entities)
         from changes",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert!(dense);
    assert_eq!((all, versions), (imported + written, imported + written));
    // What was acknowledged is there, once, and its receipt is honoured. What was not may be there too.
    let there: Vec<Uuid> = sqlx::query_scalar("select id from entities").fetch_all(&mut connection).await.unwrap();
    let there: BTreeSet<Uuid> = there.into_iter().collect();
    assert!(acknowledged.len() >= KILLS * BETWEEN && acknowledged.iter().all(|(id, _)| there.contains(id)));
    assert!(there.len() <= acknowledged.len() + WRITERS, "{} of {}", there.len(), acknowledged.len());
    let file = folder.path().join("log");
    export(&mut connection, &file).await.unwrap();
    let receipts = acknowledged.iter().map(|(_, text)| receipt(text).unwrap()).collect();
    let evidence = Evidence { keys: vec![log_key().verifier()], since: Vec::new(), receipts };
    let proven = verify(BufReader::new(File::open(&file).unwrap()), &evidence).unwrap();
    assert_eq!(i64::try_from(proven.checkpoint.size).unwrap(), all);
}
