//! `mandate check`, and the report that it prints.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::support::service;

/// A plan that lacks nothing of what is asked of one.
fn whole() -> Value {
    json!({
        "format": "mandate-plan/1",
        "legal_acts": [{"external_id": "act", "country": "XX", "issuer": "Council", "act_type": "decision", "number": "1", "date": "2024-01-31"}],
        "entities": [{"external_id": "min", "name": "Ministry", "kind": "ministry"}],
        "strategies": [{"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy", "legal_act_id": "external:act"}],
        "objectives": [{"external_id": "o", "strategy_id": "external:s", "code": "O", "title": "O"}],
        "initiatives": [{"external_id": "i", "strategy_id": "external:s", "objective_id": "external:o", "code": "I", "title": "I", "deadline": {"text": "2026-06-30"}}],
        "steps": [{"external_id": "p", "initiative_id": "external:i", "code": "P", "title": "P"}],
        "assignments": [{"initiative_id": "external:i", "entity_id": "external:min", "role": "lead"}],
        "staff_allocations": [{"initiative_id": "external:i", "entity_id": "external:min", "profile": "own:clerk", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "fte_planned": "1"}],
        "budget_allocations": [{"initiative_id": "external:i", "fiscal_year": 2026, "phase": "estimate", "money": {"amount": "100", "currency": "RON"}}],
    })
}

fn file(folder: &Path, name: &str, plan: &Value) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, plan.to_string()).unwrap();
    path
}

/// The exit code, what was printed, and what was said.
fn check(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mandate"));
    // No database is needed, and none is touched: this one does not exist.
    command.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing").arg("check").args(arguments);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_plan_file_is_judged_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "whole.json", &whole());
    assert_eq!(check(&[path.to_str().unwrap()]), (0, String::new(), "0 findings\n".into()));

    let mut plan = whole();
    plan["assignments"] = json!([]);
    plan["strategies"][0]["legal_act_id"] = Value::Null;
    let path = file(folder.path(), "lacking.json", &plan);
    let (code, printed, said) = check(&[path.to_str().unwrap(), "--json"]);
    assert_eq!(code, 1, "{printed}{said}");
    let kinds: Vec<String> = printed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["initiative_without_lead", "strategy_without_legal_act"]);
    let (_, table, said) = check(&[path.to_str().unwrap()]);
    insta::assert_snapshot!(table + &said, @"
    kind                        noun        code  title  detail                                            asked_by
    initiative_without_lead     initiative  I     I      no entity has the role lead on it or on one of …  NCSI 1.5 (named entities); NIS2 art. 7(1)(f) (a…
    strategy_without_legal_act  strategy    S     S      no legal act approves it                          NCSI 1.5 (the action plan is approved)
    2 findings
    ");

    // The service says the same of the same plan.
    let client = service().await;
    client
        .call("POST", "/v1/imports")
        .header("content-type", "application/json")
        .body(plan.to_string())
        .expect(200)
        .await;
    let served = client.as_viewer().get("/v1/reports/quality").expect(200).await.json();
    let named = |row: &Value| (row["kind"].clone(), row["code"].clone(), row["asked_by"].clone());
    let served: Vec<_> = served["items"].as_array().unwrap().iter().map(named).collect();
    let printed: Vec<_> = printed.lines().map(|line| named(&serde_json::from_str(line).unwrap())).collect();
    assert_eq!(served, printed);
}

#[test]
fn what_cannot_be_judged_is_neither_good_nor_bad() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = whole();
    plan["initiatives"][0]["titel"] = json!("x");
    let path = file(folder.path(), "wrong.json", &plan);
    let (code, printed, said) = check(&[path.to_str().unwrap()]);
    assert_eq!(code, 2, "{printed}{said}");
    assert!(
        printed.contains("#/initiatives/0/titel: `titel` is not a known field; did you mean `title`?"),
        "{printed}"
    );
    assert!(said.contains("rows were refused, so the plan cannot be judged"), "{said}");
    for path in [folder.path().join("absent.json"), file(folder.path(), "broken.json", &json!("no plan"))] {
        let (code, printed, said) = check(&[path.to_str().unwrap()]);
        assert_eq!((code, printed.as_str()), (2, ""), "{said}");
        assert!(said.starts_with("mandate: "), "{said}");
    }
}
