//! A closed loop of HTTP requests over kept connections. It reads just enough of HTTP to know where an answer ends, because it shares
//! the cores with what it measures.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// What a loop did.
pub(crate) struct Outcome {
    pub(crate) rate: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Writes the `n`th request.
pub(crate) type Request = Arc<dyn Fn(u64) -> String + Send + Sync>;

/// A connection to the service, kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    /// Sends a request and reads its answer: the status, and where the body begins.
    pub(crate) async fn exchange(&mut self, request: &str) -> anyhow::Result<(u16, usize)> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let mut head = None;
        loop {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the service hung up");
            if head.is_none()
                && let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")
            {
                let text = std::str::from_utf8(&self.buffer[..end])?.to_ascii_lowercase();
                let status = text.get(9..12).context("a status line")?.parse()?;
                let length = match text.split("content-length: ").nth(1) {
                    Some(rest) => Some(rest.split("\r\n").next().unwrap_or_default().parse::<usize>()?),
                    None if text.contains("transfer-encoding: chunked") => None,
                    None => Some(0),
                };
                head = Some((status, end + 4, length));
            }
            match head {
                Some((status, start, Some(length))) if self.buffer.len() >= start + length => {
                    return Ok((status, start));
                }
                Some((status, start, None)) if self.buffer.ends_with(b"\r\n0\r\n\r\n") => return Ok((status, start)),
                _ => {}
            }
        }
    }
}

impl Connection {
    /// What the last answer has from here on.
    pub(crate) fn body(&self, start: usize) -> &[u8] {
        &self.buffer[start..]
    }
}

/// One request.
pub(crate) async fn once(address: SocketAddr, request: &str) -> anyhow::Result<Reply> {
    let mut connection = Connection::open(address).await?;
    let (status, start) = connection.exchange(request).await?;
    Ok(Reply { status, body: String::from_utf8_lossy(&connection.buffer[start..]).into_owned() })
}

/// One `GET`.
pub(crate) async fn get(address: SocketAddr, path: &str, key: &str) -> anyhow::Result<Reply> {
    once(address, &head("GET", path, key, "", "")).await
}

/// The text of a request.
pub(crate) fn head(method: &str, path: &str, key: &str, headers: &str, body: &str) -> String {
    let authorization = if key.is_empty() { String::new() } else { format!("authorization: Bearer {key}\r\n") };
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n{authorization}{headers}{length}\r\n{body}")
}

/// Keeps `connections` busy for a time. Any answer that is not a success ends the bench.
pub(crate) async fn run(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    first: u64,
    request: Request,
) -> anyhow::Result<Outcome> {
    let next = Arc::new(AtomicU64::new(first));
    let began = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..connections {
        let (next, request) = (Arc::clone(&next), Arc::clone(&request));
        workers.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut times = Vec::new();
            while began.elapsed() < time {
                let text = request(next.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                let (status, start) = connection.exchange(&text).await?;
                if !(200..300).contains(&status) {
                    bail!("{status}: {text}\n{}", String::from_utf8_lossy(&connection.buffer[start..]));
                }
                times.push(sent.elapsed());
            }
            Ok(times)
        }));
    }
    let mut times = Vec::new();
    for worker in workers {
        times.extend(worker.await??);
    }
    let took = began.elapsed().as_secs_f64();
    times.sort_unstable();
    ensure!(!times.is_empty(), "no request was answered");
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let rate = times.len() as f64 / took;
    Ok(Outcome { rate, p50: times[times.len() / 2], p99: times[times.len() * 99 / 100] })
}
