//! Arrows go one way, and each language is spoken in its own room.

use std::{collections::BTreeSet, fs, path::Path};

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.to_string_lossy().replace('\\', "/"), fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in ["src", "crates"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut all);
    }
    assert!(all.len() > 30, "only {} files were looked at", all.len());
    all
}

/// The modules of this crate that a file speaks of: `crate::api::...`, and the first names in `use crate::{...}`.
fn modules(text: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for (start, _) in text.match_indices("crate::") {
        let rest = &text[start + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.extend(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next());
            continue;
        };
        let mut depth = 0;
        let mut inside = true;
        for (place, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => inside = true,
                c if inside && (c.is_alphanumeric() || c == '_') => {
                    inside = false;
                    found.extend(group[place..].split(|c: char| !c.is_alphanumeric() && c != '_').next());
                }
                _ => {}
            }
        }
    }
    found
}

const ABOVE_NOUNS: &[&str] = &["api", "app", "router", "record", "reports", "transfer"];
const ABOVE_REPOSITORY: &[&str] =
    &["api", "app", "router", "record", "reports", "transfer", "plan", "money", "entities", "metrics", "access"];

#[test]
fn imports_follow_the_architecture() {
    assert!(
        modules("use crate::{\n    api::{Error, json},\n    app::App,\n};\ncrate::router::x")
            .into_iter()
            .eq(["api", "app", "router"])
    );
    let rules: [(&str, &[&str]); 8] = [
        ("/src/values/", &[ABOVE_REPOSITORY, &["repository"]].concat()),
        ("/src/audit/", &[ABOVE_REPOSITORY, &["repository", "database"]].concat()),
        ("/src/repository/", ABOVE_REPOSITORY),
        ("/src/plan/", ABOVE_NOUNS),
        ("/src/money/", ABOVE_NOUNS),
        ("/src/metrics/", ABOVE_NOUNS),
        ("/src/entities/", ABOVE_NOUNS),
        ("/src/international/", ABOVE_NOUNS),
    ];
    let mut broken = Vec::new();
    for (path, text) in &all_sources() {
        for (_, forbidden) in rules.iter().filter(|(folder, _)| path.contains(folder)) {
            let named = modules(text);
            broken.extend(forbidden.iter().filter(|name| named.contains(*name)).map(|name| format!("{path}: {name}")));
            if text.contains("axum") {
                broken.push(format!("{path}: axum"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Where statements are written and sent. Everywhere else there are at most conditions and the `RULE` of a noun, which the repository sends.
const STATEMENTS: &[&str] = &[
    "/src/repository/",
    "/src/record/",
    "/src/reports/",
    "/src/feeds/tokens.rs",
    "/src/progress/owed.rs",
    "/src/progress/submission.rs",
    "/src/readiness/documents/store.rs",
    "/src/readiness/candidates/search.rs",
    "/src/transfer/section.rs",
    "/src/transfer/batch.rs",
    "/src/transfer/present",
    "/src/transfer/moved",
    "/src/transfer/directory.rs",
    "/src/transfer/table/settle.rs",
    "/src/transfer/table/items.rs",
    "/src/transfer/table/assignments.rs",
    "/src/transfer/table/amounts.rs",
    "/src/transfer/export",
    "/src/transfer/iati/export.rs",
    "/src/transfer/iati/partners.rs",
    "/src/access/keys.rs",
    "/src/access/own.rs",
    "/src/proposals/store.rs",
    "/src/database.rs",
    "/crates/postgres/src/",
];

#[test]
fn statements_are_sent_where_the_architecture_says() {
    // `sqlx::query` covers `query_as` and `query_scalar`.
    let signs = [
        "sqlx::query",
        "sqlx::raw_sql",
        "QueryBuilder",
        "AssertSqlSafe",
        "begin_with(",
        ".execute(",
        ".execute_many(",
        ".fetch_one(",
        ".fetch_optional(",
        ".fetch_all(",
        ".fetch_many(",
    ];
    let mut elsewhere = Vec::new();
    let mut silent = STATEMENTS.to_vec();
    for (path, text) in &all_sources() {
        for sign in signs.iter().filter(|sign| text.contains(*sign)) {
            match STATEMENTS.iter().find(|place| path.contains(*place)) {
                Some(place) => silent.retain(|each| each != place),
                None => elsewhere.push(format!("{path} has {sign}")),
            }
        }
    }
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    assert!(
        silent.is_empty(),
        "no statement is sent in {silent:?}; take them off the list, here and in docs/reference/architecture.md"
    );
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let mut all = all_sources();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut all);
    let long: Vec<_> = all.iter().filter(|(_, text)| text.lines().count() > 400).map(|(path, _)| path).collect();
    assert!(long.is_empty(), "{long:#?}");
}
