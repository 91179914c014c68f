//! Finds PostgreSQL's programs: those the operator names, those installed, or the bundle.
//! Only `postgres` and `initdb` are needed.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::Settings;
use crate::account::Account;
use crate::bundle;
use crate::error::StartError;

/// The oldest major version the service's SQL is written for.
const OLDEST: u32 = 15;

/// A directory with PostgreSQL's programs.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    pub(crate) directory: PathBuf,
    /// Such as `17.2`.
    pub(crate) version: String,
    pub(crate) major: u32,
    /// How it was found.
    pub(crate) origin: String,
}

/// The programs to use. `wanted` is the major version of the data that is there already.
pub(crate) async fn locate(
    settings: &Settings,
    account: &Account,
    wanted: Option<u32>,
) -> Result<Binaries, StartError> {
    if let Some(path) = &settings.binaries {
        let refused = |reason| StartError::NamedBinaries { path: path.clone(), reason };
        let directory = std::path::absolute(path).map_err(|error| refused(error.to_string()))?;
        return inspect(&directory, "MANDATE_POSTGRES_BIN", account).await.map_err(refused);
    }
    let mut other = None;
    if !settings.hide_installed {
        for (directory, origin) in installed().await {
            match inspect(&directory, origin, account).await {
                Ok(found) if wanted.is_none_or(|wanted| wanted == found.major) => return Ok(found),
                Ok(found) => other = other.or(Some(found)),
                Err(reason) => {
                    tracing::debug!(directory = %directory.display(), reason, "PostgreSQL passed over");
                }
            }
        }
    }
    // Programs of another version are returned when nothing better can be had, so that the refusal can name them.
    if let Some(other) = &other
        && wanted.is_some_and(|wanted| wanted != bundle::MAJOR)
    {
        return Ok(other.clone());
    }
    let (directory, origin) = match (bundle::directory().await, other) {
        (Ok(found), _) => found,
        (Err(_), Some(other)) => return Ok(other),
        (Err(error), None) => return Err(error),
    };
    inspect(&directory, &origin, account)
        .await
        .map_err(|reason| bundle::not_found(&format!("the bundle does not run here: {reason}")))
}

/// Where PostgreSQL may be installed, best first.
async fn installed() -> Vec<(PathBuf, &'static str)> {
    let mut places: Vec<(PathBuf, &'static str)> = Vec::new();
    if let Some(path) = env::var_os("PATH") {
        places.extend(env::split_paths(&path).map(|directory| (directory, "PATH")));
    }
    let mut asked = Command::new("pg_config");
    asked.arg("--bindir").kill_on_drop(true);
    if let Ok(output) = asked.output().await
        && output.status.success()
    {
        let directory = String::from_utf8_lossy(&output.stdout);
        places.push((PathBuf::from(directory.trim()), "pg_config"));
    }
    for (parent, prefix, suffix) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ] {
        let found = newest_first(Path::new(parent), prefix);
        places.extend(found.map(|directory| (directory.join(suffix), "installed")));
    }
    places.push((PathBuf::from("/usr/libexec/postgresql"), "installed"));
    places.retain(|(directory, _)| directory.is_absolute() && directory.join("postgres").is_file());
    places
}

fn newest_first(parent: &Path, prefix: &str) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path()))
        })
        .collect();
    versions.sort_by_key(|(version, _)| Reverse(*version));
    versions.into_iter().map(|(_, path)| path)
}

/// What is in `directory`, or why it will not do.
async fn inspect(directory: &Path, origin: &str, account: &Account) -> Result<Binaries, String> {
    for program in ["postgres", "initdb"] {
        if !directory.join(program).is_file() {
            return Err(format!("it has no `{program}`"));
        }
    }
    // The symbolic link /usr/bin/postgres leads to a directory that may be closed although this one is open.
    let real = fs::canonicalize(directory.join("postgres")).map_err(|error| error.to_string())?;
    for place in [Some(directory), real.parent()].into_iter().flatten() {
        if let Some(closed) = account.stopped_at(place) {
            let closed = closed.display();
            return Err(format!("`{}` may not pass through {closed}", account.name));
        }
    }
    let mut asked = Command::new(directory.join("postgres"));
    asked.arg("--version").kill_on_drop(true);
    let output = asked.output().await.map_err(|error| format!("its `postgres` does not run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let (version, major) = version(&said).ok_or_else(|| {
        let error = String::from_utf8_lossy(&output.stderr);
        format!("its `postgres --version` says `{said}{error}`")
    })?;
    if major < OLDEST {
        return Err(format!("it is version {version}"));
    }
    Ok(Binaries {
        directory: directory.to_owned(),
        version,
        major,
        origin: format!("{origin}: {}", directory.display()),
    })
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0)`, and `18beta1` too.
pub(crate) fn version(said: &str) -> Option<(String, u32)> {
    let (_, rest) = said.split_once("(PostgreSQL) ")?;
    let version = rest.split_whitespace().next()?;
    let digits = version.split(|letter: char| !letter.is_ascii_digit());
    let major = digits.into_iter().next()?.parse().ok()?;
    Some((version.to_owned(), major))
}
