//! What lies in the data directory: the cluster in `postgres`, the socket in `run`, the log and the lock.
//! Reading and writing of data is PostgreSQL's alone.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::StartError;
use crate::package::sha256;

/// The longest path every supported system takes for a socket (macOS: 104 bytes with the closing zero).
const LONGEST_SOCKET: usize = 103;
const SOCKET: &str = ".s.PGSQL.5432";
/// Begins the names of clusters being set up.
const HALF: &str = "postgres.new-";
const LOG_KEPT: u64 = 10 * 1024 * 1024;

/// The data directory, usable by the account PostgreSQL runs as.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub(crate) root: PathBuf,
    pub(crate) account: Account,
}

impl Directory {
    /// Makes the data directory if it is not there and sees that `account` can reach it.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let storage = |error| StartError::storage(path, error);
        let path = std::path::absolute(path).map_err(storage)?;
        if !path.is_dir() {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(storage)?;
            }
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(storage(error));
                }
                _ => {}
            }
        }
        let root = fs::canonicalize(&path).map_err(storage)?;
        let account = Account::choose(&[&root.join("postgres"), &root])?;
        if let Some(closed) = account.stopped_at(&root) {
            // Only a directory with nothing in it is taken over: one in use may be somebody's home.
            let empty = fs::read_dir(&root).map_err(storage)?.next().is_none();
            if closed == root && empty {
                account.own(&root).map_err(storage)?;
            }
        }
        if let Some(directory) = account.stopped_at(&root) {
            return Err(StartError::NotTraversable { directory, account: account.name });
        }
        Ok(Self { root, account })
    }

    /// What PostgreSQL calls PGDATA.
    pub(crate) fn cluster(&self) -> PathBuf {
        self.root.join("postgres")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    /// The major version of the data, as written in it.
    pub(crate) fn data_version(&self) -> Result<Option<String>, StartError> {
        let path = self.cluster().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => Ok(Some(version.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StartError::storage(&path, error)),
        }
    }

    /// Sets up an empty cluster. It appears under its name only when it is whole.
    pub(crate) async fn initialise(&self, binaries: &Binaries, durable: bool) -> Result<(), StartError> {
        let half = self.root.join(format!("{HALF}{}", std::process::id()));
        let mut output = String::new();
        for locale in ["C.UTF-8", "C"] {
            self.empty(&half)?;
            let program = binaries.directory.join("initdb");
            let mut initdb = self.command(&program);
            initdb.arg("-D").arg(&half).args([
                "-U",
                "mandate",
                "-E",
                "UTF8",
                "--auth-local=trust",
                "--auth-host=reject",
                "--data-checksums",
            ]);
            initdb.arg(format!("--locale={locale}"));
            if !durable {
                initdb.arg("--no-sync");
            }
            let done = initdb.output().await.map_err(|cause| StartError::Program { program, cause })?;
            if done.status.success() {
                let cluster = self.cluster();
                fs::rename(&half, &cluster)
                    .and_then(|()| File::open(&self.root)?.sync_all())
                    .map_err(|error| StartError::storage(&cluster, error))?;
                return Ok(());
            }
            output = String::from_utf8_lossy(&done.stdout).into_owned();
            output.push_str(&String::from_utf8_lossy(&done.stderr));
            if !output.contains("invalid locale") {
                break;
            }
        }
        let _ = fs::remove_dir_all(&half);
        Err(StartError::storage_said(&self.root, &output)
            .unwrap_or(StartError::Initdb { directory: self.cluster(), output: last_lines(&output) }))
    }

    /// Removes what a killed start left of its `initdb`, which may outlive it and go on writing for a moment. That is why
    /// each start has a name of its own, and why a failure to remove is left to the next start.
    pub(crate) fn remove_halves(&self) {
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            if entry.file_name().as_bytes().starts_with(HALF.as_bytes()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn empty(&self, half: &Path) -> Result<(), StartError> {
        let made = match fs::remove_dir_all(half) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => DirBuilder::new().mode(0o700).create(half),
        };
        made.and_then(|()| self.account.own(half)).map_err(|error| StartError::storage(half, error))
    }

    /// Where the directory for the socket is, and whether that is beside the cluster: under /tmp where that path is too long for a socket.
    fn socket_place(&self) -> (PathBuf, bool) {
        let beside = self.root.join("run");
        if beside.as_os_str().len() + 1 + SOCKET.len() <= LONGEST_SOCKET {
            return (beside, true);
        }
        let key = sha256(self.root.as_os_str().as_bytes());
        (Path::new("/tmp").join(format!("mandate-{}", &key[..24])), false)
    }

    /// The directory of the socket of a PostgreSQL that runs.
    pub(crate) fn socket_in_use(&self) -> Result<PathBuf, StartError> {
        let (path, _) = self.socket_place();
        let found = fs::symlink_metadata(&path).map_err(|error| StartError::storage(&path, error))?;
        self.check_socket(&path, &found)?;
        Ok(path)
    }

    /// In /tmp anybody may have made it first, and whoever owns it answers in PostgreSQL's place.
    fn check_socket(&self, path: &Path, found: &fs::Metadata) -> Result<(), StartError> {
        if found.is_dir() && found.uid() == self.account.uid {
            return Ok(());
        }
        Err(StartError::SocketDirectory { path: path.to_owned(), account: self.account.name.clone() })
    }

    /// A directory for the socket, closed to everybody else.
    pub(crate) fn socket(&self) -> Result<PathBuf, StartError> {
        let (path, beside) = self.socket_place();
        let storage = |error| StartError::storage(&path, error);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => self.account.own(&path).map_err(storage)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(storage(error)),
        }
        let mut found = fs::symlink_metadata(&path).map_err(storage)?;
        if found.is_dir() && beside && found.uid() != self.account.uid {
            self.account.own(&path).map_err(storage)?;
            found = fs::symlink_metadata(&path).map_err(storage)?;
        }
        self.check_socket(&path, &found)?;
        fs::set_permissions(&path, Permissions::from_mode(0o700)).map_err(storage)?;
        // Left by a PostgreSQL that was killed. The lock on the data directory says nobody uses them now.
        for name in [SOCKET.to_owned(), format!("{SOCKET}.lock")] {
            match fs::remove_file(path.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(storage(error)),
                _ => {}
            }
        }
        Ok(path)
    }

    /// Opens the log for PostgreSQL to write to, and says where its next line begins.
    pub(crate) fn open_log(&self) -> Result<(File, u64), StartError> {
        let path = self.log();
        let storage = |error| StartError::storage(&path, error);
        if fs::metadata(&path).is_ok_and(|found| found.len() > LOG_KEPT) {
            fs::rename(&path, self.root.join("postgres.log.1")).map_err(storage)?;
        }
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(storage)?;
        let end = file.metadata().map_err(storage)?.len();
        Ok((file, end))
    }

    /// Whether the disk has no block left for ordinary accounts.
    pub(crate) fn is_full(&self) -> bool {
        rustix::fs::statvfs(&self.root).is_ok_and(|disk| disk.f_blocks > 0 && disk.f_bavail == 0)
    }

    /// The last lines of the log after `start`.
    pub(crate) fn log_since(&self, start: u64) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(self.log())?;
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(start.max(end.saturating_sub(8192))))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        last_lines(&String::from_utf8_lossy(&read().unwrap_or_default()))
    }

    /// One of PostgreSQL's programs, run as its account, untouched by the PG* variables of this process.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.as_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        // English, because failures are told apart by their text.
        command.env("LC_ALL", "C").env_remove(OsStr::new("LANGUAGE"));
        // The directory this process is in may be closed to the account.
        command.current_dir(&self.root);
        command.stdin(std::process::Stdio::null());
        self.account.apply(&mut command);
        command
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
