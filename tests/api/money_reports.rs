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

/// 100 RON and 10 EUR are appropriated, of which 4 EUR are allotted and 3 EUR committed; 200 RON are estimated; the work is late.
#[tokio::test]
async fn each_report_of_money_tells_it_in_one_currency_at_rates_that_it_names() {
    let ledger = Ledger::open("100").await;
    let client = &ledger.client;
    let euros = ledger.grant("10", 2025, "EUR").await;
    for (kind, amount) in [("allotment", "4"), ("commitment", "3")] {
        let of_euros =
            json!({"allocation_id": euros, "money": {"amount": amount, "currency": "EUR"}, "dated_on": "2025-01-10"});
        ledger.made(kind, amount, of_euros).await;
    }
    let granted = client.get(format!("/v1/budget-allocations/{}", euros.as_str().unwrap())).expect(200).await.json();
    let initiative = &granted["initiative_id"];
    let estimate = json!({"initiative_id": initiative, "fiscal_year": 2025, "phase": "estimate", "money": {"amount": "200", "currency": "RON"}});
    client.create("budget-allocations", estimate).await;
    let path = format!("/v1/initiatives/{}", initiative.as_str().unwrap());
    let patched =
        client.patch(path, json!({"deadline": {"text": "2025-01-01"}})).header("if-match", "*").expect(200).await;
    // What was acknowledged before it is in this moment, and the rates come later.
    let before = patched.json()["updated_at"].as_str().unwrap().to_owned();
    let rate = |base: &str, quote: &str, rate: &str, day: &str| json!({"base_currency": base, "quote_currency": quote, "rate": rate, "valid_on": day, "source": "Bank"});
    let fair = rate("EUR", "RON", "5", "2025-06-30");
    for rate in [
        fair.clone(),
        rate("EUR", "RON", "3", "2025-07-01"),
        rate("EUR", "JPY", "160.5", "2025-07-02"),
        rate("RON", "JPY", "33.333", "2025-07-02"),
    ] {
        client.create("exchange-rates", rate).await;
    }
    let viewer = client.as_viewer();
    for name in ["budget", "funding-gaps", "spending", "flows", "attention"] {
        let path = format!("/v1/reports/{name}");
        let refused = |query: String| client.get(format!("{path}?{query}")).expect(400);
        assert_eq!(refused("in=RON".into()).await.faults(), ["rates_on required"], "{name}");
        assert_eq!(refused("in=RON&rates_on=2025-06-29".into()).await.faults(), ["rates_on no_rate"], "{name}");
        let unknown_then = refused(format!("in=RON&rates_on=2025-06-30&as_of={before}")).await;
        if name != "attention" {
            assert_eq!(unknown_then.faults(), ["rates_on no_rate"], "{name}");
        }
        for reader in [client, &viewer] {
            let rows = items(reader, &format!("{path}?in=RON&rates_on=2025-06-30")).await;
            assert!(!rows.is_empty() && rows.iter().all(|row| row["currency"] == "RON"), "{name}: {rows:?}");
            assert!(rows.iter().any(|row| row["rates"] == json!([fair])), "{name}: {rows:?}");
            let apart = items(reader, &path).await;
            assert!(apart.iter().any(|row| row["currency"] == "EUR"), "{name}: {apart:?}");
            assert!(apart.iter().all(|row| row.get("rates").is_none()), "{name}: {apart:?}");
        }
    }
    let refused = client.get("/v1/reports/progress?in=RON&rates_on=2025-06-30").expect(400).await;
    assert_eq!(refused.faults(), ["in unknown_parameter", "rates_on unknown_parameter"]);

    let gap = |currency: &str, day: &str| {
        let path = format!("/v1/reports/funding-gaps?kind=unfunded&in={currency}&rates_on={day}");
        async move { picked(&items(client, &path).await, &["estimate", "appropriation", "amount"]) }
    };
    // In its own currency the euros would not fill the gap in lei.
    assert_eq!(gap("RON", "2025-06-30").await, json!([["200.00", "150.00", "50.00"]]));
    assert_eq!(gap("EUR", "2025-06-30").await, json!([["40.00", "30.00", "10.00"]]));
    // Rounded once, at the end, to the places of the currency.
    assert_eq!(gap("EUR", "2025-07-01").await, json!([["66.67", "43.33", "23.33"]]));
    assert_eq!(gap("JPY", "2025-07-02").await, json!([["6667", "4938", "1728"]]));
    let spent = items(client, "/v1/reports/spending?in=RON&rates_on=2025-06-30&explain=true").await;
    let names = ["month", "planned", "allotted", "committed", "committed_to_date"];
    assert_eq!(picked(&spent[..1], &names), json!([["2025-01-01", "12.50", "20.00", "15.00", "15.00"]]));
    assert_eq!(spent[0]["movement_ids"].as_array().unwrap().len(), 2, "{}", spent[0]);
    assert_eq!((spent.len(), &spent[1]["movement_ids"]), (12, &json!([])));
    let flows = items(client, "/v1/reports/flows?in=RON&rates_on=2025-06-30").await;
    assert_eq!(picked(&flows, &["estimate", "appropriation", "committed"]), json!([["200.00", "150.00", "15.00"]]));
    let late = items(client, "/v1/reports/attention?in=RON&rates_on=2025-06-30").await;
    let days = late[0]["delay_days"].as_i64().unwrap();
    assert_eq!(picked(&late, &["amount", "score"]), json!([["150.00", format!("{}.00", days * 150)]]));
    assert_eq!(late[0]["formula"], format!("{days} days * 150.00 RON"));
}

#[tokio::test]
async fn what_is_judged_is_judged_of_the_converted_money() {
    let ledger = Ledger::open("5000").await;
    let client = &ledger.client;
    let path = format!("/v1/budget-allocations/{}", ledger.allocation.as_str().unwrap());
    let initiative = client.get(path).expect(200).await.json()["initiative_id"].clone();
    let estimate = |amount: &str, currency: &str, year: i32| json!({"initiative_id": initiative, "fiscal_year": year, "phase": "estimate", "money": {"amount": amount, "currency": currency}});
    client.create("budget-allocations", estimate("1004.77", "EUR", 2025)).await;
    client.create("budget-allocations", estimate("7", "USD", 2019)).await;
    let late = json!({"deadline": {"text": "2025-01-01"}});
    let path = format!("/v1/initiatives/{}", initiative.as_str().unwrap());
    client.patch(path, late).header("if-match", "*").expect(200).await;
    let rate = |base: &str, quote: &str, rate: &str| json!({"base_currency": base, "quote_currency": quote, "rate": rate, "valid_on": "2025-06-30", "source": "Bank"});
    client.create("exchange-rates", rate("EUR", "RON", "4.9763")).await;
    // 5000 RON are 1004.7625 EUR, and with 0.02 more they are 1004.7666.
    let gaps = "/v1/reports/funding-gaps?kind=unfunded&in=EUR&rates_on=2025-06-30";
    assert_eq!(client.get(gaps).expect(400).await.faults(), ["rates_on no_rate"], "of the dollars of 2019");
    let flows = "/v1/reports/flows?fiscal_year=2025&in=EUR&rates_on=2025-06-30";
    let names = ["estimate", "appropriation"];
    assert_eq!(picked(&items(client, flows).await, &names), json!([["1004.77", "1004.76"]]));
    assert_eq!(items(client, &flows.replace("flows", "spending")).await.len(), 12);
    client.create("exchange-rates", rate("USD", "EUR", "0.9")).await;
    let found = items(client, gaps).await;
    assert_eq!(picked(&found, &["fiscal_year", "amount"]), json!([[2019, "6.30"], [2025, "0.01"]]));
    let more = json!({"direction": "increase"});
    let raise = ledger.body("revision", "0.02", more);
    client.post("/v1/budget-movements", raise).header("mandate-reason", "a test").expect(201).await;
    assert_eq!(picked(&items(client, gaps).await, &["fiscal_year"]), json!([[2019]]), "0.00 is no gap");
    // What is appropriated in one currency stands for what is estimated in another.
    let rows = items(client, "/v1/reports/attention?in=EUR&rates_on=2025-06-30").await;
    assert_eq!(picked(&rows, &["amount"]), json!([["1004.77"]]));
}
