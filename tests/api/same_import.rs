//! A row that nothing names is matched before it is made: the same import again changes nothing, whatever the resource.

use serde_json::{Value, json};

use crate::{
    contract::{Ground, table},
    support::{
        Client,
        client::{Call, Reply},
        service,
    },
};

fn send(client: &Client, query: &str, plan: &Value) -> Call {
    let path = format!("/v1/imports{query}");
    client
        .call("POST", path)
        .header("content-type", "application/json")
        .header("mandate-reason", "a test")
        .body(plan.to_string())
}

fn plan(section: &str, rows: impl Into<Value>) -> Value {
    json!({"format": "mandate-plan/1", section: rows.into()})
}

async fn done(client: &Client, section: &str, rows: impl Into<Value>) -> Value {
    send(client, "", &plan(section, rows)).expect(200).await.json()
}

fn counts(report: &Value) -> [u64; 3] {
    ["created", "changed", "unchanged"].map(|name| report[name].as_u64().unwrap())
}

async fn count(client: &Client, noun: &str) -> usize {
    let list = client.get(format!("/v1/{noun}")).expect(200).await.json();
    list["items"].as_array().unwrap().len()
}

fn details(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    json["errors"].as_array().unwrap().iter().map(|fault| fault["detail"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_same_row_twice_is_one_row_of_every_resource() {
    let rows = table();
    assert_eq!(rows.len(), mandate::router::nouns().len());
    let client = service().await;
    let ground = Ground::lay(&client).await;
    for row in rows {
        let body = (row.body)(&ground);
        let section = row.noun.replace('-', "_");
        let mut without_code = body.clone();
        without_code.as_object_mut().unwrap().remove("code");
        for body in [body, without_code] {
            let first = send(&client, "", &plan(&section, json!([body]))).send().await;
            if first.status != 200 {
                assert!(body.get("code").is_none(), "{section}: {}", first.text);
                continue;
            }
            let before = client.get("/v1/exports/plan").expect(200).await.text;
            for query in ["", "?mode=add"] {
                let again = send(&client, query, &plan(&section, json!([body]))).expect(200).await.json();
                assert_eq!(counts(&again), [0, 0, 1], "{section}: {again}");
            }
            assert_eq!(client.get("/v1/exports/plan").expect(200).await.text, before, "{section}");
        }
    }
}

#[tokio::test]
async fn equal_rows_of_a_file_stay_as_many_as_they_are() {
    let client = service().await;
    let ground = Ground::lay(&client).await;
    for noun in ["timelines", "staff-allocations", "staff-capacities", "budget-allocations", "training-sessions"] {
        let row = table().into_iter().find(|row| row.noun == noun).unwrap();
        let (section, body) = (noun.replace('-', "_"), (row.body)(&ground));
        let before = count(&client, noun).await;
        for made in [2, 0, 0] {
            let report = done(&client, &section, json!([body, body])).await;
            assert_eq!(counts(&report), [made, 0, 2 - made], "{noun}: {report}");
        }
        // One more is one more, and one less takes none away.
        assert_eq!(counts(&done(&client, &section, json!([body, body, body])).await), [1, 0, 2], "{noun}");
        assert_eq!(counts(&done(&client, &section, json!([body])).await), [0, 0, 1], "{noun}");
        assert_eq!(count(&client, noun).await, before + 3, "{noun}");
    }
}

#[tokio::test]
async fn many_rows_that_nothing_names_are_matched_over_all_portions() {
    let client = service().await;
    let ground = Ground::lay(&client).await;
    let initiative = client.get("/v1/initiatives?code=1.1").expect(200).await.json()["items"][0]["id"].take();
    let rows: Vec<Value> = (0..1300)
        .map(|n| {
            json!({"initiative_id": initiative, "basis": "forecast", "ends_on": "2027-01-31", "set_on": "2024-01-31",
                "reason": format!("reason {}", n / 2)})
        })
        .collect();
    assert_eq!(counts(&done(&client, "timelines", rows.clone()).await), [1300, 0, 0]);
    assert_eq!(counts(&done(&client, "timelines", rows).await), [0, 0, 1300]);
    drop(ground);
}

#[tokio::test]
async fn amounts_are_known_by_item_year_source_and_phase() {
    let client = service().await;
    Ground::lay(&client).await;
    let source = client.create("funding-sources", json!({"code": "PNRR", "name": "PNRR", "kind": "eu"})).await;
    let initiative = client.get("/v1/initiatives?code=1.2").expect(200).await.json()["items"][0]["id"].take();
    let of = |amount: &str, more: Value| {
        let mut row = json!({"initiative_id": initiative, "fiscal_year": 2026, "phase": "estimate", "money": {"amount": amount, "currency": "RON"}});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let rows = json!([
        of("10", json!({})),
        of("20", json!({"funding_source_id": "code:PNRR"})),
        of("30", json!({"phase": "appropriation"})),
        of("40", json!({"fiscal_year": 2027}))
    ]);
    assert_eq!(counts(&done(&client, "budget_allocations", rows.clone()).await), [4, 0, 0]);
    assert_eq!(counts(&done(&client, "budget_allocations", rows).await), [0, 0, 4]);
    // Another amount is that of the row, not another row.
    let report = done(
        &client,
        "budget_allocations",
        json!([of("11", json!({})), of("21", json!({"funding_source_id": source["id"]}))]),
    )
    .await;
    assert_eq!(report["changes"], json!({"budget_allocations": {"money": 2}}), "{report}");
    // Of two, the one that is the same stays, and the other is the one that is left.
    assert_eq!(
        counts(&done(&client, "budget_allocations", json!([of("11", json!({})), of("12", json!({}))])).await),
        [1, 0, 1]
    );
    assert_eq!(
        counts(&done(&client, "budget_allocations", json!([of("13", json!({})), of("11", json!({}))])).await),
        [0, 1, 1]
    );
    let refused = send(&client, "", &plan("budget_allocations", json!([of("14", json!({}))]))).expect(422).await;
    assert_eq!(refused.faults(), ["#/budget_allocations/0/money ambiguous"], "{}", refused.text);
    assert!(details(&refused)[0].contains("`external_id` that is new"), "{}", refused.text);
    assert_eq!(
        counts(&done(&client, "budget_allocations", json!([of("14", json!({"external_id": "third"}))])).await),
        [1, 0, 0]
    );
}

#[tokio::test]
async fn a_key_that_is_unique_finds_its_row_and_a_row_with_a_name_gives_it() {
    let client = service().await;
    Ground::lay(&client).await;
    let (initiative, entity) = (
        client.get("/v1/initiatives?code=1.1").expect(200).await.json()["items"][0]["id"].take(),
        client.get("/v1/entities").expect(200).await.json()["items"][0]["id"].take(),
    );
    let row = |more: Value| {
        let mut row = json!({"initiative_id": initiative, "entity_id": entity, "role": "support"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([row])
    };
    done(&client, "assignments", row(json!({}))).await;
    let report = done(&client, "assignments", row(json!({"note": "a word"}))).await;
    assert_eq!(report["changes"], json!({"assignments": {"note": 1}}), "{report}");
    // The first name that it is given is its own; another is refused, with the words for what to do.
    assert_eq!(counts(&done(&client, "assignments", row(json!({"external_id": "a"}))).await), [0, 1, 0]);
    let refused = send(&client, "", &plan("assignments", row(json!({"external_id": "b"})))).expect(422).await;
    assert_eq!(refused.faults(), ["#/assignments/0/role taken"], "{}", refused.text);
    assert!(details(&refused)[0].contains("`a`; leave `external_id` out"), "{}", refused.text);
    // What a row names stands before what it does not: two rows that mean one are named.
    let both = json!([row(json!({}))[0], row(json!({"external_id": "a"}))[0]]);
    let refused = send(&client, "", &plan("assignments", both)).expect(422).await;
    assert_eq!(refused.faults(), ["#/assignments/0 duplicate"], "{}", refused.text);
}

#[tokio::test]
async fn a_code_of_a_row_with_another_external_id_is_refused_with_that_name() {
    let client = service().await;
    Ground::lay(&client).await;
    let strategy = client.get("/v1/strategies?code=S").expect(200).await.json()["items"][0]["id"].take();
    let of = |external: &str| json!({"external_id": external, "code": "MIN", "name": "Ministry", "kind": "ministry"});
    done(&client, "entities", json!([of("a")])).await;
    for (section, row, field) in [
        ("entities", of("b"), "code"),
        ("entities", json!({"external_id": "b", "code": "mín", "name": "Ministry", "kind": "ministry"}), "code"),
        ("entities", json!({"external_id": "b", "name": "MINISTRY*", "kind": "ministry"}), "name"),
        ("initiatives", json!({"external_id": "b", "strategy_id": strategy, "code": "X", "title": "X"}), "code"),
    ] {
        if section == "initiatives" {
            done(&client, section, json!([{"external_id": "a", "strategy_id": strategy, "code": "X", "title": "X"}]))
                .await;
        }
        let refused = send(&client, "", &plan(section, json!([row]))).expect(422).await;
        assert_eq!(refused.faults(), [format!("#/{section}/0/{field} taken")], "{}", refused.text);
        let detail = &details(&refused)[0];
        assert!(detail.contains("its external id is `a`") && detail.contains("leave `external_id` out"), "{detail}");
        assert_eq!(detail.contains("a code of its own makes a second one"), field == "name", "{detail}");
    }
    // A file that gives the code away first may use it.
    let swap = json!([{"external_id": "a", "code": "OLD"}, of("b")]);
    assert_eq!(counts(&done(&client, "entities", swap).await), [1, 1, 0]);
}

#[tokio::test]
async fn entities_of_a_file_are_matched_before_they_are_made() {
    let client = service().await;
    let named = |name: &str, more: Value| {
        let mut row = json!({"name": name, "kind": "ministry"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([row])
    };
    done(&client, "entities", named("Ministerul Educației", json!({"code": "MEN", "country": "RO"}))).await;
    for (more, expected) in [
        (json!({"code": "men"}), [0, 0, 1]),
        (json!({"code": "MÉN"}), [0, 0, 1]),
        (json!({}), [0, 0, 1]),
        (json!({"country": "RO"}), [0, 0, 1]),
        // The first external id that it is given is its own.
        (json!({"external_id": "e-1"}), [0, 1, 0]),
        (json!({"external_id": "e-1", "code": "MEN"}), [0, 0, 1]),
        // Another country, or a code of its own, is another ministry.
        (json!({"country": "MD"}), [1, 0, 0]),
        (json!({"code": "MEN-2"}), [1, 0, 0]),
        (json!({"code": "ME.N"}), [1, 0, 0]),
    ] {
        // A row with a code says how it is called; one without is found by how it is called, however that is written.
        let name = if more.get("code").is_some() { "Ministerul Educației" } else { "MINISTERUL  EDUCATIEI" };
        let report = done(&client, "entities", named(name, more.clone())).await;
        assert_eq!(counts(&report), expected, "{more}: {report}");
    }
    let first = client.get("/v1/entities/external:e-1").expect(200).await.json();
    assert_eq!((&first["code"], &first["name"]["ro"]), (&json!("MEN"), &json!("Ministerul Educației")));
    // As a replacement too: it keeps its name as it is written there.
    let replaced =
        send(&client, "?mode=replace", &plan("entities", named("X", json!({"code": "men-2"})))).expect(200).await;
    assert_eq!(replaced.json()["changed"], 1, "{}", replaced.text);
    // Twice in one file, and without a word to tell them apart.
    let twice = json!([named("Agenția", json!({}))[0], named("AGENTIA", json!({}))[0]]);
    let refused = send(&client, "", &plan("entities", twice)).expect(422).await;
    assert_eq!(refused.faults(), ["#/entities/1/name duplicate"], "{}", refused.text);
    // Namesakes of one file that have external ids are told apart, again and again.
    let both =
        json!([named("Agenția", json!({"external_id": "x"}))[0], named("Agenția", json!({"external_id": "y"}))[0]]);
    assert_eq!(counts(&done(&client, "entities", both.clone()).await), [2, 0, 0]);
    assert_eq!(counts(&done(&client, "entities", both).await), [0, 0, 2]);
}
