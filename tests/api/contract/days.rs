//! Every day of every noun, far away.

use serde_json::{Value, json};

use super::{Ground, table};
use crate::support::service;

/// The days of a schema, at any depth, by their paths; a list has one item.
fn days(document: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    if schema["format"] == "date" {
        found.push(path.to_owned());
    }
    for branch in schema["oneOf"].as_array().into_iter().flatten() {
        days(document, branch, path, found);
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        days(document, inner, &format!("{path}/{name}"), found);
    }
    if schema["items"].is_object() {
        days(document, &schema["items"], &format!("{path}/0"), found);
    }
}

#[tokio::test]
async fn no_day_of_any_noun_is_out_of_this_world() {
    let client = service().await;
    let ground = Ground::lay(&client).await;
    let document = client.get("/openapi.json").expect(200).await.json();
    let mut judged = 0;
    for row in table() {
        let collection = format!("/v1/{}", row.noun);
        let body = (row.body)(&ground);
        let posted = &document["paths"][&collection]["post"]["requestBody"]["content"]["application/json"]["schema"];
        let mut paths = Vec::new();
        days(&document, posted, "", &mut paths);
        // Lists whose items need more than a day are judged by the tests of their nouns.
        for path in paths.iter().filter(|path| !path.contains("/0")) {
            for far in ["1026-05-01", "2101-01-01", "9999-12-31"] {
                let mut wrong = body.clone();
                let field = path.split('/').nth(1).unwrap();
                match path.split('/').nth(2) {
                    None => wrong[field] = json!(far),
                    Some(inner) => {
                        wrong[field] = json!({"text": "some day", "kind": "exact", "to": "2030-01-01", inner: far});
                    }
                }
                let problem = client.post(&collection, wrong).expect(422).await;
                let fault = format!("#{path} out_of_range");
                assert!(problem.faults().contains(&fault), "{collection} {path} {far}: {}", problem.text);
                judged += 1;
            }
        }
    }
    assert!(judged > 90, "{judged}");
}
