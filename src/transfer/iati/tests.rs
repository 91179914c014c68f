//! The official conformance set and the samples, against the schema alone.

use std::{
    fmt::Write as _,
    fs,
    io::BufReader,
    path::{Path, PathBuf},
};

use super::file::{Activities, Piece, schema};

fn files(folder: &str) -> Vec<PathBuf> {
    fn all(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { all(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/iati").join(folder), &mut found);
    found.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    found.sort();
    found
}

/// What is said of a file: nothing, or the flaws.
fn said(path: &Path) -> Vec<String> {
    let mut said = Vec::new();
    let show = |flaw: mandate_xsd::Flaw| {
        format!("{}:{} {} {}: {}", flaw.place.line, flaw.place.column, flaw.path, flaw.code, flaw.detail)
    };
    let source = BufReader::with_capacity(7, fs::File::open(path).unwrap());
    let mut file = match Activities::open(source, schema().unwrap()) {
        Ok(file) => file,
        Err(flaw) => return vec![show(flaw)],
    };
    loop {
        match file.read() {
            Ok(Some(Piece::Activity(_))) => {}
            Ok(Some(Piece::Refused(flaws, _) | Piece::Around(flaws))) => said.extend(flaws.into_iter().map(show)),
            Ok(None) => return said,
            Err(flaw) => {
                said.push(show(flaw));
                return said;
            }
        }
    }
}

#[test]
fn all_files_that_should_pass_do() {
    let files = files("should-pass");
    assert_eq!(files.len(), 58);
    for path in files {
        assert_eq!(said(&path), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn all_files_that_should_fail_are_refused_with_the_reason() {
    let files = files("should-fail");
    assert_eq!(files.len(), 107);
    let mut reasons = String::new();
    for path in files {
        let said = said(&path);
        assert!(!said.is_empty(), "{}", path.display());
        let name = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/iati/should-fail")).unwrap();
        for line in said {
            writeln!(reasons, "{}: {line}", name.display()).unwrap();
        }
    }
    insta::assert_snapshot!(reasons);
}

#[test]
fn the_samples_are_what_they_are() {
    let sample = |name: &str| said(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/iati/samples").join(name));
    assert_eq!(sample("activity-standard-example-annotated.xml"), Vec::<String>::new());
    insta::assert_snapshot!(sample("organisation-standard-example-annotated.xml").join("\n"), @"5:1 /iati-organisations not_allowed: this is a file of organisations; only files of activities (`iati-activities`) are imported");
    let old = sample("worldbank-v1.0-legacy.xml");
    assert!(old.len() == 1 && old[0].contains("version: the file is IATI 1"), "{old:?}");
}
