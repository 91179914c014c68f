//! Arrows go one way, and each language is spoken in its own room.

use std::{fs, path::Path};

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

#[test]
fn imports_follow_the_architecture() {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    assert!(all.len() > 30, "only {} files were looked at", all.len());
    let rules: [(&str, &[&str]); 4] = [
        ("/src/values/", &["axum", "crate::repository", "crate::api", "crate::app", "crate::router"]),
        (
            "/src/repository/",
            &["axum", "crate::api", "crate::app", "crate::router", "crate::plan", "crate::money", "crate::entities"],
        ),
        ("/src/plan/", &["axum", "sqlx::query", "crate::app", "crate::router"]),
        ("/src/money/", &["axum", "sqlx::query", "crate::app", "crate::router"]),
    ];
    let mut broken = Vec::new();
    for (path, text) in &all {
        for (folder, forbidden) in rules {
            for name in forbidden.iter().filter(|name| path.contains(folder) && text.contains(*name)) {
                broken.push(format!("{path} speaks of {name}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let mut all = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    sources(&root.join("src"), &mut all);
    sources(&root.join("tests"), &mut all);
    let long: Vec<_> = all.iter().filter(|(_, text)| text.lines().count() > 400).map(|(path, _)| path).collect();
    assert!(long.is_empty(), "{long:#?}");
}
