//! What is exported: valid, complete, and only what may be seen.

use serde_json::{Value, json};

use super::{SMALL, count, import, judged_by_xmllint, left_out, outcomes, publisher};
use crate::support::{Client, service};

fn rich(entity: &Value) -> Value {
    let mut contribution: Value = serde_json::from_str(include_str!("../../iati/contribution.json")).unwrap();
    contribution["lead_id"] = entity.clone();
    contribution
}

#[tokio::test]
async fn what_is_exported_is_valid_and_comes_back_unchanged() {
    let client = publisher().await;
    let entity = client
        .create(
            "entities",
            json!({"code": "E", "name": {"en": "Agency"}, "kind": "agency", "classification": "public"}),
        )
        .await["id"]
        .clone();
    let other = client
        .create(
            "entities",
            json!({"code": "F", "name": {"en": "Fund"}, "kind": "international", "classification": "public"}),
        )
        .await["id"]
        .clone();
    let mut before = client.create("contributions", rich(&entity)).await;
    let id = before["id"].clone();
    for partner in [
        json!({"role": "funding", "entity_id": other}),
        json!({"role": "implementing", "name": {"en": "Centre", "ro": "Centru"}, "reference": "MD-1", "organisation_type": "22"}),
        json!({"role": "beneficiary", "name": "CERT"}),
    ] {
        let mut partner = partner;
        partner["contribution_id"] = id.clone();
        partner["classification"] = "public".into();
        client.create("contribution-partners", partner).await;
    }
    let bare = json!({"classification": "public", "direction": "received", "title": {"en": "Bare"}, "description": {"en": "Bare"}, "status": "pipeline", "planned_starts_on": "2027-01-01", "lead_id": entity});
    let bare = client.create("contributions", bare).await;
    let xml = client.get("/v1/exports/iati").expect(200).await;
    assert_eq!(xml.header("content-type"), "application/xml");
    judged_by_xmllint(&xml.text);
    let shown: Vec<&str> = xml.text.lines().filter(|line| !line.contains("last-updated")).collect();
    let shown = shown.join("\n");
    insta::assert_snapshot!(shown.replace(bare["id"].as_str().unwrap(), "BARE"));

    let given = client.get("/v1/exports/iati?direction=given").expect(200).await.text;
    let report = import(&client, "direction=given", given.as_str()).expect(200).await.json();
    assert_eq!(outcomes(&report), [0, 0, 1, 0], "{report}");
    let received = client.get("/v1/exports/iati?direction=received").expect(200).await.text;
    let report = import(&client, "direction=received", received.as_str()).expect(200).await.json();
    assert_eq!(outcomes(&report), [0, 0, 1, 0], "{report}");
    assert_eq!(left_out(&report["rows"][0]["left_out"]), "3 @last-updated-datetime x1");
    assert_eq!(report["rows"][0]["id"], bare["id"]);
    assert_eq!(count(&client, "contribution-partners").await, 3);

    // Elsewhere it is the same but for what IATI has no place for.
    let elsewhere = publisher().await;
    import(&elsewhere, "direction=given&classification=public", given.as_str()).expect(200).await;
    let mut after = elsewhere.get("/v1/contributions/external:XX-GOV-7-c1").expect(200).await.json();
    for lost in ["id", "created_at", "updated_at", "modality", "lead_id", "trainees"] {
        before[lost] = Value::Null;
        after[lost] = Value::Null;
    }
    assert_eq!(before, after);
    let again = elsewhere.get("/v1/exports/iati").expect(200).await.text;
    let without =
        |xml: &str| xml.lines().filter(|line| !line.contains("last-updated")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without(&given), without(&again));
}

#[tokio::test]
async fn an_import_keeps_what_an_activity_has_no_place_for() {
    let client = service().await;
    import(&client, "direction=received", SMALL).expect(200).await;
    let there = client.get("/v1/contributions/external:XM-DAC-9-1").expect(200).await;
    let change = json!({"modality": "training", "trainees": [{"year": 2025, "sex": "unknown", "count": 5}], "classification": "restricted"});
    client.patch("/v1/contributions/external:XM-DAC-9-1", change).if_match(1).expect(200).await;
    let report =
        import(&client, "direction=received", SMALL.replace("Two exercises", "Three")).expect(200).await.json();
    assert_eq!(outcomes(&report), [0, 1, 0, 0], "{report}");
    let after = client.get("/v1/contributions/external:XM-DAC-9-1").expect(200).await.json();
    assert_eq!(
        (&after["modality"], &after["trainees"][0]["count"], &after["classification"]),
        (&json!("training"), &json!(5), &json!("restricted")),
        "{}",
        there.text
    );
    assert_eq!(after["description"], json!({"en": "Three"}));
}

#[tokio::test]
async fn what_an_export_lacks_is_said_all_at_once() {
    let client = service().await;
    let unset = client.get("/v1/exports/iati").expect(409).await;
    assert_eq!(
        unset.faults(),
        ["MANDATE_IATI_ORG_NAME required", "MANDATE_IATI_ORG_REF required", "MANDATE_IATI_ORG_TYPE required"]
    );
    let client = publisher().await;
    client.get("/v1/exports/iati").expect(404).await;
    let body = json!({"classification": "public", "direction": "received", "title": "x", "status": "pipeline", "documents": [{"url": "https://example.org", "title": "x"}]});
    let id = client.create("contributions", body).await["id"].as_str().unwrap().to_owned();
    let lacking = client.get("/v1/exports/iati").expect(409).await;
    let place = |field: &str| format!("#/contributions/{id}/{field} required");
    assert_eq!(
        lacking.faults(),
        ["description", "documents/0/category", "documents/0/format", "lead_id", "planned_starts_on"].map(place),
        "{}",
        lacking.text
    );
    assert_eq!(
        client.get("/v1/exports/iati?contribution_id=x").expect(400).await.faults(),
        ["contribution_id wrong_format"]
    );
    client.get("/v1/exports/iati?contribution_id=external:none").expect(404).await;
}

#[tokio::test]
async fn an_export_shows_what_is_public_and_more_only_where_it_is_asked_for_and_seen() {
    let client = publisher().await;
    let report = |classification: &str, xml: &str| {
        import(&client, &format!("direction=given&classification={classification}"), xml).expect(200)
    };
    report("public", SMALL).await;
    report("internal", &SMALL.replace("XM-DAC-9-1", "internal-1")).await;
    report("restricted", &SMALL.replace("XM-DAC-9-1", "restricted-1")).await;
    let seen = async |client: &Client, query: &str| {
        let xml = client.get(format!("/v1/exports/iati{query}")).expect(200).await.text;
        ["XM-DAC-9-1", "internal-1", "restricted-1"].map(|name| xml.contains(&format!(">{name}<")))
    };
    assert_eq!(seen(&client, "").await, [true, false, false]);
    assert_eq!(seen(&client, "?all=true").await, [true, true, true]);
    assert_eq!(seen(&client.as_viewer(), "?all=true").await, [true, true, false]);
    assert_eq!(seen(&client, "?contribution_id=external:XM-DAC-9-1&all=true").await, [true, false, false]);
    client.get("/v1/exports/iati?contribution_id=external:internal-1").expect(404).await;
    client.as_nobody().get("/v1/exports/iati").expect(401).await;
}
