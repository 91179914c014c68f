//! The OpenAPI document: committed, complete, and true.

use std::collections::BTreeSet;

use mandate::router;
use serde_json::{Value, json};

use crate::support::service;

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
                for status in ["400", "401", "403", "429", "500", "503", "504"] {
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

#[test]
fn a_reference_is_published_as_it_is_taken_and_as_it_is_given() {
    let document = router::document();
    let schemas = &document["components"]["schemas"];
    let target = |noun: &str, place: &str| schemas[noun]["properties"].pointer(place).cloned();
    for (place, nullable) in [("/strategy_id/$ref", false), ("/objective_id/oneOf/0/$ref", true)] {
        assert_eq!(target("Initiative", place), Some(json!("#/components/schemas/Reference")), "{nullable}");
        assert_eq!(target("StoredInitiative", place), Some(json!("#/components/schemas/Id")), "{nullable}");
    }
    assert_eq!(schemas["Id"]["format"], "uuid");
    let judge = |word: &str| {
        let root = json!({"$ref": "#/components/schemas/Reference", "components": {"schemas": schemas}});
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&root).unwrap().is_valid(&json!(word))
    };
    assert!(judge("external:tr13-plan") && judge("0190aaaa-0000-7000-8000-000000000000"));
    assert!(!judge("external:") && !judge("tr13-plan"));
}

#[tokio::test]
async fn every_filter_by_a_reference_takes_external_ids() {
    let client = service().await;
    let mut filters = 0;
    for (path, item) in router::document()["paths"].as_object().unwrap() {
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            if parameter["schema"]["items"]["$ref"] != "#/components/schemas/Reference" {
                let (name, kind) = (parameter["name"].as_str().unwrap(), &parameter["schema"]["items"]["format"]);
                // The feed's is of any noun, also of what is deleted: it has no other name.
                let any = name == "resource_id";
                assert!(any || kind != "uuid", "{path}: {name} is not published as a reference");
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let reply = client.get(format!("{path}?{name}=external:nothing")).expect(400).await;
            assert_eq!(reply.faults(), [format!("{name} not_found")], "{path}");
            filters += 1;
        }
    }
    assert!(filters > 30, "only {filters} filters were tried");
}

#[test]
fn no_schema_demands_what_cannot_be() {
    fn contradictions(at: &str, schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(fields) => {
                let types: BTreeSet<&str> = fields
                    .get("allOf")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(|part| part["type"].as_str())
                    .collect();
                if types.len() > 1 {
                    found.push(format!("{at} is to be all of {types:?}"));
                }
                fields.iter().for_each(|(name, value)| contradictions(&format!("{at}/{name}"), value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| contradictions(at, value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    contradictions("#", &router::document(), &mut found);
    assert!(found.is_empty(), "{found:#?}");
}
