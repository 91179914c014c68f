//! The file with the key that signs: not in the database, so that who can write there cannot sign.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, anyhow};
use mandate_tlog::note::{Purpose, SignerKey};

/// Reads a key.
pub fn read(path: &Path) -> anyhow::Result<SignerKey> {
    let text = fs::read_to_string(path).with_context(|| {
        format!("cannot read the key {}; `mandate audit key create PATH` makes one", path.display())
    })?;
    text.parse().map_err(|why| anyhow!("{} {why}", path.display()))
}

/// Makes a key in a new file that only its owner can read.
pub fn create(path: &Path, name: &str, purpose: Purpose) -> anyhow::Result<SignerKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow!("no random bytes: {error}"))?;
    let key = SignerKey::new(name, purpose, &seed);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(key.to_file().as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| format!("cannot make the key {}", path.display()))?;
    Ok(key)
}

/// The key in this file, which is made if it is not there.
pub fn read_or_create(path: &Path, name: &str) -> anyhow::Result<SignerKey> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, name, Purpose::Log),
        _ => read(path),
    }
}
