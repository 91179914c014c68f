//! What states do about treaties, against a model under random sequences: acts come in no order of days, and some are taken back.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use crate::{
    movements_model::Dice,
    support::{Client, service},
};

/// In the order in which they follow each other within a day.
const KINDS: [&str; 8] = [
    "signed",
    "denounced",
    "withdrawn",
    "definitively_signed",
    "ratified",
    "acceded",
    "reservation",
    "denunciation_revoked",
];

#[derive(Debug, Clone)]
struct Act {
    id: Value,
    kind: &'static str,
    day: u64,
    effective: Option<u64>,
    /// What it revokes.
    concerns: Option<Value>,
}

impl Act {
    fn ends(&self) -> bool {
        matches!(self.kind, "denounced" | "withdrawn")
    }
}

/// From one end to the next.
#[derive(Debug, Clone, Default)]
struct Cycle {
    signed: Option<u64>,
    bound: Option<(u64, Option<u64>)>,
    /// Notified, and when that takes effect.
    ended: Option<(u64, Option<u64>)>,
}

impl Cycle {
    fn is_in_force(&self, day: u64) -> bool {
        let began = self.bound.and_then(|(_, from)| from).is_some_and(|from| from <= day);
        began && self.ended.and_then(|(_, end)| end).is_none_or(|end| end > day)
    }
}

fn in_order(acts: &[Act]) -> Vec<&Act> {
    let mut sorted: Vec<&Act> = acts.iter().collect();
    // Stable: of two that are alike the one that was recorded first is the first.
    sorted.sort_by_key(|act| (act.day, KINDS.iter().position(|kind| *kind == act.kind)));
    sorted
}

/// Whether a history can be.
fn is_possible(acts: &[Act]) -> bool {
    let (mut signed, mut bound): (bool, Option<Option<u64>>) = (false, None);
    for act in in_order(acts) {
        let revoked = acts.iter().any(|other| other.concerns.as_ref() == Some(&act.id));
        let holds = match act.kind {
            "signed" | "definitively_signed" => !signed && bound.is_none(),
            "ratified" => signed && bound.is_none(),
            "acceded" => bound.is_none(),
            "reservation" => signed || bound.is_some(),
            "withdrawn" => bound.is_some(),
            "denounced" => bound.is_some_and(|from| from.is_none_or(|from| from <= act.day)),
            _ => acts
                .iter()
                .find(|other| Some(&other.id) == act.concerns.as_ref())
                .is_some_and(|what| what.day <= act.day && what.effective.is_none_or(|effective| effective > act.day)),
        };
        if !holds {
            return false;
        }
        signed |= matches!(act.kind, "signed" | "definitively_signed");
        if matches!(act.kind, "ratified" | "acceded" | "definitively_signed") {
            bound = Some(act.effective);
        }
        if act.ends() && !revoked {
            (signed, bound) = (false, None);
        }
    }
    true
}

/// How it stands on a day: the state, and whether it is a party.
fn state(acts: &[Act], day: u64) -> (&'static str, bool) {
    let known: Vec<Act> = acts.iter().filter(|act| act.day <= day).cloned().collect();
    let mut cycles = vec![Cycle::default()];
    for act in in_order(&known) {
        let revoked = known.iter().any(|other| other.concerns.as_ref() == Some(&act.id));
        let cycle = cycles.last_mut().unwrap();
        match act.kind {
            "signed" => cycle.signed = Some(act.day),
            "definitively_signed" | "ratified" | "acceded" => cycle.bound = Some((act.day, act.effective)),
            "denounced" | "withdrawn" if !revoked => {
                let was_in_force = cycle.is_in_force(act.day);
                let at_once = (act.kind == "withdrawn" && !was_in_force).then_some(act.day);
                cycle.ended = Some((act.day, act.effective.or(at_once)));
                cycles.push(Cycle::default());
            }
            _ => {}
        }
    }
    let is_member = cycles.iter().any(|cycle| cycle.is_in_force(day));
    let any = |holds: &dyn Fn(&Cycle) -> bool| cycles.iter().any(holds);
    let is_over = |cycle: &Cycle| cycle.ended.and_then(|(_, end)| end).is_some_and(|end| end <= day);
    let state = if any(&|cycle| cycle.ended.is_none() && cycle.is_in_force(day)) {
        "in_force"
    } else if any(&|cycle| cycle.ended.is_some() && !is_over(cycle)) {
        "denunciation_pending"
    } else if any(&|cycle| cycle.ended.is_none() && cycle.bound.is_some()) {
        "ratified"
    } else if any(&|cycle| cycle.ended.is_none() && cycle.signed.is_some()) {
        "signed"
    } else if any(&|cycle| cycle.ended.is_some()) {
        "denounced"
    } else {
        "none"
    };
    (state, is_member)
}

fn date(day: u64) -> String {
    NaiveDate::from_ymd_opt(2000, 1, 1).unwrap().checked_add_days(Days::new(day)).unwrap().to_string()
}

/// Acts about one treaty; what the service takes and refuses is what the model does. Counts what was taken, refused and taken back.
async fn sequence(client: &Client, seed: u64, count: &mut [usize; 3]) -> Vec<Act> {
    let treaty = client.create("treaties", json!({"code": format!("M{seed}"), "name": "A treaty"})).await["id"].clone();
    let mut dice = Dice(seed);
    let mut acts: Vec<Act> = Vec::new();
    for turn in 0..24_u64 {
        if turn % 6 == 5 && !acts.is_empty() {
            let place = usize::try_from(dice.roll(acts.len() as u64)).unwrap();
            let mut left = acts.clone();
            let act = left.remove(place);
            let is_named = left.iter().any(|other| other.concerns.as_ref() == Some(&act.id));
            let wanted = if is_possible(&left) && !is_named { 204 } else { 409 };
            let path = format!("/v1/treaty-actions/{}", act.id.as_str().unwrap());
            let reply = client.delete(path).header("if-match", "*").send().await;
            assert_eq!(reply.status, wanted, "seed {seed}, turn {turn}: {act:?} of {acts:?}: {}", reply.text);
            if wanted == 204 {
                acts = left;
                count[2] += 1;
            }
            continue;
        }
        let kind = KINDS[usize::try_from(dice.roll(8)).unwrap()];
        let ends: Vec<&Act> = acts.iter().filter(|act| act.ends()).collect();
        let concerns = (kind == "denunciation_revoked" && !ends.is_empty())
            .then(|| ends[usize::try_from(dice.roll(ends.len() as u64)).unwrap()].id.clone());
        let is_again = acts.iter().any(|act| act.concerns.is_some() && act.concerns == concerns);
        if (kind == "denunciation_revoked" && concerns.is_none()) || is_again {
            continue;
        }
        let day = 10 * (turn + dice.roll(6));
        let has_effect = !matches!(kind, "signed" | "reservation" | "denunciation_revoked") && dice.roll(4) > 0;
        let effective = has_effect.then(|| day + 10 * dice.roll(4));
        let mut act = Act { id: Value::Null, kind, day, effective, concerns };
        let body = json!({"treaty_id": treaty, "country": "XX", "action": kind, "acted_on": date(day),
            "effective_on": effective.map(date), "concerns_action_id": act.concerns});
        let reply = client.post("/v1/treaty-actions", body).send().await;
        let with = [acts.as_slice(), &[act.clone()]].concat();
        let wanted = if is_possible(&with) { 201 } else { 409 };
        assert_eq!(reply.status, wanted, "seed {seed}, turn {turn}: {act:?} after {acts:?}: {}", reply.text);
        if wanted == 201 {
            act.id = reply.json()["id"].clone();
            acts.push(act);
            count[0] += 1;
        } else {
            count[1] += 1;
        }
    }
    acts
}

#[tokio::test]
async fn states_stand_as_a_model_says_on_every_day() {
    const SEQUENCES: u64 = 40;
    let client = service().await;
    let mut count = [0; 3];
    let mut all = Vec::new();
    for seed in 0..SEQUENCES {
        all.push(sequence(&client, seed, &mut count).await);
    }
    let mut seen = std::collections::BTreeMap::new();
    for day in (0..340).step_by(5) {
        let path = format!("/v1/reports/treaties?country=XX&on={}", date(day));
        let page = client.get(path).expect(200).await.json();
        // `M2` before `M10`: the order of codes is that of the seeds.
        for (row, acts) in page["items"].as_array().unwrap().iter().zip(&all) {
            let told = (row["state"].as_str().unwrap(), row["is_member"].as_bool().unwrap());
            assert_eq!(told, state(acts, day), "day {day}: {row} of {acts:?}");
            *seen.entry(told.0.to_owned()).or_insert(0) += 1;
            // What it says comes next does come, unless something more is done.
            let (Some(next), Some(on)) = (row["next_state"].as_str(), row["next_on"].as_str()) else { continue };
            let known: Vec<Act> = acts.iter().filter(|act| act.day <= day).cloned().collect();
            let then = (day..day + 80).find(|then| date(*then) == on).unwrap();
            assert_eq!(next, state(&known, then).0, "day {day}: {row} of {acts:?}");
            assert!((day..then).all(|before| state(&known, before).1 == told.1), "day {day}: {row} of {acts:?}");
        }
    }
    // It is no test of anything that did not come up.
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(count.iter().all(|count| *count > 20), "{count:?}");
}
