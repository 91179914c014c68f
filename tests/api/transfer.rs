//! Whole plans in and out: the real ones, and files with faults.

use mandate::{
    router::nouns,
    transfer::{folder, origin::Origin},
};
use serde_json::{Value, json};

use crate::support::{Client, service};

const TURKIYE: &str = include_str!("../../examples/turkiye-2013-2014.json");
const FEDERAL: &str = include_str!("../../examples/us-federal-data-strategy-2020.json");
const CANADA: &str = include_str!("../../examples/canada-nap5.json");
const ALBANIA: &str = include_str!("../../examples/us-assistance-albania.json");
const EXAMPLAND: &str = include_str!("../../examples/exampland-2026.json");
const ROMANIA: &str = include_str!("../../examples/romania-2022-2027-partial.json");
const REFERENCE: &str = include_str!("../../examples/reference-forums.json");
const NCSI: &str = include_str!("../../examples/framework-ncsi-3.0.json");
const ACCEPTANCE: &str = include_str!("../../examples/romania-acceptance-case.json");

async fn import(client: &Client, plan: &str) -> Value {
    client.call("POST", "/v1/imports").header("content-type", "application/json").body(plan).expect(200).await.json()
}

async fn count(client: &Client, path: &str) -> i64 {
    client.get(path).expect(200).await.json()["count"].as_i64().unwrap()
}

#[tokio::test]
async fn real_plans_have_the_counts_of_their_sources() {
    let client = service().await;
    for plan in [TURKIYE, FEDERAL, ALBANIA, CANADA, ROMANIA, REFERENCE, NCSI, ACCEPTANCE, EXAMPLAND] {
        let report = import(&client, plan).await;
        assert_eq!(report["refused"], 0);
    }
    for (plan, objectives, initiatives) in [("tr13-plan", 7, 29), ("fds20-plan", 3, 20), ("ca5-plan", 5, 19)] {
        let strategy = client.get(format!("/v1/strategies/external:{plan}")).expect(200).await.json();
        let id = strategy["id"].as_str().unwrap();
        assert_eq!(count(&client, &format!("/v1/objectives?strategy_id={id}&count=true")).await, objectives, "{plan}");
        assert_eq!(
            count(&client, &format!("/v1/initiatives?strategy_id={id}&count=true")).await,
            initiatives,
            "{plan}"
        );
    }
    assert_eq!(count(&client, "/v1/steps?count=true").await, 95 + 66 + 106 + 3);
    assert_eq!(count(&client, "/v1/timelines?basis=revised&count=true").await, 5);
    // 25 agencies answered four questions, one, and one.
    assert_eq!(count(&client, "/v1/measurements?indicator_id=external:fds20-indicator-3.1-1&count=true").await, 25);
    assert_eq!(count(&client, "/v1/indicators?count=true").await, 6 + 2);
    let years = client.get("/v1/reports/budget?strategy_id=external:usal-plan&by=fiscal_year").expect(200).await.json();
    // The subtotals that the source prints for FY 2014, which began in October 2013.
    let year = years["items"].as_array().unwrap().iter().find(|row| row["code"] == "2014").unwrap();
    assert_eq!(
        (&year["currency"], &year["estimate"], &year["appropriation"]),
        (&json!("USD"), &json!("17000000.00"), &json!("32007321.00")),
        "{year}"
    );
    let disputed = client.get("/v1/strategies?evidence_state=disputed").expect(200).await.json();
    assert_eq!(disputed["items"][0]["annex"], "II");

    // Again: nothing changes.
    let again = import(&client, TURKIYE).await;
    assert_eq!((again["created"].as_i64(), again["changed"].as_i64()), (Some(0), Some(0)), "{again}");
}

#[tokio::test]
async fn an_export_imported_elsewhere_exports_the_same() {
    let here = service().await;
    for plan in [CANADA, ROMANIA, FEDERAL, EXAMPLAND, REFERENCE] {
        import(&here, plan).await;
    }
    let exported = here.get("/v1/exports/plan").expect(200).await.text;
    let there = service().await;
    import(&there, &exported).await;
    assert!(there.get("/v1/exports/plan").expect(200).await.text == exported, "the second export differs");
}

fn from_folder(files: &[folder::File]) -> (String, Origin) {
    let (document, origin) = folder::read(files, nouns()).unwrap_or_else(|error| panic!("{error:?}"));
    (String::from_utf8(document).unwrap(), origin)
}

#[tokio::test]
async fn a_folder_of_csv_files_says_what_the_plan_file_says() {
    let here = service().await;
    for plan in [TURKIYE, FEDERAL, CANADA, ROMANIA, REFERENCE, NCSI, ACCEPTANCE, EXAMPLAND] {
        import(&here, plan).await;
    }
    let item = here.get("/v1/initiatives/external:ro22-action-1.1-1").expect(200).await.json();
    here.create(
        "budget-allocations",
        json!({"initiative_id": item["id"], "fiscal_year": 2024, "phase": "estimate", "programme_code": "007",
            "money": {"amount": "120000.50", "currency": "RON"}, "note": {"ro": "=SUMĂ(\"a\";1)\r\n'", "en": "'=x"}}),
    )
    .await;
    let exported = here.get("/v1/exports/plan").expect(200).await.text;
    let files = folder::write(exported.as_bytes(), nouns()).unwrap();
    let there = service().await;
    import(&there, &from_folder(&files).0).await;
    let again = there.get("/v1/exports/plan").expect(200).await.text;
    assert!(again == exported, "the second export differs");
    let report = import(&here, &from_folder(&files).0).await;
    assert_eq!((report["created"].as_i64(), report["changed"].as_i64()), (Some(0), Some(0)));
}

#[tokio::test]
async fn a_fault_of_a_row_is_found_in_its_file() {
    let client = service().await;
    let csv = "name.en,kind,valid_from\nFine,agency,\n\n,agncy,2024\n".as_bytes().to_vec();
    let (document, origin) = from_folder(&[("entities.csv".into(), csv)]);
    let path = "/v1/imports?dry_run=true";
    let reply = client.call("POST", path).header("content-type", "application/json").body(document).expect(200).await;
    let mut report = serde_json::from_value(reply.json()).unwrap();
    origin.locate(&mut report);
    let pointers: Vec<&str> = report.rows[1].errors.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["entities.csv:4: #/name", "entities.csv:4: #/kind", "entities.csv:4: #/valid_from"]);
    assert_eq!(report.rows[0].line, Some(2));
}

#[tokio::test]
async fn a_file_with_faults_changes_nothing_and_names_them_all() {
    let client = service().await;
    let plan = json!({
        "format": "mandate-plan/1",
        "entities": [{"external_id": "e-1", "name": "Fine", "kind": "agency"}, {"external_id": "e-2", "nmae": "x", "kind": "agncy"}],
        "strategies": [{"external_id": "s-1", "title": "x", "country": "XX", "kind": "strategy"}],
        "objectives": [{"external_id": "o-1", "strategy_id": "external:s-2", "code": "1", "title": "y"}]
    });
    let send = |path: &str| {
        client.call("POST", path.to_owned()).header("content-type", "application/json").body(plan.to_string())
    };
    let refused = send("/v1/imports").expect(422).await;
    let faults = refused.faults();
    for fault in [
        "#/entities/1/nmae unknown_field",
        "#/entities/1/name required",
        "#/entities/1/kind not_allowed",
        "#/objectives/0/strategy_id not_found",
    ] {
        assert!(faults.contains(&fault.to_owned()), "{fault} is not in {faults:?}");
    }
    assert_eq!(count(&client, "/v1/entities?count=true").await, 0);
    let dry = send("/v1/imports?dry_run=true").expect(200).await.json();
    assert_eq!((dry["committed"].as_bool(), dry["refused"].as_i64()), (Some(false), Some(2)), "{dry}");
    client
        .as_viewer()
        .call("POST", "/v1/imports")
        .header("content-type", "application/json")
        .body("{}")
        .expect(403)
        .await;
    client.post("/v1/imports", json!({"format": "mandate-plan/1", "entites": []})).expect(422).await;
}

#[tokio::test]
async fn a_strategy_alone_names_the_ties_it_leaves_out() {
    let here = service().await;
    let plan = |name: &str| {
        json!({
            "format": "mandate-plan/1",
            "strategies": [{"external_id": name, "title": "x", "country": "RO", "kind": "strategy"}],
            "initiatives": ([1, 2].map(|n| json!({"external_id": format!("{name}-{n}"), "strategy_id": format!("external:{name}"),
                "code": n.to_string(), "title": "y"})))
        })
    };
    for name in ["a", "b"] {
        import(&here, &plan(name).to_string()).await;
    }
    let tie = |from: &str, to: &str| {
        json!({"external_id": format!("{from}-{to}"), "classification": "internal", "predecessor_initiative_id": format!("external:{from}"),
            "successor_initiative_id": format!("external:{to}"), "kind": "finish_start", "lag_days": 0})
    };
    for (from, to) in [("a-1", "a-2"), ("a-2", "b-1"), ("b-1", "b-2")] {
        here.create("dependencies", tie(from, to)).await;
    }
    let exported = here.get("/v1/exports/plan?strategy_id=external:a").expect(200).await;
    let json = exported.json();
    assert_eq!(json["dependencies"], json!([tie("a-1", "a-2")]));
    assert_eq!(json["source"]["left_out"], json!({"dependencies": [tie("a-2", "b-1")]}), "{json}");
    let there = service().await;
    import(&there, &exported.text).await;
    assert_eq!(count(&there, "/v1/strategies?count=true").await, 1);
    // Where the other strategy is, what was left out can be imported.
    import(&there, &plan("b").to_string()).await;
    let mut ties = json["source"]["left_out"].clone();
    ties["format"] = "mandate-plan/1".into();
    assert_eq!(import(&there, &ties.to_string()).await["created"], 1);
    assert!(here.get("/v1/exports/plan").expect(200).await.json().get("source").is_none());
}

#[tokio::test]
async fn references_may_be_codes_where_codes_are_unique() {
    let client = service().await;
    let plan = |kind: &str| {
        json!({
            "format": "mandate-plan/1",
            "entities": [{"code": "DNSC", "name": "x", "kind": "agency", "parent_id": "code:GUV"}, {"code": "GUV", "name": "y", "kind": kind}],
            "strategies": [{"code": "SNSC", "title": "x", "country": "RO", "kind": "strategy", "owner_id": "code:DNSC"}],
            "objectives": [{"code": "1", "title": "z", "strategy_id": "code:SNSC"}]
        })
    };
    let post = |plan: Value| client.post("/v1/imports", plan);
    let faults = post(plan("agncy")).expect(422).await.faults();
    assert_eq!(
        faults,
        [
            "#/entities/0/parent_id refused",
            "#/entities/1/kind not_allowed",
            "#/objectives/0/strategy_id refused",
            "#/strategies/0/owner_id refused"
        ]
    );
    assert_eq!(post(plan("ministry")).expect(200).await.json()["created"], 4);
    let objective = client.get("/v1/objectives").expect(200).await.json()["items"][0].take();
    let body = json!({"code": "2", "title": "z", "strategy_id": "code:SNSC"});
    assert_eq!(client.create("objectives", body).await["strategy_id"], objective["strategy_id"]);
    let body = json!({"code": "3", "title": "z", "strategy_id": "code:none"});
    assert_eq!(client.post("/v1/objectives", body).expect(422).await.faults(), ["#/strategy_id not_found"]);
    // The code of an objective is unique in its strategy only.
    let body = json!({"code": "4", "title": "z", "strategy_id": "code:SNSC", "parent_id": "code:1"});
    assert_eq!(client.post("/v1/objectives", body).expect(422).await.faults(), ["#/parent_id wrong_format"]);
}
