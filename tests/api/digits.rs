//! Amounts have the decimals of their currency everywhere, and whole numbers are integers however they are written.

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::{
    movements::Ledger,
    support::{Client, database, service},
};

async fn rows(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).expect(200).await.json()["items"].as_array().unwrap().clone()
}

fn money(amount: &str, currency: &str) -> Value {
    json!({"money": {"amount": amount, "currency": currency}})
}

#[tokio::test]
async fn the_database_knows_the_decimals_of_every_currency_of_the_list() {
    let mut connection = PgConnection::connect_with(&database().await).await.unwrap();
    let list = include_str!("../../src/base/values/codelists/iso4217.txt");
    let listed: Vec<(&str, i32)> = list
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(' ').map(|(code, digits)| (code, digits.parse().unwrap())).unwrap())
        .collect();
    let codes: Vec<&str> = listed.iter().map(|(code, _)| *code).collect();
    let known: Vec<i32> = sqlx::query_scalar(
        "select currency_digits(code) from unnest($1::text[]) with ordinality c(code, n) order by n",
    )
    .bind(&codes)
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let expected: Vec<i32> = listed.iter().map(|(_, digits)| *digits).collect();
    assert_eq!(known, expected);
}

#[tokio::test]
async fn an_amount_is_taken_and_answered_with_the_decimals_of_its_currency() {
    let ledger = Ledger::open("10").await;
    let client = &ledger.client;
    let initiative = rows(client, "/v1/initiatives").await[0]["id"].clone();
    for (given, currency, answered) in [
        ("1.234", "KWD", "1.234"),
        ("5", "KWD", "5.000"),
        ("100", "JPY", "100"),
        ("100.00", "JPY", "100"),
        ("7", "RON", "7.00"),
        ("0.1234", "CLF", "0.1234"),
    ] {
        let mut body = json!({"initiative_id": initiative, "fiscal_year": 2026, "phase": "estimate"});
        body["money"] = json!({"amount": given, "currency": currency});
        let made = client.create("budget-allocations", body).await;
        let path = format!("/v1/budget-allocations/{}", made["id"].as_str().unwrap());
        assert_eq!(made["money"]["amount"], answered);
        assert_eq!(client.get(path.as_str()).expect(200).await.json()["money"]["amount"], answered);
        let history = rows(client, &format!("{path}/history")).await;
        assert_eq!(history[0]["after"]["amount"], answered);
    }
    for (given, currency, why) in [
        ("100.5", "JPY", "JPY has no decimals; give a whole amount, such as 100."),
        ("1.2345", "KWD", "KWD has 3 decimals; give at most so many, such as 1.234."),
        ("1.234", "RON", "RON has 2 decimals; give at most so many, such as 1.23."),
    ] {
        let mut body = json!({"initiative_id": initiative, "fiscal_year": 2026, "phase": "estimate"});
        body["money"] = json!({"amount": given, "currency": currency});
        let refused = client.post("/v1/budget-allocations", body).expect(422).await;
        assert_eq!(refused.faults(), ["#/money/amount too_many_decimals"]);
        assert_eq!(refused.json()["errors"][0]["detail"], why);
    }
    let least = rows(client, "/v1/budget-allocations?amount_min=1.234&amount_max=1.234").await;
    assert_eq!(least.len(), 1, "{least:?}");
}

#[tokio::test]
async fn movements_ceilings_and_reports_keep_the_third_decimal() {
    let mut ledger = Ledger::open("10").await;
    ledger.allocation = ledger.grant("1.234", 2025, "KWD").await;
    ledger.made("allotment", "1.234", money("1.234", "KWD")).await;
    let refused = ledger.refused("commitment", "", money("1.235", "KWD"), 409, "#/money/amount ceiling_exceeded").await;
    assert!(
        refused.contains(
            "1.235 KWD, above their ceiling, the allotments of 1.234. Now 0.000 of 1.234 are used and 1.234 are left"
        ),
        "{refused}"
    );
    ledger.made("commitment", "", money("0.001", "KWD")).await;
    ledger.refused("commitment", "", money("1.2", "RON"), 422, "#/money/currency other_currency").await;
    let client = &ledger.client;
    for by in ["objective", "fiscal_year", "initiative", "phase"] {
        let found = rows(client, &format!("/v1/reports/budget?by={by}&explain=true")).await;
        let row = found.iter().find(|row| row["currency"] == "KWD").unwrap();
        let figures =
            ["appropriation", "allotted", "committed", "paid", "left"].map(|name| row[name].as_str().unwrap());
        assert_eq!(figures, ["1.234", "1.234", "0.001", "0.000", "1.233"], "by {by}");
        let sources: Vec<&str> =
            row["sources"].as_array().unwrap().iter().map(|source| source["amount"].as_str().unwrap()).collect();
        assert_eq!(sources, ["1.234", "1.234", "0.001"]);
    }
    let plan = rows(client, "/v1/reports/plan").await;
    assert_eq!(
        plan[0]["money"],
        json!([{"amount": "1.234", "currency": "KWD", "phase": "appropriation"}, {"amount": "10.00", "currency": "RON", "phase": "appropriation"}])
    );
    let gaps = rows(client, "/v1/reports/funding-gaps?kind=underspent").await;
    assert_eq!(gaps.iter().find(|row| row["currency"] == "KWD").unwrap()["amount"], "1.234");
    let flows = rows(client, "/v1/reports/flows").await;
    assert_eq!(flows.iter().find(|row| row["currency"] == "KWD").unwrap()["committed"], "0.001");
    let months = rows(client, "/v1/reports/spending").await;
    assert!(
        months
            .iter()
            .any(|row| row["currency"] == "KWD" && row["committed"] == "0.001" && row["committed_to_date"] == "0.001"),
        "{months:?}"
    );
}

#[tokio::test]
async fn sums_of_yen_have_no_decimals() {
    let mut ledger = Ledger::open("10").await;
    ledger.allocation = ledger.grant("100", 2025, "JPY").await;
    let refused = ledger.refused("allotment", "", money("101", "JPY"), 409, "#/money/amount ceiling_exceeded").await;
    assert!(
        refused.contains("101 JPY, above their ceiling, the appropriation of 100. Now 0 of 100 are used"),
        "{refused}"
    );
    let found = rows(&ledger.client, "/v1/reports/budget?by=phase").await;
    let yen = found.iter().find(|row| row["currency"] == "JPY").unwrap();
    assert_eq!((&yen["appropriation"], &yen["paid"]), (&json!("100"), &json!("0")));
    let months = rows(&ledger.client, "/v1/reports/spending").await;
    let yen: Vec<_> = months.iter().filter(|row| row["currency"] == "JPY").collect();
    assert_eq!(yen.last().unwrap()["planned_to_date"], "100", "{yen:?}");
}

#[tokio::test]
async fn a_whole_number_is_an_integer_however_it_is_written() {
    let ledger = Ledger::open("10").await;
    let client = &ledger.client;
    let path = format!("/v1/budget-allocations/{}", ledger.allocation.as_str().unwrap());
    for year in ["2026.0", "2.026e3", "2026.000", "20260e-1"] {
        let patch = format!("{{\"fiscal_year\": {year}}}");
        let call = client
            .call("PATCH", path.as_str())
            .header("content-type", "application/merge-patch+json")
            .header("if-match", "*");
        let reply = call.body(patch).expect(200).await.json();
        assert_eq!(reply["fiscal_year"].to_string(), "2026", "{year}");
        assert_eq!(
            rows(client, &format!("/v1/budget-allocations?fiscal_year={year}&limit=1e1")).await.len(),
            1,
            "{year}"
        );
    }
    for year in ["2026.5", "1e300", "-0.5"] {
        let patch = format!("{{\"fiscal_year\": {year}}}");
        let call = client
            .call("PATCH", path.as_str())
            .header("content-type", "application/merge-patch+json")
            .header("if-match", "*");
        let reply = call.body(patch).expect(422).await;
        assert!(reply.faults().iter().all(|fault| fault.starts_with("#/fiscal_year ")), "{}", reply.text);
        client.get(format!("/v1/budget-allocations?fiscal_year={year}")).expect(400).await;
    }
    let plan = r#"{"format": "mandate-plan/1", "strategies": [{"external_id": "s", "code": "T", "title": "T", "country": "XX", "kind": "strategy"}],
        "initiatives": [{"external_id": "i", "strategy_id": "external:s", "code": "1", "title": "T"}],
        "budget_allocations": [{"external_id": "b", "initiative_id": "external:i", "fiscal_year": 2027.0, "phase": "estimate", "money": {"amount": "1.234", "currency": "KWD"}}]}"#;
    let call = client.call("POST", "/v1/imports").header("content-type", "application/json");
    call.body(plan).expect(200).await;
    let made = client.get("/v1/budget-allocations/external:b").expect(200).await.json();
    assert_eq!((&made["fiscal_year"], &made["money"]["amount"]), (&json!(2027), &json!("1.234")));
}

#[tokio::test]
async fn money_inside_of_other_nouns_has_the_decimals_of_its_currency() {
    let client = service().await;
    let contribution = |amount: &str, currency: &str| {
        json!({"direction": "given", "title": "T", "status": "implementation", "actual_starts_on": "2026-01-01", "recipients": [{"country": "MD"}],
            "budgets": [{"kind": "original", "status": "committed", "from": "2026-01-01", "to": "2026-12-31", "value_on": "2026-01-01",
                "money": {"amount": amount, "currency": currency}}]})
    };
    let made = client.create("contributions", contribution("1.23", "KWD")).await;
    assert_eq!(made["budgets"][0]["money"]["amount"], "1.230");
    let refused = client.post("/v1/contributions", contribution("1.5", "JPY")).expect(422).await;
    assert!(refused.faults().contains(&"#/budgets/0/money/amount too_many_decimals".to_owned()), "{}", refused.text);
    let told = rows(&client, "/v1/reports/contributions?from=2026&to=2026&direction=given").await;
    let sums: Vec<&Value> = told.iter().flat_map(|row| row["money"].as_array().unwrap()).collect();
    assert_eq!(sums[0]["budget"], "1.230", "{told:?}");
}
