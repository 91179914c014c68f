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

/// The modules of the crate, the lowest first. Each imports only those before it; `docs/reference/architecture.md` shows the same list.
const FLOORS: &[&str] = &[
    "base",
    "repository",
    "error",
    "nouns",
    "edge",
    "access",
    "api",
    "documents",
    "candidates",
    "proposals",
    "feeds",
    "record",
    "reporting",
    "reports",
    "transfer",
    "router",
    "app",
    "cli",
];

/// The imports that still go up: who imports, and whom. Each has to be there, so that one that is gone leaves the list.
const UPWARD: &[(&str, &[&str])] = &[
    ("access", &["api", "app"]),
    ("api", &["app", "proposals", "router"]),
    ("documents", &["app"]),
    ("candidates", &["app"]),
    ("proposals", &["app", "router"]),
    ("feeds", &["app", "router"]),
    ("record", &["app", "router"]),
    ("reporting", &["app"]),
    ("reports", &["app"]),
    ("transfer", &["app", "router"]),
    ("router", &["app"]),
];

/// The module of the crate that a file of `src` is in; none for the roots and the macro of commands.
fn module(path: &str) -> Option<&str> {
    let module = path.split_once("/src/")?.1.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main", "say"].contains(&module)).then_some(module)
}

#[test]
fn modules_import_only_what_is_below_them() {
    assert!(
        modules("use crate::{\n    api::{Error, json},\n    app::App,\n};\ncrate::router::x")
            .into_iter()
            .eq(["api", "app", "router"])
    );
    let (mut upward, mut unknown, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let floor = |name: &str| FLOORS.iter().position(|floor| *floor == name);
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    for (path, text) in &all {
        let Some(from) = module(path) else { continue };
        let Some(own) = floor(from) else {
            unknown.insert(from);
            continue;
        };
        seen.insert(from);
        // A `crate::` path may name an item of the root, such as the macro `say`.
        let named = modules(text).into_iter().filter_map(|name| Some((name, floor(name)?)));
        upward.extend(named.filter(|(_, other)| *other > own).map(|(name, _)| (from, name)));
    }
    assert!(unknown.is_empty(), "{unknown:?} have no place in FLOORS");
    assert_eq!(seen.len(), FLOORS.len(), "FLOORS names what is not there; there are {seen:?}");
    let known: BTreeSet<_> = UPWARD.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to))).collect();
    let new: Vec<_> = upward.difference(&known).collect();
    let gone: Vec<_> = known.difference(&upward).collect();
    assert!(new.is_empty(), "these imports go up: {new:?}");
    assert!(gone.is_empty(), "take these off UPWARD, they are gone: {gone:?}");
}

#[test]
fn the_map_of_the_documentation_is_the_list_of_modules() {
    let map = include_str!("../../docs/reference/architecture.md");
    let listed: Vec<&str> =
        map.lines().filter_map(|line| line.strip_prefix("| `src/")?.split(['`', '.']).next()).collect();
    assert_eq!(listed, FLOORS);
}

#[test]
fn resources_and_what_they_stand_on_know_no_http() {
    let knowing: Vec<_> = all_sources()
        .into_iter()
        .filter(|(path, _)| module(path).is_some_and(|module| ["base", "repository", "nouns"].contains(&module)))
        .filter(|(_, text)| text.contains("axum"))
        .map(|(path, _)| path)
        .collect();
    assert!(knowing.is_empty(), "{knowing:#?}");
}

/// Where statements are written and sent. Everywhere else there are at most conditions and the `RULE` of a noun, which the repository sends.
const STATEMENTS: &[&str] = &[
    "/src/repository/",
    "/src/record/",
    "/src/reports/",
    "/src/feeds/tokens.rs",
    "/src/reporting/owed.rs",
    "/src/reporting/submission.rs",
    "/src/documents/store.rs",
    "/src/candidates/search.rs",
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
    "/src/cli/database.rs",
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
