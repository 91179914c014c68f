//! The command line: settings, commands, and the service as a process.

pub mod audit;
pub mod check;
pub mod config;
pub mod database;
pub mod demo;
mod iati;
mod proof;
pub mod serve;
pub mod transfer;

use std::process::ExitCode;

use crate::{
    access::{
        entity,
        keys::{self, NewKey, Wanted},
        oidc::{Issuer, Patience},
        role::Scopes,
    },
    app::{App, layered},
    base::values::{Country, characters::shown, use_country, use_languages},
    nouns::plan::deadlines::{self, Calendar},
    proposals,
    record::{
        Record,
        misfits::{self, Misfit},
    },
    repository::Author,
    router, say,
};
use anyhow::Context as _;
use clap::Parser as _;
use config::{Cli, Command, KeyCommand, Settings};
use database::Database;
use tracing_subscriber::EnvFilter;

/// Reads the settings and does what the command line says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Audit(command) = &cli.command
        && let Some(code) = audit::command::offline(command, &cli.settings.log_origin)
    {
        return code;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("mandate: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Of a check 1 means that something was found.
    let failure = if matches!(cli.command, Command::Check(_)) { ExitCode::from(2) } else { ExitCode::FAILURE };
    runtime.block_on(run(cli)).unwrap_or_else(|error| {
        eprintln!("mandate: {}", shown(&format!("{error:#}")));
        failure
    })
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let settings = cli.settings;
    use_country(Country(settings.country.clone()));
    use_languages(settings.languages.clone());
    let (fiscal_year_start, fiscal_year_name) = (settings.fiscal_year_start, settings.fiscal_year_name);
    deadlines::use_calendar(Calendar { fiscal_year_start, fiscal_year_name });
    if let Command::Openapi = cli.command {
        say!("{}", serde_json::to_string_pretty(&router::document())?);
        return Ok(ExitCode::SUCCESS);
    }
    let default = if matches!(cli.command, Command::Serve) { settings.log.as_str() } else { "warn" };
    let filter = EnvFilter::try_new(default)
        .with_context(|| format!("MANDATE_LOG is `{default}`; write it as `info` or `mandate=debug,warn`"))?;
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    if let Command::Check(arguments) = &cli.command {
        return check::check(arguments, &settings).await;
    }
    let listener = match cli.command {
        Command::Serve | Command::Demo => Some(serve::listen(settings.listen).await?),
        _ => None,
    };
    let issuer = settings.oidc.config()?.map(|config| Issuer::new(config, Patience::default()));
    let guest = !matches!(cli.command, Command::Serve | Command::Demo | Command::Migrate);
    let database = Database::open(&settings, guest).await?;
    let outcome = perform(&cli.command, &settings, issuer, &database, listener).await;
    database.close().await?;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn perform(
    command: &Command,
    settings: &Settings,
    issuer: Option<Issuer>,
    database: &Database,
    listener: Option<tokio::net::TcpListener>,
) -> anyhow::Result<()> {
    database.migrate().await?;
    let today = database.today().await?;
    match command {
        Command::Serve => {
            tracing::info!(address = %settings.listen, database = database.describe(), "serving");
        }
        Command::Demo => demo::prepare(settings, database).await?,
        Command::Migrate => say!("the schema is up to date ({})", database.describe()),
        Command::Key(command) => return key(command, database).await,
        Command::Import(arguments) => {
            return transfer::import(&mut database.connect().await?, arguments, settings).await;
        }
        Command::Export(arguments) => {
            return transfer::export(&mut database.connect().await?, arguments, settings).await;
        }
        Command::Audit(command) => {
            return proof::perform(command, settings, &mut database.connect().await?).await;
        }
        Command::Doctor => {
            say!("database: {} answers, schema up to date", database.describe());
            say!(
                "country {}, languages {}, currency of imported tables {}, time zone {} (today is {today})",
                settings.country,
                settings.languages.join(","),
                settings.currency,
                settings.timezone
            );
            let acts = proposals::in_force(&mut database.connect().await?).await?;
            say!("acts that need a second principal: {}", proposals::told(&acts));
            let given = proposals::told(&settings.four_eyes);
            if given != proposals::told(&acts) {
                say!("  MANDATE_FOUR_EYES is {given} here; it counts for a service that starts");
            }
            say!("{}", settings.edge);
            match &issuer {
                None => say!("tokens: none are taken (MANDATE_OIDC_ISSUER is not set)"),
                Some(issuer) => match issuer.check().await {
                    Ok(found) => say!("tokens: {issuer}; {found}"),
                    Err(why) => anyhow::bail!("tokens: {issuer}; {why}"),
                },
            }
            fits(&misfits::list(&mut database.connect().await?).await?)?;
        }
        Command::Openapi | Command::Check(_) => {}
    }
    if let Some(listener) = listener {
        proposals::put_in_force(&mut database.connect().await?, &settings.four_eyes).await?;
        let signal = serve::stop_signal().context("signals cannot be caught")?;
        let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?;
        tokio::spawn(upkeep(metrics.clone()));
        let app = App::new(database.pool(settings)?, Some(metrics))
            .with_currency(&settings.currency)
            .with_iati(settings.iati.clone())
            .with_egress(settings.webhook_allow.clone().into())
            .with_record(record(settings)?)
            .with_public(settings.public)
            .with_document_limit(usize::from(settings.document_limit) << 20)
            .with_edge((&settings.edge).into())
            .with_issuer(issuer);
        app.issuer.iter().for_each(Issuer::start);
        let limits = settings.limits();
        let (sequencer, record) = (app.start_sequencer(), app.record.clone());
        let dispatcher = app.start_dispatcher();
        let stop = async move {
            signal.await;
            record.drain();
        };
        serve::serve(listener, layered(router::routes(), app, limits), limits, stop).await;
        dispatcher.stop().await;
        sequencer.stop().await;
    }
    Ok(())
}

/// Sums up what was measured. Without it each request would stay in memory until somebody reads `/metrics`, which nobody may ever do.
async fn upkeep(metrics: metrics_exporter_prometheus::PrometheusHandle) {
    let mut interval = tokio::time::interval(std::time::Duration::from_secs(5));
    loop {
        interval.tick().await;
        metrics.run_upkeep();
    }
}

/// Says which changes are in no past.
fn fits(misfits: &[Misfit]) -> anyhow::Result<()> {
    for Misfit { position, id, kind, why } in misfits {
        say!("position {position}: the change {id} of the kind {kind} is in no past: {why}");
    }
    anyhow::ensure!(
        misfits.is_empty(),
        "{} changes do not fit their noun: somebody has written into the record by hand; docs/reference/operation.md says what to do",
        misfits.len()
    );
    Ok(())
}

/// The record, with the key that signs its log: the one that is named, or beside the private PostgreSQL one of its own.
fn record(settings: &Settings) -> anyhow::Result<Record> {
    let Some(path) = settings.log_key() else {
        tracing::warn!(
            "no checkpoints of the log are made: MANDATE_LOG_KEY names no key; `mandate audit key create` makes one"
        );
        return Ok(Record::default());
    };
    let key = match &settings.log_key {
        Some(_) => audit::key_file::read(&path)?,
        None => audit::key_file::read_or_create(&path, &settings.log_origin)?,
    };
    tracing::info!(key = %key.verifier(), "the log is signed");
    Ok(Record::default().with_log_key(key))
}

async fn key(command: &KeyCommand, database: &Database) -> anyhow::Result<()> {
    let mut connection = database.connect().await?;
    let author = Author::at_the_command_line(None);
    match command {
        KeyCommand::Create { name, role, entity, scopes, days } => {
            let entity_id = named_entity(&mut connection, entity.as_deref()).await?;
            let role = *role;
            anyhow::ensure!(
                entity_id.is_some() == role.is_of_an_entity(),
                "--entity is needed for the roles editor and finance, and for no other"
            );
            let (name, scopes) = (name.clone(), Scopes(scopes.clone()));
            let new = NewKey { name, role, entity_id, scopes, expires_at: None, days: *days, created_by: None };
            say!("key: {}", keys::make(&mut connection, &author, &new).await?.0);
        }
        KeyCommand::List { role, entity, active } => {
            let entity = named_entity(&mut connection, entity.as_deref()).await?;
            let wanted = Wanted {
                roles: role.iter().copied().collect(),
                entities: entity.into_iter().collect(),
                active: active.then_some(true),
            };
            for key in keys::select(&mut connection, &wanted).await? {
                say!("{}", serde_json::to_string(&key)?);
            }
        }
        KeyCommand::Revoke { key } => {
            let revoked = keys::revoke(&mut connection, &author, key).await?;
            anyhow::ensure!(revoked > 0, "no key that works has the id or name `{key}`; `mandate key list` shows them");
            say!("revoked: {revoked}");
        }
    }
    Ok(())
}

/// The id of the entity that a word of the command line names.
async fn named_entity(connection: &mut sqlx::PgConnection, word: Option<&str>) -> anyhow::Result<Option<uuid::Uuid>> {
    let Some(word) = word else { return Ok(None) };
    let id = entity::named(connection, word).await?;
    id.with_context(|| format!("--entity is the id, external:ID or code:CODE of an entity, and `{word}` names none"))
        .map(Some)
}
