//! Forums, what was done there, what was promised, and who is called.

mod rules;

use mandate::base::limits::Limits;
use serde_json::{Value, json};

use crate::{
    as_of::now,
    support::{Client, database, service, service_over},
};

const REFERENCE: &str = include_str!("../../examples/reference-forums.json");

async fn import(client: &Client, plan: &str) -> Value {
    client.call("POST", "/v1/imports").header("content-type", "application/json").body(plan).expect(200).await.json()
}

/// The values of some columns of a report or list, a row a line.
async fn told(client: &Client, path: &str, columns: &[&str]) -> Vec<String> {
    let page = client.get(path).expect(200).await.json();
    let cell = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |row: &Value| columns.iter().map(|column| cell(&row[*column])).collect::<Vec<_>>().join(" ");
    page["items"].as_array().unwrap().iter().map(row).collect()
}

/// A register: an organisation with two groups under it, a platform, a plan with three initiatives, two entities.
async fn register(client: &Client) {
    let initiative = |code: &str, deadline: &str, status: &str| {
        json!({"external_id": code, "strategy_id": "external:s", "code": code, "title": code, "deadline": {"text": deadline},
            "status": status, "status_reason": "a test", "evidence": "seen"})
    };
    let plan = json!({
        "format": "mandate-plan/1",
        "entities": [{"external_id": "mfa", "code": "MFA", "name": "Foreign ministry", "kind": "ministry"}, {"external_id": "cert", "code": "CERT", "name": "Team", "kind": "agency"}],
        "strategies": [{"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"}, {"external_id": "other", "code": "O", "title": "O", "country": "XX", "kind": "strategy"}],
        "objectives": [{"external_id": "o", "strategy_id": "external:s", "code": "1", "title": "Abroad"}],
        "initiatives": [initiative("late", "2024-06-30", "in_progress"), initiative("open", "2099-06-30", "in_progress"),
            initiative("done", "2024-06-30", "completed"), initiative("given-up", "2024-06-30", "cancelled")],
        "assignments": [{"initiative_id": "external:late", "entity_id": "external:cert", "role": "lead"}],
        "forums": [
            {"external_id": "un", "code": "UN", "name": "United Nations", "kind": "organisation", "membership": "member"},
            {"external_id": "wg", "code": "UN-WG", "name": "Working group", "kind": "open_ended_working_group", "parent_id": "code:UN", "membership": "participant", "member_from": "2021-06-01"},
            {"external_id": "ahc", "code": "UN-AHC", "name": "Committee", "kind": "treaty_negotiation", "parent_id": "external:un", "membership": "observer", "ends_on": "2024-12-31"},
            {"external_id": "plat", "code": "PLAT", "name": "Platform", "kind": "capacity_building_platform", "membership": "member"},
            {"external_id": "none", "code": "ELSE", "name": "Elsewhere", "kind": "conference", "membership": "none"},
            {"external_id": "unsaid", "code": "UNSAID", "name": "Nobody said", "kind": "conference"}],
    });
    import(client, &plan.to_string()).await;
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// An engagement in the working group, with a statement.
fn spoke(session: &str, more: Value) -> Value {
    with(
        json!({"forum_id": "code:UN-WG", "session": session, "statements": [{"title": "On norms", "symbol": format!("A/{session}")}]}),
        more,
    )
}

#[tokio::test]
async fn the_real_list_is_read_and_called_by_its_codes() {
    let client = service().await;
    let report = import(&client, REFERENCE).await;
    assert_eq!((&report["created"], &report["refused"]), (&json!(35), &json!(0)), "{report}");
    let again = import(&client, REFERENCE).await;
    assert_eq!((&again["unchanged"], &again["changed"]), (&json!(35), &json!(0)), "{again}");
    assert_eq!(
        told(&client.as_viewer(), "/v1/forums?sort=code", &["code", "kind", "status", "membership"]).await,
        [
            "COE-TCY treaty_body active null",
            "GFCE capacity_building_platform active null",
            "NIS-CG eu_body active null",
            "OSCE-IWG regional_cbm active null",
            "UN-AHC treaty_negotiation concluded null",
            "UN-GGE expert_group concluded null",
            "UN-OEWG-2019-2021 open_ended_working_group concluded null",
            "UN-OEWG-2021-2025 open_ended_working_group concluded null",
        ]
    );
    let gge = client.get("/v1/forums/external:ref-forum-UN-GGE").expect(200).await.json();
    assert_eq!((&gge["mandate"], &gge["documents"][2]["symbol"]), (&json!(["A/RES/73/266"]), &json!("A/70/174")));
    let norms = told(&client, "/v1/commitments?catalogue=un_norms_2015&sort=code&limit=20", &["code", "state"]).await;
    assert_eq!((norms.len(), &*norms[0], &*norms[10]), (11, "13(a) unknown", "13(k) unknown"));
    let measures = told(&client, "/v1/commitments?forum_id=code:OSCE-IWG&sort=code&limit=20", &["code", "title"]).await;
    assert_eq!((measures.len(), &*measures[1], &*measures[15]), (16, "2 null", "16 null"));
    // What a state is in these forums is not in the list, so none of them is silent.
    assert_eq!(told(&client, "/v1/reports/silent-forums", &["forum"]).await, [""; 0]);
    client.create("engagements", json!({"forum_id": "code:GFCE"})).await;
    let row = told(&client, "/v1/reports/engagements?from=2018-01-01&to=2018-12-31", &["forum", "is_dated"]).await;
    assert_eq!(row, ["GFCE false"]);
}

#[tokio::test]
async fn all_contributions_to_a_forum_in_a_period_are_listed_with_what_has_no_day() {
    let client = service().await;
    register(&client).await;
    let days = |from: &str, to: &str| json!({"starts_on": from, "ends_on": to});
    client.create("engagements", spoke("1", days("2021-12-13", "2021-12-17"))).await;
    let second = client.create("engagements", spoke("2", days("2022-03-28", "2022-04-01"))).await;
    client.create("engagements", spoke("undated", json!({"statements": []}))).await;
    // One day is enough to be dated.
    client.create("engagements", spoke("5", json!({"ends_on": "2023-07-28", "statements": []}))).await;
    client.create("engagements", json!({"forum_id": "code:UN", "session": "first committee", "starts_on": "2022-10-03", "capacity": "chair"})).await;
    client.create("engagements", json!({"forum_id": "code:PLAT", "starts_on": "2022-06-01"})).await;
    for (entity, role) in [("cert", "adviser"), ("mfa", "head")] {
        let body = json!({"engagement_id": second["id"], "entity_id": format!("external:{entity}"), "role": role});
        client.create("delegations", body).await;
    }
    let columns = ["forum", "session", "is_dated", "is_contribution", "symbols", "delegation"];
    let report = "/v1/reports/engagements";
    assert_eq!(
        told(&client.as_viewer(), &format!("{report}?forum_id=code:UN&from=2022-01-01&to=2022-12-31"), &columns).await,
        [
            "UN first committee true true [] []",
            r#"UN-WG 2 true true ["A/2"] ["MFA","CERT"]"#,
            "UN-WG undated false false [] []",
        ]
    );
    let own = ["forum", "session"];
    // A period that touches a session has it.
    let touched = format!("{report}?forum_id=external:wg&from=2022-04-01&to=2022-04-01&is_contribution=true");
    assert_eq!(told(&client, &touched, &own).await, ["UN-WG 2"]);
    assert_eq!(told(&client, &format!("{report}?from=2023-01-01"), &own).await, ["UN-WG 5", "UN-WG undated"]);
    let all = told(&client, report, &own).await;
    assert_eq!(all, ["PLAT null", "UN first committee", "UN-WG 1", "UN-WG 2", "UN-WG 5", "UN-WG undated"]);
    assert_eq!(told(&client, &format!("{report}?entity_id=external:cert"), &own).await, ["UN-WG 2"]);
    let csv =
        client.get(format!("{report}?entity_id=external:cert")).header("accept", "text/csv").expect(200).await.text;
    assert!(csv.contains("MFA") && csv.contains("A/2"), "{csv}");
    client.get(report).header("accept", "text/plain").expect(200).await;
    // The list has the same answers.
    let list = "/v1/engagements?forum_id=code:UN-WG";
    assert_eq!(told(&client, &format!("{list}&is_contribution=false&is_dated=false"), &["session"]).await, ["undated"]);
    assert_eq!(told(&client, &format!("{list}&entity_id=external:mfa"), &["session"]).await, ["2"]);
    assert_eq!(told(&client, &format!("{list}&q=norms&starts_before=2022-01-01"), &["session"]).await, ["1"]);
    for (query, fault) in [
        ("from=2022-02-01&to=2022-01-31", "to ends_before_start"),
        ("forum_id=code:UM", "forum_id not_found"),
        ("forum=UN", "forum unknown_parameter"),
    ] {
        assert_eq!(client.get(format!("{report}?{query}")).expect(400).await.faults(), [fault]);
    }
}

#[tokio::test]
async fn a_place_in_a_forum_without_a_contribution_is_told_with_its_silence() {
    let client = service().await;
    register(&client).await;
    let columns = ["forum", "state", "last_contribution_on", "silent_days", "undated", "attended"];
    let report = "/v1/reports/silent-forums";
    // Neither where our state has no place, nor where nobody said whether it has.
    assert_eq!(
        told(&client.as_viewer(), report, &columns).await,
        [
            "PLAT never null null 0 0",
            "UN never null null 0 0",
            "UN-AHC never null null 0 0",
            "UN-WG never null null 0 0"
        ]
    );
    client.create("engagements", spoke("1", json!({"starts_on": "2021-12-13", "ends_on": "2021-12-17"}))).await;
    client.create("engagements", spoke("5", json!({"starts_on": "2023-07-24", "statements": []}))).await;
    client.create("engagements", json!({"forum_id": "code:PLAT", "statements": [{"title": "No day is known"}]})).await;
    client
        .create("engagements", json!({"forum_id": "code:UN-AHC", "starts_on": "2024-08-01", "capacity": "rapporteur"}))
        .await;
    // What is done in a group is done in what it meets under.
    assert_eq!(told(&client, report, &columns).await, ["PLAT undated null null 1 0"]);
    assert_eq!(
        told(&client, &format!("{report}?from=2023-01-01&to=2023-12-31"), &columns).await,
        [
            "PLAT undated null null 1 0",
            "UN silent 2021-12-17 744 0 1",
            "UN-AHC later null null 0 0",
            "UN-WG silent 2021-12-17 744 0 1",
        ]
    );
    // To have been there, on no known day, is no contribution; but it is told.
    client.create("engagements", json!({"forum_id": "code:UN-AHC", "capacity": "observer"})).await;
    let path = format!("{report}?from=2023-01-01&to=2023-12-31&forum_id=code:UN-AHC");
    let there = told(&client, &path, &["state", "attended", "undated_attended"]).await;
    assert_eq!(there, ["later 0 1"]);
    // A forum that has ended, or a place that had not begun, is not silent.
    assert_eq!(told(&client, &format!("{report}?from=2025-01-01&forum_id=code:UN-AHC"), &columns).await, [""; 0]);
    let before = told(&client, &format!("{report}?to=2021-05-31&forum_id=code:UN"), &["forum", "state"]).await;
    assert_eq!(before, ["UN later", "UN-AHC later"]);
    // Of one entity, only what it took part in counts.
    let ours = told(&client, &format!("{report}?entity_id=external:mfa"), &["forum", "state"]).await;
    assert_eq!(ours, ["PLAT never", "UN never", "UN-AHC never", "UN-WG never"]);
    // What is planned is not given yet.
    client
        .create("forums", json!({"code": "NEXT", "name": "Next", "kind": "conference", "membership": "member"}))
        .await;
    client.create("engagements", json!({"forum_id": "code:NEXT", "starts_on": "2098-01-10", "capacity": "host"})).await;
    let next = format!("{report}?forum_id=code:NEXT");
    assert_eq!(told(&client, &next, &columns).await, ["NEXT later null null 0 0"]);
    assert_eq!(told(&client, &format!("{next}&to=2098-12-31"), &columns).await, [""; 0]);
}

#[tokio::test]
async fn what_was_to_follow_and_has_not_is_told() {
    let client = service().await;
    register(&client).await;
    let outcome = json!({"outcome": "A list of contacts", "ends_on": "2023-05-12"});
    for initiative in ["late", "open", "done", "given-up"] {
        let follow_up = json!({"follow_up_initiative_id": format!("external:{initiative}")});
        client.create("engagements", spoke(initiative, with(outcome.clone(), follow_up))).await;
    }
    client
        .create("engagements", spoke("nothing", json!({"outcome_symbol": "A/75/816", "objective_id": "external:o"})))
        .await;
    client
        .create("engagements", spoke("needless", with(outcome, json!({"no_follow_up_reason": "It is done already"}))))
        .await;
    client.create("engagements", spoke("without outcome", json!({}))).await;
    let columns = ["session", "state", "code", "status", "lead", "due_on", "outcome_symbol"];
    let report = "/v1/reports/follow-ups";
    assert_eq!(
        told(&client.as_viewer(), report, &columns).await,
        [
            r#"late overdue late in_progress ["CERT"] 2024-06-30 null"#,
            "open open open in_progress [] 2099-06-30 null",
            "given-up cancelled given-up cancelled [] 2024-06-30 null",
            "nothing no_follow_up null null [] null A/75/816",
        ]
    );
    let page = client.get(report).expect(200).await.json();
    assert!(page["items"][0]["days_overdue"].as_i64().unwrap() > 500, "{page}");
    assert_eq!((&page["items"][1]["days_overdue"], &page["items"][2]["days_overdue"]), (&Value::Null, &Value::Null));
    // An approved or revised timeline moves the day.
    let timeline =
        json!({"initiative_id": "external:late", "basis": "revised", "reason": "A test", "ends_on": "2098-01-31"});
    client.create("timelines", timeline).await;
    let own = ["session", "state"];
    assert_eq!(told(&client, &format!("{report}?state=open"), &own).await, ["late open", "open open"]);
    assert_eq!(
        told(&client, &format!("{report}?state=no_follow_up&forum_id=code:UN"), &own).await,
        ["nothing no_follow_up"]
    );
    assert_eq!(told(&client, &format!("{report}?forum_id=code:PLAT"), &own).await, [""; 0]);
    let of_plan = told(&client, &format!("{report}?strategy_id=external:s"), &["session"]).await;
    assert_eq!(of_plan, ["late", "open", "given-up", "nothing"]);
    assert_eq!(told(&client, &format!("{report}?strategy_id=external:other"), &own).await, [""; 0]);
    assert_eq!(told(&client, &format!("{report}?status=cancelled"), &["session"]).await, ["given-up"]);
    client.get(format!("{report}?state=lost")).expect(400).await;
    // An initiative that one may not see is not told of, and neither is that it is missing.
    let path = "/v1/initiatives/external:open";
    client.patch(path, json!({"classification": "restricted"})).if_match(1).expect(200).await;
    assert_eq!(told(&client.as_viewer(), report, &["session"]).await, ["late", "given-up", "nothing"]);
}

#[tokio::test]
async fn an_engagement_belongs_to_the_plan_that_follows_it_up() {
    let client = service().await;
    register(&client).await;
    let made = client.create("engagements", spoke("1", json!({"follow_up_initiative_id": "external:open"}))).await;
    client.create("delegations", json!({"engagement_id": made["id"], "entity_id": "external:mfa"})).await;
    client.create("engagements", spoke("2", json!({}))).await;
    let file = client.get("/v1/exports/plan?strategy_id=external:s").expect(200).await.json();
    let sizes = ["forums", "engagements", "delegations"].map(|noun| file[noun].as_array().map_or(0, Vec::len));
    // The forum, and the one under which it meets.
    assert_eq!(sizes, [2, 1, 1], "{file}");
    assert_eq!(file["engagements"][0]["statements"], json!([{"title": {"ro": "On norms"}, "symbol": "A/1"}]));
}

#[tokio::test]
async fn commitments_are_counted_by_list_over_several_surveys() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    register(&client).await;
    import(&client, REFERENCE.replace("UN-AHC", "UN-AHC-2").as_str()).await;
    let path = |code: &str| format!("/v1/commitments/external:ref-{code}");
    let survey = json!({"state": "partial", "measures_taken": "A law is drafted", "gaps": "People", "reviewed_on": "2024-05-01",
        "entity_id": "external:mfa", "initiative_id": "external:open"});
    client.patch(path("un-norm-13-f"), survey).if_match(1).expect(200).await;
    client.patch(path("un-norm-13-k"), json!({"state": "not_applicable"})).if_match(1).expect(200).await;
    let first = now(&options).await;
    let survey = json!({"state": "implemented", "measures_taken": "The law is in force", "gaps": null, "reviewed_on": "2025-11-01"});
    client.patch(path("un-norm-13-f"), survey).if_match(2).expect(200).await;
    let counts = [
        "catalogue",
        "total",
        "implemented",
        "partial",
        "not_applicable",
        "unknown",
        "without_measures",
        "with_gaps",
        "oldest_review_on",
    ];
    assert_eq!(
        told(&client.as_viewer(), "/v1/reports/commitments", &counts).await,
        ["osce_cbm 16 0 0 0 16 16 0 null", "un_norms_2015 11 1 0 1 9 9 0 2025-11-01"]
    );
    let then = format!("/v1/reports/commitments?catalogue=un_norms_2015&as_of={first}");
    assert_eq!(told(&client, &then, &counts).await, ["un_norms_2015 11 0 1 1 9 9 1 2024-05-01"]);
    let led =
        told(&client, "/v1/reports/commitments?entity_id=external:mfa&strategy_id=external:s", &counts[..3]).await;
    assert_eq!(led, ["un_norms_2015 1 1"]);
    let open = told(&client, "/v1/reports/commitments?catalogue=osce_cbm", &["open"]).await;
    assert!(open[0].starts_with(r#"["1","2","3""#) && open[0].ends_with(r#""15","16"]"#), "{open:?}");
    let history = client.get(format!("{}/history", path("un-norm-13-f"))).expect(200).await.json();
    assert_eq!(history["items"].as_array().unwrap().len(), 3, "{history}");
    let missing = told(&client, "/v1/commitments?has_measures=false&catalogue=un_norms_2015", &["code"]).await;
    assert_eq!(missing.len(), 10);
}
