//! What is cancelled has no part in what is missing, and what is completed none in what is still to be done; whole days of the critical path; months that
//! add up.

use serde_json::{Value, json};

use crate::{
    figures::{patch, rows},
    support::{Client, service},
};

async fn strategy(client: &Client) -> Value {
    let body = json!({"external_id": "S", "code": "S", "title": "S", "country": "XX", "kind": "strategy"});
    client.create("strategies", body).await["id"].clone()
}

async fn initiative(client: &Client, code: &str, more: Value) {
    let mut body = json!({"external_id": code, "strategy_id": "external:S", "code": code, "title": code});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.create("initiatives", body).await;
}

async fn money(client: &Client, item: &str, id: &str, phase: &str, year: i32, (amount, currency): (&str, &str)) {
    let body = json!({item: format!("external:{id}"), "fiscal_year": year, "phase": phase, "money": {"amount": amount, "currency": currency}});
    client.create("budget-allocations", body).await;
}

async fn waits(client: &Client, first: &str, second: &str, more: Value) {
    let mut body = json!({"predecessor_initiative_id": format!("external:{first}"), "successor_initiative_id": format!("external:{second}")});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.create("dependencies", body).await;
}

fn codes(rows: &[Value]) -> Vec<String> {
    let line = |row: &Value| format!("{} {}", row["kind"].as_str().unwrap(), row["code"].as_str().unwrap_or("-"));
    rows.iter().map(line).collect()
}

#[tokio::test]
async fn what_is_cancelled_lacks_nothing_and_what_is_completed_has_nothing_left_to_be_done() {
    let client = service().await;
    strategy(&client).await;
    client
        .create("objectives", json!({"external_id": "O", "strategy_id": "external:S", "code": "O", "title": "O"}))
        .await;
    for code in ["A", "B", "C"] {
        initiative(&client, code, json!({"objective_id": "external:O", "deadline": {"text": "some day"}})).await;
        let step = json!({"external_id": format!("{code}.1"), "initiative_id": format!("external:{code}"), "code": "1", "title": "1", "deadline": {"text": "some day"}});
        client.create("steps", step).await;
        money(&client, "initiative_id", code, "estimate", 2098, ("100", "RON")).await;
        money(&client, "initiative_id", code, "appropriation", 2020, ("7", "RON")).await;
        let indicator = json!({"initiative_id": format!("external:{code}"), "code": code, "title": code, "value_chain_stage": "outcome", "measure": "unit",
            "direction": "ascending"});
        client.create("indicators", indicator).await;
    }
    let all = ["A", "B", "C"];
    let of = async |report: &str, kind: &str| {
        let found = codes(&rows(&client, report).await);
        let prefix = format!("{kind} ");
        found.iter().filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned)).collect::<Vec<_>>()
    };
    let kinds = [
        ("gaps", "initiative_without_lead"),
        ("gaps", "initiative_without_people"),
        ("quality", "initiative_without_lead"),
        ("quality", "indicator_without_target"),
        ("quality", "indicator_without_baseline"),
        ("funding-gaps", "unfunded"),
    ];
    for (report, kind) in kinds {
        assert_eq!(of(report, kind).await, all, "{report} {kind}");
    }
    assert_eq!(of("gaps", "deadline_unparsed").await.len(), 6);
    assert_eq!(of("funding-gaps", "underspent").await, all);
    assert!(of("quality", "objective_without_outcome_measure").await.is_empty());
    let contents = async || rows(&client, "plan-contents").await.remove(0)["found"].clone();
    assert_eq!(contents().await, "steps 3 of 3, entities 0 of 3");

    patch(&client, "initiatives/external:B", json!({"status": "completed", "evidence": "seen"})).await;
    patch(&client, "initiatives/external:C", json!({"status": "cancelled", "status_reason": "a test"})).await;
    for (report, kind) in kinds {
        assert_eq!(of(report, kind).await, ["A"], "{report} {kind}");
    }
    assert_eq!(of("gaps", "deadline_unparsed").await.len(), 2, "steps of what has ended have ended with it");
    assert_eq!(of("funding-gaps", "underspent").await, ["A", "B"], "what was not paid of what is completed is a fact");
    assert_eq!(contents().await, "steps 2 of 2, entities 0 of 2");

    for code in ["A", "B"] {
        patch(
            &client,
            &format!("initiatives/external:{code}"),
            json!({"status": "cancelled", "status_reason": "a test"}),
        )
        .await;
    }
    assert_eq!(of("gaps", "objective_without_initiative").await, ["O"]);
    assert_eq!(of("quality", "objective_without_outcome_measure").await, ["O"]);
    assert!(rows(&client, "funding-gaps").await.is_empty());
}

#[tokio::test]
async fn a_cancelled_step_brings_no_money_and_takes_none() {
    let client = service().await;
    strategy(&client).await;
    initiative(&client, "A", json!({})).await;
    client
        .create("steps", json!({"external_id": "A.1", "initiative_id": "external:A", "code": "1", "title": "1"}))
        .await;
    money(&client, "initiative_id", "A", "estimate", 2098, ("100", "RON")).await;
    money(&client, "step_id", "A.1", "estimate", 2098, ("50", "RON")).await;
    assert_eq!(rows(&client, "funding-gaps?kind=unfunded").await[0]["amount"], "150.00");
    patch(&client, "steps/external:A.1", json!({"status": "cancelled", "status_reason": "a test"})).await;
    assert_eq!(rows(&client, "funding-gaps?kind=unfunded").await[0]["amount"], "100.00");
}

#[tokio::test]
async fn quarters_that_follow_each_other_have_no_slack_the_revised_end_counts_and_what_is_cancelled_does_not() {
    let client = service().await;
    strategy(&client).await;
    let quarters =
        [("Q1", "2024-01-01", "2024-03-31"), ("Q2", "2024-04-01", "2024-06-30"), ("Q3", "2024-07-01", "2024-09-30")];
    for (code, from, to) in quarters {
        initiative(&client, code, json!({"starts_on": from, "deadline": {"text": to}})).await;
    }
    waits(&client, "Q1", "Q2", json!({})).await;
    waits(&client, "Q2", "Q3", json!({})).await;
    let slack = async || {
        let rows = rows(&client, "timeline").await;
        rows.iter().map(|row| json!([row["slack_days"], row["critical"]])).collect::<Value>()
    };
    assert_eq!(slack().await, json!([[0, true], [0, true], [0, true]]));
    assert!(rows(&client, "gaps?kind=dependency_contradicts_dates").await.is_empty());
    // Nothing ends later than what is cancelled, and nothing waits for it.
    initiative(&client, "X", json!({"starts_on": "2024-07-01", "deadline": {"text": "2024-12-31"}})).await;
    waits(&client, "Q2", "X", json!({})).await;
    assert_eq!(slack().await, json!([[0, true], [0, true], [92, false], [0, true]]));
    patch(&client, "initiatives/external:X", json!({"status": "cancelled", "status_reason": "a test"})).await;
    assert_eq!(slack().await, json!([[0, true], [0, true], [0, true], [null, false]]));
    // Q1 is to end four days earlier: four days to spare. Then later: it pushes all that wait for it, and contradicts their dates.
    let revised =
        |to: &str| json!({"initiative_id": "external:Q1", "basis": "revised", "ends_on": to, "reason": "a test"});
    client.create("timelines", revised("2024-03-27")).await;
    assert_eq!(slack().await, json!([[4, false], [0, true], [0, true], [null, false]]));
    client.create("timelines", revised("2024-04-10")).await;
    assert_eq!(slack().await, json!([[0, true], [0, true], [0, true], [null, false]]));
    let found = rows(&client, "gaps?kind=dependency_contradicts_dates").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["detail"], "finish_start allows its start from 2024-04-11 on; it is 2024-04-01");
    patch(&client, "initiatives/external:Q1", json!({"status": "completed", "evidence": "seen"})).await;
    assert!(rows(&client, "gaps?kind=dependency_contradicts_dates").await.is_empty(), "what is done holds up nothing");
}

#[tokio::test]
async fn dates_contradict_a_dependency_from_the_first_day_that_it_forbids() {
    let client = service().await;
    strategy(&client).await;
    initiative(&client, "A", json!({"starts_on": "2025-01-10", "deadline": {"text": "2025-01-20"}})).await;
    for (place, (kind, lag, from, to, contradicts)) in [
        ("finish_start", 0, "2025-01-21", "2025-02-28", false),
        ("finish_start", 0, "2025-01-20", "2025-02-28", true),
        ("finish_start", 5, "2025-01-26", "2025-02-28", false),
        ("finish_start", 5, "2025-01-25", "2025-02-28", true),
        ("finish_start", -3, "2025-01-18", "2025-02-28", false),
        ("finish_start", -3, "2025-01-17", "2025-02-28", true),
        ("start_start", 0, "2025-01-10", "2025-02-28", false),
        ("start_start", 0, "2025-01-09", "2025-02-28", true),
        ("finish_finish", 0, "2025-01-01", "2025-01-20", false),
        ("finish_finish", 0, "2025-01-01", "2025-01-19", true),
        ("start_finish", 0, "2025-01-01", "2025-01-09", false),
        ("start_finish", 0, "2025-01-01", "2025-01-08", true),
    ]
    .into_iter()
    .enumerate()
    {
        let code = format!("B{place}");
        initiative(&client, &code, json!({"starts_on": from, "deadline": {"text": to}})).await;
        waits(&client, "A", &code, json!({"kind": kind, "lag_days": lag})).await;
        let found = codes(&rows(&client, "gaps?kind=dependency_contradicts_dates").await);
        let is_found = found.contains(&format!("dependency_contradicts_dates A -> {code}"));
        assert_eq!(is_found, contradicts, "{kind} {lag} {from} {to}: {found:?}");
    }
}

#[tokio::test]
async fn the_timeline_says_what_each_is_part_of_who_leads_it_and_its_milestones() {
    let client = service().await;
    strategy(&client).await;
    client
        .create("objectives", json!({"external_id": "O", "strategy_id": "external:S", "code": "O", "title": "O"}))
        .await;
    initiative(&client, "A", json!({"objective_id": "external:O"})).await;
    client
        .create("steps", json!({"external_id": "A.1", "initiative_id": "external:A", "code": "1", "title": "1"}))
        .await;
    let agency = client.create("entities", json!({"code": "AGY", "name": "Agency", "kind": "agency"})).await;
    client
        .create("assignments", json!({"initiative_id": "external:A", "entity_id": agency["id"], "role": "lead"}))
        .await;
    for (code, day) in [("late", "2025-12-31"), ("early", "2025-01-31")] {
        let body = json!({"initiative_id": "external:A", "code": code, "title": code, "deadline": {"text": day}});
        client.create("milestones", body).await;
    }
    let rows = rows(&client, "timeline?steps=true").await;
    for row in &rows {
        assert_eq!((&row["objective_code"], &row["lead"]), (&json!("O"), &json!(["AGY"])), "{row}");
    }
    assert_eq!(
        (&rows[0]["parent_id"], &rows[1]["parent_id"], &rows[1]["parent_code"]),
        (&Value::Null, &rows[0]["id"], &json!("A"))
    );
    let milestones =
        |row: &Value| row["milestones"].as_array().unwrap().iter().map(|each| each["code"].clone()).collect::<Vec<_>>();
    assert_eq!((milestones(&rows[0]), milestones(&rows[1])), (vec![json!("early"), json!("late")], vec![]));
    assert_eq!(rows[0]["milestones"][0]["deadline_on"], "2025-01-31");
}

/// Hundredths, or what the decimals of the currency are.
fn units(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[tokio::test]
async fn the_months_of_a_year_add_up_to_what_was_appropriated_for_it() {
    let client = service().await;
    strategy(&client).await;
    initiative(&client, "A", json!({})).await;
    let amounts = [
        ("1000.00", "RON"),
        ("1000", "JPY"),
        ("1.234", "KWD"),
        ("0.01", "EUR"),
        ("999999999999.99", "USD"),
        ("0.11", "CHF"),
        ("1.13", "GBP"),
    ];
    for (amount, currency) in amounts {
        money(&client, "initiative_id", "A", "appropriation", 2025, (amount, currency)).await;
        money(&client, "initiative_id", "A", "appropriation", 2026, (amount, currency)).await;
    }
    let months = rows(&client, "spending").await;
    for (amount, currency) in amounts {
        let rows: Vec<&Value> = months.iter().filter(|row| row["currency"] == currency).collect();
        assert_eq!(rows.len(), 24, "{currency}");
        for year in rows.chunks(12) {
            let shares: Vec<i64> = year.iter().map(|row| units(&row["planned"])).collect();
            assert_eq!(shares.iter().sum::<i64>(), units(&json!(amount)), "{currency}: {shares:?}");
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{currency}: {shares:?}");
        }
        let mut so_far = 0;
        for row in rows {
            so_far += units(&row["planned"]);
            assert_eq!(so_far, units(&row["planned_to_date"]), "{row}");
        }
    }
}
