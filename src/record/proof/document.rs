//! The operations of the log in the OpenAPI document.

use serde_json::{Value, json};

use super::handlers::{Consistency, ConsistencyParameters, Proof};
use crate::api::{
    document::{parameters, problems},
    shape::schemas,
};

/// Adds the operations and their schemas.
pub(in crate::record) fn describe(document: &mut Value) {
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": "log", "description": "The proof that the record is whole: a Merkle tree (RFC 6962) over all changes, with signed checkpoints."}));
    }
    if let Some(components) = document["components"]["schemas"].as_object_mut() {
        components.extend(schemas::<Proof>());
        components.extend(schemas::<Consistency>());
    }
    let operation = |id: &str, summary: &str, asked: Vec<Value>, kind: &str, schema: Value, wrong: &[&str]| {
        let mut responses = problems(wrong);
        responses.insert("200".into(), json!({"description": summary, "content": {kind: {"schema": schema}}}));
        json!({"get": {"operationId": id, "tags": ["log"], "summary": summary, "parameters": asked, "responses": responses}})
    };
    let text = || json!({"type": "string"});
    let bytes = || json!({"type": "string", "format": "binary"});
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let part = |name: &str, words: &str, example: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}, "description": words, "example": example});
    let index = || {
        part(
            "index",
            "The place of the tile as C2SP tlog-tiles writes it: `000`, `x001/234`; with fewer than 256 entries `000.p/12`.",
            "000",
        )
    };
    let paths = &mut document["paths"];
    paths["/v1/log/checkpoint"] = operation(
        "find_checkpoint",
        "Finds the newest checkpoint: origin, size and root of the log, as a signed note (C2SP tlog-checkpoint).",
        vec![],
        "text/plain",
        text(),
        &[],
    );
    paths["/v1/log/key"] =
        operation("find_log_key", "Finds the key that verifies checkpoints.", vec![], "text/plain", text(), &[]);
    paths["/v1/log/tile/{level}/{index}"] = operation(
        "find_tile",
        "Finds a tile of hashes (C2SP tlog-tiles); it never changes.",
        vec![part("level", "The level, 0 for the hashes of entries.", "0"), index()],
        "application/octet-stream",
        bytes(),
        &[],
    );
    paths["/v1/log/tile/entries/{index}"] = operation(
        "find_entries",
        "Finds the entries of a tile, each after its length in two bytes; they never change.",
        vec![index()],
        "application/octet-stream",
        bytes(),
        &[],
    );
    paths["/v1/log/consistency"] = operation(
        "find_consistency",
        "Proves that the log only grew between two sizes.",
        parameters::<ConsistencyParameters>(),
        "application/json",
        schema("Consistency"),
        &[],
    );
    paths["/v1/changes/{id}/proof"] = operation(
        "find_proof",
        "Proves that a change is in the log.",
        vec![part("id", "The id of the change, as in its receipt.", "0192f0c0-0000-7000-8000-000000000001")],
        "application/json",
        schema("Proof"),
        &[],
    );
}
