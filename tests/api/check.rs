//! `mandate check`, and the report that it prints.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
        "indicators": [{"external_id": "k", "objective_id": "external:o", "code": "K", "title": "K", "value_chain_stage": "outcome", "measure": "percentage",
            "direction": "ascending", "baseline_value": "40", "baseline_on": "2025-12-31"}],
        "indicator_targets": [{"external_id": "t", "indicator_id": "external:k", "period_from": "2026-01-01", "period_to": "2026-12-31", "value": "60"}],
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

#[tokio::test]
async fn measures_that_are_missing_or_impossible_are_found() {
    let mut plan = whole();
    plan["strategies"][0]["starts_on"] = json!("2026-01-01");
    plan["indicators"][0]["value_chain_stage"] = json!("output");
    let more = [
        ("no-baseline", "ascending", json!(null), "2026-12-31", "60"),
        ("rising-falls", "ascending", json!("40"), "2026-12-31", "30"),
        ("falling-rises", "descending", json!("40"), "2026-12-31", "41"),
        ("too-much", "ascending", json!("40"), "2026-12-31", "110"),
        ("past", "ascending", json!("40"), "2025-11-30", "100"),
        ("before", "ascending", json!(null), "2025-12-31", "100"),
    ];
    for (name, direction, baseline, until, value) in more {
        let on = if baseline.is_null() { Value::Null } else { json!("2025-12-31") };
        let indicator = json!({"external_id": name, "initiative_id": "external:i", "code": name, "title": name, "value_chain_stage": "output",
            "measure": "percentage", "direction": direction, "baseline_value": baseline, "baseline_on": on});
        plan["indicators"].as_array_mut().unwrap().push(indicator);
        let target = json!({"indicator_id": format!("external:{name}"), "period_from": "2025-01-01", "period_to": until, "value": value});
        plan["indicator_targets"].as_array_mut().unwrap().push(target);
    }
    plan["indicators"]
        .as_array_mut()
        .unwrap()
        .push(json!({"external_id": "w", "step_id": "external:p", "code": "words", "title": "W",
        "value_chain_stage": "output", "measure": "qualitative", "baseline_descriptor": "none", "baseline_on": "2025-12-31"}));
    let client = service().await;
    client
        .call("POST", "/v1/imports")
        .header("content-type", "application/json")
        .body(plan.to_string())
        .expect(200)
        .await;
    let found = async |path: &str| {
        let page = client.as_viewer().get(path).expect(200).await.json();
        let line = |row: &Value| {
            let word = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            format!("{} {}: {}", word("kind"), word("code"), word("detail"))
        };
        page["items"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(found("/v1/reports/quality?objective_id=external:o").await, @"
    objective_without_outcome_measure O: no indicator of an outcome or impact measures it or what is under it
    indicator_without_baseline before: it is not said where it stood at the start
    indicator_without_baseline no-baseline: it is not said where it stood at the start
    indicator_without_target words: it has no target
    target_impossible before: the target 100 for 2025-12-31 is to be reached before the plan begins on 2026-01-01
    target_impossible falling-rises: the target 41 for 2026-12-31 is more than the baseline 40, and less is better
    target_impossible past: the target 100 for 2025-11-30 is to be reached before the baseline of 2025-12-31
    target_impossible rising-falls: the target 30 for 2026-12-31 is less than the baseline 40, and more is better
    target_impossible too-much: the target 110 for 2026-12-31 is no part of a hundred
    ");
    // What measures the work of an entity is asked for with it, and what measures objectives and strategies is not.
    let of_the_ministry = found("/v1/reports/quality?entity_id=external:min").await;
    assert_eq!(of_the_ministry.lines().count(), 8, "{of_the_ministry}");
    assert!(!of_the_ministry.contains("objective_without_outcome_measure"), "{of_the_ministry}");
    assert_eq!(found("/v1/reports/quality?status=cancelled").await, "");
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

#[test]
fn a_command_whose_reader_has_left_ends_as_it_would_have() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mandate"))
        .arg("openapi")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(command.stdout.take());
    let output = command.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
