//! The critical path: a forward and a backward pass over items and dependencies, in whole days. Pure; it knows no database.
//!
//! The last day of an item is a day of work: one from the 1st to the 31st lasts 31 days, and what waits for its end can start on the day after.
//! An item starts no earlier than planned and no earlier than its predecessors allow; it keeps its planned duration. Its slack is the number of
//! days that it can slip without the last item of its group ending later.

use std::collections::HashMap;

use chrono::NaiveDate;
use uuid::Uuid;

/// An item with both dates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) id: Uuid,
    /// What it is a part of; the latest end in the group is what nothing may delay.
    pub(super) group: Uuid,
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
}

/// Which ends of two items a dependency ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tie {
    FinishStart,
    StartStart,
    FinishFinish,
    StartFinish,
}

impl Tie {
    /// The kind of a dependency.
    pub(super) fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "finish_start" => Self::FinishStart,
            "start_start" => Self::StartStart,
            "finish_finish" => Self::FinishFinish,
            "start_finish" => Self::StartFinish,
            _ => return None,
        })
    }

    /// How many days after the start of the predecessor the successor may start; both are given as their lengths in days.
    fn gap(self, predecessor: i64, successor: i64) -> i64 {
        match self {
            Self::FinishStart => predecessor,
            Self::StartStart => 0,
            Self::FinishFinish => predecessor - successor,
            Self::StartFinish => -successor,
        }
    }
}

/// A dependency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) predecessor: Uuid,
    pub(super) successor: Uuid,
    pub(super) tie: Tie,
    pub(super) lag: i64,
}

/// The slack of each item in days. An item in a circle, or behind one, has none.
pub(super) fn slack(items: &[Item], links: &[Link]) -> HashMap<Uuid, i64> {
    let day = |date: NaiveDate| (date - NaiveDate::default()).num_days();
    let places: HashMap<Uuid, usize> = items.iter().enumerate().map(|(place, item)| (item.id, place)).collect();
    let length: Vec<i64> = items.iter().map(|item| day(item.to) - day(item.from) + 1).collect();
    let mut after = vec![Vec::new(); items.len()];
    let mut waits = vec![0_usize; items.len()];
    for link in links {
        let ends = places.get(&link.predecessor).zip(places.get(&link.successor));
        if let Some((&first, &second)) = ends {
            after[first].push((second, link.tie.gap(length[first], length[second]) + link.lag));
            waits[second] += 1;
        }
    }
    let mut earliest: Vec<i64> = items.iter().map(|item| day(item.from)).collect();
    let mut order: Vec<usize> = (0..items.len()).filter(|&place| waits[place] == 0).collect();
    let mut next = 0;
    while let Some(&place) = order.get(next) {
        next += 1;
        for &(successor, gap) in &after[place] {
            earliest[successor] = earliest[successor].max(earliest[place] + gap);
            waits[successor] -= 1;
            if waits[successor] == 0 {
                order.push(successor);
            }
        }
    }
    let mut end: HashMap<Uuid, i64> = HashMap::new();
    for &place in &order {
        let finish = earliest[place] + length[place];
        end.entry(items[place].group).and_modify(|latest| *latest = finish.max(*latest)).or_insert(finish);
    }
    let mut latest: Vec<Option<i64>> = vec![None; items.len()];
    for &place in order.iter().rev() {
        let bounds = after[place].iter().filter_map(|&(successor, gap)| Some(latest[successor]? - gap));
        let own = end.get(&items[place].group).map(|end| end - length[place]);
        latest[place] = own.into_iter().chain(bounds).min();
    }
    let known = items.iter().zip(latest).zip(earliest);
    known.filter_map(|((item, latest), earliest)| Some((item.id, latest? - earliest))).collect()
}

#[cfg(test)]
mod tests;
