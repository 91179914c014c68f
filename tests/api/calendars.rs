//! What an entity owes, in its own calendar.

use std::{
    fs::File,
    net::TcpListener,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::progress::{Ground, ground, report};

async fn token(ground: &Ground, entity: &Value) -> Value {
    ground.admin.create("calendar-tokens", json!({"entity_id": entity, "name": "director"})).await
}

#[tokio::test]
async fn a_token_opens_the_calendar_of_its_entity_and_nothing_else() {
    let ground = ground().await;
    let Ground { admin, agency, .. } = &ground;
    let made = token(&ground, agency).await;
    let (word, path) = (made["token"].as_str().unwrap(), made["path"].as_str().unwrap());
    let nobody = admin.as_nobody();
    let reply = nobody.get(path).expect(200).await;
    assert_eq!(reply.header("content-type"), "text/calendar; charset=utf-8");
    let text = reply.text.replace("\r\n ", "");
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 3, "two reports, and the end of the initiative: {text}");
    assert!(text.contains("DTSTART;VALUE=DATE:20250415\r\nSUMMARY:Overdue: Report 2025-Q1: 1 1\r\n"), "{text}");
    assert!(text.contains("X-WR-CALNAME:Agency\r\n") && !text.contains("2025-Q1: 2"), "{text}");
    nobody.get(path).header("if-none-match", reply.header("etag")).expect(304).await;
    nobody.get(format!("/v1/calendars/external:agency.ics?token={word}")).expect(200).await;
    // Not without it, not another calendar, not another door.
    let id = agency.as_str().unwrap();
    for path in [
        format!("/v1/calendars/{id}.ics"),
        format!("/v1/calendars/{id}.ics?token=mandatecal_0"),
        format!("/v1/calendars/0190aaaa-0000-7000-8000-000000000000.ics?token={word}"),
        "/v1/obligations".to_owned(),
    ] {
        nobody.get(path).expect(401).await;
    }
    nobody.get(format!("/v1/obligations?token={word}")).expect(401).await;
    admin.with_key(word.to_owned()).get("/v1/obligations").expect(401).await;
    admin.get(path).expect(400).await;
    admin.as_viewer().get(format!("/v1/calendars/{id}.ics")).expect(200).await;
    admin.get(format!("/v1/calendars/{id}")).expect(404).await;
    admin.get("/v1/calendars/external:nobody.ics").expect(404).await;
    // Revoked, it opens nothing any more.
    let own = format!("/v1/calendar-tokens/{}", made["id"].as_str().unwrap());
    admin.delete(&own).expect(204).await;
    nobody.get(path).expect(401).await;
    admin.delete(&own).expect(410).await;
    admin.delete("/v1/calendar-tokens/nothing").expect(404).await;
}

#[tokio::test]
async fn a_token_is_shown_once_and_can_be_made_for_what_there_is_only() {
    let ground = ground().await;
    let Ground { admin, agency, .. } = &ground;
    let made = token(&ground, agency).await;
    let listed = admin.get("/v1/calendar-tokens").expect(200).await.text;
    assert!(listed.contains("director") && !listed.contains(made["token"].as_str().unwrap()), "{listed}");
    let body = json!({"entity_id": agency, "name": "x"});
    admin.post("/v1/calendar-tokens", body).header("idempotency-key", "k").expect(400).await;
    let body = json!({"entity_id": "0190aaaa-0000-7000-8000-000000000000", "name": "x", "days": 10});
    assert_eq!(admin.post("/v1/calendar-tokens", body).expect(422).await.faults(), ["#/entity_id not_found"]);
}

/// The head and body of an answer, if there is one.
async fn exchange(address: &str, path: &str) -> Option<String> {
    let mut socket = TcpStream::connect(address).await.ok()?;
    socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.ok()?;
    let mut text = String::new();
    socket.read_to_string(&mut text).await.ok()?;
    Some(text).filter(|text| text.starts_with("HTTP/1.1 "))
}

#[tokio::test]
async fn the_log_has_the_path_of_a_calendar_and_never_its_token() {
    let ground = ground().await;
    let made = token(&ground, &ground.agency).await;
    let (word, path) = (made["token"].as_str().unwrap(), made["path"].as_str().unwrap());
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = || Stdio::from(File::options().append(true).open(log.path()).unwrap());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut service = Command::new(env!("CARGO_BIN_EXE_mandate"))
        .arg("serve")
        .env("DATABASE_URL", ground.options.to_url_lossy().as_str())
        .env("MANDATE_LISTEN", &address)
        .env("MANDATE_LOG", "trace")
        .stdout(output())
        .stderr(output())
        .spawn()
        .unwrap();
    while exchange(&address, "/livez").await.is_none() {
        assert!(service.try_wait().unwrap().is_none(), "{}", std::fs::read_to_string(log.path()).unwrap());
        // It answers nobody yet; asking without a pause would take the core that it starts on.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let shown = exchange(&address, path).await.unwrap();
    let refused = exchange(&address, &format!("{path}&x=1")).await.unwrap();
    service.kill().unwrap();
    service.wait().unwrap();
    assert!(shown.starts_with("HTTP/1.1 200") && refused.starts_with("HTTP/1.1 400"), "{shown}\n{refused}");
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("/v1/calendars/"), "the log has not even the path: {log}");
    assert!(!log.contains(word) && !shown.contains(word) && !refused.contains(word), "the token is told: {log}");
}

#[tokio::test]
async fn what_is_done_leaves_the_calendar_and_what_stays_keeps_its_uid() {
    let ground = ground().await;
    let Ground { admin, editor, agency, .. } = &ground;
    let path = format!("/v1/calendars/{}.ics", agency.as_str().unwrap());
    let uids = async || {
        let text = admin.get(&path).expect(200).await.text.replace("\r\n ", "");
        text.split("\r\n").filter(|line| line.starts_with("UID:")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = uids().await;
    let milestone = json!({"initiative_id": "external:i1", "title": "Reached; with, care", "deadline": {"text": "2024-03-31"}, "classification": "restricted"});
    let milestone = admin.create("milestones", milestone).await;
    let restricted = admin.get(&path).expect(200).await.text.replace("\r\n ", "");
    assert!(restricted.contains("SUMMARY:Overdue: Milestone of 1: Reached\\; with\\, care\r\n"), "{restricted}");
    let made = token(&ground, agency).await;
    let internal = admin.as_nobody().get(made["path"].as_str().unwrap()).expect(200).await.text;
    assert!(!internal.contains("Milestone"), "{internal}");
    editor.create("progress-reports", report("2025-Q1", json!({"state": "submitted"}))).await;
    let after = uids().await;
    assert_eq!(
        after,
        [format!("UID:{}@mandate", milestone["id"].as_str().unwrap()), before[1].clone(), before[2].clone()]
    );
}
