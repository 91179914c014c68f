//! That frameworks are data: one with levels, weights and tiers, and the templates that come with the service.

use serde_json::{Value, json};

use super::{answer, assess, cite, evidence, rows};
use crate::support::service;

/// A fictitious model of maturity: two dimensions of different weight, five stages, three tiers.
fn maturity() -> Value {
    let stages: Vec<Value> = ["start-up", "formative", "established", "strategic", "dynamic"]
        .iter()
        .enumerate()
        .map(|(points, name)| json!({"code": name, "name": name, "points": points.to_string()}))
        .collect();
    let factor = |code: &str| json!({"code": code, "name": "A factor", "levels": stages});
    json!({"code": "MODEL", "edition": "2021", "name": "A model of maturity (fictitious)", "areas": [
        {"code": "D1", "name": "Policy", "weight": "3", "indicators": [factor("D1.1"), factor("D1.2")]},
        {"code": "D2", "name": "Culture", "weight": "1", "indicators": [factor("D2.1")]}],
        "tiers": [{"code": "T3", "name": "establishing", "from_percent": "0"}, {"code": "T2", "name": "advancing", "from_percent": "37.5"},
            {"code": "T1", "name": "role-modelling", "from_percent": "95"}]})
}

#[tokio::test]
async fn levels_weights_and_tiers_are_data() {
    let client = service().await;
    let assessment = assess(&client, maturity()).await;
    let first = answer(&client, &assessment, "D1.1", json!({"level": "dynamic"})).await;
    answer(&client, &assessment, "D1.2", json!({"level": "start-up"})).await;
    let culture = answer(&client, &assessment, "D2.1", json!({"level": "established"})).await;
    let told = async || -> Value {
        let rows = rows(&client, "").await;
        rows.iter()
            .map(|row| json!([row["claimed"], row["proven"], row["max"], row["proven_percent"], row["tier"]]))
            .collect()
    };
    assert_eq!(
        told().await,
        json!([["4", "0", "8", "0.00", "T3"], ["2", "0", "4", "0.00", "T3"], ["6", "0", "12", "0.00", "T3"]])
    );
    let letter = evidence(&client, "statement", json!({})).await;
    cite(&client, &first, &letter).await;
    // 3 parts of 50 and 1 of 0.
    assert_eq!(told().await[2], json!(["6", "4", "12", "37.50", "T2"]));
    cite(&client, &culture, &letter).await;
    assert_eq!(told().await[2], json!(["6", "6", "12", "50.00", "T2"]));
    let explained = rows(&client, "explain=true").await;
    assert_eq!(explained[0]["answers"][0]["level"], "dynamic");
    // A level of no points lacks all the others, and needs no proof itself.
    let lack = &explained[0]["missing"][0];
    assert_eq!(json!([lack["indicator"], lack["points"], lack["reason"]]), json!(["D1.2", "4", "not_claimed"]));
}

#[tokio::test]
async fn the_templates_are_imported_with_their_marks() {
    let client = service().await;
    for plan in [
        include_str!("../../../examples/framework-ncsi-3.0.json"),
        include_str!("../../../examples/framework-ncsi-2.x.json"),
        include_str!("../../../examples/framework-un-norms-2015.json"),
    ] {
        let report = client
            .call("POST", "/v1/imports")
            .header("content-type", "application/json")
            .body(plan)
            .expect(200)
            .await
            .json();
        assert_eq!(report["created"], 1, "{report}");
    }
    let frameworks = client.get("/v1/frameworks?is_verified=false&sort=code,edition").expect(200).await.json();
    for (place, framework) in frameworks["items"].as_array().unwrap().iter().enumerate() {
        let body = json!({"framework_id": framework["id"], "country": "XX", "title": place.to_string(), "assessed_on": "2026-01-31"});
        client.create("assessments", body).await;
    }
    let wholes: Vec<Value> = rows(&client, "")
        .await
        .iter()
        .filter(|row| row["area"].is_null())
        .map(|row| {
            assert!(row["framework_note"]["en"].is_string(), "{row}");
            json!([
                row["framework"],
                row["framework_is_verified"],
                row["indicators"],
                row["unverified_indicators"],
                row["max"],
                row["unscored"]
            ])
        })
        .collect();
    assert_eq!(
        json!(wholes),
        json!([
            ["NCSI 2.x", false, 36, 36, null, 36],
            ["NCSI 3.0", false, 49, 49, "120", 0],
            ["UN-NORMS 2015", false, 11, 11, null, 11]
        ])
    );
}
