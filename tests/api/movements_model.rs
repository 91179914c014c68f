//! The ceilings under many writers, and against a model under random sequences.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::movements::Ledger;

/// Numbers that look random, the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_spend_no_more_than_there_is() {
    const WRITERS: u64 = 64;
    const TRIES: u64 = 40;
    let ledger = Arc::new(Ledger::open("10000").await);
    let allotted = ledger.post("allotment", "10000", json!({})).await;
    assert_eq!(allotted.status, 201, "{}", allotted.text);
    let (spent, accepted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (ledger, spent, accepted) = (Arc::clone(&ledger), Arc::clone(&spent), Arc::clone(&accepted));
            tokio::spawn(async move {
                let mut dice = Dice(writer);
                for _ in 0..TRIES {
                    let cents = 1 + dice.roll(2000);
                    let amount = Decimal::new(cents.try_into().unwrap(), 2).to_string();
                    let reply = ledger.post("commitment", &amount, json!({})).await;
                    match reply.status.as_u16() {
                        201 => {
                            spent.fetch_add(cents, Ordering::Relaxed);
                            accepted.fetch_add(1, Ordering::Relaxed);
                        }
                        409 => assert_eq!(reply.faults(), ["#/money/amount ceiling_exceeded"], "{}", reply.text),
                        other => panic!("{other}: {}", reply.text),
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let (spent, accepted) = (spent.load(Ordering::Relaxed), accepted.load(Ordering::Relaxed));
    assert!(spent <= 1_000_000, "{spent} cents were spent of 1000000");
    // One cent more than is left is refused, and what is left is not.
    let left = 1_000_000 - spent;
    let amount = |cents: u64| Decimal::new(cents.try_into().unwrap(), 2).to_string();
    assert_eq!(ledger.post("commitment", &amount(left + 1), json!({})).await.status, 409);
    if left > 0 {
        assert_eq!(ledger.post("commitment", &amount(left), json!({})).await.status, 201);
    }
    let listed = ledger.client.get("/v1/budget-movements?kind=commitment&count=true&limit=1").expect(200).await.json();
    assert_eq!(listed["count"], accepted + usize::from(left > 0));
}

/// What the rules say, written a second time in the simplest way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Model {
    /// Appropriated, allotted, committed, verified, ordered, paid; in cents.
    stages: [i64; 6],
}

impl Model {
    fn holds(self) -> bool {
        self.stages.windows(2).all(|pair| pair[0] >= pair[1]) && self.stages[5] >= 0
    }

    fn with(mut self, stage: usize, cents: i64) -> Self {
        self.stages[stage] += cents;
        self
    }
}

/// A kind, the stage that it changes, and which way.
const KINDS: [(&str, usize, i64); 9] = [
    ("revision", 0, 1),
    ("revision", 0, -1),
    ("allotment", 1, 1),
    ("commitment", 2, 1),
    ("decommitment", 2, -1),
    ("verification", 3, 1),
    ("payment_order", 4, 1),
    ("payment", 5, 1),
    ("reimbursement", 5, -1),
];

/// A movement that was accepted.
struct Made {
    id: Value,
    stage: usize,
    cents: i64,
    is_order: bool,
    paid: i64,
    is_reversed: bool,
    order: Option<usize>,
}

async fn sequence(seed: u64) {
    let ledger = Ledger::open("100").await;
    let payer = ledger.client.create("api-keys", json!({"name": "payer", "role": "coordinator"})).await;
    let payer = ledger.client.with_key(payer["key"].as_str().unwrap().into());
    let mut dice = Dice(seed);
    let mut model = Model::default().with(0, 10_000);
    let mut made: Vec<Made> = Vec::new();
    let mut story = Vec::new();
    for _ in 0..80 {
        let is_reversal = dice.roll(6) == 0 && !made.is_empty();
        let (body, expected, movement) = if is_reversal {
            let index = usize::try_from(dice.roll(made.len() as u64)).unwrap();
            let target = &made[index];
            let after = model.with(target.stage, -target.cents);
            let amount = Decimal::new(target.cents.abs(), 2).to_string();
            let body = ledger.body("reversal", &amount, json!({"reverses_id": target.id}));
            let expected = after.holds() && !target.is_reversed && target.paid == 0;
            (body, expected.then_some(after), Err(index))
        } else {
            let (kind, stage, sign) = KINDS[usize::try_from(dice.roll(9)).unwrap()];
            let cents = i64::try_from(1 + dice.roll(6000)).unwrap();
            let mut after = Some(model.with(stage, sign * cents)).filter(|after| after.holds());
            let mut more = json!({});
            let mut of = None;
            if kind == "revision" {
                more["direction"] = json!(if sign > 0 { "increase" } else { "decrease" });
            }
            if kind == "payment" {
                let Some(index) = made.iter().rposition(|each| each.is_order) else { continue };
                let order = &made[index];
                more["follows_id"] = order.id.clone();
                if order.is_reversed || order.paid + cents > order.cents {
                    after = None;
                }
                of = Some(index);
            }
            let amount = Decimal::new(cents, 2).to_string();
            let movement = Made {
                id: Value::Null,
                stage,
                cents: sign * cents,
                is_order: kind == "payment_order",
                paid: 0,
                is_reversed: false,
                order: of,
            };
            (ledger.body(kind, &amount, more), after, Ok(movement))
        };
        story.push(format!("{} {}", body["kind"], body["money"]["amount"]));
        let writer = if body["kind"] == "payment" { &payer } else { &ledger.client };
        let reply = writer.post("/v1/budget-movements", body).header("mandate-reason", "a test").send().await;
        let wanted = if expected.is_some() { 201 } else { 409 };
        assert_eq!(reply.status.as_u16(), wanted, "seed {seed}, {model:?}\n{}\n{}", story.join("\n"), reply.text);
        let Some(after) = expected else { continue };
        model = after;
        match movement {
            Ok(movement) => {
                if let Some(order) = movement.order {
                    made[order].paid += movement.cents;
                }
                made.push(Made { id: reply.json()["id"].clone(), ..movement });
            }
            Err(index) => {
                made[index].is_reversed = true;
                if let Some(order) = made[index].order {
                    let cents = made[index].cents;
                    made[order].paid -= cents;
                }
            }
        }
    }
}

#[tokio::test]
async fn random_sequences_are_accepted_and_refused_as_the_model_says() {
    for seed in 0..6 {
        sequence(seed).await;
    }
}
