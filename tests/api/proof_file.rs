//! `mandate audit verify` and `key create` as commands: what they print, and their exit codes.

#[path = "../../crates/tlog/tests/log/tampered.rs"]
mod tampered;

use std::process::{Command, ExitStatus};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Parser as _;
use mandate::cli::config::Cli;

use self::tampered::{ORIGIN, entries, file_of, key, notes, tamperings};

fn run(arguments: &[&str]) -> (ExitStatus, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mandate")).arg("audit").args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8(text).unwrap())
}

#[test]
fn the_exit_code_says_proven_not_proven_or_cannot_be_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let own = key(1, ORIGIN);
    std::fs::write(path("good"), file_of(&entries(), &notes(), &own)).unwrap();
    std::fs::write(path("since"), notes()[0].to_string()).unwrap();
    let receipt = format!("{}; leaf={}", entries()[3].id, STANDARD.encode(entries()[3].hash));
    let public = own.verifier().to_string();
    let good = ["verify", &path("good"), "--key", &public, "--since", &path("since"), "--receipt", &receipt];
    let (status, text) = run(&good);
    assert!(status.code() == Some(0) && text.starts_with("proven: 12 entries"), "{text}");
    for (what, file, evidence, ..) in tamperings().into_iter().filter(|case| case.2.receipts.is_empty()) {
        std::fs::write(path("bad"), file).unwrap();
        let mut arguments = vec!["verify".to_owned(), path("bad"), "--key".into(), public.clone()];
        for note in &evidence.since {
            std::fs::write(path("latest"), note.to_string()).unwrap();
            arguments.extend(["--since".into(), path("latest")]);
        }
        let (status, text) = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(status.code() == Some(1) && text.starts_with("NOT PROVEN"), "{what}: {text}");
    }
    std::fs::write(path("none"), "nonsense").unwrap();
    for arguments in
        [&["verify", &path("none")][..], &["verify", &path("nothing")], &["verify", &path("good"), "--key", "x"]]
    {
        assert_eq!(run(arguments).0.code(), Some(2), "{arguments:?}");
    }
    let (status, text) = run(&["key", "create", &path("key"), "--name", "plans.example.org/log"]);
    assert!(status.success() && text.starts_with("plans.example.org/log+"), "{text}");
    assert_eq!(run(&["key", "create", &path("key")]).0.code(), Some(2), "a key is never written over");
    assert!(Cli::try_parse_from(["mandate", "audit", "verify", "f", "--receipt", "x"]).is_err());
}
