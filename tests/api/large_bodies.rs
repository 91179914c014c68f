//! The worst bodies, at a process of its own: what they take of its memory, and whether it still answers others meanwhile.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use mandate::access::Role;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};

use crate::support::{database, silent_key};

const MIB: usize = 1 << 20;
/// What a request may take beyond its body, and what may be left of all of them.
const ROOM: usize = 64 * MIB;
/// Requests at once.
const AT_ONCE: usize = 8;
/// For a machine that is busy with other tests, in a build that is not optimized.
const PATIENCE: Duration = Duration::from_mins(3);
const ALIVE: Duration = Duration::from_secs(10);

/// A running service.
struct Service {
    child: Child,
    address: SocketAddr,
    key: String,
}

/// A body, where it is sent, and how it is answered.
struct Worst {
    what: &'static str,
    path: &'static str,
    kind: &'static str,
    body: Arc<Vec<u8>>,
    status: u16,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    async fn start() -> Self {
        let options = database().await;
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        let key = silent_key(&mut connection, "soak", Role::Admin).await;
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_mandate"))
            .arg("serve")
            .env("DATABASE_URL", options.to_url_lossy().as_str())
            .env("MANDATE_LISTEN", address.to_string())
            .env("MANDATE_LOG", "off")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let service = Self { child, address, key };
        let is_up = async {
            while TcpStream::connect(address).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, is_up).await.unwrap();
        service
    }

    /// A figure of the kernel about the process, in bytes.
    fn figure(&self, name: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }

    fn resident(&self) -> usize {
        self.figure("VmRSS")
    }

    /// The most that was resident since `forget`.
    fn peak(&self) -> usize {
        self.figure("VmHWM")
    }

    fn forget(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    /// Sends a request over a connection of its own.
    async fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
        let asked = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: mandate\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
                 content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
                self.key,
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        let answer = timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("{method} {path} is not answered"));
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("{method} {path}: {answer}")), answer)
    }

    async fn post(&self, worst: &Worst) {
        let (status, answer) = self.ask("POST", worst.path, worst.kind, &worst.body).await;
        let shown: String = answer.chars().take(1500).collect();
        assert_eq!(status, worst.status, "{}: {shown}", worst.what);
    }

    /// Asks for a sign of life again and again, until it is enough; returns how long each took.
    async fn alive(&self, mut enough: watch::Receiver<bool>) -> Vec<Duration> {
        let mut times = Vec::new();
        while !*enough.borrow_and_update() {
            let began = Instant::now();
            let (status, _) =
                timeout(ALIVE, self.ask("GET", "/livez", "text/plain", b"")).await.expect("it holds its breath");
            assert_eq!(status, 200);
            times.push(began.elapsed());
            sleep(Duration::from_millis(5)).await;
        }
        times
    }
}

/// `open`, so many times `item`, and `close`.
fn filled(open: &str, item: &str, bytes: usize, close: &str) -> Vec<u8> {
    let count = bytes.saturating_sub(open.len() + close.len() + item.len()) / item.len();
    [open, &item.repeat(count), item.trim_end_matches(','), close].concat().into_bytes()
}

fn plan(section: &str, item: &str, bytes: usize) -> Vec<u8> {
    filled(&format!("{{\"format\":\"mandate-plan/1\",\"{section}\":["), item, bytes, "]}")
}

const BATCH: &str = "/v1/measurement-batches";
const IMPORT: &str = "/v1/imports";
const TABLE: &str = "/v1/imports?strategy_id=external:s&map=code%3D%22Nr%22%2Ctitle%3D%22T%22%2Clead%3D%22L%22";
const RATES: &str = "/v1/imports/exchange-rates";
const IATI: &str = "/v1/imports/iati?direction=given";
const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const XML: &str = "application/xml";

fn worst_bodies() -> Vec<Worst> {
    let items = |item: &str| filled("{\"items\":[", item, 4 * MIB - 64, "]}");
    let fields = |name: &str, item: &str, bytes: usize| filled(&format!("{{\"{name}\":["), item, bytes, "]}");
    let wide = (0..900).map(|n| format!("disaggregation.d{n}")).collect::<Vec<_>>().join(",");
    let wide = format!("indicator_id,{wide}\n{}", format!("x{}\n", ",y".repeat(900)).repeat(3 * MIB / 1802));
    let names = (0..400_000).map(|n| format!("b{n}")).collect::<Vec<_>>().join(";");
    let cells: String =
        names.as_bytes().chunks(200_000).enumerate().fold(String::from("Nr,T,L\n"), |table, (row, cell)| {
            format!("{table}{row},t,{}\n", String::from_utf8_lossy(cell))
        });
    let long = format!("{{\"code\":\"{}\"}},", "\\u0103".repeat(2500));
    let activity = "<iati-activity><iati-identifier>XM-1-1</iati-identifier></iati-activity>";
    let rates = format!("Date{}\n", ",USD".repeat(1000)) + &format!("2024-10-18{}\n", ",1".repeat(1000)).repeat(1500);
    let bnr = "<Rate currency=\"EUR\">1</Rate>";
    let bodies: Vec<(&str, &str, &str, Vec<u8>, u16)> = vec![
        ("zeros in a batch", BATCH, JSON, items("0,"), 413),
        ("lists in a batch", BATCH, JSON, items("[0],"), 413),
        ("objects in a batch", BATCH, JSON, items("{\"a\":0},"), 413),
        (
            "wrong rows in a batch",
            BATCH,
            JSON,
            filled("{\"items\":[", "{\"a\":1,\"b\":2,\"c\":{}},", 200_000, "]}"),
            422,
        ),
        ("a batch in CSV of tiny rows", BATCH, CSV, filled("indicator_id\n", "x\n", 4 * MIB, ""), 422),
        ("a batch in CSV of many cells", BATCH, CSV, wide.into_bytes(), 422),
        ("more rows of a plan than are taken", IMPORT, JSON, plan("steps", "{},", 4 * MIB), 413),
        ("a plan of wrong rows", IMPORT, JSON, plan("steps", "{},", 300_000), 422),
        (
            "one row of zeros",
            IMPORT,
            JSON,
            filled("{\"format\":\"mandate-plan/1\",\"steps\":[{\"a\":[", "0,", 4 * MIB, "]}]}"),
            422,
        ),
        ("a plan that goes deep", IMPORT, JSON, plan("steps", "[", 4 * MIB), 400),
        ("long words in escapes", IMPORT, JSON, plan("steps", &long, 4 * MIB), 422),
        ("rows that are judged together", IMPORT, JSON, plan("budget_movements", "{\"a\":[0,0,0,0,0]},", 4 * MIB), 413),
        ("a table of many rows", TABLE, CSV, filled("Nr,T,L\n", "1,a,b\n", 3 * MIB - 64, ""), 422),
        ("a table of many bodies", TABLE, CSV, cells.into_bytes(), 422),
        ("many rates", RATES, CSV, rates.into_bytes(), 400),
        (
            "many rates of the other bank",
            RATES,
            XML,
            filled(
                "<DataSet><Body><OrigCurrency>RON</OrigCurrency><Cube date=\"2024-10-18\">",
                bnr,
                3 * MIB - 64,
                "</Cube>",
            ),
            400,
        ),
        (
            "activities",
            IATI,
            XML,
            filled("<iati-activities version=\"2.03\">", activity, 4 * MIB, "</iati-activities>"),
            422,
        ),
        (
            "one large activity",
            IATI,
            XML,
            filled(
                "<iati-activities version=\"2.03\"><iati-activity>",
                "<title/>",
                4 * MIB,
                "</iati-activity></iati-activities>",
            ),
            422,
        ),
        ("zeros in a noun", "/v1/contributions", JSON, fields("budgets", "0,", MIB - 64), 413),
        ("lists in a noun", "/v1/contributions", JSON, fields("budgets", "[[]],", MIB - 64), 413),
        ("wrong objects in a noun", "/v1/contributions", JSON, fields("budgets", "{},", 58_000), 422),
        ("depth in a noun", "/v1/contributions", JSON, vec![b'['; MIB - 64], 400),
        ("one long word", "/v1/entities", JSON, filled("{\"name\":\"", "a", MIB - 64, "\"}"), 422),
        ("one long number", "/v1/entities", JSON, filled("{\"name\":", "1", MIB - 64, "}"), 400),
        (
            "wrong steps of reports",
            "/v1/progress-report-batches",
            JSON,
            filled("{\"items\":[", "{\"a\":{},\"b\":[]},", 8000, "]}"),
            422,
        ),
        ("resources of a webhook", "/v1/webhooks", JSON, fields("resource_ids", "\"\",", MIB - 64), 413),
        ("scopes of a key", "/v1/api-keys", JSON, fields("scopes", "{},", MIB - 64), 413),
    ];
    let worst = |(what, path, kind, body, status)| Worst { what, path, kind, body: Arc::new(body), status };
    bodies.into_iter().map(worst).collect()
}

/// Small requests of all kinds, after which all is loaded that is loaded once.
async fn warm(service: &Service) {
    let strategy: Value = json!({"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"});
    service.ask("POST", "/v1/strategies", JSON, strategy.to_string().as_bytes()).await;
    for worst in worst_bodies() {
        service.ask("POST", worst.path, worst.kind, b"{}").await;
    }
    for path in ["/openapi.json", "/nowhere", "/metrics"] {
        service.ask("GET", path, JSON, b"").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_bodies_take_no_more_than_their_room_and_others_are_answered() {
    let service = Service::start().await;
    warm(&service).await;
    let bodies = worst_bodies();
    let start = service.resident();
    let mut told = Vec::new();
    for worst in &bodies {
        let before = service.resident();
        service.forget();
        service.post(worst).await;
        let taken = service.peak().saturating_sub(before);
        told.push(format!(
            "{:>4} MiB beyond {:>2} MiB: {}",
            taken.saturating_sub(worst.body.len()) / MIB,
            worst.body.len() / MIB,
            worst.what
        ));
        assert!(taken <= ROOM + worst.body.len(), "{}: {} MiB\n{}", worst.what, taken / MIB, told.join("\n"));
    }
    println!("{}", told.join("\n"));
    let (end, enough) = watch::channel(false);
    let all = async {
        for eight in bodies.chunks(AT_ONCE) {
            let before = service.resident();
            service.forget();
            join_all(eight.iter().map(|worst| service.post(worst))).await;
            let taken = service.peak().saturating_sub(before);
            let room: usize = eight.iter().map(|worst| worst.body.len() + ROOM).sum();
            assert!(taken <= room, "{} MiB of {}", taken / MIB, room / MIB);
            println!("{} MiB with eight at a time", taken / MIB);
        }
        end.send_replace(true);
    };
    let ((), mut times) = tokio::join!(all, service.alive(enough));
    times.sort_unstable();
    println!("/livez: p99 {:?} of {}", times[times.len() * 99 / 100], times.len());
    let settled = async {
        while service.resident() > start + ROOM {
            service.ask("GET", "/livez", JSON, b"").await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    let is_settled = timeout(PATIENCE, settled).await.is_ok();
    assert!(is_settled, "{} MiB at the start, {} MiB after it", start / MIB, service.resident() / MIB);
    println!("{} MiB at the start, {} MiB after it", start / MIB, service.resident() / MIB);
}
