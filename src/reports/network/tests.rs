//! Tests of the critical path.

use super::*;

fn id(name: usize) -> Uuid {
    Uuid::from_u128(name as u128)
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Items of one group, numbered from 1.
fn items(dates: &[(&str, &str)]) -> Vec<Item> {
    let item = |(place, (from, to)): (usize, &(&str, &str))| Item {
        id: id(place + 1),
        group: id(1000),
        from: date(from),
        to: date(to),
    };
    dates.iter().enumerate().map(item).collect()
}

fn link(predecessor: usize, successor: usize, tie: Tie, lag: i64) -> Link {
    Link { predecessor: id(predecessor), successor: id(successor), tie, lag }
}

fn slacks(items: &[Item], links: &[Link]) -> Vec<Option<i64>> {
    let slack = slack(items, links);
    items.iter().map(|item| slack.get(&item.id).copied()).collect()
}

/// Each waits for the end of the one before.
fn chain(dates: &[(&str, &str)]) -> Vec<Option<i64>> {
    let links: Vec<Link> = (1..dates.len()).map(|place| link(place, place + 1, Tie::FinishStart, 0)).collect();
    slacks(&items(dates), &links)
}

/// Periods of so many months, one after the other, from the first of a month on.
fn periods(from: &str, months: u32, count: u32) -> Vec<(String, String)> {
    let start = |n: u32| date(from).checked_add_months(chrono::Months::new(n * months)).expect("a day");
    (0..count).map(|n| (start(n).to_string(), start(n + 1).pred_opt().expect("a day").to_string())).collect()
}

#[test]
fn periods_that_follow_each_other_are_all_critical_whatever_their_length_and_the_year() {
    for from in ["2023-01-01", "2024-01-01", "2023-11-01", "2024-02-01", "2100-02-01"] {
        for months in [1, 3, 6, 12, 24] {
            let made = periods(from, months, 6);
            let dates: Vec<(&str, &str)> = made.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
            assert_eq!(chain(&dates), [Some(0); 6], "{months} months from {from}");
        }
    }
}

#[test]
fn a_day_between_two_is_a_day_of_slack_and_a_day_of_overlap_pushes() {
    let with = |second: &str| chain(&[("2024-01-01", "2024-02-29"), (second, "2024-03-31")]);
    assert_eq!(with("2024-03-01"), [Some(0), Some(0)]);
    assert_eq!(with("2024-03-02"), [Some(1), Some(0)]);
    // The second has to start a day later than planned, so the end of all is its own end, a day later.
    assert_eq!(with("2024-02-29"), [Some(0), Some(0)]);
}

#[test]
fn work_of_one_day_is_a_day() {
    let days = [("2025-01-01", "2025-01-01"), ("2025-01-02", "2025-01-02"), ("2025-01-03", "2025-01-03")];
    assert_eq!(chain(&days), [Some(0); 3]);
    assert_eq!(chain(&[days[0], days[2]]), [Some(1), Some(0)]);
}

#[test]
fn the_longest_chain_is_critical_and_the_shorter_has_slack() {
    // 1 -> 2 -> 4 without a day between; 1 -> 3 -> 4 with six days after 3.
    let items = items(&[
        ("2025-01-01", "2025-01-05"),
        ("2025-01-06", "2025-01-15"),
        ("2025-01-06", "2025-01-09"),
        ("2025-01-16", "2025-01-18"),
    ]);
    let links = [(1, 2), (1, 3), (2, 4), (3, 4)].map(|(first, second)| link(first, second, Tie::FinishStart, 0));
    assert_eq!(slacks(&items, &links), [Some(0), Some(0), Some(6), Some(0)]);
}

#[test]
fn each_kind_ties_its_own_ends_with_its_lag() {
    // 1 is the first five days of January; 2 is the 11th to the 20th, and nothing ends later.
    let items = items(&[("2025-01-01", "2025-01-05"), ("2025-01-11", "2025-01-20")]);
    let one = |tie, lag| slacks(&items, &[link(1, 2, tie, lag)])[0];
    assert_eq!(slacks(&items, &[])[0], Some(15)); // it could be done on the last five days
    for (tie, lag, slack) in [
        (Tie::FinishStart, 0, 5), // done by the 10th
        (Tie::FinishStart, 2, 3), // done by the 8th
        (Tie::FinishStart, 5, 0),
        (Tie::FinishStart, -3, 8), // three days of overlap
        (Tie::StartStart, 0, 10),  // begun by the 11th
        (Tie::StartStart, 3, 7),
        (Tie::FinishFinish, 0, 15), // done by the 20th
        (Tie::FinishFinish, 5, 10),
        (Tie::FinishFinish, -2, 15), // not later than all
        (Tie::StartFinish, 0, 15),   // begun when 2 is done at the latest, yet itself done by the 20th
        (Tie::StartFinish, 10, 10),
    ] {
        assert_eq!(one(tie, lag), Some(slack), "{tie:?} {lag}");
    }
}

#[test]
fn a_late_predecessor_pushes_its_successor() {
    // 2 is planned to begin while 1 lasts: it is pushed by six days, so both are critical and 3 gains six days.
    let items = items(&[("2025-01-01", "2025-01-11"), ("2025-01-06", "2025-01-16"), ("2025-01-01", "2025-01-16")]);
    let links = [link(1, 2, Tie::FinishStart, 0)];
    assert_eq!(slacks(&items, &links), [Some(0), Some(0), Some(6)]);
}

#[test]
fn a_circle_has_no_slack_and_does_not_hang() {
    let items = items(&[
        ("2025-01-01", "2025-01-02"),
        ("2025-01-02", "2025-01-03"),
        ("2025-01-03", "2025-01-04"),
        ("2025-01-01", "2025-01-09"),
    ]);
    let links = [(1, 2), (2, 1), (2, 3)].map(|(first, second)| link(first, second, Tie::FinishStart, 0));
    assert_eq!(slacks(&items, &links), [None, None, None, Some(0)]);
}
