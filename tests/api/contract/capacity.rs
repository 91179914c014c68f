//! The rows of capacity building.

use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = |noun, body, change, bad| Row { noun, body, change, bad };
    vec![
        row(
            "contributions",
            |ground| json!({"direction": "given", "title": "Help", "status": "closed", "actual_starts_on": "2024-02-01", "modality": "training", "lead_id": ground.entity, "strategy_id": ground.strategy, "recipients": [{"country": "MD", "percentage": "60"}, {"region": "89", "percentage": "40"}], "trainees": [{"year": 2024, "sex": "female", "count": 3}]}),
            json!({"actual_ends_on": "2024-12-31"}),
            (json!({"recipients": []}), "#/recipients needs_recipient"),
        ),
        row(
            "contribution-partners",
            |ground| json!({"contribution_id": ground.contribution, "role": "funding", "entity_id": ground.entity}),
            json!({"reference": "XM-DAC-41114"}),
            (json!({"name": "Twice named"}), "#/name exactly_one"),
        ),
        row(
            "training-programmes",
            |ground| json!({"initiative_id": ground.first, "title": "Lessons", "audience": "pupils", "provider_id": ground.entity}),
            json!({"level": "basic"}),
            (json!({"audience": "pupil"}), "#/audience not_allowed"),
        ),
        row(
            "training-sessions",
            |ground| json!({"programme_id": ground.programme, "starts_on": "2024-03-01", "ends_on": "2024-03-02", "status": "held", "participants": 20, "women": 9}),
            json!({"men": 11}),
            (json!({"participants": 8}), "#/participants too_small"),
        ),
    ]
}
