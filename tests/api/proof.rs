//! The log of a running service: receipts, proofs, tiles, erasure, a witness; and sequencers that are stopped anywhere.

use std::{fs::File, io::BufReader, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mandate::{
    access::{Role, keys},
    app::{App, layered},
    base::limits::Limits,
    record::{
        Record,
        proof::{
            erase::{What, erase},
            export::export,
        },
    },
    repository::{self, Author},
    router,
};
use mandate_tlog::{
    hash::{Hash, leaf_hash},
    note::{Checkpoint, Note, Purpose, SignerKey},
    path::{extends, includes},
    verify::{Evidence, Failure, Proven, opened, receipt, verify},
    witness::{Refusal, witness},
};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use crate::support::{CONNECTIONS, Client, database, log_key, service, service_over, services_over};

fn agency(name: &str) -> Value {
    json!({"name": {"en": name}, "kind": "agency"})
}

/// The checkpoint, once the log has so many entries.
async fn checkpoint(client: &Client, size: u64) -> (Note, Checkpoint) {
    loop {
        let reply = client.get("/v1/log/checkpoint").send().await;
        if reply.status == 200 {
            let note: Note = reply.text.parse().unwrap();
            let checkpoint = opened(&note, &log_key().verifier()).unwrap();
            if checkpoint.size >= size {
                return (note, checkpoint);
            }
        }
        tokio::task::yield_now().await;
    }
}

fn hashes(path: &Value) -> Vec<Hash> {
    let hash = |text: &Value| STANDARD.decode(text.as_str().unwrap()).unwrap().try_into().unwrap();
    path.as_array().unwrap().iter().map(hash).collect()
}

#[tokio::test]
async fn whoever_writes_gets_a_receipt_that_the_log_honours() {
    let client = service().await;
    let create = |body| client.post("/v1/entities", body).header("idempotency-key", "once");
    let made = create(agency("a")).expect(201).await;
    let again = create(agency("a")).expect(201).await;
    assert_eq!(made.header("mandate-receipt"), again.header("mandate-receipt"));
    let path = format!("/v1/entities/{}", made.json()["id"].as_str().unwrap());
    let patched = client.patch(&path, json!({"name": {"en": "b"}})).if_match(1).expect(200).await;
    let put = client.put(&path, agency("c")).if_match(2).expect(200).await;
    let deleted = client.delete(&path).if_match(3).header("mandate-reason", "ă \"b\"").expect(204).await;
    let read = client.get("/v1/entities").expect(200).await;
    assert!(!read.headers.contains_key("mandate-receipt"));
    checkpoint(&client, 4).await;
    for (place, reply) in (1..).zip([&made, &patched, &put, &deleted]) {
        let (id, hash) = receipt(&reply.header("mandate-receipt")).unwrap();
        let proof = client.get(format!("/v1/changes/{id}/proof")).expect(200).await.json();
        assert_eq!(proof["position"], place);
        assert_eq!(leaf_hash(proof["leaf"].as_str().unwrap().as_bytes()), hash);
        assert_eq!(proof["leaf_hash"], STANDARD.encode(hash));
        let note: Note = proof["checkpoint"].as_str().unwrap().parse().unwrap();
        let head = opened(&note, &log_key().verifier()).unwrap();
        assert!(includes(hash, place - 1, head.size, &hashes(&proof["path"]), &head.root));
        // Nothing that may have to be erased is in the leaf.
        let leaf: Value = serde_json::from_str(proof["leaf"].as_str().unwrap()).unwrap();
        let names: Vec<_> = leaf.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = ["action", "actor", "at", "id", "kind", "payload", "request_id", "resource_id", "v", "version"];
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn the_log_answers_strictly() {
    let client = service().await;
    client.get("/v1/log/checkpoint").expect(404).await;
    for name in ["a", "b", "c"] {
        client.create("entities", agency(name)).await;
    }
    let (_, head) = checkpoint(&client, 3).await;
    assert_eq!(client.get("/v1/log/key").expect(200).await.text.trim(), log_key().verifier().to_string());
    let proof = client.get("/v1/log/consistency?from=2").expect(200).await.json();
    assert_eq!((&proof["from"], &proof["to"]), (&json!(2), &json!(3)));
    let before = client.get("/v1/log/consistency?from=1&to=2").expect(200).await.json();
    let leaf = client.get("/v1/log/tile/entries/000.p/1").expect(200).await;
    let length = u16::from_be_bytes([leaf.text.as_bytes()[0], leaf.text.as_bytes()[1]]);
    assert_eq!(usize::from(length), leaf.text.len() - 2);
    let first = leaf_hash(&leaf.text.as_bytes()[2..]);
    let second = mandate_tlog::hash::node_hash(&first, &hashes(&before["path"])[0]);
    assert!(extends((2, &second), (3, &head.root), &hashes(&proof["path"])));
    assert!(leaf.header("cache-control").contains("immutable"));
    for (query, fault) in [
        ("from=4", "from log_is_shorter"),
        ("to=4", "to log_is_shorter"),
        ("from=2&to=1", "from log_is_shorter"),
        ("from=-1", "from too_small"),
        ("form=1", "form unknown_parameter"),
    ] {
        assert_eq!(client.get(format!("/v1/log/consistency?{query}")).expect(400).await.faults(), [fault], "{query}");
    }
    for path in [
        "log/tile/0/000",
        "log/tile/0/000.p/4",
        "log/tile/1/000.p/1",
        "log/tile/entries/000",
        "log/tile/0/0",
        "log/tile/x",
        "log/tile/entries/x999/x999/x999/x999/x999/999",
        "changes/0190aaaa-0000-7000-8000-000000000000/proof",
        "changes/x/proof",
    ] {
        client.get(format!("/v1/{path}")).expect(404).await;
    }
    client.get("/v1/log/checkpoint?x=1").expect(400).await;
    for path in ["log/checkpoint", "log/key", "log/tile/0/000.p/1", "log/consistency"] {
        client.as_nobody().get(format!("/v1/{path}")).expect(401).await;
    }
}

#[tokio::test]
async fn without_a_key_there_is_no_log_and_it_is_said_how_to_get_one() {
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let key = keys::create(&mut connection, "admin", Role::Admin, None).await.unwrap();
    let app = App::new(repository::connect(options, CONNECTIONS, Limits::default()).unwrap(), None);
    let record = app.record.clone();
    let client = Client::new(layered(router::routes(), app, Limits::default()), record, key.clone(), key);
    for path in ["log/checkpoint", "log/key", "log/tile/0/000.p/1", "log/consistency", "changes/x/proof"] {
        let reply = client.get(format!("/v1/{path}")).expect(404).await;
        assert!(reply.text.contains("MANDATE_LOG_KEY"), "{}", reply.text);
    }
}

async fn proven(options: &PgConnectOptions, file: &Path, evidence: &Evidence) -> Result<Proven, Failure> {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    export(&mut connection, file).await.unwrap();
    verify(BufReader::new(File::open(file).unwrap()), evidence)
}

#[tokio::test]
async fn what_is_erased_is_gone_and_the_proof_stays() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let made = client.post("/v1/entities", agency("Ion Popescu")).expect(201).await;
    let path = format!("/v1/entities/{}", made.json()["id"].as_str().unwrap());
    let kept = client.create("entities", agency("kept")).await;
    let (note, _) = checkpoint(&client, 2).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let author = Author {
        actor: "cli".into(),
        principal: "cli".into(),
        request_id: "r".into(),
        reason: Some("court order 7".into()),
        confirmation: None,
    };
    let id: Uuid = made.json()["id"].as_str().unwrap().parse().unwrap();
    let resource = What::Deleted("entity".into(), id);
    assert_eq!(erase(&mut connection, &author, &resource).await.unwrap(), 0, "it is not deleted");
    client.delete(&path).if_match(1).expect(204).await;
    assert_eq!(erase(&mut connection, &author, &resource).await.unwrap(), 2);
    // The past has forgotten it too.
    let versions =
        "select count(*) from as_of.entities_versions v join changes c on c.entity_id = v.id where c.salt is null";
    assert_eq!(sqlx::query_scalar::<_, i64>(versions).fetch_one(&mut connection).await.unwrap(), 0);
    assert_eq!(erase(&mut connection, &author, &resource).await.unwrap(), 0, "it is erased already");
    checkpoint(&client, 5).await;
    let receipts = vec![receipt(&made.header("mandate-receipt")).unwrap()];
    let evidence = Evidence { keys: vec![log_key().verifier()], since: vec![note], receipts };
    let shown = proven(&options, &file, &evidence).await.unwrap();
    assert_eq!((shown.checkpoint.size, shown.erased), (5, 2));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("Popescu") && text.contains("court order 7") && text.contains("kept"));
    let history = client.get(format!("{path}/history")).expect(200).await.text;
    assert!(!history.contains("Popescu"), "{history}");
    let feed = client.get("/v1/changes").expect(200).await.json();
    assert_eq!(feed["items"][3]["kind"], "change");
    let (change, _) = receipt(&made.header("mandate-receipt")).unwrap();
    let proof = client.get(format!("/v1/changes/{change}/proof")).expect(200).await.json();
    assert_eq!((&proof["salt"], &proof["payload"]), (&Value::Null, &Value::Null));
    // One change of something that lives on.
    let kept: Uuid = kept["id"].as_str().unwrap().parse().unwrap();
    let change = sqlx::query_scalar("select id from changes where entity_id = $1").bind(kept);
    let change: Uuid = change.fetch_one(&mut connection).await.unwrap();
    assert_eq!(erase(&mut connection, &author, &What::Change(change)).await.unwrap(), 1);
    checkpoint(&client, 6).await;
    assert_eq!(proven(&options, &file, &evidence).await.unwrap().erased, 3);
}

#[tokio::test]
async fn the_record_refuses_to_be_rewritten_and_a_rewriting_shows() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    for name in ["a", "b", "c"] {
        client.create("entities", agency(name)).await;
    }
    checkpoint(&client, 3).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    for statement in [
        "delete from changes",
        "truncate changes",
        "update changes set actor = 'x'",
        "update changes set leaf = '{}'",
        "update changes set position = position + 10",
        "update changes set position = null, recorded_at = null",
        "update changes set after = '{}'",
        "update changes set salt = null",
    ] {
        let refused = sqlx::query(statement).execute(&mut connection).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "23000", "{statement}");
    }
    // The owner of the table can take the guard away.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    assert_eq!(proven(&options, &file, &Evidence::default()).await.unwrap().erased, 0);
    sqlx::raw_sql(
        "alter table changes disable trigger user; update changes set after = '{\"x\": 1}' where position = 2",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    match proven(&options, &file, &Evidence::default()).await {
        Err(Failure::Wrong(Some((2, 2)), why)) => assert!(why.contains("payload"), "{why}"),
        other => panic!("{other:?}"),
    }
}

/// What a witness sees of a service.
fn look(client: &Client, state: &Path, cosigner: Option<&SignerKey>) -> Result<Note, Refusal> {
    let handle = tokio::runtime::Handle::current();
    let fetch = |path: &str| {
        let reply = tokio::task::block_in_place(|| handle.block_on(client.get(path).send()));
        if reply.status == 200 { Ok(reply.text) } else { Err(reply.text) }
    };
    witness(&fetch, &[log_key().verifier()], state, cosigner).map(|seen| seen.note)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_refuses_a_fork_and_a_return_to_an_older_state() {
    let folder = tempfile::tempdir().unwrap();
    let (state, fork) = (folder.path().join("state"), folder.path().join("fork"));
    let client = service().await;
    for name in ["a", "b", "c"] {
        client.create("entities", agency(name)).await;
    }
    checkpoint(&client, 3).await;
    let cosigner = SignerKey::new("witness.example", Purpose::Witness, &[5; 32]);
    let note = look(&client, &state, Some(&cosigner)).unwrap();
    assert!(cosigner.verifier().has_signed(&note));
    std::fs::copy(&state, &fork).unwrap();
    look(&client, &state, None).unwrap();
    client.create("entities", agency("d")).await;
    checkpoint(&client, 4).await;
    look(&client, &state, None).unwrap();
    // The same key over another record.
    let other = service().await;
    other.create("entities", agency("a")).await;
    checkpoint(&other, 1).await;
    match look(&other, &state, None) {
        Err(Refusal::Broken(why)) => assert!(why.contains("has 1 entries and had 4"), "{why}"),
        answer => panic!("{answer:?}"),
    }
    for (name, size) in [("b", 2), ("c", 3), ("d", 4), ("e", 5)] {
        other.create("entities", agency(name)).await;
        checkpoint(&other, size).await;
        if size >= 3 {
            match look(&other, &fork, None) {
                Err(Refusal::Broken(why)) => assert!(why.contains("forked"), "{why}"),
                answer => panic!("{answer:?}"),
            }
        }
    }
    // What was refused is not kept.
    look(&client, &state, None).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sequencers_stopped_anywhere_leave_a_log_without_gap_or_double() {
    let options = database().await;
    let writers = options.clone();
    let insert = "insert into changes (kind, entity_id, version, action, actor, request_id, after)
                  select 'entity', id, 1, 'created', 'key:x', 'r', jsonb_build_object('id', id, 'version', 1, 'created_at', now(),
                      'updated_at', now(), 'name', '{}'::jsonb, 'kind', 'agency')
                  from (select gen_random_uuid() as id from generate_series(1, 37)) new";
    for round in 0..100_u64 {
        let mut connection = PgConnection::connect_with(&writers).await.unwrap();
        sqlx::query(insert).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let options = options.clone();
        // Two sequencers, whose runtime ends in the middle of what they do.
        tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                for _ in 0..2 {
                    let pool = repository::connect(options.clone(), 2, Limits::default()).unwrap();
                    drop(App::new(pool, None).with_record(Record::default().with_log_key(log_key())).start_sequencer());
                }
                // Anywhere: from before the first connection to after the last statement.
                tokio::time::sleep(std::time::Duration::from_micros(round * 397 % 40_000)).await;
            });
            runtime.shutdown_background();
        })
        .await
        .unwrap();
    }
    let [client] = services_over(options.clone(), ["UTC"]).await;
    let (_, head) = checkpoint(&client, 3700).await;
    assert_eq!(head.size, 3700);
    let folder = tempfile::tempdir().unwrap();
    let shown = proven(&options, &folder.path().join("log"), &Evidence::default()).await.unwrap();
    assert_eq!(shown.checkpoint, head);
}
