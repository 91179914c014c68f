//! The natural order of codes in SQL, against a comparison written in Rust.

use std::cmp::Ordering;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::support::{database, service};

/// A part of a code: a whole number, or one character.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Number(String),
    Letter(char),
}

fn parts(code: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for letter in code.to_lowercase().chars() {
        match (letter.is_ascii_digit(), parts.last_mut()) {
            (true, Some(Part::Number(number))) => number.push(letter),
            (true, _) => parts.push(Part::Number(letter.into())),
            (false, _) => parts.push(Part::Letter(letter)),
        }
    }
    for part in &mut parts {
        if let Part::Number(number) = part {
            *number = number.trim_start_matches('0').into();
        }
    }
    parts
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => (a.len(), a).cmp(&(b.len(), b)),
            (Self::Letter(a), Self::Letter(b)) => a.cmp(b),
            // Among letters a number stands where the digits stand.
            (Self::Number(_), Self::Letter(letter)) => '0'.cmp(letter),
            (Self::Letter(letter), Self::Number(_)) => letter.cmp(&'0'),
        }
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn code() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[0-9]{1,3}",
        1 => "0{1,4}[0-9]{0,2}",
        1 => "[1-9][0-9]{18,24}",
        1 => "0{0,30}[1-9]{19,22}",
        4 => "[a-zA-Z.,/:_ -]",
        1 => "[șț]",
    ];
    prop::collection::vec(part, 1..8).prop_map(|parts| parts.concat())
}

#[test]
fn the_database_orders_codes_as_people_do() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut connection = runtime.block_on(async { PgConnection::connect_with(&database().await).await.unwrap() });
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let property = |codes: Vec<String>| {
        let keys: Vec<String> = runtime
            .block_on(
                sqlx::query_scalar(
                    "select natural_order(code) from unnest($1) with ordinality codes (code, place) order by place",
                )
                .bind(&codes)
                .fetch_all(&mut connection),
            )
            .unwrap();
        for (a, key_a) in codes.iter().zip(&keys) {
            for (b, key_b) in codes.iter().zip(&keys) {
                prop_assert_eq!(key_a.cmp(key_b), parts(a).cmp(&parts(b)), "{} and {}: {} and {}", a, b, key_a, key_b);
            }
        }
        Ok(())
    };
    let property = std::cell::RefCell::new(property);
    runner.run(&prop::collection::vec(code(), 2..12), |codes| property.borrow_mut()(codes)).unwrap();
}

#[tokio::test]
async fn a_list_by_code_is_in_natural_order_whatever_the_codes() {
    let client = service().await;
    let strategy = client
        .create("strategies", json!({"code": "S", "title": {"en": "A strategy"}, "country": "XX", "kind": "strategy"}))
        .await["id"]
        .clone();
    let ascending = [
        "0".to_owned(),
        "1".into(),
        "1.0002".into(),
        "1.3".into(),
        "1.00010".into(),
        "2".into(),
        "99999999999999999999".into(),
        "100000000000000000000".into(),
        "100000000000000000001".into(),
        format!("2{}", "0".repeat(97)),
        "a.1.02".into(),
        "A.1.3".into(),
        "a.2".into(),
        "B".into(),
    ];
    for code in ascending.iter().rev() {
        client.create("initiatives", json!({"strategy_id": strategy, "code": code, "title": "x"})).await;
    }
    for (sort, expected) in
        [("code", ascending.iter().collect::<Vec<_>>()), ("-code", ascending.iter().rev().collect())]
    {
        let mut path = format!("/v1/initiatives?sort={sort}&limit=3");
        let mut listed = Vec::new();
        loop {
            let page = client.get(&path).expect(200).await.json();
            listed
                .extend(page["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/initiatives?sort={sort}&limit=3&after={next}");
        }
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected, "sort={sort}");
    }
}
