//! The database of the service: given by DATABASE_URL, or private; brought to the newest schema.

use std::{path::PathBuf, str::FromStr as _, time::Duration};

use anyhow::{Context as _, bail};
use chrono::NaiveDate;
use mandate_postgres::{Cluster, StartError};
use sqlx::{
    Connection as _, PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};

use crate::{
    cli::config::Settings,
    repository::{self, Pool},
};

/// The migrations, embedded in the binary.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// PostgreSQL may take so long to accept a connection when the service starts.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// A database that is ready to use.
pub struct Database {
    /// How to reach it; every connection is in the time zone and the fiscal year of the service.
    pub options: PgConnectOptions,
    server: Server,
}

/// Whose the server is.
enum Server {
    /// Somebody's, named by DATABASE_URL.
    Given,
    /// The private one, run by this process.
    Own(Box<Cluster>),
    /// The private one, run by another mandate.
    OfAnother,
}

/// With the days and fiscal years of the service.
fn calendar(options: PgConnectOptions, settings: &Settings) -> PgConnectOptions {
    let options = repository::in_time_zone(options, settings.timezone.name());
    repository::in_fiscal_year(options, settings.fiscal_year_start, settings.fiscal_year_name.word())
}

impl Database {
    /// Opens the database that the settings name, starting the private PostgreSQL if they name none. When another mandate runs that already, a
    /// `guest` uses it as it is.
    pub async fn open(settings: &Settings, guest: bool) -> anyhow::Result<Self> {
        if let Some(url) = &settings.database_url {
            let options = PgConnectOptions::from_str(url)
                .context("DATABASE_URL is not understood; write postgres://user:password@host:5432/database")?;
            return Ok(Self { options: calendar(options, settings), server: Server::Given });
        }
        Self::private(settings, settings.data_dir(), true, guest).await
    }

    /// A private database in a folder that nobody will need again; it does not wait for the disk.
    pub async fn throwaway(settings: &Settings, folder: PathBuf) -> anyhow::Result<Self> {
        Self::private(settings, folder, false, false).await
    }

    async fn private(settings: &Settings, data_dir: PathBuf, durable: bool, guest: bool) -> anyhow::Result<Self> {
        let private = mandate_postgres::Settings {
            data_dir,
            binaries: settings.postgres_bin.clone(),
            hide_installed: settings.postgres_bundle,
            durable,
        };
        let (options, server) = match mandate_postgres::start(&private).await {
            Ok(cluster) => (cluster.options("mandate"), Server::Own(Box::new(cluster))),
            Err(StartError::AlreadyRunning { .. }) if guest => {
                (mandate_postgres::of_another(&private, "mandate")?, Server::OfAnother)
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self { options: calendar(options, settings), server })
    }

    /// What it is, in words.
    pub fn describe(&self) -> String {
        match &self.server {
            Server::Own(cluster) => format!("private PostgreSQL {} ({})", cluster.version(), cluster.origin()),
            Server::OfAnother => "private PostgreSQL of the mandate that is running".into(),
            Server::Given => format!("PostgreSQL at {}:{}", self.options.get_host(), self.options.get_port()),
        }
    }

    /// One connection.
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        let (place, hint) = match &self.server {
            Server::OfAnother => ("of the mandate that is running".into(), "it starts or stops just now; try again"),
            _ => (format!("at {}:{}", self.options.get_host(), self.options.get_port()), "is DATABASE_URL right?"),
        };
        match tokio::time::timeout(CONNECT_TIME, PgConnection::connect_with(&self.options)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => bail!("cannot connect to the database {place}: {error}; {hint}"),
            Err(_) => bail!("the database {place} did not answer within {} s; {hint}", CONNECT_TIME.as_secs()),
        }
    }

    /// A pool of connections.
    pub fn pool(&self, settings: &Settings) -> anyhow::Result<Pool> {
        Ok(repository::connect(self.options.clone(), settings.connections.into(), settings.limits())?)
    }

    /// The day it is in the time zone of the service.
    pub async fn today(&self) -> anyhow::Result<NaiveDate> {
        let mut connection = self.connect().await?;
        let today = sqlx::query_scalar("select today()").fetch_one(&mut connection).await;
        today.context(
            "PostgreSQL does not know the day in the zone of MANDATE_TIMEZONE; give one such as Europe/Bucharest",
        )
    }

    /// Brings the schema up to date. A guest only looks whether it is: the service that is running knows no other.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        let mut connection = self.connect().await?;
        let number: String = sqlx::query_scalar("show server_version_num").fetch_one(&mut connection).await?;
        if number.parse::<u32>().unwrap_or_default() < 150_000 {
            bail!("this PostgreSQL is too old ({number}); Mandate needs 15 or newer");
        }
        if matches!(self.server, Server::OfAnother) {
            return up_to_date(&mut connection).await;
        }
        match MIGRATOR.run(&mut connection).await {
            Err(MigrateError::ExecuteMigration(sqlx::Error::Database(error), _))
                if error.code().as_deref() == Some("42501") =>
            {
                bail!(
                    "the role in DATABASE_URL may not set up the schema: {}; let the owner of the database run \
                     `create extension if not exists unaccent` in it and `grant create on schema public` to the role, or use the owner's role",
                    error.message()
                )
            }
            outcome => outcome.context("cannot bring the schema up to date"),
        }
    }

    /// Stops the private PostgreSQL, if there is one.
    pub async fn close(self) -> anyhow::Result<()> {
        if let Server::Own(cluster) = self.server {
            cluster.stop().await?;
        }
        Ok(())
    }
}

async fn up_to_date(connection: &mut PgConnection) -> anyhow::Result<()> {
    let wanted: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    let found = sqlx::query_scalar("select version from _sqlx_migrations where success order by version");
    let found: Vec<i64> = found
        .fetch_all(connection)
        .await
        .context("the mandate that is running has not made its schema yet; try again")?;
    if found != wanted {
        bail!("the mandate that is running is of another version; use its program, or stop it first");
    }
    Ok(())
}
