//! One mandate for each data directory. The lock is the kernel's and ends with the process, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::StartError;

/// Holds a data directory for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a child of another thread that has not come to its program yet has the file too, and the lock with it.
        let _ = self.file.unlock();
    }
}

/// Takes `directory`, or says who has it.
pub(crate) fn take(directory: &Path) -> Result<Lock, StartError> {
    let path = directory.join("mandate.lock");
    let storage = |error| StartError::storage(&path, error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(storage)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // The holder may be about to write it: an unreadable pid does not change the answer.
            let _ = file.read_to_string(&mut pid);
            let pid = pid.trim();
            return Err(StartError::AlreadyRunning {
                directory: directory.to_owned(),
                pid: if pid.is_empty() { "unknown" } else { pid }.to_owned(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(storage(error)),
    }
    file.set_len(0).map_err(storage)?;
    file.rewind().map_err(storage)?;
    writeln!(file, "{}", std::process::id()).map_err(storage)?;
    Ok(Lock { file })
}
