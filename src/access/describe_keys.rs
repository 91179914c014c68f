//! The operations of keys in the OpenAPI document.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    handlers::{ApiKeyChange, ApiKeyInput, CreatedApiKey, KeyFilter, RevokeParameters},
    keys::ApiKey,
};
use crate::api::{
    document::{parameters, problems, with_references},
    operations::{formats, if_none_match, not_modified},
    shape::schemas,
    typed::patch_of,
};

fn component<T: ToSchema + 'static>(document: &mut Value) -> Value {
    let name = T::name().into_owned();
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        let mut all = schemas::<T>();
        // References are published as they are taken; ids stay ids.
        all.shift_remove("Id");
        all.values_mut().for_each(with_references);
        components.extend(all);
    }
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Adds the operations and their schemas.
pub(super) fn describe(document: &mut Value) {
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": "access", "description": "Who may do what: keys, and who one is."}));
    }
    let (key, created) = (component::<ApiKey>(document), component::<CreatedApiKey>(document));
    let input = component::<ApiKeyInput>(document);
    component::<ApiKeyChange>(document);
    let change = ApiKeyChange::name();
    let responses = |status: &str, words: &str, schema: Option<&Value>, wrong: &[&str]| -> Map<String, Value> {
        let mut all = problems(wrong);
        let mut answer = json!({"description": words});
        if let Some(schema) = schema {
            answer["content"]["application/json"]["schema"] = schema.clone();
        }
        all.insert(status.into(), answer);
        all
    };
    let page =
        json!({"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "items": key}}});
    let mut listed = problems(&["not_acceptable"]);
    listed.insert("200".into(), formats("All of them, the newest first; there are no pages.", &page));
    listed.insert("304".into(), not_modified());
    let mut asked = parameters::<KeyFilter>();
    asked.push(if_none_match());
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1},
        "description": "The public part of the key.", "example": "5f1c09d2ab34"});
    let example = json!({"name": "night-batch", "role": "coordinator", "scopes": ["plan:write"]});
    let made = responses(
        "201",
        "It is made; its text is in `key`, this once.",
        Some(&created),
        &["too_large", "unsupported_media_type", "invalid"],
    );
    document["paths"]["/v1/api-keys"] = json!({
        "get": {"operationId": "list_api_keys", "tags": ["access"], "summary": "Lists keys, without their secrets.",
            "parameters": asked, "responses": listed},
        "post": {"operationId": "create_api_key", "tags": ["access"], "summary": "Makes a key, and shows its text this once.",
            "description": "It takes no Idempotency-Key, because the answer that is kept for one would hold the secret. After an answer that was lost, revoke the key that `GET /v1/api-keys` shows, and make another.",
            "parameters": [], "requestBody": {"required": true, "content": {"application/json": {"schema": input, "example": example}}}, "responses": made}
    });
    let mut revoke = vec![id.clone()];
    revoke.extend(parameters::<RevokeParameters>());
    let changed = ["conflict", "deleted", "too_large", "unsupported_media_type", "invalid"];
    document["paths"]["/v1/api-keys/{id}"] = json!({
        "get": {"operationId": "find_api_key", "tags": ["access"], "summary": "Finds a key, also one that is revoked.",
            "parameters": [id], "responses": responses("200", "Here it is.", Some(&key), &[])},
        "patch": {"operationId": "patch_api_key", "tags": ["access"],
            "summary": "Changes the name, the scopes or the end of a key (JSON Merge Patch).", "parameters": [id],
            "requestBody": {"required": true, "content": {"application/merge-patch+json": {"schema": patch_of(&change), "example": {"name": "night-batch-2"}}}},
            "responses": responses("200", "It is changed.", Some(&key), &changed)},
        "delete": {"operationId": "delete_api_key", "tags": ["access"], "summary": "Revokes a key; it works no longer within a second.",
            "parameters": revoke, "responses": responses("204", "It is revoked.", None, &["conflict", "deleted"])}
    });
}
