//! Whom PostgreSQL runs as. It refuses root, so a mandate started as root gives its PostgreSQL to another account.
//! This says nothing about database roles.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::error::StartError;

/// The operating-system account PostgreSQL's programs run as.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    gid: u32,
    /// Whether it differs from the account of this process, which is then root.
    switch: bool,
}

impl Account {
    /// The account of this process unless that is root; then the owner of the first of `places` that is not root's,
    /// then `postgres`, then `nobody`.
    pub(crate) fn choose(places: &[&Path]) -> Result<Self, StartError> {
        let uid = rustix::process::geteuid();
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        if !uid.is_root() {
            let uid = uid.as_raw();
            let name = entries(&passwd).find(|entry| entry.uid == uid);
            return Ok(Self {
                name: name.map_or_else(|| uid.to_string(), |entry| entry.name),
                uid,
                gid: rustix::process::getegid().as_raw(),
                switch: false,
            });
        }
        for place in places {
            if let Ok(found) = fs::metadata(place)
                && found.uid() != 0
            {
                let uid = found.uid();
                return Ok(entries(&passwd).find(|entry| entry.uid == uid).unwrap_or(Self {
                    name: uid.to_string(),
                    uid,
                    gid: found.gid(),
                    switch: true,
                }));
            }
        }
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| entries(&passwd).find(|entry| entry.name == *name))
            .ok_or(StartError::NoAccount)
    }

    /// Makes `command` run as this account.
    pub(crate) fn apply(&self, command: &mut Command) {
        if self.switch {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives `path` itself, not what is in it, to this account.
    pub(crate) fn own(&self, path: &Path) -> io::Result<()> {
        if self.switch {
            chown(path, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }

    /// The outermost directory on the way into `directory` this account may not pass through, as far as modes tell.
    /// Without a change of account there is none: the operating system's own refusal is then clear enough.
    pub(crate) fn stopped_at(&self, directory: &Path) -> Option<PathBuf> {
        if !self.switch {
            return None;
        }
        let mut way: Vec<&Path> = directory.ancestors().collect();
        way.reverse();
        let stop = way.into_iter().find(|step| {
            fs::metadata(step).is_ok_and(|found| {
                let bit = if found.uid() == self.uid {
                    0o100
                } else if found.gid() == self.gid {
                    0o010
                } else {
                    0o001
                };
                found.mode() & bit == 0
            })
        });
        stop.map(Path::to_owned)
    }
}

fn entries(passwd: &str) -> impl Iterator<Item = Account> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { name, uid, gid, switch: true })
    })
}
