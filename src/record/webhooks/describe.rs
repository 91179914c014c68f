//! The operations on webhooks and deliveries in the OpenAPI document.

use serde_json::{Value, json};

use super::{
    super::changes::kinds,
    deliveries::{Attempt, Delivery, Wanted},
    handlers::PageParameters,
    requests::{Redelivery, Replay},
    webhook::{ACTIONS, Secret, Webhook},
};
use crate::api::{
    document::{parameters, problems},
    operations::formats,
    shape::schemas,
    typed::patch_of,
};

const BODY: [&str; 4] = ["malformed", "too_large", "unsupported_media_type", "invalid"];

fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn id() -> Value {
    json!({"name": "id", "in": "path", "required": true, "description": "The id of the webhook.", "schema": {"type": "string", "format": "uuid"}})
}

fn if_match() -> Value {
    json!({"name": "If-Match", "in": "header", "required": true, "schema": {"type": "string"}, "example": "\"3\"",
        "description": "The version that you have read, in quotes; or `*`."})
}

fn operation(id: &str, summary: &str, parameters: &[Value], ok: (&str, Value), wrong: &[&[&str]]) -> Value {
    let mut responses = problems(&wrong.concat());
    responses.insert(ok.0.into(), ok.1);
    json!({"operationId": id, "tags": ["webhooks"], "summary": summary, "parameters": parameters, "responses": responses})
}

fn with_body(mut operation: Value, schema: &Value) -> Value {
    operation["requestBody"] = json!({"required": true, "content": content(schema)});
    operation
}

/// A webhook as it is answered, and as it is made.
fn add_schemas(document: &mut Value) {
    let Some(components) = document["components"]["schemas"].as_object_mut() else { return };
    components.extend(schemas::<Webhook>());
    components.extend(schemas::<Delivery>());
    components.extend(schemas::<Attempt>());
    components.extend(schemas::<Secret>());
    components.extend(schemas::<Redelivery>());
    components.extend(schemas::<Replay>());
    let kinds: Value = kinds().collect();
    let properties = &mut components["Webhook"]["properties"];
    properties["kinds"]["items"]["enum"] = kinds;
    properties["actions"]["items"]["enum"] = json!(ACTIONS);
    let mut new = components["Webhook"].clone();
    new["properties"]["after"] = json!({"type": ["string", "null"], "maxLength": 20, "example": "0",
        "description": "A cursor of the feed: changes after it are sent, `0` for all. Without it, changes from now on."});
    let mut stored = components["Webhook"].clone();
    for (name, schema) in [
        ("id", json!({"type": "string", "format": "uuid", "description": "Made by the service."})),
        ("version", json!({"type": "integer", "description": "Counts the changes, from 1; it is the ETag."})),
        (
            "created_at",
            json!({"type": "string", "format": "date-time", "description": "When it was made (RFC 3339, UTC)."}),
        ),
        (
            "updated_at",
            json!({"type": "string", "format": "date-time", "description": "When it was last changed (RFC 3339, UTC)."}),
        ),
        (
            "after",
            json!({"type": "string", "description": "Its cursor: all changes up to here are on their way, or not wanted. It moves without a new version."}),
        ),
        (
            "inactive_reason",
            json!({"type": ["string", "null"], "description": "Why the service itself made it inactive."}),
        ),
        (
            "secret",
            json!({"type": "string", "description": "`whsec_` and base64: with this, deliveries are signed. Only in the answer that makes it."}),
        ),
    ] {
        stored["properties"][name] = schema;
    }
    stored["required"] = json!(["id", "version", "created_at", "updated_at", "url", "active", "after"]);
    components.insert("NewWebhook".into(), new);
    components.insert("StoredWebhook".into(), stored);
}

/// Adds the operations and their schemas to the document.
pub fn describe(document: &mut Value) {
    add_schemas(document);
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": "webhooks", "description": "The changes, pushed to an address, signed. For admins."}));
    }
    let page = |item: &str| {
        let page = json!({"type": "object", "required": ["items", "next"], "properties": {
            "items": {"type": "array", "items": schema(item)},
            "next": {"type": ["string", "null"], "description": "What to give as `after` for the next page; null at the end."}}});
        formats("A page; the header Link has the address of the next.", &page)
    };
    let answer = |words: &str, name: &str| json!({"description": words, "content": content(&schema(name))});
    let tagged = |words: &str| {
        let mut answer = answer(words, "StoredWebhook");
        answer["headers"] = json!({"ETag": {"description": "The version, in quotes.", "schema": {"type": "string"}}});
        answer
    };
    let not_modified = json!({"description": "You have it already."});
    let paths = &mut document["paths"];
    let create = operation(
        "create_webhook",
        "Creates a webhook; its secret is shown this once.",
        &[],
        ("201", tagged("It is made.")),
        &[&BODY],
    );
    paths["/v1/webhooks"] = json!({
        "get": operation("list_webhooks", "Lists webhooks.", &parameters::<PageParameters>(), ("200", page("StoredWebhook")), &[&["not_acceptable"]]),
        "post": with_body(create, &schema("NewWebhook"))});
    let mut patch = operation(
        "patch_webhook",
        "Changes some fields of a webhook (JSON Merge Patch).",
        &[id(), if_match()],
        ("200", tagged("It is changed.")),
        &[&BODY, &["stale", "version_required"]],
    );
    patch["requestBody"] =
        json!({"required": true, "content": {"application/merge-patch+json": {"schema": patch_of("Webhook")}}});
    paths["/v1/webhooks/{id}"] = json!({
        "get": operation("find_webhook", "Finds a webhook.", &[id()], ("200", tagged("Here it is.")), &[]),
        "patch": patch,
        "delete": operation("delete_webhook", "Deletes a webhook with its secrets and deliveries.", &[id(), if_match()],
            ("204", json!({"description": "It is deleted."})), &[&["malformed", "stale", "version_required"]])});
    paths["/v1/webhooks"]["get"]["responses"]["304"] = not_modified.clone();
    describe_secrets(paths);
    let accepted = json!({"description": "They are on their way.", "content": content(&json!({"type": "object", "required": ["deliveries"],
        "properties": {"deliveries": {"type": "integer", "description": "How many."}}}))});
    let again = operation(
        "redeliver",
        "Sends a delivery, or all that are dead, once more.",
        &[id()],
        ("202", accepted.clone()),
        &[&BODY],
    );
    paths["/v1/webhooks/{id}/redeliveries"] = json!({"post": with_body(again, &schema("Redelivery"))});
    let replay =
        operation("replay_webhook", "Sends a part of the feed once more.", &[id()], ("202", accepted), &[&BODY]);
    paths["/v1/webhooks/{id}/replays"] = json!({"post": with_body(replay, &schema("Replay"))});
    let summary = "Lists deliveries with their attempts, the newest change first.";
    paths["/v1/deliveries"] = json!({"get": operation("list_deliveries", summary, &parameters::<Wanted>(), ("200", page("Delivery")), &[&["not_acceptable"]])});
    paths["/v1/deliveries"]["get"]["responses"]["304"] = not_modified;
}

fn describe_secrets(paths: &mut Value) {
    let listed = json!({"description": "The valid ones, the newest first.", "content": content(&json!({"type": "object", "required": ["items"],
        "properties": {"items": {"type": "array", "items": schema("Secret")}}}))});
    let made = json!({"description": "It is made.", "content": content(&json!({"allOf": [schema("Secret"), {"type": "object", "required": ["secret"],
        "properties": {"secret": {"type": "string", "description": "`whsec_` and base64; shown this once."}}}]}))});
    paths["/v1/webhooks/{id}/secrets"] = json!({
        "get": operation("list_webhook_secrets", "Lists the secrets of a webhook, without what is secret.", &[id()], ("200", listed), &[]),
        "post": operation("create_webhook_secret", "Makes a new secret; both sign until the old one ends after 24 hours.", &[id()],
            ("201", made), &[&["malformed", "conflict", "invalid"]])});
    let secret_id = json!({"name": "secret_id", "in": "path", "required": true, "description": "The id of the secret.", "schema": {"type": "string", "format": "uuid"}});
    paths["/v1/webhooks/{id}/secrets/{secret_id}"] = json!({"delete":
        operation("end_webhook_secret", "Ends an old secret now.", &[id(), secret_id], ("204", json!({"description": "It is ended."})), &[&["malformed", "conflict"]])});
}

/// Adds the test event, which takes no Idempotency-Key; called after that is added to every other POST.
pub fn describe_tests(document: &mut Value) {
    let answer = json!({"description": "What happened.", "content": content(&json!({"type": "object", "required": ["delivered", "attempt"],
        "properties": {"delivered": {"type": "boolean", "description": "Whether the receiver took it."}, "attempt": schema("Attempt")}}))});
    let test = operation(
        "test_webhook",
        "Sends a test event now, and tells what happened.",
        &[id()],
        ("200", answer),
        &[&["malformed", "invalid"]],
    );
    document["paths"]["/v1/webhooks/{id}/tests"] = json!({"post": test});
}
