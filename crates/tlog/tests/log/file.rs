//! A good file is proven, and each way to tamper with one is found, at the first position that is wrong.

use mandate_tlog::verify::{Evidence, Failure, verify};

use crate::tampered::{ORIGIN, checkpoint, entries, file_of, key, notes, tamperings};

fn evidence() -> Evidence {
    let receipts = entries().iter().map(|entry| (entry.id, entry.hash)).take(1).collect();
    Evidence { keys: vec![key(1, ORIGIN).verifier()], since: vec![notes()[0].clone()], receipts }
}

#[test]
fn a_good_file_is_proven() {
    let file = file_of(&entries(), &notes(), &key(1, ORIGIN));
    let proven = verify(&file[..], &evidence()).unwrap();
    assert_eq!((proven.checkpoint.size, proven.checkpoints, proven.erased), (12, 3, 0));
}

#[test]
fn every_tampering_is_found_where_it_begins() {
    for (what, file, evidence, position, words) in tamperings() {
        match verify(&file[..], &evidence) {
            Err(Failure::Wrong(found, why)) => {
                assert_eq!(found, position, "{what}: {why}");
                assert!(why.contains(words), "{what}: {why}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn what_is_erased_must_be_said_to_be() {
    let own = key(1, ORIGIN);
    let note = checkpoint(&entries(), &own);
    let text = String::from_utf8(file_of(&entries(), &[note], &own)).unwrap();
    let erased: String = text
        .lines()
        .map(|line| match line.split_once(",\"salt\"") {
            Some((kept, _)) if line.contains("\"position\":3,") => format!("{kept},\"salt\":null,\"payload\":null}}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    match verify(erased.as_bytes(), &Evidence::default()) {
        Err(Failure::Wrong(Some((3, 3)), why)) => assert!(why.contains("erased"), "{why}"),
        other => panic!("{other:?}"),
    }
}
