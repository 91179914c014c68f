//! Indicators, targets and measurements: what is kept, and what is made of it.

use serde_json::{Value, json};

use crate::support::{Client, service};

struct Ground {
    client: Client,
    strategy: Value,
}

impl Ground {
    async fn lay() -> Self {
        let client = service().await;
        let strategy = json!({"code": "S", "title": "A strategy", "country": "XX", "kind": "strategy"});
        let strategy = client.create("strategies", strategy).await["id"].clone();
        Self { client, strategy }
    }

    /// An indicator of the strategy in numbers, changed by these fields.
    async fn indicator(&self, code: &str, fields: Value) -> Value {
        let mut body = json!({"strategy_id": self.strategy, "code": code, "title": code, "value_chain_stage": "outcome", "measure": "unit",
            "direction": "ascending", "external_id": code});
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.client.create("indicators", body).await["id"].clone()
    }

    async fn target(&self, indicator: &Value, (from, to): (&str, &str), value: &str) {
        let target = json!({"indicator_id": indicator, "period_from": from, "period_to": to, "value": value});
        self.client.create("indicator-targets", target).await;
    }

    async fn measured(&self, indicator: &Value, (from, to): (&str, &str), value: &str) -> Value {
        let mut body = measurement(indicator, (from, to), value);
        if to > "2026" {
            // Of a period that is perhaps not over.
            body["status"] = json!("provisional");
        }
        self.client.create("measurements", body).await
    }

    /// The rows of the report, by the code of the indicator.
    async fn row(&self, code: &str) -> Value {
        let report = self.client.get("/v1/reports/indicators").expect(200).await.json();
        report["items"].as_array().unwrap().iter().find(|row| row["code"] == code).unwrap().clone()
    }
}

fn measurement(indicator: &Value, (from, to): (&str, &str), value: &str) -> Value {
    json!({"indicator_id": indicator, "period_from": from, "period_to": to, "value": value, "status": "final"})
}

fn year(year: u16) -> (String, String) {
    (format!("{year}-01-01"), format!("{year}-12-31"))
}

fn columns(row: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| row[*name].clone()).collect()
}

const JUDGED: [&str; 5] = ["attainment", "method", "ratio", "judgement", "state"];

#[tokio::test]
async fn a_fall_from_80_to_20_is_attained_by_falling() {
    let ground = Ground::lay().await;
    let falling = json!({"direction": "descending", "baseline_value": "80", "baseline_on": "2024-12-31"});
    let indicator = ground.indicator("F", falling).await;
    ground.target(&indicator, ("2025-01-01", "2027-12-31"), "20").await;
    ground.measured(&indicator, ("2025-01-01", "2025-12-31"), "50").await;
    let row = ground.row("F").await;
    // One year of (50/80) - 1 against three years to 20/80: -37.5 % a year (of 365.25 days) where -37 % would do.
    assert_eq!(columns(&row, &JUDGED), json!(["50.0", "compound", "101.3", "on_track", "judged"]), "{row}");
    assert_eq!(
        columns(&row, &["observed_growth", "baseline", "target", "reached"]),
        json!(["-37.5201", "80", "20", "50"]),
        "{row}"
    );
    // Then it rises above where it began.
    ground.measured(&indicator, ("2026-01-01", "2026-12-31"), "90").await;
    let row = ground.row("F").await;
    assert_eq!(columns(&row, &["attainment", "judgement"]), json!(["-16.7", "deterioration"]), "{row}");
    ground.measured(&indicator, ("2027-01-01", "2027-06-30"), "19.5").await;
    assert_eq!(ground.row("F").await["judgement"], "achieved");
}

#[tokio::test]
async fn growth_from_nothing_is_linear_and_judged_at_the_published_marks() {
    let ground = Ground::lay().await;
    // Four years to 100; a quarter of the way is due after one.
    for (code, value, judgement) in [
        ("A", "100", "achieved"),
        ("B", "24", "on_track"),
        ("C", "20", "accelerate"),
        ("D", "10", "limited"),
        ("E", "0", "limited"),
        ("F", "-1", "deterioration"),
    ] {
        let indicator = ground.indicator(code, json!({"baseline_value": "0", "baseline_on": "2024-12-31"})).await;
        ground.target(&indicator, ("2025-01-01", "2028-12-31"), "100").await;
        ground.measured(&indicator, ("2025-12-31", "2025-12-31"), value).await;
        let row = ground.row(code).await;
        assert_eq!(columns(&row, &["method", "judgement", "state"]), json!(["linear", judgement, "judged"]), "{row}");
    }
    let achieved = ground.client.get("/v1/reports/indicators?judgement=achieved").expect(200).await.json();
    assert_eq!(achieved["items"].as_array().unwrap().len(), 1, "{achieved}");
}

#[tokio::test]
async fn what_cannot_be_said_is_a_state_and_never_an_error() {
    let ground = Ground::lay().await;
    let (from, to) = year(2025);
    let period = (from.as_str(), to.as_str());
    let base = |value: &str| json!({"baseline_value": value, "baseline_on": "2024-12-31"});
    let state = async |code: &str| ground.row(code).await["state"].clone();

    let silent = ground.indicator("silent", base("1")).await;
    ground.target(&silent, period, "0").await;
    let row = ground.row("silent").await;
    assert_eq!(
        columns(&row, &["value", "attainment", "judgement", "state"]),
        json!([null, null, null, "no_measurement"])
    );

    let aimless = ground.indicator("aimless", base("1")).await;
    ground.measured(&aimless, period, "2").await;
    assert_eq!(state("aimless").await, "no_target");

    let baseless = ground.indicator("baseless", json!({})).await;
    ground.target(&baseless, period, "2").await;
    ground.measured(&baseless, period, "1").await;
    assert_eq!(columns(&ground.row("baseless").await, &JUDGED), json!([null, null, null, null, "no_baseline"]));

    // A growth beyond all measure is a number still.
    let far = ground.indicator("far", json!({"baseline_value": "0.000001", "baseline_on": "2024-12-31"})).await;
    ground.target(&far, ("2025-01-01", "2099-12-31"), "999999999999999").await;
    ground.measured(&far, ("2025-01-01", "2025-01-01"), "999999999999998.999999").await;
    assert_eq!(columns(&ground.row("far").await, &["ratio", "judgement"]), json!(["99999.9", "on_track"]));
    let near =
        ground.indicator("near", json!({"baseline_value": "999999999999999", "baseline_on": "2024-12-31"})).await;
    ground.target(&near, ("2025-01-01", "2099-12-31"), "999999999999999.000001").await;
    ground.measured(&near, ("2025-01-01", "2025-01-01"), "0.000001").await;
    assert_eq!(ground.row("near").await["judgement"], "deterioration");

    // To stay where it is: reached or not, but with no way to go.
    let steady = ground.indicator("steady", base("5")).await;
    ground.target(&steady, period, "5").await;
    ground.measured(&steady, period, "4").await;
    let nowhere = json!([null, null, null, "deterioration", "target_not_beyond_baseline"]);
    assert_eq!(columns(&ground.row("steady").await, &JUDGED), nowhere);

    let early = ground.indicator("early", json!({"baseline_value": "1", "baseline_on": "2025-12-31"})).await;
    ground.target(&early, ("2026-01-01", "2026-12-31"), "5").await;
    ground.measured(&early, period, "1").await;
    assert_eq!(state("early").await, "not_since_baseline");

    let words = ground.indicator("words", json!({"measure": "qualitative", "direction": null})).await;
    let told = json!({"indicator_id": words, "period_from": from, "period_to": to, "descriptor": "Established", "status": "final"});
    ground.client.create("measurements", told).await;
    let row = ground.row("words").await;
    assert_eq!(columns(&row, &["state", "value"]), json!(["qualitative", null]), "{row}");

    let parts = ground.indicator("parts", base("1")).await;
    let mut part = measurement(&parts, period, "1");
    part["disaggregation"] = json!({"sex": "female"});
    ground.client.create("measurements", part).await;
    let row = ground.row("parts").await;
    assert_eq!(columns(&row, &["state", "measurements"]), json!(["only_disaggregated", 1]), "{row}");
}

#[tokio::test]
async fn periods_are_added_averaged_or_the_last_is_taken() {
    let ground = Ground::lay().await;
    for (aggregation, reached) in
        [("sum", json!("30")), ("average", json!("15")), ("latest", json!("20")), ("none", json!(null))]
    {
        let base = json!({"aggregation": aggregation, "baseline_value": "0", "baseline_on": "2024-12-31"});
        let indicator = ground.indicator(aggregation, base).await;
        ground.target(&indicator, ("2025-01-01", "2025-12-31"), "100").await;
        ground.target(&indicator, ("2025-01-01", "2026-12-31"), "200").await;
        ground.measured(&indicator, ("2025-01-01", "2025-03-31"), "10").await;
        ground.measured(&indicator, ("2025-04-01", "2025-06-30"), "20.00").await;
        let row = ground.row(aggregation).await;
        assert_eq!(columns(&row, &["period_target", "target", "value"]), json!(["100", "200", "20"]), "{row}");
        assert_eq!(columns(&row, &["period_reached", "reached"]), json!([reached, reached]), "{row}");
    }
    let whole = ground.client.get("/v1/indicators/external:sum").expect(200).await.json()["id"].clone();
    ground.measured(&whole, ("2025-01-01", "2025-06-30"), "30").await;
    let row = ground.row("sum").await;
    assert_eq!(columns(&row, &["state", "reached"]), json!(["overlapping_periods", null]), "{row}");
    let grown = json!({"aggregation": "sum", "baseline_value": "1", "baseline_on": "2024-12-31"});
    let grown = ground.indicator("grown", grown).await;
    ground.target(&grown, ("2025-01-01", "2026-12-31"), "200").await;
    ground.measured(&grown, ("2025-01-01", "2025-06-30"), "30").await;
    ground.measured(&grown, ("2025-04-01", "2025-06-30"), "20").await;
    let row = ground.row("grown").await;
    let figures = columns(&row, &["state", "method", "ratio", "observed_growth", "required_growth"]);
    assert_eq!(figures, json!(["overlapping_periods", null, null, null, null]), "{row}");
}

#[tokio::test]
async fn a_final_measurement_stays_and_is_restated_by_a_row_after_it() {
    let ground = Ground::lay().await;
    let indicator = ground.indicator("I", json!({})).await;
    let period = ("2025-01-01", "2025-12-31");
    let first = ground.measured(&indicator, period, "10").await;
    let path = format!("/v1/measurements/{}", first["id"].as_str().unwrap());
    let client = &ground.client;
    let refused = client.patch(&path, json!({"value": "11"})).if_match(1).expect(422).await;
    assert_eq!(refused.faults(), ["# final"], "{}", refused.text);
    client.delete(&path).if_match(1).expect(409).await;
    // How far it may be known is no part of what was measured.
    client.patch(&path, json!({"classification": "restricted"})).if_match(1).expect(200).await;
    client.post("/v1/measurements", measurement(&indicator, period, "11")).expect(409).await;

    let mut again = measurement(&indicator, period, "11");
    again["restates_id"] = first["id"].clone();
    let mut elsewhere = again.clone();
    elsewhere["period_to"] = json!("2025-06-30");
    let wrong = client.post("/v1/measurements", elsewhere).expect(409).await;
    assert_eq!(wrong.faults(), ["#/restates_id differs"], "{}", wrong.text);
    let second = client.create("measurements", again.clone()).await;
    client.post("/v1/measurements", again).expect(409).await;
    assert_eq!(ground.row("I").await["value"], "11");
    let current = client.get("/v1/measurements?is_current=true").expect(200).await.json();
    assert_eq!(current["items"], json!([second]));
}

#[tokio::test]
async fn numbers_and_words_are_not_mixed() {
    let ground = Ground::lay().await;
    let number = ground.indicator("N", json!({})).await;
    let words = ground.indicator("W", json!({"measure": "qualitative"})).await;
    let period = json!({"period_from": "2025-01-01", "period_to": "2025-12-31", "status": "final"});
    for noun in ["measurements", "indicator-targets"] {
        for (indicator, field, value, fault) in
            [(&number, "descriptor", "Good", "#/value needs_value"), (&words, "value", "7", "#/value not_allowed")]
        {
            let mut body = period.clone();
            body["indicator_id"] = indicator.clone();
            body[field] = value.into();
            if noun == "indicator-targets" {
                body.as_object_mut().unwrap().remove("status");
            }
            let reply = ground.client.post(format!("/v1/{noun}"), body).expect(409).await;
            assert_eq!(reply.faults(), [fault], "{}", reply.text);
        }
    }
    let path = format!("/v1/indicators/{}", words.as_str().unwrap());
    let reply = ground.client.patch(path, json!({"measure": "unit"})).if_match(1).expect(422).await;
    assert_eq!(reply.faults(), ["#/measure not_allowed"], "{}", reply.text);
    let half = json!({"strategy_id": ground.strategy, "title": "x", "value_chain_stage": "input", "measure": "unit",
        "direction": "ascending", "baseline_value": "1"});
    let reply = ground.client.post("/v1/indicators", half).expect(422).await;
    assert_eq!(reply.faults(), ["#/baseline_on required"], "{}", reply.text);
}

#[tokio::test]
async fn targets_of_a_strategy_in_force_change_with_a_reason() {
    let ground = Ground::lay().await;
    let client = &ground.client;
    let indicator = ground.indicator("I", json!({})).await;
    let target =
        json!({"indicator_id": indicator, "period_from": "2025-01-01", "period_to": "2025-12-31", "value": "20"});
    let target = client.create("indicator-targets", target).await["id"].clone();
    let act =
        json!({"country": "XX", "issuer": "Government", "act_type": "decision", "number": "1", "date": "2024-01-31"});
    let act = client.create("legal-acts", act).await["id"].clone();
    let path = format!("/v1/strategies/{}", ground.strategy.as_str().unwrap());
    for (version, status) in [(1, "consultation"), (2, "submitted"), (3, "approved"), (4, "in_force")] {
        let change = json!({"status": status, "legal_act_id": act});
        client.patch(&path, change).if_match(version).header("mandate-reason", "approved").expect(200).await;
    }
    let path = format!("/v1/indicator-targets/{}", target.as_str().unwrap());
    let reply = client.patch(&path, json!({"value": "10"})).if_match(1).expect(422).await;
    assert_eq!(reply.faults(), ["Mandate-Reason needs_reason"], "{}", reply.text);
    client.patch(&path, json!({"value": "10"})).if_match(1).header("mandate-reason", "less money").expect(200).await;
    // The difference belongs to the strategy.
    let diff = format!("/v1/diff?from=2020-01-01&strategy_id={}", ground.strategy.as_str().unwrap());
    let diff = client.get(diff).expect(200).await.json();
    let kinds: Vec<&str> = diff["items"].as_array().unwrap().iter().filter_map(|row| row["kind"].as_str()).collect();
    assert!(kinds.contains(&"indicator_target") && kinds.contains(&"indicator"), "{diff}");
}

#[tokio::test]
async fn a_plan_is_exported_with_its_indicators_and_imported_as_it_was() {
    let ground = Ground::lay().await;
    let client = &ground.client;
    let indicator = ground.indicator("I", json!({"baseline_value": "1.50", "baseline_on": "2024-12-31"})).await;
    let period = ("2025-01-01", "2025-12-31");
    ground.target(&indicator, period, "3").await;
    let first = ground.measured(&indicator, period, "2.50").await;
    let mut again = measurement(&indicator, period, "2.75");
    again["restates_id"] = first["id"].clone();
    again["disaggregation"] = json!({});
    client.create("measurements", again).await;
    let path = format!("/v1/exports/plan?strategy_id={}", ground.strategy.as_str().unwrap());
    let plan = client.get(path).expect(200).await.json();
    for (noun, rows) in [("indicators", 1), ("indicator_targets", 1), ("measurements", 2)] {
        assert_eq!(plan[noun].as_array().map(Vec::len), Some(rows), "{plan}");
    }
    let report = client.post("/v1/imports", plan.clone()).expect(200).await.json();
    assert_eq!((&report["unchanged"], &report["changed"]), (&json!(5), &json!(0)), "{report}");
    // And into a service that has nothing.
    let empty = service().await;
    let report = empty.post("/v1/imports", plan).expect(200).await.json();
    assert_eq!(report["created"], 5, "{report}");
    let rows = empty.get("/v1/reports/indicators").expect(200).await.json();
    assert_eq!(rows["items"][0]["value"], "2.75", "{rows}");
}

#[tokio::test]
async fn what_should_never_have_been_said_is_withdrawn_and_a_part_of_a_sum_is_not_judged() {
    let ground = Ground::lay().await;
    let client = &ground.client;
    let base = json!({"aggregation": "sum", "baseline_value": "100", "baseline_on": "2024-12-31"});
    let indicator = ground.indicator("sum", base).await;
    ground.target(&indicator, ("2025-01-01", "2025-12-31"), "120").await;
    ground.measured(&indicator, ("2025-01-01", "2025-03-31"), "35").await;
    let figures =
        async |code: &str| columns(&ground.row(code).await, &["reached", "attainment", "ratio", "judgement", "state"]);
    assert_eq!(figures("sum").await, json!(["35", null, null, null, "period_not_over"]));
    assert_eq!(ground.row("sum").await["period_attainment"], Value::Null);
    let falls =
        json!({"aggregation": "sum", "direction": "descending", "baseline_value": "120", "baseline_on": "2024-12-31"});
    let falls = ground.indicator("falls", falls).await;
    ground.target(&falls, ("2025-01-01", "2025-12-31"), "100").await;
    ground.measured(&falls, ("2025-10-01", "2025-12-31"), "30").await;
    assert_eq!(figures("falls").await[4], "period_not_over", "the rest of the year is missing");
    ground.measured(&indicator, ("2025-04-01", "2025-12-31"), "81").await;
    assert_eq!(figures("sum").await, json!(["116", "80.0", "80.0", "accelerate", "judged"]));
    let grows = json!({"aggregation": "sum", "baseline_value": "0", "baseline_on": "2024-12-31"});
    let grows = ground.indicator("grows", grows).await;
    ground.target(&grows, ("2025-01-01", "2026-12-31"), "100").await;
    ground.measured(&grows, ("2025-01-01", "2025-12-31"), "50").await;
    assert_eq!(figures("grows").await[4], "judged");

    let mut future = measurement(&indicator, ("2026-01-01", "2099-12-31"), "7");
    assert_eq!(client.post("/v1/measurements", future.clone()).expect(409).await.faults(), ["#/period_to not_over"]);
    future["status"] = json!("provisional");
    client.create("measurements", future).await;
    let wrong = client.create("measurements", measurement(&grows, ("2026-01-01", "2026-01-31"), "700")).await;
    assert_eq!(figures("grows").await[3], "achieved");
    let mut withdrawal = measurement(&grows, ("2026-01-01", "2026-01-31"), "0");
    withdrawal["status"] = json!("withdrawn");
    let refused = client.post("/v1/measurements", withdrawal.clone()).expect(422).await;
    assert_eq!(refused.faults(), ["#/restates_id required", "#/value not_allowed"]);
    withdrawal["value"] = Value::Null;
    withdrawal["restates_id"] = wrong["id"].clone();
    let gone = client.create("measurements", withdrawal).await;
    assert_eq!(figures("grows").await[0], "50");
    let held = client.get(format!("/v1/measurements?is_current=true&indicator_id={}", grows.as_str().unwrap()));
    assert_eq!(held.expect(200).await.json()["items"].as_array().unwrap().len(), 1);
    let path = format!("/v1/measurements/{}", gone["id"].as_str().unwrap());
    assert_eq!(client.delete(path).header("if-match", "*").expect(409).await.faults(), ["# final"]);
    // It can be said again.
    let mut again = measurement(&grows, ("2026-01-01", "2026-01-31"), "7");
    again["restates_id"] = gone["id"].clone();
    client.create("measurements", again).await;
    assert_eq!(figures("grows").await[0], "57");
}
