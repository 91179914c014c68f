//! The database of the service: given by DATABASE_URL, or private; brought to the newest schema.

use std::{path::PathBuf, str::FromStr as _, time::Duration};

use anyhow::{Context as _, bail};
use chrono::NaiveDate;
use sqlx::{
    Connection as _, PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};

use crate::{
    config::Settings,
    postgres::{self, Cluster},
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
    cluster: Option<Cluster>,
}

/// With the days and fiscal years of the service.
fn calendar(options: PgConnectOptions, settings: &Settings) -> PgConnectOptions {
    repository::in_fiscal_year(repository::in_time_zone(options, settings.timezone.name()), settings.fiscal_year_start)
}

impl Database {
    /// Opens the database that the settings name, starting the private PostgreSQL if they name none.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        if let Some(url) = &settings.database_url {
            let options = PgConnectOptions::from_str(url)
                .context("DATABASE_URL is not understood; write postgres://user:password@host:5432/database")?;
            return Ok(Self { options: calendar(options, settings), cluster: None });
        }
        Self::private(settings, settings.data_dir(), true).await
    }

    /// A private database in a folder that nobody will need again; it does not wait for the disk.
    pub async fn throwaway(settings: &Settings, folder: PathBuf) -> anyhow::Result<Self> {
        Self::private(settings, folder, false).await
    }

    async fn private(settings: &Settings, data_dir: PathBuf, durable: bool) -> anyhow::Result<Self> {
        let private = postgres::Settings {
            data_dir,
            binaries: settings.postgres_bin.clone(),
            hide_installed: settings.postgres_bundle,
            durable,
        };
        let cluster = postgres::start(&private).await?;
        let options = calendar(cluster.options("mandate"), settings);
        Ok(Self { options, cluster: Some(cluster) })
    }

    /// What it is, in words.
    pub fn describe(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("private PostgreSQL {} ({})", cluster.version(), cluster.origin()),
            None => format!("PostgreSQL at {}:{}", self.options.get_host(), self.options.get_port()),
        }
    }

    /// One connection.
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        let place = format!("{}:{}", self.options.get_host(), self.options.get_port());
        match tokio::time::timeout(CONNECT_TIME, PgConnection::connect_with(&self.options)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => bail!("cannot connect to the database at {place}: {error}; is DATABASE_URL right?"),
            Err(_) => bail!(
                "the database at {place} did not answer within {} s; is DATABASE_URL right?",
                CONNECT_TIME.as_secs()
            ),
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

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        let mut connection = self.connect().await?;
        let number: String = sqlx::query_scalar("show server_version_num").fetch_one(&mut connection).await?;
        if number.parse::<u32>().unwrap_or_default() < 150_000 {
            bail!("this PostgreSQL is too old ({number}); Mandate needs 15 or newer");
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
        if let Some(cluster) = self.cluster {
            cluster.stop().await?;
        }
        Ok(())
    }
}
