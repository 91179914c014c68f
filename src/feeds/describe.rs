//! The operations on feeds and their tokens in the OpenAPI document.

use serde_json::{Value, json};

use super::{
    handing_out::{CreatedFeedToken, FeedTokenInput},
    reading::FeedParameters,
    tokens::FeedToken,
};
use crate::api::{
    document::{parameters, problems},
    operations::{formats, if_none_match, not_modified},
    shape::schemas,
};

/// Adds the operations and their schemas to the document.
pub fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<FeedTokenInput>());
        components.extend(schemas::<CreatedFeedToken>());
        components.extend(schemas::<FeedToken>());
    }
    if let Value::Array(tags) = &mut document["tags"] {
        tags.push(json!({"name": "feeds", "description": "One report or list, for programs that send no key."}));
    }
    document["components"]["securitySchemes"]["feed_token"] = json!({"type": "apiKey", "in": "query", "name": "token",
        "description": "A token that POST /v1/feed-tokens has made; it opens one feed."});
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let page = json!({"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "items": schema("FeedToken")}}});
    let mut listed = problems(&["not_acceptable"]);
    listed.insert("200".into(), formats("All of them, the newest first; there are no pages.", &page));
    listed.insert("304".into(), not_modified());
    let mut made = problems(&["too_large", "unsupported_media_type", "invalid", "malformed"]);
    let content = json!({"application/json": {"schema": schema("CreatedFeedToken")}});
    made.insert(
        "201".into(),
        json!({"description": "It is made; its text is in `token`, this once.", "content": content}),
    );
    let mut revoked = problems(&["deleted"]);
    revoked.insert("204".into(), json!({"description": "It is revoked."}));
    let example = json!({"path": "/v1/reports/plan?strategy_id=code:S", "name": "budget workbook of the ministry"});
    document["paths"]["/v1/feed-tokens"] = json!({
        "get": {"operationId": "list_feed_tokens", "tags": ["feeds"], "summary": "Lists tokens of feeds, without their texts.",
            "parameters": [if_none_match()], "responses": listed},
        "post": {"operationId": "create_feed_token", "tags": ["feeds"],
            "summary": "Makes a token that opens one report or list with its filters, and shows it this once.",
            "description": "It takes no Idempotency-Key, because the answer that is kept for one would hold the token.",
            "parameters": [],
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema("FeedTokenInput"), "example": example}}},
            "responses": made}});
    let id = |words: &str| json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}, "description": words});
    document["paths"]["/v1/feed-tokens/{id}"] = json!({"delete": {"operationId": "delete_feed_token", "tags": ["feeds"],
        "summary": "Revokes a token; it opens nothing any more.", "parameters": [id("The id of the token.")], "responses": revoked}});
    let mut asked = vec![id("The id of the token, and after it `.csv`, `.ndjson`, `.json` or `.txt` for the format.")];
    asked.extend(parameters::<FeedParameters>());
    asked.push(if_none_match());
    let mut read = problems(&["malformed", "not_acceptable"]);
    let content = json!({"application/json": {"schema": {"type": "object"}}});
    read.insert(
        "200".into(),
        json!({"description": "What the report or list answers, in the format asked for.", "content": content}),
    );
    read.insert("304".into(), not_modified());
    document["paths"]["/v1/feeds/{id}"] = json!({"get": {"operationId": "find_feed", "tags": ["feeds"],
        "security": [{"key": []}, {"password": []}, {"feed_token": []}],
        "summary": "Reads the report or list of a token.",
        "description": "With the token, as the reader that it is; with a key, as its bearer.", "parameters": asked, "responses": read}});
}
