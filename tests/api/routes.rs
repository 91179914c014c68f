//! No way around the policy: every route is an operation of the document, and every operation asks what the caller may.

use std::{collections::BTreeSet, fs, path::Path};

use mandate::{
    access::policy::{OPEN, table},
    router,
};
use regex::Regex;
use serde_json::{Value, json};

use crate::support::{Client, service};

fn texts(folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_route_is_in_the_document() {
    let mut all = Vec::new();
    texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let document = router::document();
    let known: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let route = Regex::new(r#"\.route\(\s*&?"([^"]+)""#).unwrap();
    let found: BTreeSet<String> =
        all.iter().flat_map(|text| route.captures_iter(text).map(|found| found[1].to_owned())).collect();
    assert!(found.len() > 30, "only {found:?}");
    let other: Vec<&String> = found.iter().filter(|path| path.starts_with("/v1/")).collect();
    // The document has other names for what stands in these paths.
    let renamed = ["/v1/calendars/{file}", "/v1/log/tile/{*path}"];
    let strange: Vec<&&String> =
        other.iter().filter(|path| !known.contains(path.as_str()) && !renamed.contains(&path.as_str())).collect();
    assert!(strange.is_empty(), "in no document, and so in no policy: {strange:?}");
}

/// What stands in a path for each of its parameters.
fn filled(path: &str) -> String {
    let parameter = Regex::new(r"\{[^}]+\}").unwrap();
    let path = path.replace("{level}", "0").replace("{index}", "000").replace("{sha256}", &"0".repeat(64));
    parameter.replace_all(&path, "0190aaaa-0000-7000-8000-000000000000").into_owned()
}

#[tokio::test]
async fn every_operation_asks_what_the_caller_may() {
    let client = service().await;
    let narrow = async |scope: &str| {
        let key = client.create("api-keys", json!({"name": "n", "role": "admin", "scopes": [scope]})).await;
        client.with_key(key["key"].as_str().unwrap().to_owned())
    };
    let clients: [(&str, Client); 2] =
        [("people-of-money", narrow("money:write").await), ("people-of-plans", narrow("plan:write").await)];
    let mut wrong = Vec::new();
    for (path, item) in router::document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            if OPEN.contains(&id) {
                continue;
            }
            let rule = table().iter().find(|rule| rule.operation == id).unwrap();
            let Some(area) = rule.area else { continue };
            let (_, stranger) = &clients[usize::from(area.word() == "money")];
            let method =
                ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| known.eq_ignore_ascii_case(method));
            let call = stranger.call(method.unwrap(), filled(path)).header("content-type", "application/json");
            let status = call.body("{}").open().await.status();
            if status != 403 {
                wrong.push(format!("{id}: {status}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // And those without an area tell nothing but who one is.
    let free: BTreeSet<&str> =
        table().iter().filter(|rule| rule.area.is_none()).map(|rule| rule.operation.as_str()).collect();
    assert!(free.contains("find_me") && free.len() < 8, "{free:?}");
    let nobody: Value = client.as_nobody().get("/v1/me").expect(401).await.json();
    assert_eq!(nobody["code"], "unauthenticated");
}

#[tokio::test]
async fn a_handler_that_forgets_whom_it_answers_shows_what_is_public() {
    let app = mandate::app::App::new(
        mandate::repository::connect(crate::support::database().await, 1, mandate::base::limits::Limits::default())
            .unwrap(),
        None,
    );
    assert_eq!(app.clearance, mandate::repository::Clearance::Public);
}
