//! What leaves a plan and what enters one, the plans themselves, and two writers at once.

use mandate::base::limits::Limits;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::*;
use crate::support::{database, service_over};

const WHY: Option<&str> = Some("agreed in the council");

/// A second plan, a draft, with what corresponds to the parents of rows in the first: the id there, and the id here.
async fn second_plan(client: &Client, ground: &Ground) -> (Value, Vec<(Value, Value)>) {
    let plan = json!({"code": "U", "title": "Another plan", "country": "XX", "kind": "strategy"});
    let strategy = client.create("strategies", plan).await["id"].clone();
    let mut ids = vec![(ground.strategy.clone(), strategy.clone())];
    let mut add = async |noun: &str, there: &Value, body: Value| {
        let id = client.create(noun, body).await["id"].clone();
        ids.push((there.clone(), id.clone()));
        id
    };
    let bodies: Vec<Value> = rows().iter().map(|(row, ..)| body(row, ground)).collect();
    let of = |field: &str| bodies.iter().find_map(|body| body.get(field)).unwrap().clone();
    let initiative = |code: &str| json!({"strategy_id": strategy, "code": code, "title": "Work"});
    let objective = json!({"strategy_id": strategy, "code": "1", "title": "Aim"});
    add("objectives", &of("objective_id"), objective).await;
    let first = add("initiatives", &of("predecessor_initiative_id"), initiative("1")).await;
    add("initiatives", &of("successor_initiative_id"), initiative("2")).await;
    let step = json!({"initiative_id": first, "code": "a", "title": "Step"});
    let step = add("steps", &of("step_id"), step).await;
    let indicator = json!({"step_id": step, "title": "Counted", "value_chain_stage": "output", "measure": "unit", "direction": "ascending"});
    add("indicators", &of("indicator_id"), indicator).await;
    let programme = json!({"strategy_id": strategy, "title": "Lessons", "audience": "public"});
    add("training-programmes", &of("programme_id"), programme).await;
    let received = json!({"strategy_id": strategy, "direction": "received", "title": "Help", "status": "pipeline"});
    add("contributions", &of("contribution_id"), received).await;
    let framework = of("framework_id");
    let assessment = json!({"framework_id": framework, "strategy_id": strategy, "country": "XX", "title": "How ready", "assessed_on": "2026-01-31"});
    let assessment = add("assessments", &of("assessment_id"), assessment).await;
    let answer = json!({"assessment_id": assessment, "indicator": "1.1", "is_met": true});
    add("answers", &of("answer_id"), answer).await;
    (strategy, ids)
}

/// What a row is patched with to come under the second plan, by the ids there and here; the other way about with them turned round.
fn move_of(body: &Value, ids: &[(Value, Value)]) -> Value {
    let fields = body.as_object().unwrap();
    let moved = |value: &Value| ids.iter().find(|(there, _)| there == value).map(|(_, here)| here.clone());
    fields
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), moved(value)?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Nouns that stay where they are by a rule of their own: movements of money, and reports, which are of the cycle of their strategy.
const FIXED: [&str; 2] = ["budget-movements", "progress-reports"];

async fn leave_and_enter(status: &str, code: u16, fault: &str) {
    let client = service().await;
    let ground = ground(&client).await;
    let (_, ids) = second_plan(&client, &ground).await;
    let back: Vec<(Value, Value)> = ids.iter().map(|(there, here)| (here.clone(), there.clone())).collect();
    let mut there = Vec::new();
    for (row, ..) in rows() {
        let mut body = body(&row, &ground);
        if row.noun == "objectives" {
            // An objective goes where its parent is.
            body.as_object_mut().unwrap().remove("parent_id");
        }
        if row.noun == "initiatives" {
            body.as_object_mut().unwrap().remove("objective_id");
        }
        let path = format!("/v1/{}/{}", row.noun, client.create(row.noun, body.clone()).await["id"].as_str().unwrap());
        there.push((row.noun, path, body));
    }
    lead(&client, &ground.strategy, status).await;
    for (noun, path, body) in there.iter().filter(|(noun, ..)| !FIXED.contains(noun)) {
        for (name, ids) in [("out", &ids), ("in", &back)] {
            let now = if name == "out" { body.clone() } else { merged(body.clone(), &move_of(body, &back_to(ids))) };
            let patch = move_of(&now, ids);
            assert!(!patch.as_object().unwrap().is_empty(), "{noun} does not move: {now}");
            let refused = send(&client, "PATCH", path, Some(&patch), None).await;
            let asked = format!("{status}: {noun} moves {name} by {patch}");
            assert_eq!(refused.status.as_u16(), code, "{asked}: {}", refused.text);
            assert!(refused.faults().iter().all(|found| found == fault), "{asked}: {}", refused.text);
            assert!(refused.text.contains("The strategy S is "), "{asked}: {}", refused.text);
            let moved = send(&client, "PATCH", path, Some(&patch), WHY).await;
            if status == "archived" {
                assert_eq!(moved.status.as_u16(), 409, "{asked}: {}", moved.text);
                break;
            }
            assert_eq!(moved.status.as_u16(), 200, "{asked}: {}", moved.text);
        }
    }
}

/// The same pairs, turned round.
fn back_to(ids: &[(Value, Value)]) -> Vec<(Value, Value)> {
    ids.iter().map(|(here, there)| (there.clone(), here.clone())).collect()
}

#[tokio::test]
async fn whatever_leaves_or_enters_a_plan_in_force_weighs() {
    leave_and_enter("in_force", 422, "Mandate-Reason needs_reason").await;
}

#[tokio::test]
async fn whatever_leaves_or_enters_a_closed_plan_weighs() {
    leave_and_enter("closed", 422, "Mandate-Reason needs_reason").await;
}

#[tokio::test]
async fn nothing_leaves_the_archive() {
    leave_and_enter("archived", 409, "# archived").await;
}

/// A strategy of its own, led to this status.
async fn strategy(client: &Client, code: &str, status: &str) -> String {
    let body = json!({"code": code, "title": "A plan", "country": "XX", "kind": "strategy"});
    let id = client.create("strategies", body).await["id"].clone();
    lead(client, &id, status).await;
    format!("/v1/strategies/{}", id.as_str().unwrap())
}

#[tokio::test]
async fn each_status_of_a_strategy_has_its_reason_and_a_way_back_has_an_act() {
    let client = service().await;
    let act = json!({"country": "XX", "issuer": "Council", "act_type": "law", "number": "9", "date": "2025-01-31"});
    let act = client.create("legal-acts", act).await["id"].clone();
    let path = strategy(&client, "P", "draft").await;
    let bare = send(&client, "PATCH", &path, Some(&json!({"status": "consultation"})), None).await;
    assert_eq!(bare.faults(), ["Mandate-Reason needs_reason"], "{}", bare.text);
    client.patch(&path, json!({"title": "Other words"})).header("if-match", "*").expect(200).await;

    let path = strategy(&client, "Q", "archived").await;
    let kept = client.get(&path).expect(200).await.json();
    for (patch, faults) in [
        (json!({"title": "Other words"}), vec!["# archived"]),
        (json!({"status": "in_force", "legal_act_id": act}), vec!["#/status transition"]),
        (json!({"status": "closed"}), vec!["#/legal_act_id needs_legal_act"]),
        (json!({"status": "closed", "legal_act_id": null}), vec!["#/legal_act_id needs_legal_act"]),
    ] {
        let refused = send(&client, "PATCH", &path, Some(&patch), WHY).await;
        assert_eq!(refused.faults(), faults, "{patch}: {}", refused.text);
    }
    let gone = send(&client, "DELETE", &path, None, WHY).await;
    assert_eq!(gone.faults(), ["# archived"], "{}", gone.text);
    let reopened = json!({"status": "closed", "legal_act_id": kept["legal_act_id"]});
    let bare = send(&client, "PATCH", &path, Some(&reopened), None).await;
    assert_eq!(bare.faults(), ["Mandate-Reason needs_reason"], "{}", bare.text);
    assert_eq!(client.get(&path).expect(200).await.json(), kept);
    // The act may be the one that was there, when it is named again.
    let closed = send(&client, "PATCH", &path, Some(&reopened), WHY).await;
    assert_eq!(closed.status, 200, "{}", closed.text);
    let title = send(&client, "PATCH", &path, Some(&json!({"title": "Other words"})), None).await;
    assert_eq!(title.faults(), ["Mandate-Reason needs_reason"], "{}", title.text);
    let bare = send(&client, "PATCH", &path, Some(&json!({"status": "in_force"})), WHY).await;
    assert_eq!(bare.faults(), ["#/legal_act_id needs_legal_act"], "{}", bare.text);
    let open = send(&client, "PATCH", &path, Some(&json!({"status": "in_force", "legal_act_id": act})), WHY).await;
    assert_eq!(open.status, 200, "{}", open.text);
    let history = client.get(format!("{path}/history")).expect(200).await.json();
    assert_eq!(history["items"][0]["reason"], "agreed in the council", "{history}");
}

#[tokio::test]
async fn a_plan_that_carries_out_a_strategy_enters_it_when_it_is_put_there() {
    let client = service().await;
    let [closed, archived, force] = [
        strategy(&client, "C", "closed").await,
        strategy(&client, "A", "archived").await,
        strategy(&client, "F", "in_force").await,
    ];
    let under = |parent: &str, code: &str| json!({"code": code, "title": "Its plan", "country": "XX", "kind": "action_plan", "parent_id": parent.rsplit('/').next()});
    client.create("strategies", under(&force, "F1")).await;
    let bare = send(&client, "POST", "/v1/strategies", Some(&under(&closed, "C1")), None).await;
    assert_eq!(bare.faults(), ["Mandate-Reason needs_reason"], "{}", bare.text);
    let refused = send(&client, "POST", "/v1/strategies", Some(&under(&archived, "A1")), WHY).await;
    assert_eq!(refused.faults(), ["# archived"], "{}", refused.text);
    let made = send(&client, "POST", "/v1/strategies", Some(&under(&closed, "C1")), WHY).await.json();
    let path = format!("/v1/strategies/{}", made["id"].as_str().unwrap());
    // It is a plan of its own: what changes in it does not change the strategy above.
    client.patch(&path, json!({"title": "Its new plan"})).header("if-match", "*").expect(200).await;
    let away = send(&client, "PATCH", &path, Some(&json!({"parent_id": null})), None).await;
    assert_eq!(away.faults(), ["Mandate-Reason needs_reason"], "{}", away.text);
}

#[tokio::test]
async fn who_waited_while_the_plan_was_closed_finds_it_closed() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let ground = ground(&client).await;
    lead(&client, &ground.strategy, "in_force").await;
    let risk = rows().into_iter().find(|(row, ..)| row.noun == "risks").unwrap().0;
    let body = body(&risk, &ground);
    let mut closing = PgConnection::connect_with(&options).await.unwrap();
    let mut watching = PgConnection::connect_with(&options).await.unwrap();
    let mut transaction = closing.begin().await.unwrap();
    let close = format!("update strategies set status = 'closed' where id = '{}'", ground.strategy.as_str().unwrap());
    sqlx::query(AssertSqlSafe(close)).execute(&mut *transaction).await.unwrap();
    let writer = tokio::spawn({
        let client = client.clone();
        async move { send(&client, "POST", "/v1/risks", Some(&body), None).await }
    });
    let waits =
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watching).await.unwrap() {
        tokio::task::yield_now().await;
    }
    transaction.commit().await.unwrap();
    let late = writer.await.unwrap();
    assert_eq!(late.faults(), ["Mandate-Reason needs_reason"], "{}", late.text);
    assert!(late.text.contains("is closed"), "{}", late.text);
}
