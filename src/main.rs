//! The `mandate` binary: reads the settings and does what the command line says.

use std::{io::Write as _, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::Parser as _;
use mandate::{
    access::keys,
    api::Error,
    app::{App, layered},
    config::{Cli, Command, ImportArguments, KeyCommand, Settings},
    database::Database,
    demo,
    limits::Limits,
    plan::deadlines::{self, Calendar},
    repository::Author,
    router, serve, transfer,
    values::use_languages,
};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("mandate: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mandate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let settings = cli.settings;
    use_languages(settings.languages.clone());
    deadlines::use_calendar(Calendar { fiscal_year_start: settings.fiscal_year_start });
    if let Command::Openapi = cli.command {
        println!("{}", serde_json::to_string_pretty(&router::document())?);
        return Ok(());
    }
    let default = if matches!(cli.command, Command::Serve) { settings.log.as_str() } else { "warn" };
    let filter = EnvFilter::try_new(default)?;
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let listener = match cli.command {
        Command::Serve | Command::Demo => Some(serve::listen(settings.listen).await?),
        _ => None,
    };
    let database = Database::open(&settings).await?;
    let outcome = perform(&cli.command, &settings, &database, listener).await;
    database.close().await?;
    outcome
}

async fn perform(
    command: &Command,
    settings: &Settings,
    database: &Database,
    listener: Option<tokio::net::TcpListener>,
) -> anyhow::Result<()> {
    database.migrate().await?;
    match command {
        Command::Serve => {
            tracing::info!(address = %settings.listen, database = database.describe(), "serving");
        }
        Command::Demo => demo::prepare(settings, database).await?,
        Command::Migrate => println!("the schema is up to date ({})", database.describe()),
        Command::Key(command) => return key(command, database).await,
        Command::Import(arguments) => return import(arguments, database).await,
        Command::Export { strategy, file } => return export(strategy.as_deref(), file.as_deref(), database).await,
        Command::Doctor => {
            println!("database: {} answers, schema up to date", database.describe());
            println!(
                "country {}, languages {}, currency {}, time zone {}",
                settings.country,
                settings.languages.join(","),
                settings.currency,
                settings.timezone
            );
        }
        Command::Openapi => {}
    }
    if let Some(listener) = listener {
        let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?;
        let app = App::new(database.pool(settings)?, Some(metrics));
        let limits = Limits::default();
        serve::serve(listener, layered(router::routes(), app, limits), limits, serve::stop_signal()).await;
    }
    Ok(())
}

async fn import(arguments: &ImportArguments, database: &Database) -> anyhow::Result<()> {
    let bytes = std::fs::read(&arguments.file).with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let is_table = arguments.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let document = if is_table { transfer::table::plan(&bytes, arguments)? } else { bytes };
    let author = Author { actor: "cli".into(), request_id: uuid::Uuid::now_v7().to_string(), reason: None };
    let mut connection = database.connect().await?;
    let report = transfer::import(&mut connection, router::nouns(), &author, &document, arguments.dry_run, |_, _| {})
        .await
        .map_err(explained)?;
    for row in &report.rows {
        for fault in &row.errors {
            println!("{}: {}", fault.pointer, fault.detail);
        }
    }
    println!(
        "created {}, changed {}, unchanged {}, refused {}",
        report.created, report.changed, report.unchanged, report.refused
    );
    anyhow::ensure!(report.refused == 0, "rows were refused, so nothing was written");
    if report.dry_run {
        println!("nothing was written (--dry-run)");
    }
    Ok(())
}

async fn export(strategy: Option<&str>, file: Option<&Path>, database: &Database) -> anyhow::Result<()> {
    let mut connection = database.connect().await?;
    let strategy = match strategy {
        Some(word) => Some(transfer::export::strategy_id(&mut connection, word).await.map_err(explained)?),
        None => None,
    };
    let bytes = transfer::export(&mut connection, router::nouns(), strategy).await.map_err(explained)?;
    match file {
        Some(file) => std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display())),
        None => Ok(std::io::stdout().write_all(&bytes)?),
    }
}

/// The words of a problem, for a terminal.
fn explained(error: Error) -> anyhow::Error {
    if let Error::Internal(cause) = error {
        return anyhow::anyhow!("{cause:#}");
    }
    let problem = error.problem();
    let mut words = vec![problem.detail];
    words.extend(problem.errors.iter().map(|fault| format!("  {}: {}", fault.pointer, fault.detail)));
    anyhow::anyhow!(words.join("\n"))
}

async fn key(command: &KeyCommand, database: &Database) -> anyhow::Result<()> {
    let mut connection = database.connect().await?;
    match command {
        KeyCommand::Create { name, role, days } => {
            println!("key: {}", keys::create(&mut connection, name, *role, *days).await?);
        }
        KeyCommand::List => {
            for key in keys::list(&mut connection).await? {
                println!("{}", serde_json::to_string(&key)?);
            }
        }
        KeyCommand::Revoke { key } => {
            let revoked = keys::revoke(&mut connection, key).await?;
            anyhow::ensure!(revoked > 0, "no key that works has the id or name `{key}`; `mandate key list` shows them");
            println!("revoked: {revoked}");
        }
    }
    Ok(())
}
