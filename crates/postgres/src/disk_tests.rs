//! The launcher on a disk that is full, and on one that may not be written.
//!
//! Where this process may mount, the disks are real. Elsewhere programs that fail as on such a disk stand in, and system directories that
//! nobody may write.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use rustix::fs::{StatVfsMountFlags, statvfs};
use tempfile::TempDir;

use crate::tests::{place, refusal, scalar, settings};
use crate::{Settings, StartError, start};

/// A small file system, unmounted at the end.
struct Disk(TempDir);

impl Disk {
    /// None where this process may not mount.
    fn of(size: &str) -> Option<Self> {
        let disk = Self(place());
        disk.mount(&format!("size={size},mode=755")).then_some(disk)
    }

    fn mount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(self.0.path());
        mount.output().is_ok_and(|output| output.status.success())
    }

    fn fill(&self) -> std::path::PathBuf {
        let filler = self.0.path().join("filler");
        let mut file = File::options().append(true).create(true).open(&filler).unwrap();
        for piece in [1 << 16, 1] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
        filler
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

/// A directory with an `initdb` and a `postgres` that fail as on a full disk: `/dev/full` is one.
fn programs_on_a_full_disk(version: &str) -> TempDir {
    let place = place();
    let script = "cd \"$0\" && for name in initdb postgres; do \
                  printf '#!/bin/sh\\n[ \"$1\" = --version ] && echo \"%s (PostgreSQL) %s\" && exit\\n\
                  LC_ALL=C cat /etc/passwd > /dev/full\\n' $name \"$1\" > $name; done && chmod 755 initdb postgres";
    // Written by another process: a program still open for writing anywhere cannot be run.
    assert!(Command::new("sh").arg("-c").arg(script).arg(place.path()).arg(version).status().unwrap().success());
    place
}

async fn assert_full(settings: &Settings) {
    let (error, text) = refusal(settings).await;
    assert!(matches!(error, StartError::DiskFull { .. }), "{text}");
    assert!(text.contains("free some space") && text.contains(settings.data_dir.to_str().unwrap()), "{text}");
}

fn entries(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("postgres")).collect()
}

#[tokio::test]
async fn a_disk_too_small_is_named_and_nothing_is_left_on_it() {
    if let Some(disk) = Disk::of("8m") {
        let data = disk.0.path().join("data");
        assert_full(&settings(&data)).await;
        assert!(entries(&data).is_empty(), "{:?}", entries(&data));
    }
    let (place, programs) = (place(), programs_on_a_full_disk("18.0"));
    assert_full(&Settings { binaries: Some(programs.path().to_owned()), ..settings(place.path()) }).await;
    assert!(entries(place.path()).is_empty(), "{:?}", entries(place.path()));
}

#[tokio::test]
async fn a_disk_that_filled_up_is_named_and_works_again_once_freed() {
    let disk = Disk::of("120m");
    let place = place();
    let data = disk.as_ref().map_or(place.path(), |disk| disk.0.path()).join("data");
    let settings = settings(&data);
    let cluster = start(&settings).await.unwrap();
    let version = cluster.version().to_owned();
    cluster.stop().await.unwrap();
    if let Some(disk) = &disk {
        let filler = disk.fill();
        assert_full(&settings).await;
        // A new log has no room for PostgreSQL to say why it ended.
        let log = data.join("postgres.log");
        fs::remove_file(&log).unwrap();
        File::create(&log).unwrap();
        disk.fill();
        assert_full(&settings).await;
        fs::remove_file(filler).unwrap();
    }
    let programs = programs_on_a_full_disk(&version);
    assert_full(&Settings { binaries: Some(programs.path().to_owned()), ..settings.clone() }).await;
    let cluster = start(&settings).await.unwrap();
    assert_eq!(scalar(&cluster, "select 'answers'").await.unwrap(), "answers");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_read_only_disk_is_named() {
    if let Some(disk) = Disk::of("120m") {
        let data = disk.0.path().join("data");
        start(&settings(&data)).await.unwrap().stop().await.unwrap();
        assert!(disk.mount("remount,ro"));
        for directory in [data, disk.0.path().join("new")] {
            let (error, text) = refusal(&settings(&directory)).await;
            assert!(matches!(error, StartError::ReadOnly { .. }), "{text}");
            assert!(text.contains("remount it") && text.contains("MANDATE_DATA_DIR"), "{text}");
            assert!(text.contains(directory.to_str().unwrap()), "{text}");
        }
        return;
    }
    // In a plain container /sys is read-only; outside of one nobody makes directories in it.
    let read_only = statvfs("/sys").unwrap().f_flag.contains(StatVfsMountFlags::RDONLY);
    let (error, text) = refusal(&settings(Path::new("/sys/mandate"))).await;
    match error {
        StartError::ReadOnly { .. } => assert!(read_only, "{text}"),
        StartError::NotWritable { .. } | StartError::Storage { .. } => assert!(!read_only, "{text}"),
        _ => panic!("{text}"),
    }
    assert!(text.contains("MANDATE_DATA_DIR"), "{text}");
}
