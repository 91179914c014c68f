//! The operations of captured copies in the OpenAPI document.

use serde_json::{Map, Value, json};

use super::{arriving::UploadParameters, media::TYPES, store::Kept};
use crate::api::{
    document::{parameters, problems},
    operations::{if_none_match, not_modified},
    shape::schemas,
};

/// Adds the operations to the document.
pub fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<Kept>());
    }
    if let Value::Array(tags) = &mut document["tags"] {
        tags.push(json!({"name": "documents", "description": "Captured copies of documents, which evidence names by their SHA-256."}));
    }
    let binary = json!({"schema": {"type": "string", "format": "binary"}});
    let content: Map<String, Value> =
        TYPES.iter().map(|media_type| (media_type.name.to_owned(), binary.clone())).collect();
    let reason = |words: &str, required: bool| json!({"name": "Mandate-Reason", "in": "header", "required": required, "description": words, "schema": {"type": "string"}});
    let kept = |words: &str| json!({"description": words, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Document"}}}});
    let mut asked = parameters::<UploadParameters>();
    asked[0]["schema"]["enum"] = TYPES.iter().map(|media_type| media_type.name).collect();
    asked.push(reason("Why; kept in the record.", false));
    let mut uploaded = problems(&["too_large", "unsupported_media_type", "invalid", "conflict", "malformed"]);
    uploaded.insert("201".into(), kept("It is kept."));
    uploaded.insert("200".into(), kept("These bytes were kept already."));
    document["paths"]["/v1/documents"] = json!({"post": {
        "operationId": "upload_document", "tags": ["documents"],
        "summary": "Keeps the captured copy of a document, once for each content.",
        "description": "The body is the document as it is; what it is stands in Content-Type, or in `media_type`. Name the answered `sha256` as `document` of a piece of evidence: until one does, nobody can download it, and after a week it is removed. The bytes must be what they are said to be.",
        "parameters": asked,
        "requestBody": {"required": true, "content": {"application/octet-stream": binary}},
        "responses": uploaded}});
    let id = json!({"name": "sha256", "in": "path", "required": true, "description": "SHA-256 of its bytes.",
        "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}});
    let mut downloaded = problems(&["deleted", "conflict"]);
    downloaded.insert(
        "200".into(),
        json!({"description": "The bytes, verified; to be saved, never to be shown in place.", "content": content}),
    );
    downloaded.insert("304".into(), not_modified());
    let mut erased = problems(&["deleted", "invalid", "malformed"]);
    erased.insert("204".into(), json!({"description": "Its bytes are gone."}));
    document["paths"]["/v1/documents/{sha256}"] = json!({
        "get": {"operationId": "download_document", "tags": ["documents"],
            "summary": "Downloads a captured copy.",
            "description": "For whoever may see a piece of evidence that names it, now or in the record; to all others it is not there. `conflict` says that the kept bytes are damaged.",
            "parameters": [id, if_none_match()], "responses": downloaded},
        "delete": {"operationId": "erase_document", "tags": ["documents"],
            "summary": "Erases the bytes of a captured copy for good; the evidence and the record keep its hash.",
            "parameters": [id, reason("Why; kept in the record.", true)], "responses": erased}});
}
