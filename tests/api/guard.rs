//! The guard of plans: every noun that may be a part of a strategy, in every status of that, through every door.

mod idle;
mod moves;
mod reports;
mod states;

use std::collections::BTreeSet;

use mandate::router;
use serde_json::{Value, json};

use crate::{
    contract::{Ground, Row, table},
    support::{Client, client::Reply, service},
};

/// What weighs of a noun in a strategy in force: a new one, the change of the contract's table (null where there is none), a deletion.
const WEIGHTS: [(&str, bool, Option<bool>, bool); 24] = [
    ("objectives", false, Some(true), true),
    ("initiatives", false, Some(false), true),
    ("steps", false, Some(true), true),
    ("assignments", true, Some(false), true),
    ("timelines", true, Some(true), true),
    ("milestones", false, Some(true), true),
    ("dependencies", false, Some(true), true),
    ("budget-allocations", false, Some(false), false),
    ("budget-movements", false, None, false),
    ("staff-allocations", false, Some(false), true),
    ("reporting-cycles", false, Some(true), true),
    ("progress-reports", false, Some(false), false),
    ("risks", false, Some(false), true),
    ("indicators", false, Some(true), true),
    ("indicator-targets", false, Some(true), true),
    ("measurements", false, Some(false), false),
    ("evidence", false, Some(false), true),
    ("assessments", false, Some(false), false),
    ("answers", false, Some(false), false),
    ("citations", false, Some(false), false),
    ("contributions", false, Some(false), true),
    ("contribution-partners", false, Some(false), false),
    ("training-programmes", false, Some(true), true),
    ("training-sessions", false, Some(false), true),
];

/// The statuses on the way of a plan from its first draft to the archive.
const WAY: [&str; 6] = ["submitted", "approved", "in_force", "amended", "closed", "archived"];

/// Leads a strategy on its way, up to this status.
async fn lead(client: &Client, strategy: &Value, status: &str) {
    let act =
        json!({"country": "XX", "issuer": "Council", "act_type": "decision", "number": strategy, "date": "2024-01-31"});
    let act = client.create("legal-acts", act).await["id"].clone();
    let upto = WAY.iter().position(|step| *step == status).map_or(0, |place| place + 1);
    for step in &WAY[..upto] {
        let path = format!("/v1/strategies/{}", strategy.as_str().unwrap());
        let call = client.patch(path, json!({"status": step, "legal_act_id": act})).header("if-match", "*");
        call.header("mandate-reason", "as it goes").expect(200).await;
    }
}

/// The nouns whose parents lead to a strategy, as the nouns say themselves.
fn nouns_of_plans() -> BTreeSet<String> {
    let mut known = BTreeSet::from(["strategies"]);
    loop {
        let more: Vec<_> = router::nouns()
            .iter()
            .filter(|noun| !known.contains(noun.table))
            .filter(|noun| {
                let mut above = noun.references.iter().filter(|reference| noun.parents.contains(&reference.field));
                above.any(|reference| known.contains(reference.table))
            })
            .map(|noun| noun.table)
            .collect();
        if more.is_empty() {
            known.remove("strategies");
            return known.into_iter().map(|table| table.replace('_', "-")).collect();
        }
        known.extend(more);
    }
}

/// The rows of the contract's table that are part of a plan, and what weighs of each.
fn rows() -> Vec<(Row, bool, Option<bool>, bool)> {
    let row = |noun: &str| table().into_iter().find(|row| row.noun == noun).unwrap();
    WEIGHTS.iter().map(|(noun, new, change, gone)| (row(noun), *new, *change, *gone)).collect()
}

/// A body under the strategy of the ground: where the contract's table names no parent, that.
fn body(row: &Row, ground: &Ground) -> Value {
    let mut body = (row.body)(ground);
    let noun = router::nouns().iter().find(|noun| noun.table == row.noun.replace('-', "_")).unwrap();
    let above = ["objective_id", "initiative_id", "step_id"];
    if noun.parents.contains(&"strategy_id") && above.iter().all(|field| body[field].is_null()) {
        body["strategy_id"] = ground.strategy.clone();
    }
    body
}

/// The ground, with all of it under its strategy.
async fn ground(client: &Client) -> Ground {
    let ground = Ground::lay(client).await;
    for (noun, id) in [("assessments", &ground.assessment), ("contributions", &ground.contribution)] {
        let path = format!("/v1/{noun}/{}", id.as_str().unwrap());
        let under = json!({"strategy_id": ground.strategy});
        client.patch(path, under).header("if-match", "*").expect(200).await;
    }
    ground
}

/// A merge patch applied.
fn merged(mut body: Value, patch: &Value) -> Value {
    for (name, value) in patch.as_object().unwrap() {
        let field = &mut body[name];
        if value.is_object() && field.is_object() {
            *field = merged(field.take(), value);
        } else {
            field.clone_from(value);
        }
    }
    body
}

/// Sends a change, with a reason or without.
async fn send(client: &Client, method: &'static str, path: &str, body: Option<&Value>, reason: Option<&str>) -> Reply {
    let mut call = client.call(method, path);
    if method != "POST" {
        call = call.header("if-match", "*");
    }
    if let Some(body) = body {
        call = call.json(body.clone());
    }
    if let Some(reason) = reason {
        call = call.header("mandate-reason", reason);
    }
    call.send().await
}

#[test]
fn every_noun_of_a_plan_says_here_what_weighs() {
    let told: BTreeSet<String> = WEIGHTS.iter().map(|(noun, ..)| (*noun).to_owned()).collect();
    assert_eq!(told, nouns_of_plans());
}

#[test]
fn light_fields_are_fields() {
    for noun in router::nouns() {
        let shape = (noun.shape)();
        let known: BTreeSet<&str> = shape.properties().map(|(name, _)| name.as_str()).collect();
        let strangers: Vec<_> = noun.light.iter().filter(|name| !known.contains(*name)).collect();
        assert!(strangers.is_empty(), "{}: {strangers:?}", noun.table);
        let refers = |name: &str| noun.references.iter().any(|reference| reference.field == name);
        assert!(noun.parents.iter().all(|name| known.contains(name) && refers(name)), "{}", noun.table);
    }
}
