//! What is refused.

use serde_json::{Value, json};

use super::{answer, assess, framework};
use crate::support::{Client, service};

async fn refused(client: &Client, noun: &str, body: Value, fault: &str) {
    let problem = client.post(format!("/v1/{noun}"), body).send().await;
    assert!([409, 422].contains(&problem.status.as_u16()), "{}", problem.text);
    assert!(problem.faults().contains(&fault.to_owned()), "{fault}: {}", problem.text);
}

fn of(areas: &Value) -> Value {
    json!({"code": "X", "edition": "1", "name": "A framework", "areas": areas})
}

#[tokio::test]
async fn a_framework_is_sound() {
    let client = service().await;
    let with = |indicator: Value| of(&json!([{"code": "1", "name": "One", "indicators": [indicator]}]));
    let refused = async |body: Value, fault: &str| refused(&client, "frameworks", body, fault).await;
    let plain = json!({"code": "1.1", "name": "A", "max_points": "1"});
    let twice = of(
        &json!([{"code": "1", "name": "One", "indicators": [plain]}, {"code": "1", "name": "Two", "indicators": [plain]}]),
    );
    refused(twice.clone(), "#/areas/1/code repeated").await;
    refused(twice, "#/areas/1/indicators/0/code repeated").await;
    let sum = of(&json!([{"code": "1", "name": "One", "max_points": "2", "indicators": [plain]}]));
    refused(sum, "#/areas/0/max_points not_the_sum").await;
    let two = json!([{"code": "1", "name": "One", "weight": "2", "indicators": [plain]},
        {"code": "2", "name": "Two", "indicators": [{"code": "2.1", "name": "B"}]}]);
    refused(of(&two), "#/areas weights_incomplete").await;
    let level = |points: &str| json!({"code": "L", "name": "Low", "points": points});
    refused(
        with(json!({"code": "1", "name": "A", "max_points": "1", "levels": [level("2")]})),
        "#/areas/0/indicators/0/levels/0/points too_many",
    )
    .await;
    refused(
        with(json!({"code": "1", "name": "A", "levels": [level("-1")]})),
        "#/areas/0/indicators/0/levels/0/points negative",
    )
    .await;
    refused(with(json!({"code": "1", "name": "A", "points": "1"})), "#/areas/0/indicators/0/points unknown_field")
        .await;
    let mut tiers = with(plain.clone());
    tiers["tiers"] =
        json!([{"code": "A", "name": "a", "from_percent": "50"}, {"code": "B", "name": "b", "from_percent": "10"}]);
    refused(tiers, "#/tiers/1/from_percent not_ascending").await;
    let ruled = |rule: Value| with(json!({"code": "1", "name": "A", "candidates": [rule]}));
    let at = "#/areas/0/indicators/0/candidates/0";
    refused(ruled(json!({"record": "position", "treaty": "CETS-185"})), &format!("{at}/treaty not_allowed")).await;
    refused(ruled(json!({"record": "treaty_in_force"})), &format!("{at}/treaty required")).await;
    refused(ruled(json!({"record": "commitment", "code": "1"})), &format!("{at}/catalogue required")).await;
    refused(ruled(json!({"record": "positions"})), &format!("{at}/record not_allowed")).await;
    refused(ruled(json!({"record": "position", "where": "true"})), &format!("{at}/where unknown_field")).await;
    refused(ruled(json!({"record": "position", "topics": ["human_right"]})), &format!("{at}/topics/0 not_allowed"))
        .await;
    client.create("frameworks", with(plain.clone())).await;
    refused(with(plain), "#/edition taken").await;
}

#[tokio::test]
async fn an_answer_fits_its_framework() {
    let client = service().await;
    let mut levels = framework();
    levels["areas"][0]["indicators"][2] = json!({"code": "1.3", "name": "Maturity", "levels": [
        {"code": "L1", "name": "one", "points": "0"}, {"code": "L2", "name": "two", "points": "2"}]});
    let assessment = assess(&client, levels).await;
    let refused = async |indicator: &str, mut body: Value, fault: &str| {
        body["assessment_id"] = assessment.clone();
        body["indicator"] = indicator.into();
        refused(&client, "answers", body, fault).await;
    };
    refused("9.9", json!({"is_met": true}), "#/indicator unknown_indicator").await;
    refused("1.1", json!({}), "#/points exactly_one").await;
    refused("1.1", json!({"points": "1", "is_met": true}), "#/points exactly_one").await;
    refused("1.1", json!({"points": "3.1"}), "#/points too_many").await;
    refused("1.1", json!({"points": "-1"}), "#/points negative").await;
    refused("1.1", json!({"points": 1}), "#/points wrong_type").await;
    refused("1.1", json!({"level": "L1"}), "#/level unknown_level").await;
    refused("1.3", json!({"level": "L3"}), "#/level unknown_level").await;
    refused("1.3", json!({"is_met": true}), "#/level required").await;
    refused("13(a)", json!({"points": "1"}), "#/points no_points").await;
    refused("1.1", json!({"points": "1", "expected_points": "2"}), "#/expected_points needs_initiative").await;
    answer(&client, &assessment, "1.3", json!({"level": "L2"})).await;
    refused("1.3", json!({"level": "L2"}), "#/indicator taken").await;

    // Nor does its framework change under it.
    let path = "/v1/assessments/external:a";
    let framework_id = client.get(path).expect(200).await.json()["framework_id"].as_str().unwrap().to_owned();
    let problem = client
        .patch(format!("/v1/frameworks/{framework_id}"), json!({"areas": framework()["areas"]}))
        .header("if-match", "*")
        .send()
        .await;
    assert!(problem.faults().contains(&"#/areas unknown_indicator".to_owned()), "{}", problem.text);
    let mut other = framework();
    other["code"] = "G".into();
    let other = client.create("frameworks", other).await["id"].clone();
    let problem = client.patch(path, json!({"framework_id": other})).header("if-match", "*").send().await;
    assert!(problem.faults().contains(&"#/framework_id unknown_indicator".to_owned()), "{}", problem.text);
    client.delete(path).header("if-match", "*").expect(409).await;
}
