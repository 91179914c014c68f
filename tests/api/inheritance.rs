//! What is part of something is classified as that, unless it is classified higher: one change opens or closes a plan, now and in every past.

use mandate::{base::limits::Limits, router};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::{
    as_of::now,
    support::{Client, database, service, service_over},
};

const FORCE: (&str, &str) = ("if-match", "*");

async fn id(client: &Client, noun: &str, body: Value) -> String {
    client.create(noun, body).await["id"].as_str().unwrap().to_owned()
}

async fn classify(client: &Client, path: &str, word: Value) {
    client.patch(path, json!({"classification": word})).header(FORCE.0, FORCE.1).expect(200).await;
}

/// A strategy with an initiative, a step of it, and money for that.
struct Plan {
    strategy: String,
    initiative: String,
    step: String,
    money: String,
}

impl Plan {
    async fn lay(client: &Client, classification: Value) -> Self {
        let body =
            json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy", "classification": classification});
        let strategy = id(client, "strategies", body).await;
        let initiative = id(client, "initiatives", json!({"strategy_id": strategy, "code": "1", "title": "One"})).await;
        let step = id(client, "steps", json!({"initiative_id": initiative, "code": "a", "title": "A step"})).await;
        let money = json!({"step_id": step, "fiscal_year": 2025, "phase": "estimate", "money": {"amount": "7", "currency": "RON"}});
        let money = id(client, "budget-allocations", money).await;
        let path = |noun: &str, id: &str| format!("/v1/{noun}/{id}");
        Self {
            strategy: path("strategies", &strategy),
            initiative: path("initiatives", &initiative),
            step: path("steps", &step),
            money: path("budget-allocations", &money),
        }
    }

    fn all(&self) -> [&str; 4] {
        [&self.strategy, &self.initiative, &self.step, &self.money]
    }

    async fn is_seen(&self, client: &Client, status: u16) {
        for path in self.all() {
            client.get(path).expect(status).await;
        }
    }
}

#[tokio::test]
async fn one_change_opens_and_closes_a_plan() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let viewer = client.as_viewer();
    let nobody = crate::public::open(options.clone(), &client);
    let plan = Plan::lay(&client, Value::Null).await;
    assert_eq!(client.get(&plan.step).expect(200).await.json()["classification"], Value::Null);
    plan.is_seen(&viewer, 200).await;
    plan.is_seen(&nobody, 404).await;
    let closed = now(&options).await;
    classify(&client, &plan.strategy, json!("public")).await;
    plan.is_seen(&nobody, 200).await;
    // Nothing was written to what inherits.
    assert_eq!(client.get(&plan.step).expect(200).await.header("etag"), "\"1\"");
    // It was not open then.
    for path in plan.all() {
        nobody.get(format!("{path}?as_of={closed}")).expect(404).await;
        viewer.get(format!("{path}?as_of={closed}")).expect(200).await;
    }
    let open = now(&options).await;
    // One that is classified higher stays behind, and so does what is below it.
    classify(&client, &plan.step, json!("restricted")).await;
    for path in [&plan.step, &plan.money] {
        viewer.get(path).expect(404).await;
        viewer.get(format!("{path}?as_of={open}")).expect(404).await;
        viewer.get(format!("{path}/history")).expect(404).await;
    }
    let (feed, diff) = ("/v1/changes?limit=200", "/v1/diff?from=2020-01-01");
    for path in [feed, diff] {
        let text = viewer.get(path).expect(200).await.text;
        assert!(!text.contains("A step") && !text.contains("\"7.00\""), "{text}");
    }
    classify(&client, &plan.step, Value::Null).await;
    classify(&client, &plan.strategy, json!("restricted")).await;
    plan.is_seen(&viewer, 404).await;
    for path in plan.all() {
        viewer.get(format!("{path}?as_of={open}")).expect(404).await;
    }
    assert_eq!(viewer.get(feed).expect(200).await.json()["items"], json!([]));
    assert_eq!(viewer.get(diff).expect(200).await.json()["items"], json!([]));
    let during = now(&options).await;
    classify(&client, &plan.strategy, json!("public")).await;
    plan.is_seen(&nobody, 200).await;
    // What was so while it was closed stays closed.
    for path in plan.all() {
        viewer.get(format!("{path}?as_of={during}")).expect(404).await;
        nobody.get(format!("{path}?as_of={open}")).expect(200).await;
    }
}

#[tokio::test]
async fn a_part_is_never_below_the_whole() {
    let client = service().await;
    let plan = Plan::lay(&client, json!("restricted")).await;
    let viewer = client.as_viewer();
    plan.is_seen(&viewer, 404).await;
    let initiative = plan.initiative.rsplit('/').next().unwrap();
    let body = json!({"initiative_id": initiative, "code": "b", "title": "B", "classification": "internal"});
    let refused = client.post("/v1/steps", body.clone()).expect(422).await;
    assert_eq!(refused.faults(), ["#/classification below_parent"]);
    assert!(refused.text.contains("give restricted"), "{}", refused.text);
    let patched = client.patch(&plan.step, json!({"classification": "public"})).if_match(1).expect(422).await;
    assert_eq!(patched.faults(), ["#/classification below_parent"]);
    let file =
        json!({"format": "mandate-plan/1", "steps": [body, {"initiative_id": initiative, "code": "c", "title": "C"}]});
    let refused = client.post("/v1/imports", file).send().await;
    assert!(refused.status.is_client_error() && refused.text.contains("below_parent"), "{}", refused.text);
    // What was given once, and is lower than what came above it later, is as that.
    classify(&client, &plan.strategy, json!("public")).await;
    classify(&client, &plan.step, json!("internal")).await;
    classify(&client, &plan.strategy, json!("restricted")).await;
    plan.is_seen(&viewer, 404).await;
    client.patch(&plan.step, json!({"title": "Renamed"})).header(FORCE.0, FORCE.1).expect(200).await;
    viewer.get(&plan.step).expect(404).await;
    classify(&client, &plan.strategy, json!("public")).await;
    viewer.get(&plan.step).expect(200).await;
}

#[tokio::test]
async fn what_moves_below_something_else_is_classified_as_that() {
    let client = service().await;
    let plan = Plan::lay(&client, json!("public")).await;
    let viewer = client.as_viewer();
    let body = json!({"code": "T", "title": "T", "country": "XX", "kind": "strategy", "classification": "restricted"});
    let closed = id(&client, "strategies", body).await;
    client.patch(&plan.initiative, json!({"strategy_id": closed})).if_match(1).expect(200).await;
    for path in [&plan.initiative, &plan.step, &plan.money] {
        viewer.get(path).expect(404).await;
    }
    let open = plan.strategy.rsplit('/').next().unwrap();
    client.patch(&plan.initiative, json!({"strategy_id": open})).if_match(2).expect(200).await;
    plan.is_seen(&viewer, 200).await;
    // Rows of one statement, the lower before the upper.
    let objectives = json!({"format": "mandate-plan/1", "objectives": [
        {"strategy_id": closed, "external_id": "low", "parent_id": "external:top", "code": "1.1", "title": "Low"},
        {"strategy_id": closed, "external_id": "top", "code": "1", "title": "Top"},
        {"strategy_id": open, "external_id": "lower", "parent_id": "external:upper", "code": "1.1", "title": "Lower"},
        {"strategy_id": open, "external_id": "upper", "code": "1", "title": "Upper", "classification": "internal"}]});
    client.post("/v1/imports", objectives).expect(200).await;
    for (name, status) in [("low", 404), ("top", 404), ("lower", 200), ("upper", 200)] {
        viewer.get(format!("/v1/objectives/external:{name}")).expect(status).await;
    }
}

#[tokio::test]
async fn what_was_deleted_is_seen_by_whoever_could_see_it_then_and_sees_what_it_was_part_of() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    let viewer = client.as_viewer();
    let plan = Plan::lay(&client, Value::Null).await;
    let open = now(&options).await;
    classify(&client, &plan.money, json!("restricted")).await;
    client.delete(&plan.money).header(FORCE.0, FORCE.1).expect(204).await;
    client.delete(&plan.step).header(FORCE.0, FORCE.1).expect(204).await;
    viewer.get(&plan.money).expect(404).await;
    viewer.get(format!("{}?as_of={open}", plan.money)).expect(404).await;
    viewer.get(format!("{}/history", plan.money)).expect(404).await;
    viewer.get(&plan.step).expect(410).await;
    viewer.get(format!("{}?as_of={open}", plan.step)).expect(200).await;
    // What it was part of is classified higher afterwards.
    classify(&client, &plan.initiative, json!("restricted")).await;
    viewer.get(&plan.step).expect(404).await;
    viewer.get(format!("{}?as_of={open}", plan.step)).expect(404).await;
    viewer.get(format!("{}/history", plan.step)).expect(404).await;
    for path in ["/v1/changes?limit=200", "/v1/diff?from=2020-01-01", &format!("/v1/diff?from=2020-01-01&to={open}")] {
        let text = viewer.get(path).expect(200).await.text;
        assert!(!text.contains("A step") && !text.contains("One") && !text.contains("7.00"), "{path}: {text}");
    }
}

#[tokio::test]
async fn the_database_knows_what_every_noun_is_part_of() {
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let known = "select noun::text, field::text, parent::text from cleared.parents order by 1, 2";
    let known: Vec<(String, String, String)> = sqlx::query_as(known).fetch_all(&mut connection).await.unwrap();
    let mut named = Vec::new();
    for noun in router::nouns() {
        for field in noun.parents {
            let reference = noun.references.iter().find(|reference| reference.field == *field).unwrap();
            named.push((noun.table.to_owned(), (*field).to_owned(), reference.table.to_owned()));
        }
    }
    named.sort();
    assert_eq!(known, named);
}
