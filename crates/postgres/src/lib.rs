//! Launches and supervises a private, durable PostgreSQL (15 or later) as a child process.
//!
//! It is reached by a socket in the data directory and by nothing else: it listens on no network address.
//! This is not a connection pool, it knows no tables, and a PostgreSQL somebody else runs is not its concern.

mod account;
mod binaries;
mod bundle;
mod directory;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod disk_tests;
mod error;
mod lock;
mod orphan;
mod package;
mod server;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use error::{StartError, StopError};

use directory::Directory;
use lock::Lock;
use server::Recipe;

/// What the operator decides about the private PostgreSQL.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the data, the socket and the log are.
    pub data_dir: PathBuf,
    /// The directory of PostgreSQL's programs, `MANDATE_POSTGRES_BIN`; found if not given.
    pub binaries: Option<PathBuf>,
    /// Use the bundle even where PostgreSQL is installed, `MANDATE_POSTGRES_BUNDLE=1`.
    pub hide_installed: bool,
    /// Whether commits survive a loss of power. False only in tests.
    pub durable: bool,
}

/// A running PostgreSQL. Dropping it asks PostgreSQL to stop without waiting for that; `stop` waits.
#[derive(Debug)]
pub struct Cluster {
    recipe: Recipe,
    stop: Option<oneshot::Sender<()>>,
    supervisor: JoinHandle<Result<(), StopError>>,
    _lock: Lock,
}

/// Starts PostgreSQL on the data directory, setting it up the first time, and sees that database `mandate` exists.
pub async fn start(settings: &Settings) -> Result<Cluster, StartError> {
    let directory = Directory::open(&settings.data_dir)?;
    let lock = lock::take(&directory.root)?;
    directory.remove_halves();
    let data = directory.data_version()?;
    let wanted = data.as_deref().and_then(|version| version.parse().ok());
    let binaries = binaries::locate(settings, &directory.account, wanted).await?;
    match data {
        Some(data) if data != binaries.major.to_string() => {
            return Err(StartError::OtherVersion {
                directory: directory.root,
                data,
                binaries: binaries.directory,
                found: binaries.major,
            });
        }
        Some(_) => orphan::take_over(&directory.cluster()).await?,
        None => directory.initialise(&binaries, settings.durable).await?,
    }
    let recipe = Recipe { socket: directory.socket()?, directory, binaries, durable: settings.durable };
    let server = recipe.start().await?;
    make_database(&recipe).await.map_err(StartError::Database)?;
    tracing::info!(version = recipe.binaries.version, origin = recipe.binaries.origin, "PostgreSQL runs");
    let (stop, told) = oneshot::channel();
    let supervisor = tokio::spawn(recipe.clone().supervise(server, told));
    Ok(Cluster { recipe, stop: Some(stop), supervisor, _lock: lock })
}

/// How to connect to `database` of the PostgreSQL that another mandate runs on the data directory: for a guest, who neither starts nor stops it.
/// Ask after `start` has said `AlreadyRunning`.
pub fn of_another(settings: &Settings, database: &str) -> Result<PgConnectOptions, StartError> {
    Ok(server::options(&Directory::open(&settings.data_dir)?.socket_in_use()?, database))
}

async fn make_database(recipe: &Recipe) -> Result<(), sqlx::Error> {
    let mut connection: PgConnection = recipe.options("postgres").connect().await?;
    let there: bool = sqlx::query_scalar("select exists (select from pg_database where datname = 'mandate')")
        .fetch_one(&mut connection)
        .await?;
    if !there {
        // The locale is template0's: C.UTF-8, or C where the system has no C.UTF-8.
        sqlx::raw_sql("create database mandate template template0 encoding 'UTF8'").execute(&mut connection).await?;
    }
    connection.close().await
}

impl Cluster {
    /// How to connect to `database` as the superuser `mandate`.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        self.recipe.options(database)
    }

    /// Disconnects everybody, stops PostgreSQL and waits for it.
    pub async fn stop(mut self) -> Result<(), StopError> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        (&mut self.supervisor).await.unwrap_or(Err(StopError))
    }

    /// PostgreSQL's version, such as `17.2`.
    pub fn version(&self) -> &str {
        &self.recipe.binaries.version
    }

    /// Where PostgreSQL's programs are, behind any link to them.
    pub fn programs(&self) -> PathBuf {
        let directory = &self.recipe.binaries.directory;
        let program = directory.join("postgres").canonicalize().ok();
        program.as_deref().and_then(Path::parent).unwrap_or(directory).to_owned()
    }

    /// Which programs run and how they were found, for the log.
    pub fn origin(&self) -> &str {
        &self.recipe.binaries.origin
    }
}
