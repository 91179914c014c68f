//! The rows of treaties and positions.

use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row {
            noun: "treaties",
            body: |_| json!({"code": "CETS-185", "name": {"en": "Convention on Cybercrime"}, "opened_on": "2001-11-23"}),
            change: json!({"in_force_on": "2004-07-01"}),
            bad: (json!({"in_force_on": "2001-11-22"}), "#/in_force_on ends_before_start"),
        },
        Row {
            noun: "treaty-actions",
            body: |ground| json!({"treaty_id": ground.treaty, "country": "XX", "action": "acceded", "acted_on": "2024-02-29"}),
            change: json!({"effective_on": "2024-06-01"}),
            bad: (json!({"effective_on": "2024-02-28"}), "#/effective_on before_act"),
        },
        Row {
            noun: "positions",
            body: |_| json!({"title": {"en": "A position"}, "country": "XX", "topics": ["sovereignty", "ihl"], "languages": ["en"]}),
            change: json!({"issued_on": "2024-02-29", "topics": ["due_diligence"]}),
            bad: (json!({"topics": ["sovereignity"]}), "#/topics/0 not_allowed"),
        },
    ]
}
