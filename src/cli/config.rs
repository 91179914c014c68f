//! Settings and the command line. `mandate --help` is their reference.

mod audit;
mod parsers;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use audit::{AuditCommand, AuditKeyCommand, EraseArguments, VerifyArguments, WitnessArguments};
use clap::{Args, Parser, Subcommand};
use parsers::{country, currency, language, reason, time_zone};

use crate::{
    access::{Role, oidc, role::Scope},
    base::limits::Limits,
    edge::settings::EdgeSettings,
    nouns::plan::deadlines::FiscalYearName,
    proposals::Act,
    record::webhooks::Allowed,
    transfer::{
        how::{Empty, Mode, NewEntities},
        iati,
        table::DecimalMark,
    },
};

/// The system of record for carrying out a national strategy.
#[derive(Debug, Parser)]
#[command(name = "mandate", version, about, arg_required_else_help = true, after_help = AFTER)]
pub struct Cli {
    /// The settings.
    #[command(flatten)]
    pub settings: Settings,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER: &str = "Without DATABASE_URL, Mandate runs its own private PostgreSQL in its data directory.\n\
Try it: mandate demo";

/// The settings; each is also an environment variable.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// PostgreSQL 15 or newer to use, as postgres://user:password@host/database; without it a private one is run
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,
    /// Where to listen
    #[arg(long, env = "MANDATE_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: SocketAddr,
    /// Where the private PostgreSQL keeps its data [default: a folder `mandate` in the user's data folder]
    #[arg(long, env = "MANDATE_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// The folder with PostgreSQL's server binaries (postgres, initdb) [default: looked for]
    #[arg(long, env = "MANDATE_POSTGRES_BIN", global = true)]
    pub postgres_bin: Option<PathBuf>,
    /// Use the bundle of PostgreSQL even where binaries are installed
    #[arg(long, env = "MANDATE_POSTGRES_BUNDLE", value_parser = clap::builder::FalseyValueParser::new(), global = true)]
    pub postgres_bundle: bool,
    /// Connections to the database
    #[arg(long, env = "MANDATE_CONNECTIONS", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=500), global = true)]
    pub connections: u16,
    /// Seconds after which PostgreSQL ends a statement (the answer is 504)
    #[arg(long, env = "MANDATE_STATEMENT_TIME", default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=29), global = true)]
    pub statement_time: u64,
    /// Seconds after which PostgreSQL ends a wait for what another writer holds (the answer is 503)
    #[arg(long, env = "MANDATE_LOCK_TIME", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=29), global = true)]
    pub lock_time: u64,
    /// The country of a strategy or legal act that names none, ISO 3166-1 alpha-2
    #[arg(long, env = "MANDATE_COUNTRY", default_value = "RO", value_parser = country, global = true)]
    pub country: String,
    /// Languages of content, ISO 639-1, the preferred first
    #[arg(long, env = "MANDATE_LANGUAGES", default_value = "ro,en", value_delimiter = ',', value_parser = language, global = true)]
    pub languages: Vec<String>,
    /// The currency of an imported table that names none, ISO 4217; in the API an amount always names its own
    #[arg(long, env = "MANDATE_CURRENCY", default_value = "RON", value_parser = currency, global = true)]
    pub currency: String,
    /// The time zone in which a day ends, IANA
    #[arg(long, env = "MANDATE_TIMEZONE", default_value = "Europe/Bucharest", value_parser = time_zone, global = true)]
    pub timezone: chrono_tz::Tz,
    /// The month in which the fiscal year starts
    #[arg(long, env = "MANDATE_FISCAL_YEAR_START", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=12), global = true)]
    pub fiscal_year_start: u32,
    /// The calendar year after which a fiscal year is named: that in which it ends, or starts
    #[arg(long, env = "MANDATE_FISCAL_YEAR_NAME", value_enum, default_value = "end", global = true)]
    pub fiscal_year_name: FiscalYearName,
    /// Hosts and networks (CIDR) to which webhooks may go although they are not public, or over http, between commas
    #[arg(long, env = "MANDATE_WEBHOOK_ALLOW", value_delimiter = ',', global = true)]
    pub webhook_allow: Vec<Allowed>,
    /// The file with the key that signs the log of changes; `mandate audit key create` makes one [default: log.key in the data directory, with the private PostgreSQL]
    #[arg(long, env = "MANDATE_LOG_KEY", global = true)]
    pub log_key: Option<PathBuf>,
    /// The name that a new key gives its log, without spaces, such as plans.example.org/log
    #[arg(long, env = "MANDATE_LOG_ORIGIN", default_value = "mandate.local/log", global = true)]
    pub log_origin: String,
    /// For serve and demo: acts that need a second principal, between commas: appropriation, approved_timeline, completion, closing. Other commands go by what the last service put in force
    #[arg(long, env = "MANDATE_FOUR_EYES", value_delimiter = ',', global = true)]
    pub four_eyes: Vec<Act>,
    /// Show to everybody, without a key, what is classified as public
    #[arg(long, env = "MANDATE_PUBLIC", value_parser = clap::builder::FalseyValueParser::new(), global = true)]
    pub public: bool,
    /// Mebibytes that the captured copy of a document may have
    #[arg(long, env = "MANDATE_DOCUMENT_LIMIT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200), global = true)]
    pub document_limit: u16,
    /// The issuer of tokens.
    #[command(flatten)]
    pub oidc: oidc::Settings,
    /// The organisation that publishes with IATI.
    #[command(flatten)]
    pub iati: iati::Settings,
    /// How it meets the network.
    #[command(flatten)]
    pub edge: EdgeSettings,
    /// What to log, such as `info` or `mandate=debug,warn`
    #[arg(long, env = "MANDATE_LOG", default_value = "info", global = true)]
    pub log: String,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API
    Serve,
    /// Load the example plans, make a key, and serve: a first look
    Demo,
    /// Bring the database to the newest schema
    Migrate,
    /// Manage API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Import a plan file (JSON), a folder of CSV files, a table (CSV) with --strategy and --map, or IATI activities (XML) with --direction: all
    /// rows, or none
    Import(ImportArguments),
    /// Judge a plan file (JSON) or a folder of CSV files without any database: exit code 0 nothing lacks, 1 something does, 2 it cannot be judged
    Check(CheckArguments),
    /// Export everything, or one strategy, as a plan file (JSON) or a folder of CSV files; or contributions as IATI activities (XML)
    Export(ExportArguments),
    /// Prove that the record is whole, or verify a proof
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the OpenAPI document
    Openapi,
    /// Check the database and the settings, and say what is wrong
    Doctor,
}

/// What to import, and how.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The file, or the folder with one CSV file a noun, such as initiatives.csv
    pub file: PathBuf,
    /// Only try it: write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Why; kept in the record, and needed to change dates, leads or ceilings of a strategy in force, or to cancel what is in it
    #[arg(long, value_parser = reason)]
    pub reason: Option<String>,
    /// What to do with a row that is there already: change the fields that the file names, replace it, or leave it as it is
    #[arg(long, value_enum, default_value = "merge")]
    pub mode: Mode,
    /// Whether to make entities that are not there
    #[arg(long, value_enum, default_value = "make")]
    pub entities: NewEntities,
    /// For IATI (a file whose name ends with .xml): whether its activities were given by the country of the service, or received
    #[arg(long, value_parser = ["given", "received"])]
    pub direction: Option<String>,
    /// For IATI: the language of narratives that name none; for a table: that of its words [default: the first of the service]
    #[arg(long, value_parser = language)]
    pub language: Option<String>,
    /// For IATI: how far new contributions may be known [default: internal]
    #[arg(long, value_parser = ["public", "internal", "restricted"])]
    pub classification: Option<String>,
    /// For IATI: take the activities that can be taken, also when others are refused
    #[arg(long)]
    pub partial: bool,
    /// For CSV: what an empty cell says of its field
    #[arg(long, value_enum, default_value = "unchanged")]
    pub empty: Empty,
    /// For a table: also end what it does not name any more; nothing is deleted
    #[arg(long)]
    pub prune: bool,
    /// For a table: the strategy into which its rows go, as its id, external:ID or code:CODE
    #[arg(long)]
    pub strategy: Option<String>,
    /// For a table: which column holds what, as title="Acțiune",lead="Responsabil"
    #[arg(long)]
    pub map: Option<String>,
    /// For a table: columns (as in --map) whose empty cells repeat the cell above
    #[arg(long, value_delimiter = ',')]
    pub fill_down: Vec<String>,
    /// For a table: what stands between several entities of a cell [default: `;` and new lines]
    #[arg(long)]
    pub separator: Option<String>,
    /// For a table: what stands before the decimals of amounts, where it cannot be seen
    #[arg(long, value_enum)]
    pub decimal: Option<DecimalMark>,
    /// For a table: a JSON file with `strategy_id`, `map`, `fill_down`, `separator`, `decimal`, instead of the options
    #[arg(long, value_name = "FILE", conflicts_with_all = ["map", "fill_down", "separator", "decimal"])]
    pub map_file: Option<PathBuf>,
}

/// What to judge.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The file, or the folder with one CSV file a noun
    pub file: PathBuf,
    /// Print the findings as JSON lines instead of a table
    #[arg(long)]
    pub json: bool,
}

/// What to export, and where to.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Only this strategy and what it refers to: its code or external id
    #[arg(long)]
    pub strategy: Option<String>,
    /// As the record had it at this instant, or at the end of this day: 2026-01-31
    #[arg(long, value_name = "WHEN")]
    pub as_of: Option<String>,
    /// Write the contributions that are public as IATI 2.03 activities instead
    #[arg(long, conflicts_with_all = ["strategy", "csv"])]
    pub iati: bool,
    /// With --iati: those that are not public too
    #[arg(long, requires = "iati")]
    pub all: bool,
    /// Write CSV files, one a noun, into this new or empty folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "file")]
    pub csv: Option<PathBuf>,
    /// Where to write [default: standard output]
    pub file: Option<PathBuf>,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it; it is shown only this once
    Create {
        /// What it is for; the record shows it as the actor `key:NAME`
        #[arg(long)]
        name: String,
        /// What it may do
        #[arg(long, value_enum, default_value = "viewer")]
        role: Role,
        /// The entity for which an editor or finance officer acts: its id, external:ID or code:CODE
        #[arg(long)]
        entity: Option<String>,
        /// What it may of what its role may, such as plan:read,money:write [default: all of that]
        #[arg(long = "scope", value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// Days until it ends by itself, 1 to 365 [default: 365]
        #[arg(long, value_parser = clap::value_parser!(i32).range(1..=365))]
        days: Option<i32>,
    },
    /// List the keys: all, or those that meet every option
    List {
        /// Of this role
        #[arg(long, value_enum)]
        role: Option<Role>,
        /// For this entity: its id, external:ID or code:CODE
        #[arg(long)]
        entity: Option<String>,
        /// Only those that work
        #[arg(long)]
        active: bool,
    },
    /// Revoke a key; it works no longer within a second
    Revoke {
        /// Its id or its name
        key: String,
    },
}

impl Settings {
    /// The limits of every connection and request; most are the same everywhere.
    pub fn limits(&self) -> Limits {
        Limits {
            statement_time: Duration::from_secs(self.statement_time),
            lock_time: Duration::from_secs(self.lock_time),
            ..Limits::default()
        }
    }

    /// The file with the key that signs the log, unless there is none: the one that is named, or the own one of the private PostgreSQL.
    pub fn log_key(&self) -> Option<PathBuf> {
        let own = || self.database_url.is_none().then(|| self.data_dir().join("log.key"));
        self.log_key.clone().or_else(own)
    }

    /// Where the private PostgreSQL keeps its data.
    pub fn data_dir(&self) -> PathBuf {
        if let Some(dir) = &self.data_dir {
            return dir.clone();
        }
        // As root PostgreSQL runs under another account, which can seldom enter root's home.
        if rustix::process::geteuid().is_root() {
            return "/var/lib/mandate".into();
        }
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| ".".into())).join(".local/share");
        std::env::var_os("XDG_DATA_HOME").map_or_else(home, PathBuf::from).join("mandate")
    }
}
