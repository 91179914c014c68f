//! One running PostgreSQL: its arguments, its readiness, its end, and starting it again when it was killed.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::binaries::Binaries;
use crate::directory::Directory;
use crate::error::{StartError, StopError};

/// How long a start may go without a sign of life.
const SILENCE: Duration = Duration::from_mins(1);
/// How long a recovery that says it is under way may take.
const RECOVERY: Duration = Duration::from_mins(30);
const POLL: Duration = Duration::from_millis(30);
pub(crate) const FAST_STOP: Duration = Duration::from_secs(30);
pub(crate) const IMMEDIATE_STOP: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A PostgreSQL that ran this long was well: its next end is not counted with the last.
const WELL: Duration = Duration::from_mins(1);

/// Everything needed to start PostgreSQL, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) directory: Directory,
    pub(crate) binaries: Binaries,
    pub(crate) socket: std::path::PathBuf,
    pub(crate) durable: bool,
}

/// A child process that is asked to stop when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log_start: u64,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::INT);
    }
}

impl Server {
    /// Tokio forgets the pid of a child once it is reaped, so a signal never reaches a stranger with the same pid.
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            let _ = kill_process(pid, signal);
        }
    }

    /// Disconnects everybody and stops with a checkpoint; without one if that takes too long.
    async fn stop(&mut self) -> Result<(), StopError> {
        self.signal(Signal::INT);
        if timeout(FAST_STOP, self.child.wait()).await.is_ok() {
            return Ok(());
        }
        self.signal(Signal::QUIT);
        if timeout(IMMEDIATE_STOP, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
        Err(StopError)
    }
}

impl Recipe {
    pub(crate) fn options(&self, database: &str) -> PgConnectOptions {
        options(&self.socket, database)
    }

    pub(crate) fn spawn(&self) -> Result<Server, StartError> {
        let storage = |error| StartError::storage(&self.directory.log(), error);
        let (log, log_start) = self.directory.open_log()?;
        let program = self.binaries.directory.join("postgres");
        let mut command = self.directory.command(&program);
        command.arg("-D").arg(self.directory.cluster());
        for setting in self.settings() {
            command.arg("-c").arg(setting);
        }
        // A group of its own: Ctrl-C at the terminal reaches mandate alone, which then stops PostgreSQL in order.
        let child = command
            .process_group(0)
            .stdout(log.try_clone().map_err(storage)?)
            .stderr(log)
            .spawn()
            .map_err(|cause| StartError::Program { program, cause })?;
        Ok(Server { child, log_start })
    }

    fn settings(&self) -> Vec<OsString> {
        let switch = |name: &str| format!("{name}={}", if self.durable { "on" } else { "off" });
        let mut settings: Vec<OsString> =
            vec![switch("fsync").into(), switch("synchronous_commit").into(), switch("full_page_writes").into()];
        settings.extend(
            [
                if self.durable { "max_connections=100" } else { "max_connections=200" },
                if self.durable { "shared_buffers=256MB" } else { "shared_buffers=128MB" },
                "listen_addresses=",
                "port=5432",
                "unix_socket_permissions=0700",
                "jit=off",
                "log_destination=stderr",
                "logging_collector=off",
                // Failures are told apart by their text.
                "lc_messages=C",
                "timezone=UTC",
                "log_timezone=UTC",
            ]
            .map(OsString::from),
        );
        settings.push(socket_setting(&self.socket));
        settings
    }

    /// Starts PostgreSQL and waits until it takes connections.
    pub(crate) async fn start(&self) -> Result<Server, StartError> {
        let deadline = Instant::now() + SILENCE;
        loop {
            let mut server = self.spawn()?;
            let Some(status) = self.ready(&mut server).await? else {
                return Ok(server);
            };
            let tail = self.directory.log_since(server.log_start);
            // Processes of a killed PostgreSQL take a moment to notice; until then a new one declines to start.
            let passing = tail.contains("pre-existing shared memory block");
            if !passing || Instant::now() > deadline {
                let cluster = self.directory.cluster();
                // A disk without room for the log either lets PostgreSQL say nothing.
                if tail.is_empty() && self.directory.is_full() {
                    return Err(StartError::DiskFull { path: cluster });
                }
                return Err(StartError::storage_said(&cluster, &tail).unwrap_or(StartError::Ended {
                    status: status.to_string(),
                    log: self.directory.log(),
                    tail,
                }));
            }
            sleep(POLL).await;
        }
    }

    /// Waits for a connection: nothing if one was made, else how the process ended.
    async fn ready(&self, server: &mut Server) -> Result<Option<ExitStatus>, StartError> {
        let start = Instant::now();
        let mut deadline = start + SILENCE;
        let options = self.options("postgres");
        loop {
            let ended = server.child.try_wait();
            if let Some(status) = ended.map_err(|error| StartError::storage(&self.directory.root, error))? {
                return Ok(Some(status));
            }
            match timeout(Duration::from_secs(5), connect(&options)).await {
                Ok(Ok(())) => return Ok(None),
                // "The database system is starting up": it is replaying its log, which must not be cut short.
                Ok(Err(sqlx::Error::Database(error))) if error.code().as_deref() == Some("57P03") => {
                    deadline = (Instant::now() + SILENCE).min(start + RECOVERY);
                }
                // Any other refusal lasts.
                Ok(Err(error @ sqlx::Error::Database(_))) => return Err(StartError::Database(error)),
                _ => {}
            }
            if Instant::now() > deadline {
                let _ = server.stop().await;
                return Err(StartError::NoAnswer {
                    seconds: start.elapsed().as_secs(),
                    log: self.directory.log(),
                    tail: self.directory.log_since(server.log_start),
                });
            }
            sleep(POLL).await;
        }
    }

    /// Keeps PostgreSQL running until told to stop, or until whoever would tell is gone.
    pub(crate) async fn supervise(self, mut server: Server, mut told: oneshot::Receiver<()>) -> Result<(), StopError> {
        let mut pause = SHORTEST_PAUSE;
        let mut since = Instant::now();
        loop {
            let status = tokio::select! {
                _ = &mut told => return server.stop().await,
                status = server.child.wait() => status,
            };
            if since.elapsed() > WELL {
                pause = SHORTEST_PAUSE;
            }
            let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            tracing::warn!(%status, log = %self.directory.log().display(), "PostgreSQL ended; starting it again");
            loop {
                if timeout(pause, &mut told).await.is_ok() {
                    return Ok(());
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                match self.spawn() {
                    Ok(again) => {
                        server = again;
                        break;
                    }
                    Err(error) => tracing::error!(%error, "PostgreSQL does not start"),
                }
            }
            since = Instant::now();
        }
    }
}

/// How to connect to a database by the socket in this directory.
pub(crate) fn options(socket: &Path, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .port(5432)
        .username("mandate")
        .database(database)
        .ssl_mode(sqlx::postgres::PgSslMode::Disable)
        .application_name("mandate")
}

async fn connect(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let connection: PgConnection = options.connect().await?;
    connection.close().await
}

/// The setting is a list, in which a quoted name may hold commas and blanks.
fn socket_setting(path: &Path) -> OsString {
    let mut setting = b"unix_socket_directories=\"".to_vec();
    for byte in path.as_os_str().as_bytes() {
        if *byte == b'"' {
            setting.push(b'"');
        }
        setting.push(*byte);
    }
    setting.push(b'"');
    OsString::from_vec(setting)
}
