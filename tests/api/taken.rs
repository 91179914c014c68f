//! That something is taken is told of what is hidden as of what is seen: in the same words, and nothing besides.

use serde_json::{Value, json};

use crate::support::{Client, service};

/// What a refusal says, without what is of the request.
async fn refusal(client: &Client, noun: &str, body: &Value) -> Value {
    client.post(format!("/v1/{noun}"), body.clone()).expect(409).await.json()["errors"].take()
}

#[tokio::test]
async fn fields_that_are_unique_together_are_taken_by_what_is_hidden_in_the_same_words() {
    let client = service().await;
    let id = async |noun: &str, body: Value| client.create(noun, body).await["id"].clone();
    let agency = id("entities", json!({"name": "Agency", "kind": "agency", "code": "A"})).await;
    let key = async |role: &str, entity: &Value| {
        let key = client.create("api-keys", json!({"name": role, "role": role, "entity_id": entity})).await;
        client.with_key(key["key"].as_str().unwrap().into())
    };
    let (diplomat, assessor) = (key("diplomat", &Value::Null).await, key("assessor", &Value::Null).await);
    let editor = key("editor", &agency).await;
    let strategy = id("strategies", json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"})).await;
    let initiative = id("initiatives", json!({"strategy_id": strategy, "code": "1", "title": "One"})).await;
    id("assignments", json!({"initiative_id": initiative, "entity_id": agency, "role": "lead"})).await;
    let step = id("steps", json!({"initiative_id": initiative, "code": "0", "title": "Zero"})).await;
    let indicator = json!({"initiative_id": initiative, "title": "i", "value_chain_stage": "output", "measure": "unit", "direction": "ascending"});
    let indicator = id("indicators", indicator).await;
    let period = json!({"code": "1", "from": "2025-03-01", "to": "2025-03-31", "due_on": "2025-04-10"});
    let cycle = json!({"strategy_id": strategy, "code": "c", "title": "c", "cadence": "monthly", "covers": "both", "periods": [period]});
    let cycle = id("reporting-cycles", cycle).await;
    let forum = id("forums", json!({"code": "F", "name": "F", "kind": "conference"})).await;
    let engagement = id("engagements", json!({"forum_id": forum})).await;
    let help = id("contributions", json!({"direction": "received", "title": "Help", "status": "pipeline"})).await;
    let framework = json!({"code": "F", "edition": "1", "name": "F", "areas": [{"code": "A", "name": "A",
        "indicators": [{"code": "1", "name": "1", "max_points": "3"}]}]});
    let framework = id("frameworks", framework).await;
    let assessment = json!({"framework_id": framework, "country": "XX", "title": "a", "assessed_on": "2026-01-31"});
    let assessment = id("assessments", assessment).await;
    for (writer, noun, body) in [
        (&diplomat, "delegations", json!({"engagement_id": engagement, "entity_id": agency, "role": "head"})),
        (&diplomat, "contribution-partners", json!({"contribution_id": help, "role": "funding", "entity_id": agency})),
        (&diplomat, "commitments", json!({"catalogue": "own", "code": "1", "kind": "norm"})),
        (&editor, "steps", json!({"initiative_id": initiative, "code": "1", "title": "One"})),
        (&editor, "milestones", json!({"initiative_id": initiative, "code": "1", "title": "One"})),
        (
            &editor,
            "assignments",
            json!({"initiative_id": initiative, "entity_id": agency, "role": "informed", "valid_from": "2025-01-01"}),
        ),
        (
            &editor,
            "measurements",
            json!({"indicator_id": indicator, "period_from": "2025-01-01", "period_to": "2025-12-31", "value": "1", "status": "provisional"}),
        ),
        (
            &editor,
            "progress-reports",
            json!({"step_id": step, "cycle_id": cycle, "period": "1", "status": "in_progress", "confidence": "green"}),
        ),
        (&assessor, "answers", json!({"assessment_id": assessment, "indicator": "1", "points": "1"})),
        (
            &assessor,
            "frameworks",
            json!({"code": "G", "edition": "1", "name": "Of others", "areas": [{"code": "A", "name": "A",
            "indicators": [{"code": "1", "name": "1", "max_points": "3"}]}]}),
        ),
    ] {
        let there = client.create(noun, body.clone()).await;
        let there = there["id"].as_str().unwrap();
        let path = format!("/v1/{noun}/{there}");
        let seen = refusal(writer, noun, &body).await;
        let hide = json!({"classification": "restricted"});
        client.patch(&path, hide).header("if-match", "*").expect(200).await;
        writer.get(&path).expect(404).await;
        let hidden = refusal(writer, noun, &body).await;
        assert_eq!(hidden, seen, "{noun}");
        assert_eq!(hidden[0]["code"], "taken", "{noun}: {hidden}");
        assert!(!hidden.to_string().contains(there), "{noun}: {hidden}");
    }
}
