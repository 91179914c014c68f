//! Capacity building, given and received: its rules, and what the report makes of it.

use serde_json::{Value, json};

use crate::support::{Client, service};

fn given(title: &str, recipients: Value, rest: Value) -> Value {
    let mut body = json!({"direction": "given", "title": title, "status": "closed", "actual_starts_on": "2023-02-01",
        "actual_ends_on": "2023-11-30", "modality": "training", "recipients": recipients});
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    body
}

fn eur(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn budget(kind: &str, amount: &str) -> Value {
    json!({"kind": kind, "status": "indicative", "from": "2023-02-01", "to": "2023-11-30", "money": eur(amount), "value_on": "2023-02-01"})
}

fn paid(kind: &str, day: &str, amount: &str) -> Value {
    json!({"kind": kind, "dated_on": day, "money": eur(amount), "value_on": day})
}

async fn items(client: &Client, path: &str) -> Vec<Value> {
    let page = client.as_viewer().get(path).expect(200).await.json();
    page["items"].as_array().unwrap().clone()
}

/// A row in short: where, how many, who, and the money.
fn short(row: &Value) -> String {
    let place = row["country"].as_str().or(row["region"].as_str()).unwrap_or("-");
    let money: Vec<String> = row["money"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sum| {
            format!("{} {} {} {}", sum["currency"], sum["budget"], sum["committed"], sum["spent"]).replace('"', "")
        })
        .collect();
    format!(
        "{} {} {place} {} {} {}/{}/{}/{} {} [{}]",
        row["direction"].as_str().unwrap(),
        row["year"],
        row["active"],
        row["trained"],
        row["women"],
        row["men"],
        row["other"],
        row["unknown"],
        row["unstated"],
        money.join(", ")
    )
}

fn sentence<'a>(row: &'a Value, language: &str) -> &'a str {
    row["sentence"][language].as_str().unwrap()
}

#[tokio::test]
async fn a_contribution_has_rules_and_all_its_faults_are_named() {
    let client = service().await;
    let md = || json!([{"country": "MD"}]);
    let party = json!({"kind": "disbursement", "dated_on": "2023-03-01", "money": eur("1"), "value_on": "2023-03-01", "receiver": {"organisation_type": "12"}});
    let figure = json!({"kind": "output", "title": "R", "indicators": [{"title": "I", "measure": "unit",
        "baseline": {"year": 2022}, "periods": [{"from": "2023-02-01", "to": "2023-01-01", "targets": [{}]}]}]});
    let count = |sex: &str, count: i32| json!({"year": 2023, "country": "MD", "sex": sex, "count": count});
    for (change, faults) in [
        (json!({"recipients": []}), vec!["#/recipients needs_recipient"]),
        (json!({"recipients": [{"country": "RO"}]}), vec!["#/recipients needs_recipient"]),
        (json!({"recipients": [{}]}), vec!["#/recipients/0 exactly_one"]),
        (json!({"recipients": [{"country": "MD", "region": "89"}]}), vec!["#/recipients/0 exactly_one"]),
        (json!({"recipients": [{"country": "QA"}, {"country": "JJ"}]}), vec!["#/recipients/1/country unknown_code"]),
        (json!({"recipients": [{"region": "77"}]}), vec!["#/recipients/0/region unknown_code"]),
        (json!({"recipients": [{"country": "MD"}, {"country": "MD"}]}), vec!["#/recipients/1 duplicate"]),
        (
            json!({"recipients": [{"country": "MD", "percentage": "60"}, {"country": "UA", "percentage": "30"}]}),
            vec!["#/recipients/1/percentage wrong_sum"],
        ),
        (
            json!({"recipients": [{"country": "MD", "percentage": "100"}, {"country": "UA"}]}),
            vec!["#/recipients/1/percentage required"],
        ),
        (
            json!({"recipients": [{"country": "MD", "percentage": "0"}, {"country": "UA", "percentage": "100"}]}),
            vec!["#/recipients/0/percentage out_of_range"],
        ),
        (json!({"themes": [{"vocabulary": "1", "code": "111"}]}), vec!["#/themes/0/code unknown_code"]),
        (json!({"themes": [{"vocabulary": "13", "code": "x"}]}), vec!["#/themes/0/vocabulary wrong_format"]),
        (
            json!({"themes": [{"vocabulary": "99", "code": "x", "percentage": "50"}, {"vocabulary": "2", "code": "111", "percentage": "100"}]}),
            vec!["#/themes/0/percentage wrong_sum"],
        ),
        (
            json!({"status": "implementation", "actual_starts_on": null, "actual_ends_on": null}),
            vec!["#/actual_starts_on needs_start"],
        ),
        (json!({"actual_ends_on": "2023-01-31"}), vec!["#/actual_ends_on ends_before_start"]),
        (
            json!({"planned_starts_on": "2023-02-01", "planned_ends_on": "2023-01-31"}),
            vec!["#/planned_ends_on ends_before_start"],
        ),
        (json!({"status": "implementation", "actual_ends_on": "2099-01-31"}), vec!["#/actual_ends_on in_future"]),
        (
            json!({"transactions": [paid("disbursement", "2023-02-01", "1"), paid("disbursement", "2099-02-01", "1")]}),
            vec!["#/transactions/1/dated_on in_future"],
        ),
        (json!({"transactions": [paid("gift", "2023-02-01", "1")]}), vec!["#/transactions/0/kind not_allowed"]),
        (
            json!({"transactions": [paid("disbursement", "2023-02-01", "-1")]}),
            vec!["#/transactions/0/money/amount wrong_format"],
        ),
        (
            json!({"transactions": [party]}),
            vec!["#/transactions/0/receiver no_name", "#/transactions/0/receiver/organisation_type unknown_code"],
        ),
        (
            json!({"budgets": [{"kind": "original", "status": "indicative", "from": "2023-02-01", "to": "2023-01-01", "money": {"amount": "1", "currency": "QQQ"}, "value_on": "2023-02-01"}]}),
            vec!["#/budgets/0/money/currency unknown_code", "#/budgets/0/to ends_before_start"],
        ),
        (json!({"default_currency": "QQQ"}), vec!["#/default_currency unknown_code"]),
        (
            json!({"results": [figure]}),
            vec![
                "#/results/0/indicators/0/baseline no_value",
                "#/results/0/indicators/0/periods/0/targets/0 no_value",
                "#/results/0/indicators/0/periods/0/to ends_before_start",
            ],
        ),
        (json!({"trainees": [count("female", -1)]}), vec!["#/trainees/0/count too_small"]),
        (json!({"trainees": [count("woman", 1)]}), vec!["#/trainees/0/sex not_allowed"]),
        (json!({"trainees": [count("male", 1), count("male", 2)]}), vec!["#/trainees/1 duplicate"]),
        (json!({"trainees": [{"year": 2100, "sex": "unknown", "count": 1}]}), vec!["#/trainees/0/year in_future"]),
        (
            json!({"documents": [{"url": "https://x.example", "title": "T", "languages": ["en", "qq"]}]}),
            vec!["#/documents/0/languages/1 unknown_code"],
        ),
        (json!({"titel": "x", "direction": "lent"}), vec!["#/direction not_allowed", "#/titel unknown_field"]),
    ] {
        // What only the day of today can judge is judged where it is written.
        let status = if faults.iter().any(|fault| fault.ends_with("in_future")) { 409 } else { 422 };
        let refused = client.post("/v1/contributions", given("Help", md(), change.clone())).expect(status).await;
        let mut found = refused.faults();
        found.sort();
        assert_eq!(found, faults, "{change}: {}", refused.text);
    }
    assert_eq!(items(&client, "/v1/contributions").await, Vec::<Value>::new());
    let strategy =
        client.create("strategies", json!({"title": "S", "country": "XX", "kind": "strategy"})).await["id"].clone();
    let initiative = json!({"strategy_id": strategy, "code": "1", "title": "I"});
    let initiative = client.create("initiatives", initiative).await["id"].clone();
    let both = given("Help", md(), json!({"strategy_id": strategy, "initiative_id": initiative}));
    let refused = client.post("/v1/contributions", both).expect(422).await;
    assert_eq!(refused.faults(), ["#/initiative_id at_most_one"]);
}

#[tokio::test]
async fn a_partner_is_an_entity_that_stays_or_a_name() {
    let client = service().await;
    let agency = client.create("entities", json!({"code": "AGY", "name": "Agency", "kind": "agency"})).await;
    let help = client.create("contributions", given("Help", json!([{"country": "MD"}]), json!({}))).await["id"].clone();
    let other = given("Other", json!([{"region": "89"}]), json!({"themes": [{"vocabulary": "99", "code": "csirt"}]}));
    client.create("contributions", other).await;
    let partner = json!({"contribution_id": help, "role": "funding", "entity_id": "code:AGY"});
    client.create("contribution-partners", partner.clone()).await;
    let twice = client.post("/v1/contribution-partners", partner).expect(409).await;
    assert_eq!(twice.faults(), ["#/role taken"]);
    for (change, fault) in [
        (json!({}), "#/name exactly_one"),
        (json!({"name": "X", "organisation_type": "12"}), "#/organisation_type unknown_code"),
        (json!({"name": "X", "role": "partner"}), "#/role not_allowed"),
    ] {
        let mut body = json!({"contribution_id": help, "role": "implementing"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = client.post("/v1/contribution-partners", body).expect(422).await;
        assert_eq!(refused.faults(), [fault], "{}", refused.text);
    }
    // Neither the entity nor the contribution goes while the partner stands.
    let path = format!("/v1/entities/{}", agency["id"].as_str().unwrap());
    client.delete(path).if_match(1).expect(409).await;
    client.delete(format!("/v1/contributions/{}", help.as_str().unwrap())).if_match(1).expect(409).await;
    for (query, title) in [
        ("partner_id=code:AGY", "Help"),
        ("country=MD", "Help"),
        ("region=89", "Other"),
        ("theme=csirt", "Other"),
        ("direction=given&modality=training&starts_before=2024-01-01&country=MD&country=UA", "Help"),
    ] {
        let found = items(&client, &format!("/v1/contributions?{query}")).await;
        let titles: Vec<&Value> = found.iter().map(|item| &item["title"]["ro"]).collect();
        assert_eq!(titles, [title], "{query}");
    }
    assert!(items(&client, "/v1/contributions?ends_after=2024-01-01").await.is_empty());
}

#[tokio::test]
async fn a_year_without_contributions_is_a_row_with_zeros_that_says_so() {
    let client = service().await;
    let path = "/v1/reports/contributions?from=2022&to=2023";
    let rows = items(&client, path).await;
    assert_eq!(
        rows.iter().map(short).collect::<Vec<_>>(),
        [
            "given 2022 - 0 0 0/0/0/0 0 []",
            "given 2023 - 0 0 0/0/0/0 0 []",
            "received 2022 - 0 0 0/0/0/0 0 []",
            "received 2023 - 0 0 0/0/0/0 0 []"
        ]
    );
    assert_eq!(
        sentence(&rows[0], "en"),
        "No contribution to capacity building was given in 2022. The number remains at zero from 2022 to 2023. A record in `contributions` \
         with the direction `given`, the status `implementation`, a start in these years and a recipient would change that."
    );
    assert!(sentence(&rows[2], "ro").starts_with(
        "În 2022 nu a fost primită nicio contribuție la consolidarea capacităților. Numărul rămâne la zero din 2022 până în 2023."
    ));
    // The record that the sentence names changes it.
    client.create("contributions", given("Help", json!([{"country": "MD"}]), json!({}))).await;
    let rows = items(&client, &format!("{path}&direction=given")).await;
    assert_eq!(sentence(&rows[0], "en"), "No contribution to capacity building was given in 2022.");
    assert_eq!(short(&rows[1]), "given 2023 MD 1 null null/null/null/null 1 []");
    assert_eq!(
        sentence(&rows[1], "en"),
        "In 2023 1 contribution to capacity building was given for MD; how many people were trained is not stated."
    );
    // Five years until this one, unless it is asked otherwise.
    let years = items(&client, "/v1/reports/contributions?direction=given&by=year").await;
    assert_eq!(years.len(), 5, "{years:?}");
    let refused = client.get("/v1/reports/contributions?from=2024&to=2023").expect(400).await;
    assert_eq!(refused.faults(), ["to ends_before_start"]);
    client.get("/v1/reports/contributions?from=1989").expect(400).await;
}

#[tokio::test]
async fn figures_go_to_recipients_by_their_shares_and_currencies_stay_apart() {
    let client = service().await;
    let count =
        |country: &str, sex: &str, count: i32| json!({"year": 2023, "country": country, "sex": sex, "count": count});
    let ron = json!({"kind": "expenditure", "dated_on": "2023-05-01", "money": {"amount": "10", "currency": "RON"}, "value_on": "2023-05-01"});
    let mut back = paid("disbursement", "2023-06-01", "20");
    back["is_reversal"] = json!(true);
    let divided = given(
        "Divided",
        json!([{"country": "MD", "percentage": "75"}, {"region": "89", "percentage": "25"}]),
        json!({"budgets": [budget("original", "400"), budget("revised", "200")],
            "transactions": [paid("outgoing_commitment", "2023-02-01", "100"), paid("disbursement", "2023-03-01", "60"), back, ron, paid("incoming_funds", "2023-03-01", "999")],
            "trainees": [count("MD", "female", 21), count("MD", "unknown", 1)]}),
    );
    client.create("contributions", divided).await;
    let undivided = given(
        "Undivided",
        json!([{"country": "MD"}, {"country": "UA"}]),
        json!({"modality": "equipment", "transactions": [paid("disbursement", "2023-03-01", "7")]}),
    );
    client.create("contributions", undivided).await;
    let planned = json!({"direction": "given", "title": "Later", "status": "pipeline", "planned_starts_on": "2024-01-01", "recipients": [{"country": "UA"}]});
    client.create("contributions", planned).await;
    let cancelled = given(
        "Never",
        json!([{"country": "UA"}]),
        json!({"status": "cancelled", "actual_starts_on": null, "actual_ends_on": null, "planned_starts_on": "2023-01-01", "budgets": [budget("original", "5")]}),
    );
    client.create("contributions", cancelled).await;
    let path = "/v1/reports/contributions?from=2023&to=2024&direction=given";
    let rows = items(&client, path).await;
    assert_eq!(
        rows.iter().map(short).collect::<Vec<_>>(),
        [
            "given 2023 MD 2 22 21/0/0/1 0 [EUR 150.00 75.00 30.00, RON null null 7.50]",
            "given 2023 UA 1 null null/null/null/null 0 []",
            "given 2023 89 1 null null/null/null/null 0 [EUR 50.00 25.00 10.00, RON null null 2.50]",
            "given 2023 - 1 null null/null/null/null 0 [EUR null null 7.00]",
            "given 2024 UA 0 0 0/0/0/0 0 []",
        ]
    );
    assert_eq!(
        sentence(&rows[0], "ro"),
        "În 2023 au fost acordate 2 contribuții la consolidarea capacităților pentru MD; 22 de persoane au fost instruite (21 de femei, o persoană fără sexul notat)."
    );
    assert_eq!(rows[2]["region_name"], "Europe, regional");
    assert_eq!(
        sentence(&rows[3], "en"),
        "Of a contribution to capacity building given in 2023 some figures are not told apart by recipient."
    );
    assert_eq!(
        sentence(&rows[4], "en"),
        "No contribution to capacity building was given in 2024 for UA. One is planned."
    );
    let rows = items(&client, &format!("{path}&by=year")).await;
    assert_eq!(
        rows.iter().map(short).collect::<Vec<_>>(),
        [
            "given 2023 - 2 22 21/0/0/1 0 [EUR 200.00 100.00 47.00, RON null null 10.00]",
            "given 2024 - 0 0 0/0/0/0 0 []"
        ]
    );
    assert_eq!(rows[0]["contribution_ids"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_received_is_of_the_work_of_a_strategy_and_of_an_entity() {
    let client = service().await;
    let strategy = json!({"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy", "starts_on": "2021-01-01", "ends_on": "2022-12-31"});
    client.create("strategies", strategy).await;
    client
        .create("initiatives", json!({"external_id": "i", "strategy_id": "external:s", "code": "1", "title": "I"}))
        .await;
    client.create("entities", json!({"code": "AGY", "name": "Agency", "kind": "agency"})).await;
    let received = |rest: Value| {
        let mut body = given("Help", json!([]), rest);
        body["direction"] = json!("received");
        body["actual_starts_on"] = json!("2022-01-01");
        body["actual_ends_on"] = json!("2022-12-31");
        body
    };
    client.create("contributions", received(json!({"initiative_id": "external:i", "trainees": [{"year": 2022, "sex": "male", "count": 0}], "transactions": [paid("incoming_funds", "2022-03-01", "9"), paid("expenditure", "2022-03-01", "9")]}))).await;
    client.create("contributions", received(json!({"strategy_id": "external:s", "lead_id": "code:AGY"}))).await;
    client.create("contributions", received(json!({}))).await;
    let told = async |query: &str| {
        let path = format!("/v1/reports/contributions?direction=received&{query}");
        items(&client, &path).await.iter().map(short).collect::<Vec<_>>()
    };
    assert_eq!(
        told("strategy_id=external:s").await,
        ["received 2021 - 0 0 0/0/0/0 0 []", "received 2022 - 2 0 0/0/0/0 1 [EUR null null 9.00]"]
    );
    assert_eq!(told("from=2022&to=2022").await, ["received 2022 - 3 0 0/0/0/0 2 [EUR null null 9.00]"]);
    assert_eq!(told("from=2022&to=2022&entity_id=code:AGY").await, ["received 2022 - 1 null null/null/null/null 1 []"]);
    assert_eq!(
        told("from=2022&to=2022&status=not_started").await,
        ["received 2022 - 1 0 0/0/0/0 0 [EUR null null 9.00]"]
    );
}
