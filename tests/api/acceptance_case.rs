//! The case by which the service is judged: what a secondary source states of one country, kept as stated, with what each statement lacks.

use serde_json::{Value, json};

use crate::support::{Client, service};

const FORUMS: &str = include_str!("../../examples/reference-forums.json");
const NCSI: &str = include_str!("../../examples/framework-ncsi-3.0.json");
const CASE: &str = include_str!("../../examples/romania-acceptance-case.json");

async fn case() -> Client {
    let client = service().await;
    for plan in [FORUMS, NCSI, CASE] {
        let import = client.call("POST", "/v1/imports").header("content-type", "application/json").body(plan);
        assert_eq!(import.expect(200).await.json()["refused"], 0);
    }
    client
}

async fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).expect(200).await.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_plan_stands_under_its_decision_and_is_disputed_with_the_reason() {
    let client = case().await;
    let plan = client.get("/v1/strategies/external:ro18-plan?expand=legal_act").expect(200).await.json();
    let act = &plan["legal_act"];
    assert_eq!((&act["number"], &act["date"], &plan["annex"]), (&json!("257"), &json!("2018-11-22"), &json!("II")));
    assert_eq!((&plan["evidence_state"], &plan["status"]), (&json!("disputed"), &json!("draft")));
    let disputed = items(&client, "/v1/reports/disputed-claims").await;
    let names: Vec<_> = disputed.iter().map(|row| row["noun"].as_str().unwrap()).collect();
    assert_eq!(names, ["strategy", "evidence"]);
    assert_eq!(disputed[1]["indicators"], json!(["NCSI 3.0: 1.5"]));
    for row in disputed {
        assert!(row["reason"]["en"].as_str().unwrap().contains("Republic of Moldova"), "{row}");
    }
    let under_way = items(&client, "/v1/initiatives?strategy_id=external:ro18-plan&status=in_progress&sort=code").await;
    let titles: Vec<_> = under_way.iter().map(|row| row["title"]["en"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        [
            "Promoting cybersecurity education and training",
            "Supporting regional and international cooperation on cyber-related capacity building"
        ]
    );
}

#[tokio::test]
async fn the_five_contents_are_claimed_and_nothing_of_them_is_in_the_register() {
    let client = case().await;
    let rows = items(&client, "/v1/reports/plan-contents?strategy_id=external:ro18-plan").await;
    let told = |row: &Value| {
        ["content", "state", "evidence", "found"].map(|name| row[name].as_str().unwrap_or("-").to_owned())
    };
    let told: Vec<_> = rows.iter().map(|row| told(row).join("; ")).collect();
    assert_eq!(
        told,
        [
            "steps_and_entities; claimed; 1 proposed; steps 0 of 2, entities 0 of 2",
            "timelines_and_financial_resources; claimed; 1 proposed; times 0 of 2, money 0 of 2",
            "human_and_financial_resources; claimed; 1 proposed; people 0 of 2, money 0 of 2",
            "timeframes_and_metrics; claimed; 1 proposed; times 0 of 2, metrics 0 of 2",
            "priorities_into_initiatives; claimed; 1 proposed; initiatives 0 of 2",
        ]
    );
    // A step for each initiative, with who does it, is the first of them; withdrawn evidence claims nothing.
    let entity = client.create("entities", json!({"name": "Agency", "kind": "agency"})).await["id"].clone();
    for code in ["1", "2"] {
        let step = json!({"initiative_id": format!("external:ro18-initiative-{code}"), "code": "a", "title": "A step"});
        let step = client.create("steps", step).await["id"].clone();
        client.create("assignments", json!({"step_id": step, "entity_id": entity, "role": "lead"})).await;
    }
    let withdrawn = json!({"state": "withdrawn", "state_reason": "a test"});
    let path = "/v1/evidence/external:ro18-evidence-priorities-into-initiatives";
    client.patch(path, withdrawn).if_match(1).expect(200).await;
    let rows = items(&client, "/v1/reports/plan-contents?strategy_id=external:ro18-plan").await;
    let states: Vec<_> = rows.iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["provided", "claimed", "claimed", "claimed", "absent"]);
}

#[tokio::test]
async fn engagements_statements_and_treaties_are_what_the_source_says_of_them() {
    let client = case().await;
    let engaged = items(&client, "/v1/engagements?expand=forum&limit=200").await;
    let mut forums: Vec<_> = engaged.iter().map(|row| row["forum"]["code"].as_str().unwrap()).collect();
    forums.sort_unstable();
    assert_eq!(forums, ["GFCE", "OSCE", "UN-AHC", "UN-GGE", "UN-OEWG"]);
    let positions = items(&client, "/v1/reports/positions?country=RO").await;
    let on = |topic: &str| positions.iter().find(|row| row["topic"] == topic).unwrap()["state"].clone();
    assert_eq!((on("human_rights"), on("attribution")), (json!("covered"), json!("silent")));
    // Membership is claimed, and no treaty is named.
    let treaties = items(&client, "/v1/reports/treaties?country=RO").await;
    assert_eq!(treaties.len(), 1, "{treaties:?}");
    assert_eq!(
        (&treaties[0]["state"], &treaties[0]["treaty_id"], &treaties[0]["is_member"]),
        (&json!("unproven"), &Value::Null, &json!(false))
    );
}

#[tokio::test]
async fn contributions_given_remain_at_zero_as_a_sentence() {
    let client = case().await;
    let rows = items(&client, "/v1/reports/contributions?direction=given&from=2018&to=2019&by=year").await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    for (row, year) in rows.iter().zip(["2018", "2019"]) {
        assert_eq!((&row["active"], &row["trained"]), (&json!(0), &json!(0)), "{row}");
        let sentence = &row["sentence"];
        assert!(sentence["en"].as_str().unwrap().contains("remains at zero"), "{sentence}");
        assert!(sentence["en"].as_str().unwrap().contains(year) && sentence["ro"].is_string(), "{sentence}");
    }
}

#[tokio::test]
async fn readiness_says_what_is_claimed_what_is_proven_and_what_each_lacks() {
    let client = case().await;
    let path = "/v1/reports/readiness?assessment_id=external:ro18-assessment";
    let rows = items(&client, path).await;
    let area = |rows: &[Value], code: Value| rows.iter().find(|row| row["area"] == code).unwrap().clone();
    let lack = |row: &Value, indicator: &str| {
        let found = row["missing"].as_array().unwrap().iter().find(|lack| lack["indicator"] == indicator);
        found.unwrap_or_else(|| panic!("{indicator} in {row}")).clone()
    };
    let policy = area(&rows, json!("1"));
    assert_eq!((&policy["claimed"], &policy["proven"]), (&json!("3"), &json!("0")), "{policy}");
    assert_eq!(policy["framework_is_verified"], false);
    let reasons = |rows: &[Value]| {
        [("1", "1.5"), ("2", "2.1"), ("2", "2.2"), ("2", "2.3")]
            .map(|(code, indicator)| lack(&area(rows, json!(code)), indicator)["reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(reasons(&rows), ["not_verified", "not_verified", "not_verified", "not_claimed"]);
    let plan = lack(&policy, "1.5");
    assert!(plan["supply"].to_string().contains("steps"), "{plan}");
    let abroad = area(&rows, json!("2"));
    let supply = |indicator: &str| lack(&abroad, indicator)["supply"].to_string();
    assert!(supply("2.1").contains("forum"), "{}", supply("2.1"));
    assert!(supply("2.2").contains("position"), "{}", supply("2.2"));
    assert!(supply("2.3").contains("contribution"), "{}", supply("2.3"));

    // A secondary source proves nothing here, verified or not.
    let piece = client.get("/v1/evidence/external:ro18-evidence-position").expect(200).await.json();
    let id = piece["id"].as_str().unwrap();
    let supposed = items(&client, &format!("{path}&if_verified={id}")).await;
    assert_eq!(lack(&area(&supposed, json!("2")), "2.2")["reason"], "kind_not_accepted");
    // The initiative under way would supply what remains at zero.
    let before = area(&rows, Value::Null)["proven"].clone();
    let completed = items(&client, &format!("{path}&if_completed=external:ro18-initiative-2")).await;
    let after = area(&completed, Value::Null)["proven"].clone();
    assert_eq!(before, "0");
    assert_ne!(after, "0");
    assert!(!area(&completed, json!("2"))["missing"].to_string().contains("\"2.3\""));

    let candidates = items(&client, "/v1/assessments/external:ro18-assessment/candidates?indicator=2.2").await;
    let position = candidates.iter().find(|row| row["noun"] == "position").unwrap();
    assert_eq!(position["can_prove"], true, "{position}");

    // What was given under another strategy proves nothing here; what belongs to none could.
    let other = json!({"code": "O", "title": "Another", "country": "RO", "kind": "strategy"});
    let other = client.create("strategies", other).await["id"].clone();
    let given = |strategy: Value| {
        json!({"direction": "given", "title": "Help", "status": "implementation", "strategy_id": strategy,
        "actual_starts_on": "2026-01-05", "recipients": [{"country": "MD"}]})
    };
    let found = async || {
        let rows = items(&client, "/v1/assessments/external:ro18-assessment/candidates?indicator=2.3").await;
        rows.iter().filter(|row| row["noun"] == "contribution").count()
    };
    client.create("contributions", given(other)).await;
    assert_eq!(found().await, 0);
    client.create("contributions", given(Value::Null)).await;
    assert_eq!(found().await, 1);
}

#[tokio::test]
async fn what_is_different_in_a_strategy_has_the_parts_of_its_parts() {
    let client = case().await;
    let plan = "external:ro18-plan";
    let training = json!({"initiative_id": "external:ro18-initiative-1", "title": "Lessons", "audience": "pupils"});
    let programme = client.create("training-programmes", training).await["id"].clone();
    let day = "2026-01-12";
    let session = json!({"programme_id": programme, "starts_on": day, "ends_on": day, "status": "planned"});
    client.create("training-sessions", session).await;
    let help = json!({"direction": "received", "title": "Help", "status": "pipeline", "strategy_id": plan});
    let help = client.create("contributions", help).await["id"].clone();
    let agency = client.create("entities", json!({"name": "Agency", "kind": "agency"})).await["id"].clone();
    let partner = json!({"contribution_id": help, "role": "funding", "entity_id": agency});
    client.create("contribution-partners", partner).await;
    let met = json!({"forum_id": "code:UN-OEWG", "follow_up_initiative_id": "external:ro18-initiative-2"});
    let met = client.create("engagements", met).await["id"].clone();
    client.create("delegations", json!({"engagement_id": met, "entity_id": agency})).await;
    let rows = items(&client, &format!("/v1/diff?from=2020-01-01&strategy_id={plan}")).await;
    let count = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
    let counts =
        ["training_session", "contribution_partner", "engagement", "delegation", "answer", "citation", "entity"]
            .map(count);
    assert_eq!(counts, [1, 1, 1, 1, 4, 13, 0], "{rows:?}");
}
