//! The OpenAPI document: committed, complete, and true.

use serde_json::Value;

use mandate::router;

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let committed: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    assert!(committed == router::document(), "run: cargo run -- openapi > openapi.json");
}

#[test]
fn every_operation_has_an_id_a_summary_and_its_problems() {
    let document = router::document();
    let mut ids = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no id"));
            ids.push(id.to_owned());
            assert!(operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')), "{id}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let described = response.get("description").is_some() || response.get("$ref").is_some();
                assert!(described, "{id} {status}");
            }
            if path.starts_with("/v1/") {
                for status in ["400", "401", "403", "500", "503", "504"] {
                    assert!(operation["responses"].get(status).is_some(), "{id} lacks {status}");
                }
            }
        }
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "an operation id stands twice");
}
