//! Funding gaps, spending by month, and flows.

use serde_json::{Value, json};

use crate::{movements::Ledger, support::Client};

async fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).expect(200).await.json()["items"].as_array().unwrap().clone()
}

fn picked(rows: &[Value], names: &[&str]) -> Value {
    rows.iter().map(|row| names.iter().map(|name| row[*name].clone()).collect::<Value>()).collect()
}

#[tokio::test]
async fn gaps_of_funding_are_what_is_missing_unused_or_about_to_lapse() {
    let ledger = Ledger::open("100").await;
    let client = &ledger.client;
    let path = format!("/v1/budget-allocations/{}", ledger.allocation.as_str().unwrap());
    let written = client.get(path).expect(200).await.json()["created_at"].as_str().unwrap().to_owned();
    let this_year: i32 = written[..4].parse().unwrap();
    let now = ledger.grant("40", this_year, "EUR").await;
    let owner = client.get(format!("/v1/budget-allocations/{}", now.as_str().unwrap())).expect(200).await.json();
    let estimate = json!({"initiative_id": owner["initiative_id"], "fiscal_year": 2025, "phase": "estimate", "money": {"amount": "130.50", "currency": "RON"}});
    client.create("budget-allocations", estimate).await;
    let order = ledger.ordered("60").await;
    let payment = ledger.body("payment", "55", json!({"follows_id": order}));
    ledger.other().await.post("/v1/budget-movements", payment).expect(201).await;
    let names = ["kind", "code", "fiscal_year", "currency", "amount"];
    let unfunded = items(client, "/v1/reports/funding-gaps?kind=unfunded").await;
    assert_eq!(picked(&unfunded, &names), json!([["unfunded", "1", 2025, "RON", "30.50"]]));
    let underspent = items(client, "/v1/reports/funding-gaps?kind=underspent&explain=true").await;
    let found = underspent.iter().find(|row| row["currency"] == "RON").unwrap();
    assert_eq!((&found["amount"], &found["ends_on"]), (&json!("45.00"), &json!("2025-12-31")), "{underspent:?}");
    assert_eq!(found["allocation_ids"].as_array().unwrap().len(), 2);
    assert!(found["rule"].as_str().unwrap().starts_with("appropriation less paid"));
    let lapsing = items(client, "/v1/reports/funding-gaps?kind=lapsing&lapsing_within=366").await;
    assert_eq!(picked(&lapsing, &names), json!([["lapsing", "1", this_year, "EUR", "40.00"]]));
    // No estimate is none, and not zero.
    assert_eq!((&lapsing[0]["estimate"], &lapsing[0]["appropriation"]), (&json!(null), &json!("40.00")));
    client.get("/v1/reports/funding-gaps?kind=poor").expect(400).await;
}

#[tokio::test]
async fn spending_is_told_by_month_with_what_came_before() {
    let ledger = Ledger::open("120").await;
    ledger.made("allotment", "100", json!({"dated_on": "2025-01-10"})).await;
    ledger.made("commitment", "50", json!({"dated_on": "2024-11-30"})).await;
    let wrong = ledger.made("commitment", "20", json!({"dated_on": "2025-02-01"})).await;
    ledger.made("reversal", "20", json!({"dated_on": "2025-03-01", "reverses_id": wrong})).await;
    let rows = items(&ledger.client, "/v1/reports/spending").await;
    let names = ["month", "planned", "allotted", "committed", "planned_to_date", "committed_to_date"];
    assert_eq!(
        picked(&rows[..4], &names),
        json!([
            ["2024-11-01", "0.00", "0.00", "50.00", "0.00", "50.00"],
            ["2025-01-01", "10.00", "100.00", "0.00", "10.00", "50.00"],
            ["2025-02-01", "10.00", "0.00", "20.00", "20.00", "70.00"],
            ["2025-03-01", "10.00", "0.00", "-20.00", "30.00", "50.00"]
        ])
    );
    assert_eq!((rows.len(), &rows[12]["planned_to_date"]), (13, &json!("120.00")), "{rows:?}");
    assert!(items(&ledger.client, "/v1/reports/spending?fiscal_year=2026").await.is_empty());
    let told = items(&ledger.client, "/v1/reports/spending?explain=true").await;
    assert_eq!(told[3]["movement_ids"].as_array().unwrap().len(), 1, "{}", told[3]);
}

#[tokio::test]
async fn flows_lead_from_the_source_over_the_objective_to_the_entity() {
    let ledger = Ledger::open("100").await;
    let client = &ledger.client;
    let of = |noun: &'static str, body: Value| async move { client.create(noun, body).await["id"].clone() };
    let fund = of("funding-sources", json!({"code": "F", "name": "Fund", "kind": "eu"})).await;
    let agency = of("entities", json!({"code": "A", "name": "Agency", "kind": "agency"})).await;
    let path = format!("/v1/budget-allocations/{}", ledger.allocation.as_str().unwrap());
    client
        .patch(path, json!({"funding_source_id": fund, "entity_id": agency}))
        .header("if-match", "*")
        .expect(200)
        .await;
    ledger.ordered("40").await;
    ledger.grant("7", 2025, "RON").await;
    let rows = items(client, "/v1/reports/flows?explain=true").await;
    let names =
        ["funding_source_code", "objective_id", "entity_code", "currency", "appropriation", "committed", "paid"];
    assert_eq!(
        picked(&rows, &names),
        json!([["F", null, "A", "RON", "100.00", "40.00", "0.00"], [null, null, null, "RON", "7.00", "0.00", "0.00"]])
    );
    assert_eq!(rows[0]["allocation_ids"], json!([ledger.allocation]));
    let narrowed = items(client, &format!("/v1/reports/flows?entity_id={}", agency.as_str().unwrap())).await;
    assert_eq!(narrowed.len(), 1);
    for name in ["funding-gaps", "spending", "flows"] {
        for format in ["application/json", "application/x-ndjson", "text/csv", "text/plain"] {
            let reply =
                client.as_viewer().get(format!("/v1/reports/{name}")).header("accept", format).expect(200).await;
            assert!(reply.header("content-type").starts_with(format), "{name} as {format}");
        }
    }
}
