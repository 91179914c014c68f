//! Every rule on fields, broken by every role in several ways: whom it does not bind may, all others may not, and nothing changes.

mod breaches;

use std::{collections::BTreeSet, fmt::Write as _};

use mandate::{
    access::{Role, fields::RULES},
    base::limits::Limits,
};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use super::{Side, relation, state};
use crate::support::{database, service_over};
use breaches::{Ground, Write};

/// The operation of the policy that a write is.
fn operation((method, path, _): &Write) -> String {
    let noun = path.split('/').nth(2).unwrap().replace('-', "_");
    let kind = mandate::router::nouns().iter().find(|each| each.table == noun).unwrap().kind;
    let verb = match *method {
        "POST" => "create",
        "PUT" => "replace",
        "PATCH" => "patch",
        _ => "delete",
    };
    format!("{verb}_{kind}")
}

#[tokio::test]
async fn every_rule_on_fields_binds_whom_it_says_and_no_other() {
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let mut ground = Ground::lay(service_over(options, Limits::default()).await).await;
    let (mut wrong, mut bound) = (Vec::new(), BTreeSet::new());
    for role in Role::ALL {
        let key = ground.world.key(role).await["key"].as_str().unwrap().to_owned();
        let client = ground.world.client.with_key(key);
        for rule in RULES {
            for write in ground.ways(rule).await {
                let (is_free, may) = (rule.free.contains(&role), relation(&operation(&write), role).is_some());
                let (method, path, body) = write;
                let call = client.call(method, &path).header("mandate-reason", "a test");
                let call =
                    if method == "POST" || path.contains("external:") { call } else { call.header("if-match", "*") };
                let call = if body.is_null() { call } else { call.json(body.clone()) };
                let before = state(&mut connection).await;
                let reply = call.send().await;
                let refusal = if may && rule.code != "reserved" { 422 } else { 403 };
                let is_right = if may && is_free { reply.status.is_success() } else { reply.status == refusal };
                let is_named = is_free || !may || reply.faults().iter().any(|fault| fault.ends_with(rule.code));
                let is_clean = reply.status.is_success() || state(&mut connection).await == before;
                if may && !is_free {
                    bound.insert(rule.name);
                }
                if !(is_right && is_named && is_clean) {
                    wrong.push(format!(
                        "{} as {role:?}: {method} {path} {body}: {} {}",
                        rule.name, reply.status, reply.text
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(bound, RULES.iter().map(|rule| rule.name).collect(), "a rule that binds nobody");
}

#[test]
fn the_page_on_access_shows_the_rules_on_fields() {
    let page = include_str!("../../../docs/reference/access.md");
    let shown = page.split("<!-- fields -->\n").nth(1).unwrap().split("<!-- /fields -->").next().unwrap();
    let mut rows = "| rule | of | kept for | what |\n|---|---|---|---|\n".to_owned();
    for rule in RULES {
        let of = if rule.kinds.is_empty() { "every noun".to_owned() } else { rule.kinds.join(", ").replace('_', " ") };
        let free: Vec<&str> = rule.free.iter().map(|role| role.word()).collect();
        writeln!(rows, "| `{}` | {of} | {} | {} |", rule.name, free.join(", "), rule.what).unwrap();
    }
    assert!(shown == rows, "put this between the marks of docs/reference/access.md:\n{rows}");
}

#[tokio::test]
async fn an_editor_ends_and_lowers_its_own_assignment_and_completes_with_what_can_be_looked_at() {
    let mut ground = Ground::lay(crate::support::service().await).await;
    let key = ground.world.key(Role::Editor).await["key"].as_str().unwrap().to_owned();
    let editor = ground.world.client.with_key(key);
    let ended = ground.support().await;
    editor.patch(&ended, json!({"valid_to": "2089-12-31"})).if_match(1).expect(200).await;
    editor.patch(&ended, json!({"role": "informed", "note": "We only want to know"})).if_match(2).expect(200).await;
    // What is lowered is not raised again.
    editor.patch(&ended, json!({"role": "support"})).if_match(3).expect(403).await;
    editor.delete(&ended).if_match(3).expect(204).await;
    let piece = json!({"kind": "statement", "title": "t", "claim": "It was done", "about": "other"});
    let piece = ground.world.client.create("evidence", piece).await["id"].clone();
    let hidden = json!({"kind": "statement", "title": "h", "claim": "It was done", "about": "other", "classification": "restricted"});
    let hidden = ground.world.client.create("evidence", hidden).await["id"].clone();
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    for (place, (evidence, status)) in [
        ("Report of 3 May: https://example.org/report.pdf, page 3".to_owned(), 200),
        (format!("evidence:{}", id(&piece)), 200),
        (format!("evidence:{}", id(&hidden)), 422),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"initiative_id": ground.world.initiative[&Side::Own], "code": format!("done.{place}"), "title": "A step"});
        let step = ground.made("steps", body).await;
        let done = json!({"status": "completed", "evidence": evidence});
        editor.patch(&step, done).if_match(1).expect(status).await;
        if status == 200 {
            // Nor is it made words afterwards.
            let reply = editor.patch(&step, json!({"evidence": "trust me"})).if_match(2).expect(422).await;
            assert_eq!(reply.faults(), ["#/evidence needs_reference"]);
            editor.patch(&step, json!({"title": "Renamed"})).if_match(2).expect(200).await;
        }
    }
}
