//! IATI 2.03 in and out: the official conformance set, the samples, the round trip, and files that mean no good.

mod export;
mod odd;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mandate::transfer::iati::Settings;
use serde_json::{Value, json};

use crate::support::{Call, Client, client::Reply, database, service, service_changed};

/// A small file with one activity.
pub(crate) const SMALL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<iati-activities version="2.03">
  <iati-activity>
    <iati-identifier>XM-DAC-9-1</iati-identifier>
    <reporting-org ref="XM-DAC-9" type="10"><narrative>Agency</narrative></reporting-org>
    <title><narrative xml:lang="en">Exercises</narrative></title>
    <description><narrative xml:lang="en">Two exercises</narrative></description>
    <participating-org role="1" ref="XM-DAC-9" type="10"><narrative xml:lang="en">Agency</narrative></participating-org>
    <activity-status code="2"/>
    <activity-date type="2" iso-date="2025-03-01"/>
    <recipient-country code="MD"/>
  </iati-activity>
</iati-activities>
"#;

fn files(folder: &str) -> Vec<PathBuf> {
    fn all(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/iati").join(folder), &mut found);
    found.sort();
    found
}

fn import(client: &Client, query: &str, xml: impl Into<Vec<u8>>) -> Call {
    client.call("POST", format!("/v1/imports/iati?{query}")).header("content-type", "application/xml").body(xml)
}

fn settings() -> Settings {
    Settings { reference: Some("XX-GOV-7".into()), kind: Some("10".into()), name: Some("Exampland".into()) }
}

async fn publisher() -> Client {
    service_changed(database().await, |app| app.with_iati(settings())).await
}

async fn count(client: &Client, noun: &str) -> i64 {
    client.get(format!("/v1/{noun}?count=true&limit=1")).expect(200).await.json()["count"].as_i64().unwrap()
}

fn outcomes(report: &Value) -> [i64; 4] {
    ["created", "changed", "unchanged", "refused"].map(|word| report[word].as_i64().unwrap())
}

fn left_out(rows: &Value) -> String {
    let rows = rows.as_array().unwrap().iter();
    let show = |row: &Value| {
        format!(
            "{} {} x{} {}",
            row["line"],
            row["path"].as_str().unwrap(),
            row["count"],
            row["why"].as_str().unwrap_or_default()
        )
    };
    rows.map(show).map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn faults(reply: &Reply) -> String {
    let json = reply.json();
    let show = |fault: &Value| {
        format!(
            "{} {}: {}",
            fault["pointer"].as_str().unwrap(),
            fault["code"].as_str().unwrap(),
            fault["detail"].as_str().unwrap()
        )
    };
    json["errors"].as_array().unwrap().iter().map(show).collect::<Vec<_>>().join("\n")
}

/// Where there is an xmllint, it judges what is exported, too.
fn judged_by_xmllint(xml: &str) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/iati/2.03/iati-activities-schema.xsd");
    let lint = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(schema)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut lint) = lint else {
        assert!(std::env::var_os("CI").is_none(), "xmllint is missing; it is in libxml2-utils");
        return;
    };
    lint.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    let output = lint.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{xml}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn all_files_that_should_pass_are_imported_and_what_has_no_place_is_listed() {
    let client = service().await;
    let files = files("should-pass");
    assert_eq!(files.len(), 58);
    for (done, path) in files.iter().enumerate() {
        let report = import(&client, "direction=received", fs::read(path).unwrap()).expect(200).await.json();
        assert_eq!(
            (report["committed"].as_bool(), outcomes(&report)),
            (Some(true), [1, 0, 0, 0]),
            "{}: {report}",
            path.display()
        );
        let listed = left_out(&report["rows"][0]["left_out"]);
        for path in ["reporting-org x1", "participating-org x", "activity-status/@code x1 `", "activity-date x"] {
            assert!(listed.contains(path), "{}: {listed}", files[done].display());
        }
    }
    assert_eq!(count(&client, "contributions").await, 58);
    let transactions = files.iter().find(|path| path.ends_with("21-transaction.xml")).unwrap();
    let report =
        import(&client, "direction=received&dry_run=true", fs::read(transactions).unwrap()).expect(200).await.json();
    assert!(left_out(&report["left_out"]).contains("transaction x6"), "{report}");
}

#[tokio::test]
async fn all_files_that_should_fail_are_refused_with_the_reason_and_change_nothing() {
    let client = service().await;
    let files = files("should-fail");
    assert_eq!(files.len(), 107);
    for path in files {
        let xml = fs::read(&path).unwrap();
        let refused = import(&client, "direction=received", xml).expect(422).await;
        let said = faults(&refused);
        assert!(
            said.starts_with("line ") && said.contains(": /iati-activities/iati-activity"),
            "{}: {said}",
            path.display()
        );
    }
    assert_eq!(count(&client, "contributions").await, 0);
}

#[tokio::test]
async fn the_annotated_example_is_imported_and_the_same_again_changes_nothing() {
    let client = service().await;
    let xml = fs::read_to_string(&files("samples")[0]).unwrap();
    let report = import(&client, "direction=given&dry_run=true", xml.as_str()).expect(200).await.json();
    assert_eq!((report["committed"].as_bool(), &report["rows"][0]["id"]), (Some(false), &Value::Null), "{report}");
    let report = import(&client, "direction=given", xml.as_str()).expect(200).await.json();
    assert_eq!(outcomes(&report), [1, 0, 0, 0], "{report}");
    insta::assert_snapshot!(left_out(&report["rows"][0]["left_out"]));
    let id = report["rows"][0]["id"].as_str().unwrap();
    let mut contribution = client.get(format!("/v1/contributions/{id}")).expect(200).await.json();
    for field in ["id", "created_at", "updated_at"] {
        contribution[field] = "...".into();
    }
    insta::assert_json_snapshot!(contribution);
    assert_eq!(count(&client, "contribution-partners").await, 3);
    let again = import(&client, "direction=given", xml.as_str()).expect(200).await.json();
    assert_eq!(outcomes(&again), [0, 0, 1, 0], "{again}");
    assert_eq!(count(&client, "contribution-partners").await, 3);
    let changed =
        import(&client, "direction=given", xml.replace("<activity-status code=\"2\"", "<activity-status code=\"4\""))
            .expect(200)
            .await
            .json();
    assert_eq!(outcomes(&changed), [0, 1, 0, 0], "{changed}");
}

#[tokio::test]
async fn files_of_another_kind_are_refused_with_clear_words() {
    let client = service().await;
    let samples = files("samples");
    let organisations = import(&client, "direction=given", fs::read(&samples[1]).unwrap()).expect(422).await;
    assert!(faults(&organisations).contains("this is a file of organisations"), "{}", organisations.text);
    let old = import(&client, "direction=given", fs::read(&samples[2]).unwrap()).expect(422).await;
    assert!(faults(&old).contains("only 2.03 is read"), "{}", old.text);
    let other = import(&client, "direction=given", "<rss version=\"2.0\"/>").expect(422).await;
    assert!(faults(&other).contains("begins with `<iati-activities>`, not with `<rss>`"), "{}", other.text);
    let space = SMALL.replace("<iati-activities", "<iati-activities xmlns=\"http://iatistandard.org\"");
    let space = import(&client, "direction=given", space).expect(422).await;
    assert!(faults(&space).contains("IATI has no namespace"), "{}", space.text);
}

#[tokio::test]
async fn the_direction_and_the_other_parameters_are_asked_for() {
    let client = service().await;
    let call = |query: &str| import(&client, query, SMALL);
    assert_eq!(call("").expect(400).await.faults(), ["direction required"]);
    assert_eq!(call("direction=lent").expect(400).await.faults(), ["direction not_allowed"]);
    assert_eq!(call("direction=given&language=xx").expect(400).await.faults(), ["language unknown_code"]);
    import(&client.as_viewer(), "direction=given", SMALL).expect(403).await;
    client.post("/v1/imports/iati?direction=given", json!({})).expect(415).await;
    let public = call("direction=given&classification=public").expect(200).await.json();
    let id = public["rows"][0]["id"].as_str().unwrap();
    let contribution = client.get(format!("/v1/contributions/{id}")).expect(200).await.json();
    assert_eq!(
        (&contribution["classification"], &contribution["external_id"]),
        (&json!("public"), &json!("XM-DAC-9-1"))
    );
    let partners = client.get(format!("/v1/contribution-partners?contribution_id={id}")).expect(200).await.json();
    let partner = &partners["items"][0];
    assert_eq!(
        (&partner["role"], &partner["reference"], &partner["classification"]),
        (&json!("funding"), &json!("XM-DAC-9"), &json!("public"))
    );
}

#[tokio::test]
async fn hostile_files_are_refused_and_change_nothing() {
    let client = service().await;
    let laughs = SMALL
        .replace("<iati-activities", "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><iati-activities")
        .replace("Two exercises", "&b;");
    let twice = SMALL.replace(
        "</iati-activity>\n",
        &format!(
            "</iati-activity>\n{}",
            &SMALL[SMALL.find("  <iati-activity>").unwrap()..SMALL.find("</iati-activities>").unwrap()]
        ),
    );
    let deep =
        SMALL.replace("Two exercises", &format!("{}{}", "<x:a xmlns:x='u'>".repeat(1000), "</x:a>".repeat(1000)));
    let latin = SMALL.replace("UTF-8", "ISO-8859-2");
    for (xml, status, words) in [
        (laughs, 422, "a document type (DOCTYPE) is not read"),
        (
            SMALL.split("</title>").next().unwrap().to_owned(),
            400,
            "the file breaks off: `title` of line 6 is not closed",
        ),
        (SMALL.replace("Two exercises", "&copy;"), 400, "the entity `&copy;` is not read"),
        (latin, 400, "the file says that it is ISO-8859-2; save it as UTF-8"),
        (deep, 422, "nested deeper than 32"),
        (SMALL.replace("XM-DAC-9-1", &"1".repeat(300)), 422, "an identifier has at most 200 characters"),
        (SMALL.replace("role=\"1\"", &format!("role=\"{}\"", "1".repeat(2 << 20))), 422, "at most 1048576 bytes"),
        (
            SMALL.replace("<activity-status", "words<activity-status"),
            422,
            "`iati-activity` holds no text of its own; here stands `words`",
        ),
        (SMALL.replace("Exercises</narrative></title>", " </narrative></title>"), 422, "a contribution needs a title"),
        (SMALL.replace("</iati-activities>", "</iati-activities><a/>"), 400, "a file has one outermost element"),
        (twice, 422, "an earlier activity of this file has it too"),
        (SMALL.replace("<recipient-country code=\"MD\"/>", ""), 422, "Name a country or region other than our own"),
        ("{}".into(), 400, "text stands outside"),
        (String::new(), 400, "the file is empty"),
    ] {
        let reply = import(&client, "direction=given", xml.as_str()).expect(status).await;
        assert!(reply.text.contains(words), "{words}: {}", reply.text);
    }
    assert_eq!(count(&client, "contributions").await, 0);
    let sections = SMALL
        .replace("Two exercises", "<!-- c --><![CDATA[Two <exercises> ]]>&amp;<?pi x?> more")
        .replace("<recipient-country", "<!-- c --><?pi y?><recipient-country");
    let report = import(&client, "direction=given", format!("\u{feff}{sections}")).expect(200).await.json();
    let contribution = client.get("/v1/contributions/external:XM-DAC-9-1").expect(200).await.json();
    assert_eq!(contribution["description"], json!({"en": "Two <exercises> & more"}), "{report}");
}

#[tokio::test]
async fn one_bad_activity_keeps_all_out_and_all_faults_are_named() {
    let client = service().await;
    let activity = &SMALL[SMALL.find("  <iati-activity>").unwrap()..SMALL.find("</iati-activities>").unwrap()];
    let second = activity
        .replace("XM-DAC-9-1", "XM-DAC-9-2")
        .replace("iso-date=\"2025-03-01\"", "iso-date=\"2025-02-30\" typo=\"1\"");
    let third = activity.replace("XM-DAC-9-1", "XM-DAC-9-3").replace("type=\"2\"", "type=\"4\"");
    let xml = SMALL.replace("</iati-activities>", &format!("{second}{third}<note>x</note></iati-activities>"));
    let refused = import(&client, "direction=given", xml.as_str()).expect(422).await;
    insta::assert_snapshot!(faults(&refused), @r"
    line 20, column 5: /iati-activities/iati-activity/activity-date/@iso-date wrong_format: must be a day such as 2026-01-31; here stands `2025-02-30`
    line 20, column 5: /iati-activities/iati-activity/activity-date/@typo not_allowed: `typo` is not a known attribute; did you mean `type`?
    line 23: #/actual_starts_on needs_start: Give actual_starts_on or planned_starts_on: with this status it has begun.
    line 33, column 1: /iati-activities/note not_allowed: `note` is no element of `iati-activities`; here may stand after `iati-activity`: `iati-activity`, an element of another namespace, or its end
    ");
    let dry = import(&client, "direction=given&dry_run=true", xml.as_str()).expect(200).await.json();
    assert_eq!((outcomes(&dry), &dry["would_create"]), ([0, 0, 0, 3], &json!(1)), "{dry}");
    assert_eq!(count(&client, "contributions").await, 0);
}
