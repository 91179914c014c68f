//! The feed: how many changes a second its readers get by pages, and a thousand listeners of the stream together.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};

use crate::{
    Options,
    cases::cases,
    load::{self, Connection, head},
    median,
};

const PAGES: &str = "feed, pages of 200";
const STREAM: &str = "stream, 1000 listeners";
const READERS: usize = 4;
const LISTENERS: usize = 1000;
/// Connections that write while the listeners listen.
const WRITERS: usize = 4;

/// Allows as many descriptors as the system does: each listener needs one here, and one in the service.
pub(crate) fn raise_limit() -> anyhow::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    Ok(())
}

/// Measures both. There is nothing beside them: `pgbench` follows no cursor.
pub(crate) async fn measure(options: &Options, address: SocketAddr, key: &str) -> anyhow::Result<()> {
    let time = Duration::from_secs(options.seconds);
    if PAGES.contains(&options.only) {
        let mut rates = Vec::new();
        for _ in 0..options.rounds {
            rates.push(pages(address, key, time).await?);
        }
        println!("{PAGES:24} {:10.0} changes/s, {READERS} readers", median(&mut rates));
    }
    if STREAM.contains(&options.only) {
        let (mut written, mut delivered) = (Vec::new(), Vec::new());
        for round in 0..options.rounds {
            let rates = stream(address, key, time, round as u64).await?;
            written.push(rates.0);
            delivered.push(rates.1);
        }
        println!(
            "{STREAM:24} {:10.0} changes/s delivered, {:.0}/s written by {WRITERS} writers",
            median(&mut delivered),
            median(&mut written)
        );
    }
    Ok(())
}

/// Readers that follow the cursor from the first change to the last, and begin again.
async fn pages(address: SocketAddr, key: &str, time: Duration) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut readers: Vec<JoinHandle<anyhow::Result<u64>>> = Vec::new();
    for _ in 0..READERS {
        let key = key.to_owned();
        readers.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let (mut after, mut read) = (0, 0);
            while began.elapsed() < time {
                let path = format!("/v1/changes?limit=200&after={after}");
                let (status, start) = connection.exchange(&head("GET", &path, &key, "", "")).await?;
                let body = String::from_utf8_lossy(connection.body(start));
                ensure!(status == 200, "{status}: {body}");
                // Positions have no gaps, so the cursor counts.
                let next: u64 = body
                    .rsplit_once("\"next\":\"")
                    .and_then(|(_, rest)| rest.split('"').next()?.parse().ok())
                    .with_context(|| format!("a cursor in {body}"))?;
                read += next - after;
                after = if next == after { 0 } else { next };
            }
            Ok(read)
        }));
    }
    let mut read = 0;
    for reader in readers {
        read += reader.await??;
    }
    Ok(rate(read, began.elapsed()))
}

/// Changes written, and delivered to all listeners together, a second.
async fn stream(address: SocketAddr, key: &str, time: Duration, round: u64) -> anyhow::Result<(f64, f64)> {
    let delivered = Arc::new(AtomicU64::new(0));
    let request = head("GET", "/v1/changes/stream", key, "accept: text/event-stream\r\n", "");
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        let mut socket = TcpStream::connect(address).await?;
        socket.write_all(request.as_bytes()).await?;
        let mut begun = [0; 12];
        socket.read_exact(&mut begun).await?;
        ensure!(begun.ends_with(b"200"), "a listener is refused: {}", String::from_utf8_lossy(&begun));
        listeners.push(tokio::spawn(listen(socket, Arc::clone(&delivered))));
    }
    let create = cases().into_iter().find(|case| case.name == "create").context("a case that creates")?;
    let first = 5_000_000_000 + round * 10_000_000;
    let (began, before) = (Instant::now(), delivered.load(Ordering::Relaxed));
    let outcome = load::run(address, WRITERS, time, first, create.request(key, 1)).await?;
    let rate = rate(delivered.load(Ordering::Relaxed) - before, began.elapsed());
    listeners.iter().for_each(JoinHandle::abort);
    Ok((outcome.rate, rate))
}

/// Counts the events: the lines that begin with `data`.
async fn listen(mut socket: TcpStream, delivered: Arc<AtomicU64>) -> anyhow::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    let mut last = b'\n';
    loop {
        let read = socket.read(&mut buffer).await?;
        ensure!(read > 0, "the stream ended");
        let mut events = 0;
        for &byte in &buffer[..read] {
            events += u64::from(last == b'\n' && byte == b'd');
            last = byte;
        }
        delivered.fetch_add(events, Ordering::Relaxed);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of changes")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
