//! The rows of cyber diplomacy.

use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = |noun, body, change, bad| Row { noun, body, change, bad };
    vec![
        row(
            "forums",
            |ground| json!({"code": "UN-GGE", "name": {"en": "Group of experts"}, "kind": "expert_group", "parent_id": ground.forum, "mandate": ["A/RES/73/266"], "documents": [{"symbol": "A/70/174", "kind": "report", "year": 2015, "title": "Report"}]}),
            json!({"membership": "observer", "member_from": "2021-06-01"}),
            (json!({"kind": "expert_grup"}), "#/kind not_allowed"),
        ),
        row(
            "engagements",
            |ground| json!({"forum_id": ground.forum, "session": "4th", "statements": [{"title": "On norms", "language": "en"}], "follow_up_initiative_id": ground.first, "objective_id": ground.objective}),
            json!({"starts_on": "2025-03-01"}),
            (json!({"statements": [{"language": "en"}]}), "#/statements/0 needs_name"),
        ),
        row(
            "delegations",
            |ground| json!({"engagement_id": ground.engagement, "entity_id": ground.entity, "role": "head"}),
            json!({"size": 3}),
            (json!({"size": 0}), "#/size too_small"),
        ),
        row(
            "commitments",
            |ground| json!({"catalogue": "un_norms_2015", "code": "13(a)", "kind": "norm", "forum_id": ground.forum, "initiative_id": ground.first}),
            json!({"gaps": "People"}),
            (json!({"state": "implemented"}), "#/measures_taken needs_measures"),
        ),
        row(
            "contact-points",
            |ground| json!({"forum_id": ground.forum, "entity_id": ground.entity, "kind": "policy", "function": "Duty officer", "channel": "+40 21 000 0000", "classification": "internal"}),
            json!({"valid_from": "2025-03-01"}),
            (json!({"function": {"en": " "}}), "#/function/en wrong_format"),
        ),
    ]
}
