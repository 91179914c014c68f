//! The OpenAPI 3.1 document and its page. The operations of a noun are described here, once.

use std::collections::BTreeSet;

use axum::Router;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    problems::PROBLEMS,
    shape::{Shape, schemas},
};
use crate::error::Problem;
use crate::{app::App, repository::Entry, router::Noun};

/// The page of changes of one resource.
#[derive(Serialize, ToSchema)]
struct History {
    /// The changes, newest first.
    items: Vec<Entry>,
    /// What to give as `after` for older changes; null at the end.
    next: Option<String>,
}

/// The page with all operations; it needs no network.
pub fn page() -> Router<App> {
    // Without the bar above it, which loads other documents than ours, and without the validator, which would send this one to another service.
    let config = utoipa_swagger_ui::Config::from("/openapi.json").use_base_layout().validator_url("none");
    Router::from(utoipa_swagger_ui::SwaggerUi::new("/docs").config(config))
}

/// The whole document.
pub fn document(nouns: &[Noun]) -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mandate",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The system of record for carrying out a national strategy: who promised what, under which legal act, by when, with which money.\n\nAn answer with `x-formats` is also had as CSV, NDJSON and an aligned table: by `Accept`, or by a suffix of the path, such as `/v1/initiatives.csv`; the suffix wins. One resource is also had at `/v1/initiatives/{id}.json`, by the id that the service gave.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}, {"password": []}],
        "tags": [],
        "paths": {},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key made by `mandate key create` or `POST /v1/api-keys` (`mandate_...`); or, where the service has an issuer (`MANDATE_OIDC_ISSUER`), an access token of it (a JWT)."},
                "password": {"type": "http", "scheme": "basic", "description": "A key as the password of any user name, for programs that know nothing else, such as spreadsheets."}},
            "schemas": {"Reference": {
                "description": "Another resource: the id that the service gave it, or `external:` and the external id that it was given; a strategy, an entity and a funding source also as `code:` and the code.",
                "anyOf": [{"$ref": "#/components/schemas/Id"}, {"type": "string", "pattern": r"^(external:[^\s/?#]+|code:.+)$", "example": "external:erp-4711"}]
            }},
            "parameters": {},
            "responses": {}
        }
    });
    merge(&mut document["components"]["schemas"], schemas::<Problem>());
    merge(&mut document["components"]["schemas"], schemas::<History>());
    for (code, status, words) in PROBLEMS {
        document["components"]["responses"][code] = json!({
            "description": words,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example(code, status, words)}}
        });
    }
    for noun in nouns {
        (noun.describe)(&mut document);
    }
    plain_operations(&mut document);
    document
}

/// Adds entries to an object.
pub(super) fn merge(target: &mut Value, more: Map<String, Value>) {
    if let Value::Object(target) = target {
        target.extend(more);
    }
}

/// Publishes a schema as what is sent in. The judge sees ids only, because references are looked up before it; answers have ids only too.
pub(crate) fn with_references(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("$ref").is_some_and(|target| target == "#/components/schemas/Id") {
                fields["$ref"] = "#/components/schemas/Reference".into();
            }
            fields.values_mut().for_each(with_references);
        }
        Value::Array(items) => items.iter_mut().for_each(with_references),
        _ => {}
    }
}

/// The problems that an operation can end in, as response references.
pub(crate) fn problems(own: &[&str]) -> Map<String, Value> {
    const COMMON: [&str; 10] = [
        "bad_query",
        "unauthenticated",
        "forbidden",
        "not_found",
        "request_timeout",
        "rate_limited",
        "failed_logins",
        "internal",
        "unavailable",
        "timeout",
    ];
    let mut operation = json!({"responses": {}});
    add_problems(&mut operation, &COMMON);
    add_problems(&mut operation, own);
    operation["responses"].as_object().cloned().unwrap_or_default()
}

const RESPONSES: &str = "#/components/responses/";
const OR: &str = "_or_";

/// Adds problems to the responses of an operation. Kinds of problem that share a status stand in one response, which `share_responses` makes.
pub(crate) fn add_problems(operation: &mut Value, codes: &[&str]) {
    for code in codes {
        let Some((_, status, _)) = PROBLEMS.iter().find(|(name, ..)| name == code) else { continue };
        let response = &mut operation["responses"][status.to_string()];
        let so_far = response["$ref"].as_str().and_then(|path| path.strip_prefix(RESPONSES));
        let name = match so_far {
            Some(names) if names.split(OR).any(|name| name == *code) => continue,
            Some(names) => format!("{names}{OR}{code}"),
            None => (*code).to_owned(),
        };
        *response = json!({"$ref": format!("{RESPONSES}{name}")});
    }
}

/// Adds the responses that several kinds of problem share, each kind with its example.
pub(crate) fn share_responses(document: &mut Value) {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let responses = operations.flat_map(|(_, operation)| operation["responses"].as_object().into_iter().flatten());
    let names = responses.filter_map(|(_, response)| response["$ref"].as_str()?.strip_prefix(RESPONSES));
    let shared: BTreeSet<String> = names.filter(|name| name.contains(OR)).map(str::to_owned).collect();
    for name in shared {
        let kinds: Vec<_> = PROBLEMS.iter().filter(|(code, ..)| name.split(OR).any(|each| each == *code)).collect();
        let words: Vec<_> = kinds.iter().map(|(code, _, words)| format!("`{code}`: {words}")).collect();
        let examples: Map<String, Value> = kinds
            .iter()
            .map(|(code, status, words)| ((*code).to_owned(), json!({"value": example(code, *status, words)})))
            .collect();
        document["components"]["responses"][&name] = json!({
            "description": words.join(" "),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}}
        });
    }
}

fn example(code: &str, status: u16, words: &str) -> Value {
    let kind = format!("/problems/{}", code.replace('_', "-"));
    json!({"type": kind, "title": "…", "status": status, "detail": words, "code": code})
}

/// The parameters of a query that a type describes.
pub(crate) fn parameters<T: ToSchema + 'static>() -> Vec<Value> {
    let shape = Shape::of::<T>();
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        // The words on an optional code list stand beside its reference.
        let beside = schema.pointer("/oneOf/0/description").cloned();
        let own = schema.as_object_mut().and_then(|fields| fields.shift_remove("description"));
        let description = own.or(beside).unwrap_or_else(|| json!(""));
        // A parameter that is not given is left out; it cannot be null.
        if let Some(Value::Array(kinds)) = schema.get("type").cloned() {
            schema["type"] = kinds.into_iter().find(|kind| kind != "null").unwrap_or_default();
        } else if schema.get("oneOf").is_some() {
            schema = shape.resolve(&schema).clone();
        }
        with_references(&mut schema);
        json!({"name": name, "in": "query", "description": description, "schema": schema, "style": "form", "explode": true})
    };
    shape.properties().map(parameter).collect()
}

/// Operations that belong to no noun.
fn plain_operations(document: &mut Value) {
    let mut add = |path: &str, id: &str, summary: &str, kind: &str, wrong: &[&str]| {
        let mut responses: Map<String, Value> = wrong
            .iter()
            .filter_map(|code| PROBLEMS.iter().find(|(name, ..)| name == code))
            .map(|(code, status, _)| (status.to_string(), json!({"$ref": format!("#/components/responses/{code}")})))
            .collect();
        responses.insert("200".into(), json!({"description": summary, "content": {kind: {"schema": {}}}}));
        document["paths"][path] = json!({"get": {"operationId": id, "tags": ["service"], "summary": summary, "security": [], "responses": responses}});
    };
    add("/openapi.json", "find_document", "This document.", "application/json", &[]);
    add("/livez", "find_liveness", "Says that the process lives.", "application/json", &[]);
    add("/readyz", "find_readiness", "Says that the database answers.", "application/json", &["unavailable"]);
    add("/metrics", "find_metrics", "The metrics, for Prometheus.", "text/plain", &[]);
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": "service", "description": "The service itself."}));
    }
}
