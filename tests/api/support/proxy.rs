//! A way to PostgreSQL that fails on demand. It sees the bytes go by, so it can also stop one statement at the very point that a test names.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

/// What happens to what goes through.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// It goes through.
    Pass,
    /// It is held until the mode changes.
    Freeze,
    /// It goes through this much later.
    Delay(Duration),
    /// Each connection ends after so many bytes of answers.
    Cut(usize),
    /// Each connection is reset.
    Reset,
    /// Each connection stays open, and nothing goes through it ever again.
    HalfOpen,
}

/// Where a statement is stopped.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Point {
    /// It does not reach PostgreSQL.
    Before,
    /// PostgreSQL has done it; the answer does not come back.
    After,
    /// It reaches PostgreSQL, but only at `deliver`.
    Late,
}

/// A test that waits for longer waits for what does not come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// The proxy; it ends with the runtime of the test.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mode: watch::Sender<Mode>,
    traps: Mutex<Vec<(String, Point)>>,
    /// How many statements have been stopped.
    caught: watch::Sender<usize>,
    /// Counts `release`, and `deliver`.
    released: watch::Sender<usize>,
    delivered: watch::Sender<usize>,
}

impl Proxy {
    /// Listens on a port of its own, before the server of these options.
    pub(crate) async fn before(options: &PgConnectOptions) -> Self {
        let socket = options.get_socket().unwrap().join(format!(".s.PGSQL.{}", options.get_port()));
        let shared = Arc::new(Shared {
            mode: watch::Sender::new(Mode::Pass),
            traps: Mutex::default(),
            caught: watch::Sender::new(0),
            released: watch::Sender::new(0),
            delivered: watch::Sender::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(accept(listener, socket, Arc::clone(&shared)));
        Self { port, shared }
    }

    /// The same database, through the proxy.
    pub(crate) fn options(&self, direct: &PgConnectOptions) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(direct.get_username())
            .database(direct.get_database().unwrap())
            .ssl_mode(PgSslMode::Disable)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// Stops the next message to PostgreSQL that has this word in it.
    pub(crate) fn trap(&self, word: impl Into<String>, point: Point) {
        self.shared.traps.lock().unwrap().push((word.into(), point));
    }

    /// Waits until so many statements have been stopped since the start.
    pub(crate) async fn caught(&self, many: usize) {
        let mut count = self.shared.caught.subscribe();
        let caught = tokio::time::timeout(PATIENCE, count.wait_for(|caught| *caught >= many)).await;
        caught.expect("no message with that word came").unwrap();
    }

    /// Closes the connections of statements that were stopped before they were done, or after.
    pub(crate) fn release(&self) {
        self.shared.released.send_modify(|count| *count += 1);
    }

    /// Lets the late ones reach PostgreSQL, and closes their connections.
    pub(crate) fn deliver(&self) {
        self.shared.delivered.send_modify(|count| *count += 1);
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, shared: Arc<Shared>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (socket, shared) = (socket.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            client.set_nodelay(true).unwrap();
            // PostgreSQL may be away: the client sees a connection that ends at once.
            if let Ok(server) = UnixStream::connect(socket).await {
                let _ = carry(client, server, &shared).await;
            }
        });
    }
}

/// Carries one connection until either side ends it, or the mode does.
async fn carry(mut client: TcpStream, mut server: UnixStream, shared: &Shared) -> io::Result<()> {
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut mode = shared.mode.subscribe();
    let mut left = usize::MAX;
    loop {
        let now = *mode.borrow_and_update();
        match now {
            Mode::Pass | Mode::Delay(_) => left = usize::MAX,
            Mode::Cut(bytes) => left = left.min(bytes),
            Mode::Freeze => {
                let _ = mode.changed().await;
                continue;
            }
            Mode::Reset => return client.set_zero_linger(),
            Mode::HalfOpen => return std::future::pending().await,
        }
        tokio::select! {
            _ = mode.changed() => {}
            read = client.read(&mut up) => {
                let bytes = &up[..ended(read?)?];
                if let Some(point) = caught(bytes, shared) {
                    return stop(point, bytes, &mut server, shared).await;
                }
                wait(now).await;
                server.write_all(bytes).await?;
            }
            read = server.read(&mut down) => {
                let bytes = &down[..ended(read?)?];
                wait(now).await;
                client.write_all(&bytes[..bytes.len().min(left)]).await?;
                left = left.saturating_sub(bytes.len());
                if left == 0 {
                    return Ok(());
                }
            }
        }
    }
}

fn ended(read: usize) -> io::Result<usize> {
    if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
}

async fn wait(mode: Mode) {
    if let Mode::Delay(time) = mode {
        tokio::time::sleep(time).await;
    }
}

fn caught(bytes: &[u8], shared: &Shared) -> Option<Point> {
    let mut traps = shared.traps.lock().unwrap();
    let text = String::from_utf8_lossy(bytes);
    let place = traps.iter().position(|(word, _)| text.contains(word.as_str()))?;
    Some(traps.swap_remove(place).1)
}

/// Both sides stay open until the test has done what it wants to do meanwhile.
async fn stop(point: Point, bytes: &[u8], server: &mut UnixStream, shared: &Shared) -> io::Result<()> {
    let (mut released, mut delivered) = (shared.released.subscribe(), shared.delivered.subscribe());
    if point == Point::After {
        server.write_all(bytes).await?;
        server.readable().await?;
    }
    shared.caught.send_modify(|count| *count += 1);
    if point == Point::Late {
        let _ = delivered.changed().await;
        server.write_all(bytes).await?;
        // Until PostgreSQL has done it: closed at once, the connection might take it along.
        return server.readable().await;
    }
    let _ = released.changed().await;
    Ok(())
}
