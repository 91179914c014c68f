//! `cargo bench`: the service over HTTP beside the same statements through `pgbench`, in one run, on 10,000 and 1,000,000 initiatives.
//!
//! Service, PostgreSQL and load share the cores, so only the ratios of one run mean anything. `-- --help` lists the options.

mod batch;
mod cases;
mod data;
mod feed;
mod iati;
mod import;
mod load;
mod pgbench;
mod proof;
mod service;
mod statements;

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use cases::{AS_OF, Case, LIST, Reader, cases};
use clap::Parser;
use mandate::access::{Role, keys};
use pgbench::Pgbench;
use service::Service;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

/// How to measure.
#[derive(Debug, Parser)]
struct Options {
    /// Initiatives of each database.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 1_000_000])]
    scales: Vec<usize>,
    /// Rounds; the medians are shown.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Only the cases whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
    /// What the import is measured with.
    #[arg(long, default_value_t = 100_000)]
    import_rows: usize,
    /// Megabytes of the files of IATI activities that are imported.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100])]
    iati_megabytes: Vec<usize>,
    /// Cargo says this.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The keys of those who ask.
struct Keys {
    admin: String,
    viewer: String,
}

impl Keys {
    fn of(&self, reader: Reader) -> &str {
        match reader {
            Reader::Admin => &self.admin,
            Reader::Viewer => &self.viewer,
        }
    }
}

/// The medians of a case.
struct Measured {
    name: &'static str,
    service: f64,
    limit: f64,
    ratio: f64,
    p50: Duration,
    p99: Duration,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&options))
}

async fn run(options: &Options) -> anyhow::Result<()> {
    feed::raise_limit()?;
    let place = tempfile::tempdir()?;
    std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let settings = mandate_postgres::Settings {
        data_dir: place.path().join("data"),
        binaries: std::env::var_os("MANDATE_POSTGRES_BIN").map(Into::into),
        hide_installed: std::env::var_os("MANDATE_POSTGRES_BUNDLE").is_some(),
        durable: true,
    };
    let cluster = mandate_postgres::start(&settings).await?;
    println!(
        "PostgreSQL {} ({}), {} cores",
        cluster.version(),
        cluster.origin(),
        std::thread::available_parallelism()?
    );
    let outcome = measure(options, &cluster, &settings.data_dir.join("postgres.log")).await;
    cluster.stop().await?;
    outcome
}

async fn measure(options: &Options, cluster: &mandate_postgres::Cluster, log: &Path) -> anyhow::Result<()> {
    let server = cluster.options("postgres");
    let mut scales: Vec<Vec<Measured>> = Vec::new();
    for &initiatives in &options.scales {
        let name = format!("plan_{initiatives}");
        let began = std::time::Instant::now();
        // The record of the smaller is as long as twenty changes of each row make it.
        let versions = if initiatives > 100_000 { 2 } else { 20 };
        let database = data::make(&server, &name, initiatives, versions).await?;
        println!("\n{initiatives} initiatives in {versions} versions (made in {:.0?})", began.elapsed());
        let measured = scale(options, cluster, &database, &name, initiatives, log).await?;
        scales.push(measured);
    }
    if let [small, .., large] = scales.as_slice() {
        println!("\ncost at {} over {}", options.scales[scales.len() - 1], options.scales[0]);
        for (small, large) in small.iter().zip(large) {
            println!("{:24} {:8.2}", small.name, small.service / large.service);
        }
    }
    if options.import_rows > 0 && "import".contains(&options.only) {
        import::measure(&server, &cluster.programs(), options.import_rows, options.rounds).await?;
    }
    if "batch".contains(&options.only) {
        batch::measure(&server, &cluster.programs(), options.rounds).await?;
    }
    if "iati".contains(&options.only) {
        iati::measure(&server, &options.iati_megabytes, options.rounds).await?;
    }
    Ok(())
}

/// Measures all cases on one database.
async fn scale(
    options: &Options,
    cluster: &mandate_postgres::Cluster,
    database: &PgConnectOptions,
    name: &str,
    rows: usize,
    log: &Path,
) -> anyhow::Result<Vec<Measured>> {
    let mut connection = PgConnection::connect_with(database).await?;
    let keys = Keys {
        admin: keys::create(&mut connection, "bench", Role::Admin, None).await?,
        viewer: keys::create(&mut connection, "reader", Role::Viewer, None).await?,
    };
    connection.close().await?;
    let socket = database.get_socket().context("a socket")?.clone();
    let url = url(&socket, name);
    let log_key = log.with_file_name(format!("{name}.key"));
    proof::make_key(&log_key)?;
    let scripts = scripts(&url, &keys, (log, &log_key), options).await?;
    let service = Service::start(&url, &log_key, 18_081, "info").await?;
    println!("start of the service on it: {:.0?}", service.started_in);
    println!("{:24} {:>10} {:>10} {:>6} {:>10} {:>10}", "", "service/s", "pgbench/s", "ratio", "p50", "p99");
    let pgbench = Pgbench { programs: &cluster.programs(), socket: &socket, database: name, rows };
    let time = Duration::from_secs(options.seconds);
    let mut all = Vec::new();
    for (index, (case, script)) in scripts.into_iter().enumerate() {
        let (mut rates, mut limits, mut ratios, mut outcomes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..options.rounds {
            settled(database).await?;
            let limit = pgbench.run(&script, case.connections, time)?;
            settled(database).await?;
            // No two loads number their requests alike: a code exists once.
            let first = ((index * options.rounds + round) as u64 + 1) * 10_000_000;
            let outcome =
                load::run(service.address, case.connections, time, first, case.request(keys.of(case.reader), rows))
                    .await?;
            rates.push(outcome.rate);
            limits.push(limit);
            ratios.push(outcome.rate / limit);
            outcomes.push(outcome);
        }
        let measured = Measured {
            name: case.name,
            service: median(&mut rates),
            limit: median(&mut limits),
            ratio: median(&mut ratios),
            p50: median(&mut outcomes.iter().map(|outcome| outcome.p50).collect::<Vec<_>>()),
            p99: median(&mut outcomes.iter().map(|outcome| outcome.p99).collect::<Vec<_>>()),
        };
        println!(
            "{:24} {:10.1} {:10.1} {:6.2} {:10.2?} {:10.2?}",
            measured.name, measured.service, measured.limit, measured.ratio, measured.p50, measured.p99
        );
        all.push(measured);
    }
    let rate = |name| all.iter().find(|measured| measured.name == name).map(|measured| measured.service);
    if let (Some(present), Some(past)) = (rate(LIST), rate(AS_OF)) {
        println!("the list as of a day costs {:.2} times the present one", present / past);
    }
    feed::measure(options, service.address, &keys.admin).await?;
    proof::measure(options, service.address, &keys.admin, &url).await?;
    service.stop()?;
    Ok(all)
}

/// Waits until what was written before has its place in the record, so that no measurement pays for the writes of another.
async fn settled(database: &PgConnectOptions) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(database).await?;
    while sqlx::query_scalar("select exists (select from changes where position is null)")
        .fetch_one(&mut connection)
        .await?
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(connection.close().await?)
}

/// The cases beside the statements that a service with a log of them sends for each.
async fn scripts(
    url: &str,
    keys: &Keys,
    (log, log_key): (&Path, &Path),
    options: &Options,
) -> anyhow::Result<Vec<(Case, String)>> {
    let spy = Service::start(&format!("{url}&options[log_statement]=all"), log_key, 18_082, "error").await?;
    let mut scripts = Vec::new();
    for mut case in cases().into_iter().filter(|case| case.name.contains(&options.only)) {
        if let Some(script) = case.beside.take() {
            scripts.push((case, script));
            continue;
        }
        let key = keys.of(case.reader);
        case.prepare(spy.address, key).await?;
        let since = statements::mark(log)?;
        let reply = load::once(spy.address, &case.sample(key)).await?;
        anyhow::ensure!((200..300).contains(&reply.status), "{}: {} {}", case.name, reply.status, reply.body);
        case.learn(&reply.body)?;
        let statements = statements::script(log, since, &case.vary)?;
        let script = case.script(&statements);
        scripts.push((case, script));
    }
    spy.stop()?;
    Ok(scripts)
}

fn url(socket: &Path, database: &str) -> String {
    let socket = socket.display().to_string().replace('/', "%2F");
    format!("postgres://mandate@localhost:5432/{database}?host={socket}&sslmode=disable")
}

/// The middle one.
pub(crate) fn median<T: PartialOrd + Copy>(values: &mut [T]) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values[values.len() / 2]
}
