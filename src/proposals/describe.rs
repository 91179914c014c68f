//! The operations on proposals in the OpenAPI document, and the answer 202 of those that can become one.

use serde_json::{Value, json};

use super::{
    confirmations::Confirmation,
    store::{Filter, Proposal},
};
use crate::api::{
    document::{parameters, problems},
    operations::{formats, if_none_match, not_modified},
    shape::schemas,
};

/// The operations by which an act can be done.
const ACTS: [&str; 23] = [
    "create_budget_allocation",
    "replace_budget_allocation",
    "patch_budget_allocation",
    "delete_budget_allocation",
    "create_budget_movement",
    "create_timeline",
    "replace_timeline",
    "patch_timeline",
    "delete_timeline",
    "create_initiative",
    "replace_initiative",
    "patch_initiative",
    "create_step",
    "replace_step",
    "patch_step",
    "create_strategy",
    "replace_strategy",
    "patch_strategy",
    "create_progress_report",
    "replace_progress_report",
    "patch_progress_report",
    "create_progress_report_batch",
    "import_plan",
];

/// Adds to the answer of a change what a dry run of it says of this. Those of imports and batches have it in their schemas.
fn add_proposed_for(operation: &mut Value) {
    if operation["operationId"].as_str().is_some_and(|id| id.starts_with("patch_")) {
        let schema = &mut operation["responses"]["200"]["content"]["application/json"]["schema"];
        let acts = json!({"type": "array", "items": {"$ref": "#/components/schemas/Act"},
            "description": "With `dry_run`: the acts for which it would stand as proposed and not be written at once, where there are any."});
        *schema = json!({"allOf": [schema.clone(), {"type": "object", "properties": {"proposed_for": acts}}]});
    }
}

/// Adds the operations and their schemas to the document.
pub fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<Proposal>());
        components.extend(schemas::<Confirmation>());
        let body = json!({"description": "The body of the request: JSON, or the text of another media type."});
        components["Proposal"]["properties"]["body"] = body;
        let change = json!({"type": "object", "required": ["kind", "action", "id", "version", "after"], "properties": {
            "kind": {"type": "string", "description": "Its kind, such as `timeline`."},
            "action": {"type": "string", "enum": ["created", "updated", "deleted"]},
            "id": {"type": "string", "format": "uuid", "description": "Its id; what is new gets another one when it is confirmed."},
            "version": {"type": ["integer", "null"], "description": "Its version before."},
            "after": {"type": ["object", "null"], "description": "The stored fields as they would be."}}});
        components["Proposal"]["properties"]["changes"] = json!({"type": ["array", "null"], "items": change,
            "description": "All that it would change, or has changed; what it would write when it is confirmed is compared with that. Left out in lists; null for its proposer, where he does not see all of it any more."});
    }
    if let Value::Array(tags) = &mut document["tags"] {
        tags.push(
            json!({"name": "proposals", "description": "Acts that wait for a second principal (`MANDATE_FOUR_EYES`)."}),
        );
    }
    let proposal = json!({"$ref": "#/components/schemas/Proposal"});
    let content = json!({"application/json": {"schema": proposal}});
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (_, operation) in paths.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten()) {
        if operation["operationId"].as_str().is_some_and(|id| ACTS.contains(&id)) {
            operation["responses"]["202"] = json!({"content": content,
                "description": "Nothing is written yet: it stands as proposed until a second principal confirms it, where the service asks for one."});
            add_proposed_for(operation);
        }
    }
    let mut asked = parameters::<Filter>();
    asked.push(if_none_match());
    let page = json!({"type": "object", "required": ["items", "next"], "properties": {
        "items": {"type": "array", "items": proposal},
        "next": {"type": ["string", "null"], "description": "What to give as `after` for the next page; null at the end."}}});
    let mut listed = problems(&["not_acceptable"]);
    listed.insert("200".into(), formats("A page, the newest first.", &page));
    listed.insert("304".into(), not_modified());
    document["paths"]["/v1/proposals"] = json!({"get": {"operationId": "list_proposals", "tags": ["proposals"],
        "summary": "Lists what waits for a second principal, and what became of it.",
        "description": "Everybody sees those on what he sees, and his own.", "parameters": asked, "responses": listed}});
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}, "description": "The id of the proposal."});
    let mut found = problems(&[]);
    found.insert("200".into(), json!({"description": "Here it is.", "content": content}));
    document["paths"]["/v1/proposals/{id}"] = json!({"get": {"operationId": "find_proposal", "tags": ["proposals"],
        "summary": "Finds a proposal.", "parameters": [id], "responses": found}});
    let mut decided =
        problems(&["conflict", "too_large", "unsupported_media_type", "invalid", "malformed", "outcome_unknown"]);
    let answer = json!({"allOf": [proposal, {"type": "object", "properties": {"answer": {"type": "object",
        "description": "When it was confirmed: what the request was answered.",
        "properties": {"status": {"type": "integer"}, "body": {}}}}}]});
    decided.insert(
        "200".into(),
        json!({"description": "It is decided.", "content": {"application/json": {"schema": answer}}}),
    );
    document["paths"]["/v1/confirmations"] = json!({"post": {"operationId": "create_confirmation", "tags": ["proposals"],
        "summary": "Confirms a proposal, rejects it, or withdraws one's own.",
        "description": "What is confirmed is written as one transaction with the decision, judged anew, by the rights of who confirms. When it is not possible any more the answer is 409 with the code `stale`, and the proposal is over.",
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Confirmation"},
            "example": {"proposal_id": "0192f0c0-0000-7000-8000-000000000001", "decision": "confirm", "reason": "seen with the decision of 12 May"}}}},
        "responses": decided}});
}
