//! The proof: how long after its answer a change is in the log, with sixteen writers at work; and how fast a whole log is verified without a server.

use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{
    Options,
    cases::cases,
    load::{self, Connection, head},
    median,
};

const MERGE: &str = "merge delay, 16 writers";
const VERIFY: &str = "audit verify";
const WRITERS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures both. There is nothing beside them: `pgbench` keeps no log.
pub(crate) async fn measure(options: &Options, address: SocketAddr, key: &str, url: &str) -> anyhow::Result<()> {
    if MERGE.contains(&options.only) {
        let time = Duration::from_secs(options.seconds * options.rounds as u64);
        let mut delays = delays(address, key, time).await?;
        delays.sort_unstable();
        let (p50, p99) = (delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
        println!("{MERGE:24} p50 {p50:.2?}, p99 {p99:.2?}, of {} changes", delays.len());
    }
    if VERIFY.contains(&options.only) {
        let place = tempfile::tempdir()?;
        let file = place.path().join("record.log");
        let exported = audit(&["export", &file.display().to_string(), "--database-url", url])?;
        let entries: u64 = exported.split_whitespace().find_map(|word| word.parse().ok()).context("a count")?;
        let mut times = Vec::new();
        for _ in 0..options.rounds {
            let began = Instant::now();
            audit(&["verify", &file.display().to_string()])?;
            times.push(began.elapsed().as_secs_f64());
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of entries")]
        let rate = entries as f64 / median(&mut times);
        println!("{VERIFY:24} {rate:10.0} entries/s, of {entries}");
    }
    Ok(())
}

/// Makes the key that signs the log.
pub(crate) fn make_key(path: &Path) -> anyhow::Result<()> {
    audit(&["key", "create", &path.display().to_string()]).map(drop)
}

fn audit(arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_mandate")).arg("audit").args(arguments).output()?;
    ensure!(output.status.success(), "audit {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// While the writers write, one more writes and asks for the proof of its change until there is one.
async fn delays(address: SocketAddr, key: &str, time: Duration) -> anyhow::Result<Vec<Duration>> {
    let create = cases().into_iter().find(|case| case.name == "create").context("a case that creates")?;
    let writers = tokio::spawn(load::run(address, WRITERS, time, 6_000_000_000, create.request(key, 1)));
    let request = create.request(key, 1);
    let mut connection = Connection::open(address).await?;
    let (began, mut delays) = (Instant::now(), Vec::new());
    while began.elapsed() < time {
        let (status, start) = connection.exchange(&request(7_000_000_000 + delays.len() as u64)).await?;
        ensure!(status == 201, "{status}: {}", String::from_utf8_lossy(connection.body(start)));
        let answered = Instant::now();
        let created: Value = serde_json::from_slice(connection.body(start))?;
        let id = created["id"].as_str().context("an id")?;
        let (_, start) =
            connection.exchange(&head("GET", &format!("/v1/initiatives/{id}/history"), key, "", "")).await?;
        let history: Value = serde_json::from_slice(connection.body(start))?;
        let change = history["items"][0]["id"].as_str().with_context(|| format!("a change in {history}"))?.to_owned();
        let proof = head("GET", &format!("/v1/changes/{change}/proof"), key, "", "");
        while connection.exchange(&proof).await?.0 != 200 {
            ensure!(answered.elapsed() < PATIENCE, "no proof of {change} after {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        delays.push(answered.elapsed());
    }
    writers.await??;
    ensure!(!delays.is_empty(), "nothing was written");
    Ok(delays)
}
