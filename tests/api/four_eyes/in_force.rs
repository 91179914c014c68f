//! The acts in force stand in the database: services write them, and commands go by them whatever their own setting is.

use std::process::Stdio;

use mandate::cli::database::MIGRATOR;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{io::AsyncReadExt as _, net::TcpListener, process::Command};

use super::{ALL, ground, put_in_force};
use crate::{
    crashes::exchange,
    support::{database, empty_database},
};

fn mandate(options: &PgConnectOptions, acts: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mandate"));
    command.env("DATABASE_URL", options.to_url_lossy().as_str()).env_remove("MANDATE_FOUR_EYES");
    command.envs(acts.map(|acts| ("MANDATE_FOUR_EYES", acts))).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a command to its end: whether it succeeded, and all that it said.
async fn run(options: &PgConnectOptions, acts: Option<&str>, arguments: &[&str]) -> (bool, String) {
    let output = mandate(options, acts).args(arguments).output().await.unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// Starts a service with this setting and stops it once it answers: what it logged.
async fn served(options: &PgConnectOptions, acts: Option<&str>) -> String {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut command = mandate(options, acts);
    let mut child = command
        .arg("serve")
        .env("MANDATE_LISTEN", address.to_string())
        .env("MANDATE_LOG", "warn")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while exchange(address, "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.is_none() {
        assert!(child.try_wait().unwrap().is_none(), "the service has ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().await.unwrap().success());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
    said
}

async fn standing(options: &PgConnectOptions) -> (Vec<String>, bool) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    let sql = "select acts, set_at is not null from acts_in_force";
    sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_command_goes_by_what_the_service_wrote_and_not_by_its_own_setting() {
    let ground = ground("").await;
    let options = &ground.options;
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str, sections: Value| {
        let path = place.path().join(name);
        let mut file = json!({"format": "mandate-plan/1"});
        file.as_object_mut().unwrap().extend(sections.as_object().unwrap().clone());
        std::fs::write(&path, file.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let completed = file("c.json", json!({"steps": [{"external_id": "st", "status": "completed", "evidence": "x"}]}));
    let dated = file("d.json", json!({"timelines": [{"external_id": "t2", "set_on": "2025-01-01"}]}));
    let said = served(options, Some("closing,completion,approved_timeline,appropriation,closing")).await;
    assert!(
        said.contains("WARN") && said.contains("\"before\":\"none\"") && said.contains(&format!("\"now\":\"{ALL}\"")),
        "{said}"
    );
    assert_eq!(standing(options).await, (ALL.split(',').map(str::to_owned).collect(), true));
    // Without the setting, with less of it, and with all of it.
    let before = ground.record().await;
    for acts in [None, Some("closing"), Some(ALL)] {
        for (path, act) in [(&completed, "completion"), (&dated, "approved_timeline")] {
            let (done, text) = run(options, acts, &["import", path, "--reason", "y"]).await;
            assert!(!done && text.contains(&format!("{act} needs a second principal")), "{acts:?}: {text}");
            let (done, text) = run(options, acts, &["import", path, "--reason", "y", "--dry-run"]).await;
            assert!(done && text.contains(&format!("it needs a second principal ({act})")), "{acts:?}: {text}");
        }
        assert_eq!(ground.record().await, before, "{acts:?}");
    }
    let (done, text) = run(options, None, &["doctor"]).await;
    let both = text.contains(&format!("second principal: {ALL}")) && text.contains("MANDATE_FOUR_EYES is none here");
    assert!(done && both, "{text}");
    // The same again is no change; and a command changes nothing of it.
    assert!(!served(options, Some(ALL)).await.contains("second principal"));
    assert_eq!(standing(options).await.0.len(), 4);
    // The last start decides.
    let said = served(options, None).await;
    assert!(said.contains(&format!("\"before\":\"{ALL}\"")) && said.contains("\"now\":\"none\""), "{said}");
    assert_eq!(standing(options).await, (Vec::new(), true));
    for path in [&completed, &dated] {
        let (done, text) = run(options, Some(ALL), &["import", path, "--reason", "y"]).await;
        assert!(done && text.contains("changed 1"), "{text}");
    }
    // What changed is in the record, for who reads it.
    let listed = ground.admin.get("/v1/changes?kind=acts_in_force").expect(200).await.json();
    let acts = |value: &Value| value["acts"].as_array().unwrap().len();
    let changes: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|item| (acts(&item["before"]), acts(&item["after"]))).collect();
    assert_eq!(changes, [(0, 4), (4, 0)], "{listed}");
    assert!(listed["items"].as_array().unwrap().iter().all(|item| item["actor"] == "service"), "{listed}");
}

#[tokio::test]
async fn a_service_that_started_before_goes_by_what_another_wrote_after() {
    let ground = ground("").await;
    let change = |amount: &str| {
        ground
            .anna
            .patch("/v1/budget-allocations/external:m1", json!({"money": {"amount": amount}}))
            .header("if-match", "*")
    };
    change("90").expect(200).await;
    put_in_force(&ground.options, "appropriation").await;
    ground.proposed(change("80")).await;
    put_in_force(&ground.options, "closing").await;
    change("80").expect(200).await;
}

#[tokio::test]
async fn a_session_cannot_say_otherwise() {
    let ground = ground(ALL).await;
    let mut connection =
        PgConnection::connect_with(&ground.options.clone().options([("mandate.four_eyes", "")])).await.unwrap();
    let file =
        json!({"format": "mandate-plan/1", "steps": [{"external_id": "st", "status": "completed", "evidence": "x"}]})
            .to_string();
    let author = mandate::repository::Author::at_the_command_line(Some("y"));
    let outcome = mandate::transfer::import(
        &mut connection,
        mandate::router::nouns(),
        &author,
        file.as_bytes(),
        mandate::transfer::how::How::default(),
        |_, _| {},
    );
    assert!(outcome.await.is_err());
}

#[tokio::test]
async fn the_examples_are_loaded_where_acts_are_in_force() {
    let options = database().await;
    put_in_force(&options, ALL).await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    mandate::cli::demo::load(&mut connection).await.unwrap();
    let there: i64 = sqlx::query_scalar("select count(*) from initiatives where status = 'completed'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(there > 0);
}

#[tokio::test]
async fn before_the_first_service_none_are_in_force() {
    let options = empty_database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    MIGRATOR.run(&mut connection).await.unwrap();
    assert_eq!(standing(&options).await, (Vec::new(), false));
}
