//! What can keep PostgreSQL from starting, told to the person who has to put it right.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the private PostgreSQL did not start. Every text says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another instance holds the data directory.
    #[error(
        "another mandate (process {pid}) is using {}; stop it, or set MANDATE_DATA_DIR to another directory",
        directory.display()
    )]
    AlreadyRunning {
        /// The directory in dispute.
        directory: PathBuf,
        /// The process id the holder wrote down, or `unknown`.
        pid: String,
    },
    /// The file system is full.
    #[error("the disk is full: cannot write {}; free some space there and start again", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// The file system is mounted read-only.
    #[error(
        "{} is on a read-only file system; remount it for writing, or set MANDATE_DATA_DIR to a directory that can be written",
        path.display()
    )]
    ReadOnly {
        /// What was being written.
        path: PathBuf,
    },
    /// The operating system denies access.
    #[error(
        "no permission to write {}; give this user write access, or set MANDATE_DATA_DIR to a directory it owns",
        path.display()
    )]
    NotWritable {
        /// What was being written.
        path: PathBuf,
    },
    /// Any other failure on the data directory.
    #[error("cannot use {}: {cause}; check it, or set MANDATE_DATA_DIR to another directory", path.display())]
    Storage {
        /// What was being read or written.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The account PostgreSQL runs as cannot reach the data directory.
    #[error(
        "PostgreSQL refuses to run as root, so it runs as `{account}`, who may not pass through {}; \
         set MANDATE_DATA_DIR to a directory `{account}` can reach, such as /var/lib/mandate, \
         or allow it with: chmod o+x {}",
        directory.display(),
        directory.display()
    )]
    NotTraversable {
        /// The outermost directory that stops the account.
        directory: PathBuf,
        /// The account's name.
        account: String,
    },
    /// Started as root and there is no other account to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and this system has neither a `postgres` nor a `nobody` account; \
         run mandate as an ordinary user, or give the data directory to one with chown"
    )]
    NoAccount,
    /// The directory named by the operator is no use.
    #[error("MANDATE_POSTGRES_BIN is {}, but {reason}; name the directory that holds `postgres` and `initdb`, version 15 or later", path.display())]
    NamedBinaries {
        /// The directory named.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No PostgreSQL here, and the bundle could not be fetched.
    #[error("no PostgreSQL 15 or later to run ({reason}); install it with: {install}")]
    NotFound {
        /// What was tried.
        reason: String,
        /// The one command for this system.
        install: String,
    },
    /// The data was written by another major version.
    #[error(
        "the data in {} is of PostgreSQL {data}, but the PostgreSQL found ({}) is version {found}; \
         set MANDATE_POSTGRES_BIN to the programs of version {data}, \
         or dump with version {data} and restore into a new MANDATE_DATA_DIR",
        directory.display(),
        binaries.display()
    )]
    OtherVersion {
        /// The data directory.
        directory: PathBuf,
        /// The major version of the data.
        data: String,
        /// The programs found.
        binaries: PathBuf,
        /// Their major version.
        found: u32,
    },
    /// `initdb` failed.
    #[error("PostgreSQL could not set up {}; nothing was kept. It said:\n{output}", directory.display())]
    Initdb {
        /// The directory to be set up.
        directory: PathBuf,
        /// The end of its output.
        output: String,
    },
    /// A program could not be run at all.
    #[error("cannot run {}: {cause}; reinstall PostgreSQL, or set MANDATE_POSTGRES_BIN", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// PostgreSQL ended while starting.
    #[error("PostgreSQL ended while starting ({status}); the end of {} is:\n{tail}", log.display())]
    Ended {
        /// How it ended.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// PostgreSQL runs and does not answer.
    #[error("PostgreSQL gave no answer within {seconds} seconds; the end of {} is:\n{tail}", log.display())]
    NoAnswer {
        /// How long it was waited for.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A PostgreSQL left over from an earlier run does not go away.
    #[error("a PostgreSQL left from an earlier run (process {pid}) still uses {} and does not stop; stop it with: kill -INT {pid}", directory.display())]
    LeftOver {
        /// Its process id.
        pid: i32,
        /// The data directory.
        directory: PathBuf,
    },
    /// The short directory for the socket is taken.
    #[error(
        "{} must be a directory of `{account}` alone, to hold the socket; remove it, or set MANDATE_DATA_DIR to a shorter path",
        path.display()
    )]
    SocketDirectory {
        /// The directory.
        path: PathBuf,
        /// Who should own it.
        account: String,
    },
    /// PostgreSQL answers, but the database could not be made.
    #[error(
        "PostgreSQL runs, but database `mandate` could not be made ready: {0}; see postgres.log in the data directory"
    )]
    Database(sqlx::Error),
}

/// PostgreSQL did not stop in time and was ended without its cooperation.
#[derive(Debug, Error)]
#[error("PostgreSQL did not stop in time and was ended at once; the next start recovers from its log")]
pub struct StopError;

impl StartError {
    /// The error for a failed read or write of `path`.
    pub(crate) fn storage(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        match cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            ErrorKind::PermissionDenied => Self::NotWritable { path },
            _ => Self::Storage { path, cause },
        }
    }

    /// The error behind what a PostgreSQL program said (in English, which the caller asks for), if it is the disk's.
    pub(crate) fn storage_said(path: &Path, output: &str) -> Option<Self> {
        let path = path.to_owned();
        if output.contains("No space left on device") || output.contains("Disk quota exceeded") {
            Some(Self::DiskFull { path })
        } else if output.contains("Read-only file system") {
            Some(Self::ReadOnly { path })
        } else if output.contains("Permission denied") {
            Some(Self::NotWritable { path })
        } else {
            None
        }
    }
}
