//! The critical path: a forward and a backward pass over items and dependencies, in whole days. Pure; it knows no database.
//!
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

    /// How many days after the start of the predecessor the successor may start.
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
    let length: Vec<i64> = items.iter().map(|item| day(item.to) - day(item.from)).collect();
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
mod tests {
    use super::*;

    fn id(name: u8) -> Uuid {
        Uuid::from_u128(name.into())
    }

    fn item(name: u8, from: u32, to: u32) -> Item {
        let date = |day| NaiveDate::from_ymd_opt(2025, 1, day).expect("a day of January");
        Item { id: id(name), group: id(255), from: date(from), to: date(to) }
    }

    fn link(predecessor: u8, successor: u8, tie: Tie, lag: i64) -> Link {
        Link { predecessor: id(predecessor), successor: id(successor), tie, lag }
    }

    fn slacks(items: &[Item], links: &[Link]) -> Vec<Option<i64>> {
        let slack = slack(items, links);
        items.iter().map(|item| slack.get(&item.id).copied()).collect()
    }

    #[test]
    fn the_longest_chain_is_critical_and_the_shorter_has_slack() {
        // 1 (5 days) -> 2 (10 days) -> 4 (2 days); 1 -> 3 (4 days) -> 4: six days to spare on 3.
        let items = [item(1, 1, 6), item(2, 6, 16), item(3, 6, 10), item(4, 16, 18)];
        let links = [
            link(1, 2, Tie::FinishStart, 0),
            link(1, 3, Tie::FinishStart, 0),
            link(2, 4, Tie::FinishStart, 0),
            link(3, 4, Tie::FinishStart, 0),
        ];
        assert_eq!(slacks(&items, &links), [Some(0), Some(0), Some(6), Some(0)]);
    }

    #[test]
    fn each_kind_ties_its_own_ends() {
        // Group end without dependencies: day 21 (item 2 ends there). Item 1 lasts 4 days from day 1.
        let items = [item(1, 1, 5), item(2, 11, 21)];
        let one = |tie, lag| slacks(&items, &[link(1, 2, tie, lag)])[0];
        assert_eq!(one(Tie::FinishStart, 0), Some(6)); // end by 11
        assert_eq!(one(Tie::FinishStart, 2), Some(4)); // end by 9
        assert_eq!(one(Tie::StartStart, 0), Some(10)); // start by 11
        assert_eq!(one(Tie::StartStart, 3), Some(7));
        assert_eq!(one(Tie::FinishFinish, 0), Some(16)); // end by 21
        assert_eq!(one(Tie::FinishFinish, 5), Some(11));
        assert_eq!(one(Tie::StartFinish, 0), Some(16)); // start by 21, yet it must end by 21 itself
        assert_eq!(one(Tie::StartFinish, 10), Some(10)); // start by 11
        assert_eq!(slacks(&items, &[])[0], Some(16));
    }

    #[test]
    fn a_late_predecessor_pushes_its_successor() {
        // 2 is planned to begin before 1 ends: it is pushed by 5 days, so both are critical and 3 gains 5 days.
        let items = [item(1, 1, 11), item(2, 6, 16), item(3, 1, 16)];
        let links = [link(1, 2, Tie::FinishStart, 0)];
        assert_eq!(slacks(&items, &links), [Some(0), Some(0), Some(5)]);
    }

    #[test]
    fn a_circle_has_no_slack_and_does_not_hang() {
        let items = [item(1, 1, 2), item(2, 2, 3), item(3, 3, 4), item(4, 1, 9)];
        let links = [link(1, 2, Tie::FinishStart, 0), link(2, 1, Tie::FinishStart, 0), link(2, 3, Tie::FinishStart, 0)];
        assert_eq!(slacks(&items, &links), [None, None, None, Some(0)]);
    }
}
