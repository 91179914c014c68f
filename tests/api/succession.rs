//! A log that goes on: with another key, and after its database was put back to an older state.

use std::{
    fs::{self, File},
    io::BufReader,
    path::Path,
    process::{Command, Output},
};

use mandate::{
    access::Role,
    app::{App, layered},
    base::limits::Limits,
    record::{
        Record,
        proof::{
            erase::{What, erase},
            export::export,
            succession::{begin_epoch, rotate},
        },
    },
    repository::{self, Author},
    router,
};
use mandate_tlog::{
    chain::opened_by_any,
    note::{Checkpoint, Note, Purpose, SignerKey, VerifierKey},
    verify::{Evidence, Failure, Proven, verify},
    witness::{Refusal, Seen, witness},
};
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use crate::support::{CONNECTIONS, Client, database, log_key, service_over, silent_key};

fn second_key() -> SignerKey {
    SignerKey::new("test.example/log", Purpose::Log, &[8; 32])
}

fn author() -> Author {
    Author::at_the_command_line(Some("the disk was lost"))
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(options).await.unwrap()
}

/// A service whose log this key signs.
async fn signing(options: &PgConnectOptions, key: SignerKey) -> Client {
    let admin = silent_key(&mut connect(options).await, "admin", Role::Admin).await;
    let pool = repository::connect(options.clone(), CONNECTIONS, Limits::default()).unwrap();
    let app = App::new(pool, None).with_record(Record::default().with_log_key(key));
    drop(app.start_sequencer());
    let record = app.record.clone();
    Client::new(layered(router::routes(), app, Limits::default()), record, admin.clone(), admin)
}

async fn create(client: &Client, name: &str) {
    client.create("entities", json!({"name": {"en": name}, "kind": "agency"})).await;
}

/// The newest checkpoint, once the log has so many entries.
async fn checkpoint(client: &Client, size: u64) -> Note {
    loop {
        let reply = client.get("/v1/log/checkpoint").send().await;
        let note: Option<Note> = reply.text.parse().ok();
        if let Some(note) = note
            && note.text.parse::<Checkpoint>().unwrap().size >= size
        {
            return note;
        }
        tokio::task::yield_now().await;
    }
}

async fn exported(options: &PgConnectOptions, file: &Path) -> String {
    export(&mut connect(options).await, file).await.unwrap();
    fs::read_to_string(file).unwrap()
}

fn proven(file: &str, keys: &[VerifierKey], since: Vec<Note>) -> Result<Proven, Failure> {
    verify(file.as_bytes(), &Evidence { keys: keys.to_vec(), since, receipts: Vec::new() })
}

/// What a witness with these keys sees of a service.
fn look(client: &Client, keys: &[VerifierKey], state: &Path) -> Result<Seen, Refusal> {
    look_through(client, keys, state, &|text| text)
}

/// The same, with somebody in between who changes the answers.
fn look_through(
    client: &Client,
    keys: &[VerifierKey],
    state: &Path,
    change: &dyn Fn(String) -> String,
) -> Result<Seen, Refusal> {
    let handle = tokio::runtime::Handle::current();
    let fetch = |path: &str| {
        let reply = tokio::task::block_in_place(|| handle.block_on(client.get(path).send()));
        if reply.status == 200 { Ok(change(reply.text)) } else { Err(reply.text) }
    };
    witness(&fetch, keys, state, None)
}

#[track_caller]
fn broken(seen: Result<Seen, Refusal>, words: &str) {
    match seen {
        Err(Refusal::Broken(why)) => assert!(why.contains(words), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn wrong(proven: Result<Proven, Failure>, words: &str) {
    match proven {
        Err(Failure::Wrong(_, why)) => assert!(why.contains(words), "{why}"),
        other => panic!("{other:?}"),
    }
}

async fn mandate(options: &PgConnectOptions, log_key: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mandate"));
    command.args(arguments).env("DATABASE_URL", options.to_url_lossy().as_str()).env("MANDATE_LOG_KEY", log_key);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_goes_on_with_another_key_and_whoever_trusts_one_of_them_can_verify_it() {
    let options = database().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (old, new) = (log_key().verifier(), second_key().verifier());
    let before = service_over(options.clone(), Limits::default()).await;
    create(&before, "a").await;
    let early = checkpoint(&before, 1).await;
    look(&before, std::slice::from_ref(&old), &path("state")).unwrap();
    fs::write(path("old.key"), log_key().to_file()).unwrap();
    fs::write(path("new.key"), second_key().to_file()).unwrap();
    let file = path("new.key");
    let rotate = ["audit", "key", "rotate", file.to_str().unwrap(), "--reason", "the officer has left"];
    // A service that still has the old key writes on, and signs no more.
    let done = mandate(&options, &path("old.key"), &rotate).await;
    assert!(done.status.success(), "{done:?}");
    let again = mandate(&options, &path("old.key"), &rotate).await;
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("already"), "{again:?}");
    create(&before, "b").await;
    let client = signing(&options, second_key()).await;
    create(&client, "c").await;
    let late = checkpoint(&client, 4).await;
    assert!(new.has_signed(&late) && !old.has_signed(&late));

    let text = exported(&options, &path("log")).await;
    for keys in [vec![], vec![old.clone()], vec![new.clone()], vec![new.clone(), old.clone()]] {
        let shown = proven(&text, &keys, vec![early.clone(), late.clone()]).unwrap();
        assert_eq!((&shown.keys[..], shown.checkpoint.size), (&[old.clone(), new.clone()][..], 4));
    }
    let stranger = SignerKey::new("test.example/log", Purpose::Log, &[9; 32]);
    wrong(proven(&text, &[new.clone(), stranger.verifier()], vec![]), "not of");
    tampered(&text, &early);

    broken(look(&client, std::slice::from_ref(&old), &path("state")), "not signed by");
    let seen = look(&client, &[old, new.clone()], &path("state")).unwrap();
    assert!(seen.epoch.is_none() && new.has_signed(&seen.note));
    look(&client, &[new], &path("state")).unwrap();
    // A verifier needs what the log says of itself, so that is not erased.
    let change = "select id from changes where kind = 'log_key'";
    let change: Uuid = sqlx::query_scalar(change).fetch_one(&mut connect(&options).await).await.unwrap();
    assert_eq!(erase(&mut connect(&options).await, &author(), &What::Change(change)).await.unwrap(), 0);
}

/// Ways to make another key look like the next one.
fn tampered(text: &str, early: &Note) {
    let (old, thief) = (log_key(), SignerKey::new("test.example/log", Purpose::Log, &[9; 32]));
    // The checkpoint between the keys is taken out: nobody has said that the new one may sign.
    let both = |line: &&str| line.starts_with("{\"checkpoint\"") && line.matches("— test.example").count() == 2;
    assert!(text.lines().any(|line| both(&line)), "{text}");
    let without: String = text.split_inclusive('\n').filter(|line| !both(line)).collect();
    wrong(proven(&without, &[old.verifier()], vec![]), "not signed by");
    // Another key is put at the end of the chain, over what the old one has signed.
    let first: Vec<&str> = text.lines().take(2).collect();
    let head = |keys: [&SignerKey; 2]| {
        json!({"format": "mandate-audit/1", "earlier_keys": [keys[0].verifier().to_string()],
            "key": keys[1].verifier().to_string(), "entries": 1})
    };
    let of =
        |note: &Note| format!("{}\n{}\n{}\n", head([&old, &thief]), first[1], json!({"checkpoint": note.to_string()}));
    let checkpoint: Checkpoint = early.text.parse().unwrap();
    let keys = [old.verifier()];
    wrong(proven(&of(&checkpoint.signed_by(&[&old, &thief])), &keys, vec![]), "no entry before it names this key");
    wrong(proven(&of(early), &keys, vec![]), "followed the one before");
    wrong(proven(&of(&checkpoint.signed(&thief)), &keys, vec![]), "not signed by");
}

#[tokio::test]
async fn only_who_has_the_key_of_a_log_passes_it_on_and_never_to_a_stranger() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let mut connection = connect(&options).await;
    let refused = async |connection: &mut PgConnection, from: SignerKey, to: SignerKey| {
        rotate(connection, &author(), &from, &to).await.unwrap_err().to_string()
    };
    let empty = refused(&mut connection, log_key(), second_key()).await;
    assert!(empty.contains("no entry yet"), "{empty}");
    create(&client, "a").await;
    checkpoint(&client, 1).await;
    for (from, to, words) in [
        (second_key(), SignerKey::new("test.example/log", Purpose::Log, &[9; 32]), "is signed by"),
        (log_key(), log_key(), "has signed this log already"),
        (log_key(), SignerKey::new("other.example/log", Purpose::Log, &[9; 32]), "names the log"),
        (log_key(), SignerKey::new("test.example/log", Purpose::Witness, &[9; 32]), "witness"),
    ] {
        let why = refused(&mut connection, from, to).await;
        assert!(why.contains(words), "{why}");
    }
    let entries: i64 = sqlx::query_scalar("select count(*) from changes").fetch_one(&mut connection).await.unwrap();
    assert_eq!(entries, 1, "what is refused records nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_a_new_epoch_names_what_is_abandoned_and_a_witness_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let keys = [log_key().verifier()];
    let lost = service_over(database().await, Limits::default()).await;
    for (name, size) in [("a", 1), ("b", 2), ("c", 3)] {
        create(&lost, name).await;
        checkpoint(&lost, size).await;
    }
    let (between, last) = (checkpoint(&lost, 3).await, {
        create(&lost, "d").await;
        checkpoint(&lost, 4).await
    });
    fs::write(path("state"), last.to_string()).unwrap();
    fs::write(path("late"), last.to_string()).unwrap();
    // The database as it was once, or what came of it.
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    create(&client, "x").await;
    let own = checkpoint(&client, 1).await;
    broken(look(&client, &keys, &path("state")), "had 4");
    fs::write(path("key"), log_key().to_file()).unwrap();
    let file = path("late");
    let begin = ["audit", "epoch", file.to_str().unwrap(), "--reason", "the disk was lost"];
    let done = mandate(&options, &path("key"), &begin).await;
    assert!(done.status.success(), "{done:?}");
    let now = checkpoint(&client, 2).await;
    for (note, words) in [(&last, "already"), (&own, "nothing to abandon"), (&now, "nothing to abandon")] {
        let why = begin_epoch(&mut connect(&options).await, &author(), note).await.unwrap_err().to_string();
        assert!(why.contains(words), "{why}");
    }
    // Whoever is in between cannot say it in the keeper's place.
    for (from, to) in [("disk", "dust"), ("\"position\":2", "\"position\":1"), ("log_epoch", "log_epos")] {
        broken(look_through(&client, &keys, &path("state"), &|text| text.replace(from, to)), "does not");
    }
    broken(look(&client.as_viewer(), &keys, &path("state")), "had 4");
    let epoch = look(&client, &keys, &path("state")).unwrap().epoch.unwrap();
    assert_eq!((epoch.position, epoch.abandoned.size, epoch.why.as_str()), (2, 4, "the disk was lost"));
    assert_eq!(fs::read_to_string(&epoch.kept).unwrap(), last.to_string());
    create(&client, "y").await;
    checkpoint(&client, 3).await;
    assert!(look(&client, &keys, &path("state")).unwrap().epoch.is_none());
    // A witness that last saw another state is not told that it was abandoned.
    fs::write(path("other"), between.to_string()).unwrap();
    broken(look(&client, &keys, &path("other")), "forked");

    let text = exported(&options, &path("log")).await;
    let shown = proven(&text, &keys, vec![last.clone(), own]).unwrap();
    let abandoned = opened_by_any(&last, &keys).unwrap();
    assert_eq!((shown.checkpoints, &shown.abandoned), (2, &vec![abandoned.clone()]));
    assert_eq!(shown.epochs, [(2, abandoned, "the disk was lost".to_owned())]);
    wrong(proven(&text, &keys, vec![between]), "forked");
    let file = BufReader::new(File::open(path("log")).unwrap());
    assert_eq!(verify(file, &Evidence::default()).unwrap().checkpoint.size, 3);
}
