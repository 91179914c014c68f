//! The OpenAPI 3.1 document and its page. The operations of a noun are described here, once.

use axum::Router;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    error::Problem,
    history::HistoryParameters,
    problems::PROBLEMS,
    query::{FindParameters, ListParameters},
    shape::{Shape, schemas},
};
use crate::{
    app::App,
    repository::{Entry, Resource},
    router::Noun,
};

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
    let page = utoipa_swagger_ui::SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json"));
    Router::from(page)
}

/// The whole document.
pub fn document(nouns: &[Noun]) -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mandate",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The system of record for carrying out a national strategy: who promised what, under which legal act, by when, with which money.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "tags": [],
        "paths": {},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key made by `mandate key create`."}},
            "schemas": {},
            "responses": {}
        }
    });
    merge(&mut document["components"]["schemas"], schemas::<Problem>());
    merge(&mut document["components"]["schemas"], schemas::<History>());
    for (code, status, words) in PROBLEMS {
        let example = json!({"type": format!("/problems/{}", code.replace('_', "-")), "title": "…", "status": status, "detail": words, "code": code});
        document["components"]["responses"][code] = json!({
            "description": words,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
        });
    }
    for noun in nouns {
        (noun.describe)(&mut document);
    }
    plain_operations(&mut document);
    document
}

fn merge(target: &mut Value, more: Map<String, Value>) {
    if let Value::Object(target) = target {
        target.extend(more);
    }
}

/// The problems that an operation can end in, as response references.
pub(crate) fn problems(own: &[&str]) -> Map<String, Value> {
    const COMMON: [&str; 8] = [
        "bad_query",
        "unauthenticated",
        "forbidden",
        "not_found",
        "request_timeout",
        "internal",
        "unavailable",
        "timeout",
    ];
    let all = COMMON.iter().chain(own);
    all.filter_map(|code| PROBLEMS.iter().find(|(name, ..)| name == code))
        .map(|(code, status, _)| {
            (
                status.to_string(),
                json!({"$ref": format!("#/components/responses/{code}")}),
            )
        })
        .collect()
}

/// The parameters of a query that a type describes.
pub(crate) fn parameters<T: ToSchema + 'static>() -> Vec<Value> {
    let shape = Shape::of::<T>();
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let description = schema
            .as_object_mut()
            .and_then(|fields| fields.shift_remove("description"))
            .unwrap_or_else(|| json!(""));
        // A parameter that is not given is left out; it cannot be null.
        if let Some(Value::Array(kinds)) = schema.get("type").cloned() {
            schema["type"] = kinds.into_iter().find(|kind| kind != "null").unwrap_or_default();
        } else if schema.get("oneOf").is_some() {
            schema = shape.resolve(&schema).clone();
        }
        json!({"name": name, "in": "query", "description": description, "schema": schema, "style": "form", "explode": true})
    };
    shape.properties().map(parameter).collect()
}

fn header_parameter(name: &str, description: &str, example: &str) -> Value {
    json!({"name": name, "in": "header", "description": description, "schema": {"type": "string"}, "example": example})
}

/// The operations and schemas of a noun.
pub fn describe<R: Resource>(document: &mut Value) {
    let shape = Shape::of::<R>();
    let name = shape.name.clone();
    let stored = format!("Stored{name}");
    let spoken = R::KIND.replace('_', " ");
    let article = if spoken.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    let plural = R::TABLE.replace('_', "-");
    let path = format!("/v1/{plural}");
    let components = &mut document["components"]["schemas"];
    merge(components, schemas::<R>());
    merge(
        components,
        super::shape::Shape::of::<R::Filter>().root["components"]["schemas"]
            .as_object()
            .cloned()
            .unwrap_or_default(),
    );
    if let Value::Object(all) = components {
        all.retain(|name, _| !name.ends_with("Filter"));
    }
    let mut properties = json!({
        "id": {"type": "string", "format": "uuid", "description": "Made by the service."},
        "version": {"type": "integer", "minimum": 1, "description": "Counts the changes; it is the ETag."},
        "created_at": {"type": "string", "format": "date-time", "description": "When it was first written."},
        "updated_at": {"type": "string", "format": "date-time", "description": "When it was last written."}
    });
    let own = document["components"]["schemas"][&name].clone();
    merge(
        &mut properties,
        own["properties"].as_object().cloned().unwrap_or_default(),
    );
    let mut required = vec![json!("id"), json!("version"), json!("created_at"), json!("updated_at")];
    required.extend(own["required"].as_array().cloned().unwrap_or_default());
    document["components"]["schemas"][&stored] =
        json!({"type": "object", "description": own["description"], "required": required, "properties": properties});
    let description = own["description"].as_str().unwrap_or_default().to_owned();
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": plural, "description": description}));
    }

    let reference = json!({"$ref": format!("#/components/schemas/{stored}")});
    let etag = json!({"ETag": {"description": "The version, in quotes.", "schema": {"type": "string"}}});
    let answer = |words: &str| json!({"description": words, "headers": etag, "content": {"application/json": {"schema": reference}}});
    let body = |kind: &str, schema: Value| json!({"required": true, "content": {kind: {"schema": schema}}});
    let input = json!({"$ref": format!("#/components/schemas/{name}")});
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1},
        "description": "The id that the service gave, or `external:` and your own.", "example": "external:erp-4711"});
    let if_match = header_parameter(
        "If-Match",
        "The version that you have read, in quotes; `*` for any.",
        "\"3\"",
    );
    let if_none_match = header_parameter(
        "If-None-Match",
        "The ETag that you have; the answer is 304 when it is still good.",
        "\"3\"",
    );
    let reason = header_parameter(
        "Mandate-Reason",
        "Why; kept in the record.",
        "agreed in the council of 12 May",
    );
    let operation = |verb: &str,
                     noun: &str,
                     summary: String,
                     parameters: Vec<Value>,
                     ok: (&str, Value),
                     wrong: &[&str]| {
        let mut responses = problems(wrong);
        responses.insert(ok.0.into(), ok.1);
        json!({"operationId": format!("{verb}_{noun}"), "tags": [plural], "summary": summary, "parameters": parameters, "responses": responses})
    };

    let mut list_parameters = parameters::<ListParameters>();
    list_parameters.extend(parameters::<R::Filter>());
    list_parameters.push(if_none_match.clone());
    let page = json!({"type": "object", "required": ["items", "next"], "properties": {
        "items": {"type": "array", "items": reference},
        "next": {"type": ["string", "null"], "description": "What to give as `after` for the next page; null at the end."},
        "count": {"type": "integer", "description": "The exact number, when asked for."}}});
    let listed = json!({"description": "A page, or the whole list as CSV or NDJSON.", "content": {
        "application/json": {"schema": page},
        "application/x-ndjson": {"schema": {"type": "string"}},
        "text/csv": {"schema": {"type": "string"}},
        "text/plain": {"schema": {"type": "string"}}}});
    let not_modified = json!({"description": "You have it already."});
    let mut list = operation(
        "list",
        R::TABLE,
        format!("Lists {}.", plural.replace('-', " ")),
        list_parameters,
        ("200", listed),
        &["not_acceptable"],
    );
    list["responses"]["304"] = not_modified.clone();
    let mut create = operation(
        "create",
        R::KIND,
        format!("Creates {article} {spoken}."),
        vec![reason.clone()],
        ("201", answer("It is created.")),
        &["conflict", "too_large", "unsupported_media_type", "invalid"],
    );
    create["requestBody"] = body("application/json", input.clone());
    document["paths"][&path] = json!({"get": list, "post": create});

    let mut find_parameters = vec![id.clone(), if_none_match];
    find_parameters.extend(parameters::<FindParameters>());
    let mut find = operation(
        "find",
        R::KIND,
        format!("Finds {article} {spoken}."),
        find_parameters,
        ("200", answer("Here it is.")),
        &["deleted"],
    );
    find["responses"]["304"] = not_modified.clone();
    let change = [
        "conflict",
        "deleted",
        "stale",
        "too_large",
        "unsupported_media_type",
        "invalid",
        "version_required",
    ];
    let write_parameters = || vec![id.clone(), if_match.clone(), reason.clone()];
    let mut replace = operation(
        "replace",
        R::KIND,
        format!("Replaces {article} {spoken}; under an external id that is not there yet, creates it."),
        write_parameters(),
        ("200", answer("It is replaced.")),
        &change,
    );
    replace["responses"]["201"] = answer("It is created.");
    replace["requestBody"] = body("application/json", input);
    let mut patch = operation(
        "patch",
        R::KIND,
        format!("Changes some fields of {article} {spoken} (JSON Merge Patch)."),
        write_parameters(),
        ("200", answer("It is changed.")),
        &change,
    );
    patch["requestBody"] = body(
        "application/merge-patch+json",
        json!({"type": "object", "description": "The fields to change; null empties one."}),
    );
    let delete = operation(
        "delete",
        R::KIND,
        format!("Deletes {article} {spoken}; the record keeps it."),
        write_parameters(),
        ("204", json!({"description": "It is deleted."})),
        &["conflict", "deleted", "stale", "version_required"],
    );
    document["paths"][format!("{path}/{{id}}")] =
        json!({"get": find, "put": replace, "patch": patch, "delete": delete});

    let mut history_parameters = vec![id];
    history_parameters.extend(parameters::<HistoryParameters>());
    let changes = json!({"description": "The changes, newest first.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/History"}},
        "application/x-ndjson": {"schema": {"type": "string"}}, "text/csv": {"schema": {"type": "string"}}, "text/plain": {"schema": {"type": "string"}}}});
    let mut history = operation(
        "history_of",
        R::KIND,
        format!("Tells the changes of {article} {spoken}, also when it is deleted."),
        history_parameters,
        ("200", changes),
        &["not_acceptable"],
    );
    history["responses"]["304"] = not_modified;
    document["paths"][format!("{path}/{{id}}/history")] = json!({"get": history});
}

/// Operations that belong to no noun.
fn plain_operations(document: &mut Value) {
    let mut add = |path: &str, id: &str, summary: &str, kind: &str, wrong: &[&str]| {
        let mut responses: Map<String, Value> = wrong
            .iter()
            .filter_map(|code| PROBLEMS.iter().find(|(name, ..)| name == code))
            .map(|(code, status, _)| {
                (
                    status.to_string(),
                    json!({"$ref": format!("#/components/responses/{code}")}),
                )
            })
            .collect();
        responses.insert(
            "200".into(),
            json!({"description": summary, "content": {kind: {"schema": {}}}}),
        );
        document["paths"][path] = json!({"get": {"operationId": id, "tags": ["service"], "summary": summary, "security": [], "responses": responses}});
    };
    add(
        "/openapi.json",
        "find_document",
        "This document.",
        "application/json",
        &[],
    );
    add(
        "/livez",
        "find_liveness",
        "Says that the process lives.",
        "application/json",
        &[],
    );
    add(
        "/readyz",
        "find_readiness",
        "Says that the database answers.",
        "application/json",
        &["unavailable"],
    );
    add(
        "/metrics",
        "find_metrics",
        "The metrics, for Prometheus.",
        "text/plain",
        &[],
    );
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": "service", "description": "The service itself."}));
    }
}
