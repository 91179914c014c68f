//! The rows of frameworks, assessments, answers and citations.

use serde_json::{Value, json};

use super::Row;
use crate::support::Client;

fn framework(code: &str) -> Value {
    let indicators = json!([{"code": "1.1", "name": "A plan", "max_points": "3"}, {"code": "1.2", "name": "Its steps", "max_points": "2"}]);
    json!({"code": code, "edition": "1", "name": "A framework", "areas": [{"code": "1", "name": "Plans", "indicators": indicators}]})
}

/// A framework, an assessment, an answer of it, and evidence.
pub(super) async fn lay(client: &Client) -> (Value, Value, Value, Value) {
    let framework = client.create("frameworks", framework("GROUND")).await["id"].clone();
    let assessment =
        json!({"framework_id": framework, "country": "XX", "title": "How ready", "assessed_on": "2026-01-31"});
    let assessment = client.create("assessments", assessment).await["id"].clone();
    let answer = json!({"assessment_id": assessment, "indicator": "1.1", "is_met": true});
    let answer = client.create("answers", answer).await["id"].clone();
    let evidence = json!({"kind": "statement", "title": "A letter", "claim": "There is one", "about": "plan"});
    let evidence = client.create("evidence", evidence).await["id"].clone();
    (framework, assessment, answer, evidence)
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row {
            noun: "frameworks",
            body: |_| framework("NCSI"),
            change: json!({"is_verified": true}),
            bad: (json!({"areas": []}), "#/areas too_few"),
        },
        Row {
            noun: "assessments",
            body: |ground| json!({"framework_id": ground.framework, "country": "XX", "title": "How ready", "assessed_on": "2026-01-31"}),
            change: json!({"state": "final"}),
            bad: (json!({"state": "done"}), "#/state not_allowed"),
        },
        Row {
            noun: "answers",
            body: |ground| json!({"assessment_id": ground.assessment, "indicator": "1.2", "points": "1.5"}),
            change: json!({"points": "2"}),
            bad: (json!({"is_met": true}), "#/points exactly_one"),
        },
        Row {
            noun: "citations",
            body: |ground| json!({"answer_id": ground.answer, "evidence_id": ground.evidence}),
            change: json!({"note": {"en": "page 3"}}),
            bad: (json!({"note": 3}), "#/note wrong_type"),
        },
    ]
}
