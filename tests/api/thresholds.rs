//! Every threshold of a rule, with a case on either side of it. Days are judged on a day that stays: `today()` of the database of each test is set.

use mandate::base::limits::Limits;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};

use crate::{
    figures::{patch, rows},
    support::{Client, database, service_over},
};

struct Clock {
    client: Client,
    options: PgConnectOptions,
}

impl Clock {
    /// A service with a strategy, for which it is this day.
    async fn at(day: &str) -> Self {
        let options = database().await;
        let client = service_over(options.clone(), Limits::default()).await;
        let clock = Self { client, options };
        clock.set(day).await;
        let strategy = json!({"external_id": "S", "code": "S", "title": "S", "country": "XX", "kind": "strategy", "starts_on": "2024-01-01"});
        clock.client.create("strategies", strategy).await;
        clock
    }

    async fn set(&self, day: &str) {
        let mut connection = PgConnection::connect_with(&self.options).await.unwrap();
        let sql = format!(
            "create or replace function today() returns date language sql stable parallel safe return '{day}'::date"
        );
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    /// An initiative that goes on, green, to this day.
    async fn initiative(&self, code: &str, until: &str) {
        let body = json!({"external_id": code, "strategy_id": "external:S", "code": code, "title": code, "status": "in_progress", "confidence": "green",
            "deadline": {"text": until}});
        self.client.create("initiatives", body).await;
    }

    async fn codes(&self, path: &str) -> Vec<String> {
        let code = |row: &Value| row["code"].as_str().unwrap().to_owned();
        rows(&self.client, path).await.iter().map(code).collect()
    }

    /// How the only initiative stands.
    async fn standing(&self) -> Value {
        rows(&self.client, "matrix").await[0]["worst"].clone()
    }
}

#[tokio::test]
async fn an_indicator_is_judged_at_each_published_mark() {
    let clock = Clock::at("2026-01-15").await;
    // After a quarter of the days a quarter of the way is due: 25 of 100.
    for (value, judgement) in [
        ("100", "achieved"),
        ("99.999999", "on_track"),
        ("23.75", "on_track"),
        ("23.74", "accelerate"),
        ("15", "accelerate"),
        ("14.99", "limited"),
        ("0", "limited"),
        ("-0.000001", "deterioration"),
    ] {
        let indicator = json!({"strategy_id": "external:S", "code": value, "title": value, "value_chain_stage": "outcome", "measure": "unit",
            "direction": "ascending", "baseline_value": "0", "baseline_on": "2024-12-31"});
        let id = clock.client.create("indicators", indicator).await["id"].clone();
        let target =
            json!({"indicator_id": id, "period_from": "2025-01-01", "period_to": "2028-12-30", "value": "100"});
        clock.client.create("indicator-targets", target).await;
        let measured = json!({"indicator_id": id, "period_from": "2025-01-01", "period_to": "2025-12-31", "value": value, "status": "final"});
        clock.client.create("measurements", measured).await;
        let rows = rows(&clock.client, "indicators").await;
        let row = rows.iter().find(|row| row["code"] == value).unwrap();
        assert_eq!((&row["judgement"], &row["method"]), (&json!(judgement), &json!("linear")), "{row}");
    }
    // Growth is compound down to a billionth of the baseline.
    for (target, method) in
        [("1000000000.000001", "linear"), ("1000000001", "linear"), ("1000000001.000001", "compound")]
    {
        let indicator = json!({"strategy_id": "external:S", "code": target, "title": target, "value_chain_stage": "outcome", "measure": "unit",
            "direction": "ascending", "baseline_value": "1000000000", "baseline_on": "2024-12-31"});
        let id = clock.client.create("indicators", indicator).await["id"].clone();
        let goal = json!({"indicator_id": id, "period_from": "2025-01-01", "period_to": "2028-12-30", "value": target});
        clock.client.create("indicator-targets", goal).await;
        let measured = json!({"indicator_id": id, "period_from": "2025-01-01", "period_to": "2025-12-31", "value": "1000000000", "status": "final"});
        clock.client.create("measurements", measured).await;
        let rows = rows(&clock.client, "indicators").await;
        assert_eq!(rows.iter().find(|row| row["code"] == target).unwrap()["method"], method, "{target}");
    }
}

#[tokio::test]
async fn work_is_late_when_its_last_day_is_over_and_not_before() {
    let clock = Clock::at("2025-06-30").await;
    clock.initiative("A", "2025-06-30").await;
    let reports = ["attention", "understaffed"];
    let forecast = |day: &str| json!({"initiative_id": "external:A", "basis": "forecast", "ends_on": day});
    let owed = async || {
        let page = clock.client.get("/v1/obligations?kind=initiative").expect(200).await.json();
        page["items"][0]["days_overdue"].clone()
    };
    for (today, expected, standing, days) in [
        ("2025-06-30", None, "on_track", None),
        ("2025-07-01", None, "off_track", Some(1)),
        ("2025-06-30", Some("2025-06-30"), "on_track", None),
        ("2025-06-30", Some("2025-07-01"), "at_risk", Some(1)),
        ("2025-07-03", Some("2025-07-02"), "off_track", Some(3)),
        ("2025-07-03", Some("2025-07-05"), "off_track", Some(5)),
    ] {
        clock.set(today).await;
        if let Some(day) = expected {
            clock.client.create("timelines", forecast(day)).await;
        }
        let case = format!("{today}, expected {expected:?}");
        assert_eq!(clock.standing().await, standing, "{case}");
        for report in reports {
            let rows = rows(&clock.client, report).await;
            let name = if report == "attention" { "delay_days" } else { "days_late" };
            assert_eq!(rows.first().map(|row| row[name].as_i64().unwrap()), days, "{report} on {case}");
        }
        let overdue = if today > "2025-06-30" { json!(if today == "2025-07-01" { 1 } else { 3 }) } else { Value::Null };
        assert_eq!(owed().await, overdue, "{case}");
    }
    // With all the people that were planned it is not understaffed.
    let staff = |filled: &str| {
        json!({"external_id": "P", "initiative_id": "external:A", "entity_id": "external:E", "profile": "cybersecurity_auditor",
        "starts_on": "2025-07-03", "ends_on": "2025-07-03", "fte_planned": "2", "fte_filled": filled})
    };
    clock.client.create("entities", json!({"external_id": "E", "code": "E", "name": "E", "kind": "agency"})).await;
    clock.client.create("staff-allocations", staff("1.99")).await;
    let state = async || rows(&clock.client, "understaffed").await.first().map(|row| row["state"].clone());
    assert_eq!(state().await, Some(json!("understaffed")));
    patch(&clock.client, "staff-allocations/external:P", json!({"fte_filled": "2"})).await;
    assert_eq!(state().await, None);
    for day in ["2025-07-02", "2025-07-04"] {
        clock.set(day).await;
        assert_eq!(state().await, Some(json!("no_staff")), "the people are there on one day only");
    }
    let capacity = json!({"external_id": "C", "entity_id": "external:E", "profile": "cybersecurity_auditor", "starts_on": "2025-01-01", "fte": "2"});
    clock.client.create("staff-capacities", capacity).await;
    let over = async || rows(&clock.client, "staffing?per=month").await.last().unwrap()["over_allocated"].clone();
    patch(&clock.client, "staff-allocations/external:P", json!({"starts_on": "2025-07-01", "ends_on": "2025-07-31"}))
        .await;
    assert_eq!(over().await, false);
    patch(&clock.client, "staff-allocations/external:P", json!({"fte_planned": "2.01"})).await;
    assert_eq!(over().await, true);
}

#[tokio::test]
async fn a_report_is_missing_and_its_initiative_silent_when_its_day_is_over() {
    let clock = Clock::at("2025-04-15").await;
    clock.initiative("A", "2099-12-31").await;
    let cycle = json!({"external_id": "c", "strategy_id": "external:S", "code": "q", "title": "Q", "cadence": "quarterly",
        "periods": [{"code": "1", "from": "2025-01-01", "to": "2025-03-31", "due_on": "2025-04-15"}]});
    clock.client.create("reporting-cycles", cycle).await;
    let counts = async || {
        let row = rows(&clock.client, "submissions").await.first().cloned().unwrap_or_default();
        ["in_time", "late", "outstanding", "missing"].map(|name| row[name].as_i64().unwrap_or(-1))
    };
    assert_eq!((clock.standing().await, counts().await), (json!("on_track"), [0, 0, 1, 0]));
    clock.set("2025-04-16").await;
    assert_eq!((clock.standing().await, counts().await), (json!("silent"), [0, 0, 0, 1]));
    for (day, count) in [("2025-01-01", [0, 0, 1, 0]), ("2024-12-31", [-1; 4])] {
        clock.set(day).await;
        assert_eq!(counts().await, count, "a period is asked about from its first day on");
    }
    clock.set("2025-04-15").await;
    let report = json!({"initiative_id": "external:A", "cycle_id": "external:c", "period": "1", "status": "in_progress", "confidence": "green",
        "narrative": "Done", "state": "submitted"});
    clock.client.create("progress-reports", report).await;
    let on: String = rows(&clock.client, "submissions").await[0]["last_submitted_on"].as_str().unwrap().to_owned();
    let before = on.parse::<chrono::NaiveDate>().unwrap().pred_opt().unwrap().to_string();
    for (due, count) in [(&on, [1, 0, 0, 0]), (&before, [0, 1, 0, 0])] {
        let periods = json!({"periods": [{"code": "1", "from": "2025-01-01", "to": "2025-03-31", "due_on": due}]});
        patch(&clock.client, "reporting-cycles/external:c", periods).await;
        assert_eq!(counts().await, count, "submitted on {on}, due on {due}");
    }
}

#[tokio::test]
async fn the_worst_of_a_cell_is_the_first_in_the_stated_order() {
    let clock = Clock::at("2025-06-30").await;
    for code in ["a", "b", "c", "d", "e", "f"] {
        clock.initiative(code, "2099-12-31").await;
    }
    let set = async |code: &str, body: Value| patch(&clock.client, &format!("initiatives/external:{code}"), body).await;
    set("a", json!({"confidence": "red", "confidence_reason": "x"})).await;
    set("b", json!({"confidence": null})).await;
    set("c", json!({"confidence": "amber", "confidence_reason": "x"})).await;
    set("e", json!({"status": "completed", "evidence": "x"})).await;
    set("f", json!({"status": "cancelled", "status_reason": "x"})).await;
    let order = ["off_track", "silent", "at_risk", "on_track", "completed", "cancelled"];
    for (code, standing) in ["a", "b", "c", "d", "e", "f"].into_iter().zip(order) {
        assert_eq!(clock.standing().await, standing);
        clock.client.delete(format!("/v1/initiatives/external:{code}")).header("if-match", "*").expect(204).await;
    }
}

#[tokio::test]
async fn money_lapses_within_ninety_days_and_is_unspent_when_the_year_is_over() {
    let clock = Clock::at("2025-10-01").await;
    clock.initiative("A", "2099-12-31").await;
    let money = |phase: &str, amount: &str| {
        json!({"external_id": phase, "initiative_id": "external:A", "fiscal_year": 2025, "phase": phase,
        "money": {"amount": amount, "currency": "RON"}})
    };
    clock.client.create("budget-allocations", money("appropriation", "10")).await;
    let kinds = async |query: &str| -> Vec<String> {
        let kind = |row: &Value| row["kind"].as_str().unwrap().to_owned();
        rows(&clock.client, &format!("funding-gaps{query}")).await.iter().map(kind).collect()
    };
    for (day, found) in [
        ("2025-10-01", None),
        ("2025-10-02", Some("lapsing")),
        ("2025-12-31", Some("lapsing")),
        ("2026-01-01", Some("underspent")),
    ] {
        clock.set(day).await;
        assert_eq!(kinds("").await, Vec::from_iter(found), "{day}");
    }
    clock.set("2025-12-01").await;
    assert_eq!((kinds("?lapsing_within=29").await.len(), kinds("?lapsing_within=30").await.len()), (0, 1));
    clock.client.create("budget-allocations", money("estimate", "10")).await;
    assert!(kinds("?kind=unfunded").await.is_empty());
    patch(
        &clock.client,
        "budget-allocations/external:estimate",
        json!({"money": {"amount": "10.01", "currency": "RON"}}),
    )
    .await;
    assert_eq!(kinds("?kind=unfunded").await, ["unfunded"]);
}

#[tokio::test]
async fn evidence_expires_after_its_last_day_and_soon_is_within_ninety_days() {
    let clock = Clock::at("2025-06-15").await;
    for (title, valid_until) in
        [("over", "2025-06-14"), ("last", "2025-06-15"), ("near", "2025-09-13"), ("far", "2025-09-14")]
    {
        let body = json!({"kind": "official_website", "title": title, "claim": "x", "about": "plan", "country": "XX", "state": "verified",
            "url": "https://plan.example/", "retrieved_at": "2025-01-31T10:00:00Z", "valid_until": valid_until});
        clock.client.create("evidence", body).await;
    }
    let told = async |query: &str| -> Vec<String> {
        let line = |row: &Value| {
            format!(
                "{} {} {}",
                row["title"]["ro"].as_str().unwrap(),
                row["standing"].as_str().unwrap(),
                row["days_left"]
            )
        };
        rows(&clock.client, &format!("expiring-evidence{query}")).await.iter().map(line).collect()
    };
    assert_eq!(told("").await, ["over expired -1", "last verified 0", "near verified 90"]);
    assert_eq!(told("?within=0").await, ["over expired -1", "last verified 0"]);
    assert_eq!(told("?within=91").await.len(), 4);
}

#[tokio::test]
async fn a_calendar_looks_a_year_and_a_day_ahead() {
    let clock = Clock::at("2025-06-15").await;
    clock.client.create("entities", json!({"external_id": "E", "code": "E", "name": "E", "kind": "agency"})).await;
    patch(&clock.client, "strategies/external:S", json!({"owner_id": "external:E"})).await;
    clock.initiative("in", "2026-06-16").await;
    clock.initiative("out", "2026-06-17").await;
    let text = clock.client.get("/v1/calendars/external:E.ics").expect(200).await.text;
    assert!(text.contains("End of in: in") && !text.contains("End of out"), "{text}");
    let token = clock.client.create("calendar-tokens", json!({"name": "x", "entity_id": "external:E"})).await;
    let day = |name: &str| token[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!((day("expires_at") - day("created_at")).num_days(), 365, "{token}");
}

#[tokio::test]
async fn a_target_is_impossible_from_the_first_value_and_day_that_cannot_be() {
    let clock = Clock::at("2025-06-15").await;
    for (measure, direction, value, on, is_impossible) in [
        ("percentage", "ascending", "100", "2025-12-31", false),
        ("percentage", "ascending", "100.01", "2025-12-31", true),
        ("percentage", "descending", "0", "2025-12-31", false),
        ("percentage", "descending", "-0.01", "2025-12-31", true),
        ("unit", "ascending", "40", "2025-12-31", false),
        ("unit", "ascending", "39.99", "2025-12-31", true),
        ("unit", "descending", "40", "2025-12-31", false),
        ("unit", "descending", "40.01", "2025-12-31", true),
        ("unit", "ascending", "50", "2024-06-30", false),
        ("unit", "ascending", "50", "2024-06-29", true),
    ] {
        let indicator = json!({"external_id": "N", "strategy_id": "external:S", "code": "N", "title": "N", "value_chain_stage": "outcome", "measure": measure,
            "direction": direction, "baseline_value": "40", "baseline_on": "2024-06-30"});
        clock.client.create("indicators", indicator).await;
        let target = json!({"external_id": "T", "indicator_id": "external:N", "period_from": "2024-01-01", "period_to": on, "value": value});
        clock.client.create("indicator-targets", target).await;
        let found = rows(&clock.client, "quality").await.iter().any(|row| row["kind"] == "target_impossible");
        assert_eq!(found, is_impossible, "{measure} {direction} {value} {on}");
        for path in ["indicator-targets/external:T", "indicators/external:N"] {
            clock.client.delete(format!("/v1/{path}")).header("if-match", "*").expect(204).await;
        }
    }
}

#[tokio::test]
async fn a_session_is_overdue_after_its_last_day_and_years_are_the_last_five() {
    let clock = Clock::at("2025-06-15").await;
    let programme = json!({"external_id": "P", "strategy_id": "external:S", "title": "P", "audience": "public"});
    clock.client.create("training-programmes", programme).await;
    clock
        .client
        .create(
            "training-sessions",
            json!({"programme_id": "external:P", "starts_on": "2025-06-14", "ends_on": "2025-06-15"}),
        )
        .await;
    let counts = async || {
        let row = rows(&clock.client, "training").await.remove(0);
        (row["planned"].clone(), row["overdue"].clone())
    };
    assert_eq!(counts().await, (json!(1), json!(0)));
    clock.set("2025-06-16").await;
    assert_eq!(counts().await, (json!(0), json!(1)));
    let given = rows(&clock.client, "contributions?direction=given").await;
    let years: Vec<i64> = given.iter().map(|row| row["year"].as_i64().unwrap()).collect();
    assert_eq!(years, [2021, 2022, 2023, 2024, 2025]);
}

#[tokio::test]
async fn a_follow_up_is_overdue_when_the_last_day_of_its_initiative_is_over() {
    let clock = Clock::at("2025-06-15").await;
    clock.initiative("A", "2025-06-15").await;
    clock.client.create("forums", json!({"external_id": "F", "code": "F", "name": "F", "kind": "conference"})).await;
    let engagement = json!({"forum_id": "external:F", "starts_on": "2025-01-01", "follow_up_initiative_id": "external:A", "outcome": "x"});
    clock.client.create("engagements", engagement).await;
    let state = async || rows(&clock.client, "follow-ups").await[0]["state"].clone();
    assert_eq!(state().await, "open");
    clock.set("2025-06-16").await;
    assert_eq!(state().await, "overdue");
    assert_eq!(clock.codes("follow-ups?state=overdue").await, ["A"]);
}

#[tokio::test]
async fn grave_risks_need_a_mitigation_and_allocations_of_people_last_ten_years() {
    let clock = Clock::at("2025-06-15").await;
    clock.client.create("entities", json!({"external_id": "E", "code": "E", "name": "E", "kind": "agency"})).await;
    clock.initiative("A", "2025-06-15").await;
    for (level, status) in [("low", 201), ("medium", 201), ("high", 422), ("critical", 422)] {
        let risk = json!({"initiative_id": "external:A", "title": level, "level": level});
        assert_eq!(clock.client.post("/v1/risks", risk).send().await.status.as_u16(), status, "{level}");
    }
    let first: chrono::NaiveDate = "2025-01-01".parse().unwrap();
    for (days, status) in [(3659, 201), (3660, 422)] {
        let staff = json!({"initiative_id": "external:A", "entity_id": "external:E", "profile": "cybersecurity_auditor", "starts_on": first,
            "ends_on": first + chrono::Days::new(days), "fte_planned": "1"});
        let reply = clock.client.post("/v1/staff-allocations", staff).send().await;
        assert_eq!(reply.status.as_u16(), status, "{days}: {}", reply.text);
    }
}

#[tokio::test]
async fn percents_are_told_so_that_neither_end_is_told_too_early() {
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    for (percent, told) in [
        ("0", Some(0.0)),
        ("0.0000001", Some(0.0)),
        ("0.01", Some(0.1)),
        ("0.04", Some(0.1)),
        ("0.16", Some(0.2)),
        ("99.94", Some(99.9)),
        ("99.95", Some(99.9)),
        ("99.9999", Some(99.9)),
        ("99.99999999", Some(100.0)),
        ("100", Some(100.0)),
        ("null", None),
    ] {
        let sql = format!("select told_percent({percent})");
        let found: Option<f64> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        assert_eq!(found, told, "{percent}");
    }
}
