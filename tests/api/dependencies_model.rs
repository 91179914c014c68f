//! Chains of dependencies, against a simple graph: an initiative is all of its steps, and no chain leads back.

use serde_json::{Value, json};

use crate::{
    movements_model::Dice,
    support::{Client, service},
};

/// An initiative by its number, and the number of a step of it, unless it is itself that is meant.
type Item = (usize, Option<usize>);

/// How many steps each initiative has.
const STEPS: [usize; 5] = [0, 2, 3, 1, 2];

/// What an item is made of: its steps, or itself where it has none.
fn leaves((initiative, step): Item) -> Vec<Item> {
    match (step, STEPS[initiative]) {
        (Some(_), _) | (None, 0) => vec![(initiative, step)],
        (None, steps) => (0..steps).map(|step| (initiative, Some(step))).collect(),
    }
}

/// Whether one can go from some leaf along all pairs of leaves back to it.
fn has_cycle(edges: &[(Item, Item)]) -> bool {
    let pairs: Vec<(Item, Item)> = edges
        .iter()
        .flat_map(|(from, to)| {
            leaves(*from).into_iter().flat_map(|one| leaves(*to).into_iter().map(move |other| (one, other)))
        })
        .collect();
    let mut left: Vec<Item> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
    // What nothing left comes before can be done, until nothing is left but cycles.
    loop {
        let before = left.len();
        let waits = |item: &Item, left: &[Item]| pairs.iter().any(|(one, other)| other == item && left.contains(one));
        let still: Vec<Item> = left.iter().filter(|item| waits(item, &left)).copied().collect();
        if still.is_empty() {
            return false;
        }
        if still.len() == before {
            return true;
        }
        left = still;
    }
}

fn name((initiative, step): Item) -> (&'static str, String) {
    match step {
        None => ("initiative", format!("external:i{initiative}")),
        Some(step) => ("step", format!("external:i{initiative}s{step}")),
    }
}

fn body(from: Item, to: Item) -> Value {
    let ((from_kind, from), (to_kind, to)) = (name(from), name(to));
    json!({ format!("predecessor_{from_kind}_id"): from, format!("successor_{to_kind}_id"): to })
}

async fn plan(client: &Client) {
    let named = |name: String| json!({"external_id": name, "code": name, "title": name});
    let mut initiatives = Vec::new();
    let mut steps = Vec::new();
    for (initiative, count) in STEPS.iter().enumerate() {
        let mut row = named(format!("i{initiative}"));
        row["strategy_id"] = json!("external:s");
        initiatives.push(row);
        for step in 0..*count {
            let mut row = named(format!("i{initiative}s{step}"));
            row["initiative_id"] = json!(format!("external:i{initiative}"));
            steps.push(row);
        }
    }
    let plan = json!({"format": "mandate-plan/1", "strategies": [{"external_id": "s", "title": "S", "country": "XX", "kind": "strategy"}],
        "initiatives": initiatives, "steps": steps});
    client.post("/v1/imports", plan).expect(200).await;
}

#[tokio::test]
async fn a_thing_and_what_it_is_made_of_are_one() {
    let client = service().await;
    plan(&client).await;
    let post = |from, to| client.post("/v1/dependencies", body(from, to));
    let (a, b, c) = ((1, None), (2, None), (4, None));
    let (a1, a2, b1, b2) = ((1, Some(0)), (1, Some(1)), (2, Some(0)), (2, Some(1)));
    // Neither of its own step, nor the step of it, nor of itself.
    for (from, to, field) in [(a, a1, "step"), (a1, a, "initiative"), (a, a, "initiative"), (a1, a1, "step")] {
        assert_eq!(post(from, to).expect(409).await.faults(), [format!("#/successor_{field}_id cycle")]);
    }
    // Steps of one initiative follow each other, and another may come between.
    post(a1, a2).expect(201).await;
    post(a1, b1).expect(201).await;
    post(b1, a2).expect(201).await;
    // But what waits for a step of A is not before all of A, and so on through a third.
    post(b, a).expect(409).await;
    post(a, b1).expect(409).await;
    post(a2, c).expect(201).await;
    post(c, b1).expect(409).await;
    post(c, a1).expect(409).await;
    post(c, b2).expect(201).await;
    post(b2, a1).expect(409).await;
    // A change is judged as a creation is.
    let one = client.get("/v1/dependencies?successor_step_id=external:i2s1").expect(200).await.json();
    let path = format!("/v1/dependencies/{}", one["items"][0]["id"].as_str().unwrap());
    let moved = client.patch(&path, json!({"successor_step_id": "external:i1s0"})).header("if-match", "*");
    assert_eq!(moved.expect(409).await.faults(), ["#/successor_step_id cycle"]);
    // A whole plan is, too.
    let rows = json!({"format": "mandate-plan/1", "dependencies": [{"external_id": "x", "predecessor_initiative_id": "external:i0", "successor_step_id": "external:i1s0"},
        {"external_id": "y", "predecessor_step_id": "external:i1s1", "successor_initiative_id": "external:i0"}]});
    let refused = client.post("/v1/imports", rows).send().await;
    assert!(refused.status.is_client_error() && refused.text.contains("cycle"), "{}", refused.text);
}

#[tokio::test]
async fn a_step_with_dependencies_does_not_move_into_a_cycle() {
    let client = service().await;
    plan(&client).await;
    client.post("/v1/dependencies", body((1, Some(0)), (2, None))).expect(201).await;
    let step = client.get("/v1/steps/external:i1s0").expect(200).await.json();
    let path = format!("/v1/steps/{}", step["id"].as_str().unwrap());
    let go = |path: &str| client.patch(path, json!({"initiative_id": "external:i2"})).header("if-match", "*");
    assert_eq!(go(&path).expect(409).await.faults(), ["#/initiative_id has_dependencies"]);
    client.patch(&path, json!({"title": "Other words"})).header("if-match", "*").expect(200).await;
    go("/v1/steps/external:i1s1").expect(200).await;
}

#[tokio::test]
async fn random_chains_are_refused_exactly_where_they_lead_back() {
    let client = service().await;
    plan(&client).await;
    let items: Vec<Item> = (0..STEPS.len())
        .flat_map(|initiative| {
            std::iter::once((initiative, None)).chain((0..STEPS[initiative]).map(move |step| (initiative, Some(step))))
        })
        .collect();
    for seed in 1..=6 {
        let mut dice = Dice(seed);
        let mut edges: Vec<(Item, Item)> = Vec::new();
        let mut ids = Vec::new();
        for _ in 0..40 {
            let mut pick = || items[usize::try_from(dice.roll(items.len() as u64)).unwrap()];
            let (from, to) = (pick(), pick());
            if edges.contains(&(from, to)) {
                continue;
            }
            let reply = client.post("/v1/dependencies", body(from, to)).send().await;
            let refused = has_cycle(&[edges.clone(), vec![(from, to)]].concat());
            let expected = if refused { 409 } else { 201 };
            assert_eq!(
                reply.status.as_u16(),
                expected,
                "seed {seed}: {from:?} before {to:?} with {edges:?}: {}",
                reply.text
            );
            if !refused {
                edges.push((from, to));
                ids.push(reply.json()["id"].as_str().unwrap().to_owned());
            }
        }
        assert!(edges.len() > 5, "seed {seed} met nearly only cycles");
        for id in ids {
            client.delete(format!("/v1/dependencies/{id}")).if_match(1).expect(204).await;
        }
    }
}
