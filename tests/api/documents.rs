//! Captured copies: what is taken, kept once, shown to whom, and never shown in place.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Request, Response},
};
use futures_util::stream;
use http_body_util::BodyExt as _;
use mandate::{access::keys, base::limits::Limits};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};
use tower::ServiceExt as _;

use crate::support::{Call, Client, database, service, service_changed, service_over};

const PATH: &str = "/v1/documents";

fn sha256(bytes: &[u8]) -> String {
    keys::hex(&Sha256::digest(bytes))
}

fn upload(client: &Client, kind: &str, bytes: impl Into<Vec<u8>>) -> Call {
    client.call("POST", PATH).header("content-type", kind).body(bytes)
}

/// A piece of evidence that names a document.
async fn name(client: &Client, hash: &str, classification: &str) -> String {
    let body = json!({"kind": "internal_document", "title": "A copy", "claim": "It was so", "about": "other", "document": hash,
        "classification": classification});
    client.create("evidence", body).await["id"].as_str().unwrap().to_owned()
}

async fn whole(response: Response<Body>) -> (u16, HeaderMap, Bytes) {
    let (parts, body) = response.into_parts();
    (parts.status.as_u16(), parts.headers, body.collect().await.unwrap().to_bytes())
}

async fn ask(options: &PgConnectOptions, sql: &str) -> i64 {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap()
}

async fn run(options: &PgConnectOptions, sql: &str) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_and_is_never_shown_in_place() {
    let client = service().await;
    let mut large = b"words ".repeat(600_000);
    large.extend(b"and an end");
    for (kind, end, bytes) in [
        ("application/pdf", "pdf", b"%PDF-1.7\n\xff\x00".to_vec()),
        ("image/png", "png", b"\x89PNG\r\n\x1a\n\x00".to_vec()),
        ("image/jpeg", "jpg", b"\xff\xd8\xff\xe0\x00".to_vec()),
        ("text/html", "html", b"<!DOCTYPE html><script>alert(1)</script>".to_vec()),
        ("text/plain", "txt", large),
        ("text/csv", "csv", b"a,b\r\n1,2\r\n".to_vec()),
        ("application/xml", "xml", b"<?xml version=\"1.0\"?><a/>".to_vec()),
        ("application/json", "json", b"{\"a\": 1}".to_vec()),
    ] {
        let hash = sha256(&bytes);
        let reply = upload(&client, &format!("{kind}; charset=utf-8"), bytes.clone()).expect(201).await;
        let path = format!("{PATH}/{hash}");
        assert_eq!(reply.header("location"), path);
        let kept = reply.json();
        assert_eq!(
            (&kept["sha256"], &kept["size"], &kept["media_type"]),
            (&json!(hash), &json!(bytes.len()), &json!(kind))
        );
        name(&client, &hash, "internal").await;
        let (status, headers, found) = whole(client.as_viewer().get(&path).open().await).await;
        assert!(status == 200 && found == bytes, "{kind}: {status}, {} bytes", found.len());
        let header = |name: &str| headers[name].to_str().unwrap();
        assert_eq!(header("content-type"), kind);
        assert_eq!(header("content-length"), bytes.len().to_string());
        assert_eq!(header("content-disposition"), format!("attachment; filename=\"{}.{end}\"", &hash[..16]));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").starts_with("sandbox; default-src 'none'"));
        assert_eq!(header("cache-control"), "private, no-cache");
        assert_eq!(header("etag"), format!("\"{hash}\""));
        client.get(&path).header("if-none-match", format!("\"{hash}\"")).expect(304).await;
        client.get(format!("{PATH}/{}", hash.to_uppercase())).header("if-none-match", "*").expect(304).await;
    }
}

#[tokio::test]
async fn what_is_not_what_it_is_said_to_be_is_refused() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    for (kind, bytes) in [
        ("application/pdf", &b"<html>"[..]),
        ("image/png", b"\xff\xd8\xff"),
        ("text/plain", b"<!doctype html>"),
        ("text/plain", b"MZ\x00\x00"),
        ("text/html", b"%PDF-1.4"),
        ("application/json", b"{"),
    ] {
        let problem = upload(&client, kind, bytes).expect(422).await;
        assert_eq!(problem.faults(), ["Content-Type wrong_type"], "{kind}");
    }
    let call =
        |path: &str| client.call("POST", path.to_owned()).header("content-type", "application/octet-stream").body("x");
    assert_eq!(call("/v1/documents?media_type=image/png").expect(422).await.faults(), ["media_type wrong_type"]);
    assert_eq!(call("/v1/documents?media_type=image/gif").expect(400).await.faults(), ["media_type not_allowed"]);
    call("/v1/documents").expect(415).await;
    assert_eq!(upload(&client, "text/plain", "").expect(422).await.faults(), ["# empty"]);
    for kind in ["application/zip", "image/svg+xml", "application/octet-stream", ""] {
        let problem = upload(&client, kind, "x").expect(415).await;
        assert!(problem.text.contains("application/pdf, image/png"), "{}", problem.text);
    }
    let problem = client.call("POST", PATH).body("x").expect(415).await;
    assert!(problem.text.contains("text/csv"), "{}", problem.text);
    upload(&client, "text/plain", "x").header("content-encoding", "gzip").expect(415).await;
    client.call("POST", "/v1/documents?title=x").header("content-type", "text/plain").body("x").expect(400).await;
    assert_eq!(ask(&options, "select count(*) from documents").await, 0);
    assert_eq!(ask(&options, "select count(*) from changes").await, 0);
}

/// Sends pieces without saying how many.
async fn stream(client: &Client, pieces: Vec<io::Result<Bytes>>) -> (u16, Value) {
    let request =
        Request::post(PATH).header("content-type", "text/plain").header("authorization", client.authorization());
    let request = request.body(Body::from_stream(stream::iter(pieces))).unwrap();
    let (status, _, bytes) = whole(client.router().oneshot(request).await.unwrap()).await;
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn what_is_too_large_or_breaks_off_leaves_nothing() {
    let options = database().await;
    let client = service_changed(options.clone(), |app| app.with_document_limit(1000)).await;
    let problem = upload(&client, "text/plain", "x".repeat(1001)).expect(413).await;
    assert!(problem.text.contains("at most 1000 bytes"), "{}", problem.text);
    let piece = || Ok(Bytes::from("x".repeat(300)));
    let (status, problem) = stream(&client, vec![piece(), piece(), piece(), piece()]).await;
    assert_eq!(status, 413, "{problem}");
    let (status, problem) = stream(&client, vec![piece(), Err(io::Error::other("gone"))]).await;
    assert_eq!((status, &problem["code"]), (400, &json!("malformed")), "{problem}");
    assert_eq!(ask(&options, "select count(*) from documents").await, 0);
    let (status, kept) = stream(&client, vec![piece(), piece(), piece()]).await;
    assert_eq!((status, &kept["size"]), (201, &json!(900)), "{kept}");
    let path = format!("{PATH}?media_type=text/csv");
    let kept = client.call("POST", path).body("x".repeat(1000)).expect(201).await.json();
    assert_eq!(kept["media_type"], "text/csv");
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_however_many_bring_them() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let bytes = b"the same ".repeat(200_000);
    let calls = (0..16).map(|_| upload(&client, "text/plain", bytes.clone()).send());
    let replies = futures_util::future::join_all(calls).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[200; 15].as_slice(), &[201]].concat());
    // Whatever they are called the second time, they are what they were.
    let kept = upload(&client, "text/csv", bytes).expect(200).await.json();
    assert_eq!(kept["media_type"], "text/plain");
    assert_eq!(ask(&options, "select count(*) from documents").await, 1);
    assert_eq!(ask(&options, "select count(*) from document_parts").await, 2);
    assert_eq!(ask(&options, "select count(*) from changes where kind = 'document'").await, 1);
}

#[tokio::test]
async fn an_idempotency_key_stands_for_the_bytes() {
    let client = service().await;
    let send = |bytes: &'static str| upload(&client, "text/plain", bytes).header("idempotency-key", "one");
    let first = send("words").expect(201).await;
    let second = send("words").expect(201).await;
    assert_eq!((second.header("idempotency-replayed").as_str(), second.text), ("true", first.text));
    send("other words").expect(422).await;
}

#[tokio::test]
async fn only_who_may_see_evidence_that_names_it_may_have_it() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let everybody = service_changed(options, |app| app.with_public(true)).await;
    let (viewer, nobody) = (client.as_viewer(), everybody.as_nobody());
    let hash = upload(&client, "text/plain", "secret").expect(201).await.json()["sha256"].as_str().unwrap().to_owned();
    let path = format!("{PATH}/{hash}");
    // Nobody has named it yet.
    for reader in [&client, &viewer, &nobody] {
        reader.get(&path).expect(404).await;
    }
    let first = name(&client, &hash, "restricted").await;
    client.get(&path).expect(200).await;
    let hidden = viewer.get(&path).expect(404).await.json();
    let missing = viewer.get(format!("{PATH}/{}", "0".repeat(64))).expect(404).await.json();
    let words = |problem: &Value| problem["detail"].as_str().unwrap().split("SHA-256").next().unwrap().to_owned();
    assert_eq!(words(&hidden), words(&missing));
    viewer.get(format!("{PATH}/nonsense")).expect(404).await;
    viewer.get(&path).header("if-none-match", "*").expect(404).await;
    viewer.call("HEAD", &path).send().await;
    assert_eq!(viewer.call("HEAD", &path).open().await.status(), 404);
    let second = name(&client, &hash, "public").await;
    nobody.get(&path).expect(200).await;
    assert_eq!(viewer.get(&path).expect(200).await.text, "secret");
    // What is classified now is so in every past.
    let change = json!({"classification": "internal"});
    client.patch(format!("/v1/evidence/{second}"), change).if_match(1).expect(200).await;
    nobody.get(&path).expect(404).await;
    viewer.get(&path).expect(200).await;
    // What another copy has replaced is still that of the past.
    let change = json!({"document": "1".repeat(64)});
    client.patch(format!("/v1/evidence/{second}"), change).if_match(2).expect(200).await;
    viewer.get(&path).expect(200).await;
    client
        .patch(format!("/v1/evidence/{second}"), json!({"classification": "restricted"}))
        .if_match(3)
        .expect(200)
        .await;
    viewer.get(&path).expect(404).await;
    client.delete(format!("/v1/evidence/{first}")).if_match(1).expect(204).await;
    client.get(&path).expect(200).await;
    // Who uploads is told nothing by the feed that others may not know.
    let feed = viewer.get("/v1/changes?kind=document").expect(200).await.json();
    assert_eq!(feed["items"], json!([]));
}

#[tokio::test]
async fn damaged_bytes_are_never_shown_and_an_upload_replaces_them() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let bytes = b"good ".repeat(300_000);
    let hash = sha256(&bytes);
    let path = format!("{PATH}/{hash}");
    for damage in [
        "update document_parts set bytes = set_byte(bytes, 7, 0) where number = 1",
        "delete from document_parts where number = 0",
        "delete from document_parts where number = 1",
        "delete from document_parts",
        "insert into document_parts select document_id, 2, 'more' from document_parts where number = 0",
    ] {
        upload(&client, "text/plain", bytes.clone()).send().await;
        name(&client, &hash, "internal").await;
        assert_eq!(client.get(&path).expect(200).await.text.as_bytes(), bytes);
        run(&options, damage).await;
        let problem = client.get(&path).expect(409).await;
        assert_eq!(problem.faults(), ["# damaged"], "{damage}");
        upload(&client, "text/plain", bytes.clone()).expect(200).await;
        client.get(&path).expect(200).await;
    }
}

#[tokio::test]
async fn an_answer_breaks_off_where_a_part_is_another_than_was_verified() {
    for change in
        ["update document_parts set bytes = 'other' where number = 1", "delete from document_parts where number = 1"]
    {
        let options = database().await;
        let client = service_over(options.clone(), Limits::default()).await;
        let hash = sha256(&b"good ".repeat(300_000));
        upload(&client, "text/plain", b"good ".repeat(300_000)).expect(201).await;
        name(&client, &hash, "internal").await;
        // It is verified when its head is sent; its parts are read while the client reads them.
        let response = client.get(format!("{PATH}/{hash}")).open().await;
        assert_eq!(response.status(), 200);
        run(&options, change).await;
        let error = response.into_body().collect().await.unwrap_err();
        assert!(error.to_string().contains("since it was verified"), "{error}");
    }
}

#[tokio::test]
async fn an_erased_document_stays_so_and_the_record_says_why() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let hash = upload(&client, "text/plain", "a name").expect(201).await.json()["sha256"].as_str().unwrap().to_owned();
    let path = format!("{PATH}/{hash}");
    name(&client, &hash, "internal").await;
    let assessor = client.create("api-keys", json!({"name": "a", "role": "assessor"})).await;
    let assessor = client.with_key(assessor["key"].as_str().unwrap().to_owned());
    assessor.delete(&path).header("mandate-reason", "no").expect(403).await;
    let problem = client.delete(&path).expect(422).await;
    assert_eq!(problem.faults(), ["Mandate-Reason needs_reason"]);
    assert_eq!(client.get("/v1/evidence?copy=held&count=true").expect(200).await.json()["count"], 1);
    let erased = client.delete(&path).header("mandate-reason", "court order 7/2026").expect(204).await;
    assert!(erased.header("mandate-receipt").contains("leaf="));
    assert_eq!(ask(&options, "select count(*) from document_parts").await, 0);
    let gone = client.as_viewer().get(&path).expect(410).await.json();
    assert_eq!(client.get("/v1/evidence?copy=erased&count=true").expect(200).await.json()["count"], 1);
    client.delete(&path).header("mandate-reason", "again").expect(410).await;
    assert_eq!(upload(&client, "text/plain", "a name").expect(409).await.faults(), ["# erased"]);
    let history = loop {
        let page = client.get(gone["history"].as_str().unwrap()).expect(200).await.json();
        if page["items"].as_array().unwrap().len() == 2 {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert_eq!(history["items"][0]["after"]["sha256"], hash, "{history}");
    assert_eq!(
        (&history["items"][1]["action"], &history["items"][1]["reason"]),
        (&json!("deleted"), &json!("court order 7/2026"))
    );
    client.delete(format!("{PATH}/{}", "0".repeat(64))).header("mandate-reason", "x").expect(404).await;
}

#[tokio::test]
async fn what_nobody_names_is_swept_after_a_week() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    for words in ["named", "was named", "never named", "uploaded again"] {
        upload(&client, "text/plain", words).expect(201).await;
    }
    name(&client, &sha256(b"named"), "internal").await;
    let was = name(&client, &sha256(b"was named"), "internal").await;
    client.patch(format!("/v1/evidence/{was}"), json!({"document": null})).if_match(1).expect(200).await;
    run(&options, "update documents set uploaded_at = now() - interval '8 days'").await;
    upload(&client, "text/plain", "uploaded again").expect(200).await;
    upload(&client, "text/plain", "a new one").expect(201).await;
    let left = "select count(*) from documents where sha256 in (select encode(sha256(convert_to(words, 'UTF8')), 'hex')
        from unnest(array['named', 'was named', 'uploaded again', 'a new one']) words)";
    assert_eq!(ask(&options, left).await, 4);
    assert_eq!(ask(&options, "select count(*) from documents").await, 4);
    assert_eq!(ask(&options, "select count(*) from changes where kind = 'document' and action = 'deleted'").await, 1);
}
