//! A table imported again: it sets nothing back, finds what is there, and ends nothing unless it is told to.

use serde_json::{Value, json};

use crate::support::{
    Client,
    client::{Call, Reply},
    service,
};

async fn with_strategy(status: &str) -> Client {
    let client = service().await;
    let plan = json!({
        "format": "mandate-plan/1",
        "legal_acts": [{"external_id": "act", "country": "XX", "issuer": "Council", "act_type": "decision", "number": "1", "date": "2024-01-31"}],
        "strategies": [{"external_id": "s", "code": "S", "title": "S", "country": "RO", "kind": "strategy", "status": status, "legal_act_id": "external:act"}]
    });
    client.post("/v1/imports", plan).expect(200).await;
    client
}

fn send(client: &Client, pairs: &[(&str, &str)], csv: &str) -> Call {
    let all = [&[("strategy_id", "external:s")][..], pairs].concat();
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
    client.call("POST", format!("/v1/imports?{query}")).header("content-type", "text/csv").body(csv)
}

async fn done(client: &Client, pairs: &[(&str, &str)], csv: &str) -> Value {
    send(client, pairs, csv).header("mandate-reason", "the new table").expect(200).await.json()
}

async fn items(client: &Client, path: &str) -> Vec<Value> {
    let mut list = client.get(format!("/v1/{path}")).expect(200).await.json();
    list["items"].as_array_mut().unwrap().drain(..).collect()
}

async fn count(client: &Client, noun: &str) -> usize {
    items(client, noun).await.len()
}

fn details(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let faults = json["errors"].as_array().unwrap().iter();
    faults
        .map(|fault| format!("{}: {}", fault["pointer"].as_str().unwrap(), fault["detail"].as_str().unwrap()))
        .collect()
}

/// The bodies of an assignment by role: who holds it today.
async fn today(client: &Client, role: &str) -> Vec<String> {
    let rows = items(client, &format!("assignments?role={role}&is_current=true")).await;
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        let id = row["entity_id"].as_str().unwrap();
        let entity = client.get(format!("/v1/entities/{id}")).expect(200).await.json();
        names.push(entity["name"]["ro"].as_str().unwrap_or_default().to_owned());
    }
    names.sort();
    names
}

const MAP: (&str, &str) = ("map", "code=Nr,title=Titlu,deadline=Termen");
const LEADS: (&str, &str) = ("map", "code=Nr,title=Titlu,lead=Resp,support=Part");

#[tokio::test]
async fn a_table_sets_nothing_back() {
    let client = with_strategy("in_force").await;
    let first = "Nr;Titlu;Termen\n1;Cursuri;2026\n2;Exerciții;2027\n";
    done(&client, &[MAP], first).await;
    let path = "/v1/initiatives/external:s-initiative-1";
    let change = json!({"status": "completed", "evidence": "https://example.org", "confidence": "green", "starts_on": "2025-01-01",
        "title": {"en": "Courses"}, "description": "Ce", "funding_note": {"ro": "PNRR"}});
    let call = client.call("PATCH", path).header("if-match", "*").header("mandate-reason", "report").json(change);
    let before = call.expect(200).await.json();
    // One row more, and no reason: nothing else is touched.
    let report = send(&client, &[MAP], &format!("{first}3;Studii;2028\n")).expect(200).await.json();
    assert_eq!((&report["created"], &report["changed"]), (&json!(1), &json!(0)), "{report}");
    assert_eq!(client.get(path).expect(200).await.json(), before);
    let report = done(&client, &[MAP], &first.replace("Cursuri", "Cursuri noi")).await;
    let fields = &report["rows"].as_array().unwrap().iter().find(|row| row["outcome"] == "changed").unwrap()["fields"];
    assert_eq!(*fields, json!([{"field": "title.ro", "before": "Cursuri", "after": "Cursuri noi"}]));
    let after = client.get(path).expect(200).await.json();
    assert_eq!((&after["title"]["en"], &after["status"]), (&json!("Courses"), &json!("completed")));
    // In another language it touches that one.
    done(&client, &[MAP, ("language", "en")], "Nr;Titlu;Termen\n1;Trainings;2026\n").await;
    let after = client.get(path).expect(200).await.json();
    assert_eq!(after["title"], json!({"ro": "Cursuri noi", "en": "Trainings"}));
}

#[tokio::test]
async fn an_empty_cell_leaves_its_field_unless_asked_otherwise() {
    let client = with_strategy("draft").await;
    done(&client, &[MAP], "Nr;Titlu;Termen\n1;Cursuri;2026\n").await;
    let emptied = "Nr;Titlu;Termen\n1;Cursuri;\n";
    assert_eq!(done(&client, &[MAP], emptied).await["changed"], 0);
    assert_eq!(done(&client, &[MAP, ("empty", "cleared")], emptied).await["changed"], 1);
    assert_eq!(items(&client, "initiatives").await[0]["deadline"], Value::Null);
    let plan = client.call("POST", "/v1/imports?empty=cleared").header("content-type", "application/json").body("{}");
    assert_eq!(plan.expect(400).await.faults(), ["empty not_allowed"]);
}

#[tokio::test]
async fn another_lead_is_named_and_begins_where_the_earlier_one_ends() {
    let client = with_strategy("in_force").await;
    done(&client, &[LEADS], "Nr,Titlu,Resp,Part\n1,Cursuri,MAI,MEN\n2,Exerciții,DNSC,MEN\n").await;
    let changed = "Nr,Titlu,Resp,Part\n1,Cursuri,DNSC,\n2,Exerciții,DNSC,MEN\n";
    let before = client.get("/v1/exports/plan").expect(200).await.text;
    let refused = send(&client, &[LEADS], changed).header("mandate-reason", "x").expect(422).await;
    assert_eq!(refused.faults(), ["line 2: Resp lead_stands"], "{}", refused.text);
    assert!(
        details(&refused)[0].contains("MAI leads it") && details(&refused)[0].contains("--prune"),
        "{}",
        refused.text
    );
    assert_eq!(client.get("/v1/exports/plan").expect(200).await.text, before);
    // A change of the lead weighs.
    send(&client, &[LEADS, ("prune", "true")], changed).expect(422).await;
    let dry = done(&client, &[LEADS, ("prune", "true"), ("dry_run", "true")], changed).await;
    let report = done(&client, &[LEADS, ("prune", "true")], changed).await;
    assert_eq!(dry["changes"], report["changes"]);
    assert_eq!(report["changes"], json!({"assignments": {"valid_to": 2}}), "{report}");
    assert_eq!(today(&client, "lead").await, ["DNSC", "DNSC"]);
    assert_eq!(today(&client, "support").await, ["MEN"]);
    // Nobody is forgotten: who led until yesterday did.
    assert_eq!((count(&client, "assignments?role=lead").await, count(&client, "assignments").await), (3, 5));
    let again = done(&client, &[LEADS, ("prune", "true")], changed).await;
    assert_eq!((&again["created"], &again["changed"]), (&json!(0), &json!(0)), "{again}");
}

#[tokio::test]
async fn support_that_left_its_cell_is_listed_and_one_entered_by_hand_stays() {
    let client = with_strategy("draft").await;
    done(&client, &[LEADS], "Nr,Titlu,Resp,Part\n1,Cursuri,MAI,MEN; DNSC\n").await;
    let entity = client.create("entities", json!({"name": "SRI", "kind": "agency"})).await["id"].clone();
    let by_hand = json!({"initiative_id": "external:s-initiative-1", "entity_id": entity, "role": "support"});
    client.create("assignments", by_hand).await;
    let report = done(&client, &[LEADS], "Nr,Titlu,Resp,Part\n1,Cursuri,MAI,MEN\n").await;
    assert_eq!(
        report["left_over"],
        json!({"count": 1, "first": [{"pointer": "line 2: Titlu", "words": "support: DNSC"}]})
    );
    assert_eq!(today(&client, "support").await, ["DNSC", "MEN", "SRI"]);
    done(&client, &[LEADS, ("prune", "true")], "Nr,Titlu,Resp,Part\n1,Cursuri,MAI,MEN\n").await;
    assert_eq!(today(&client, "support").await, ["MEN", "SRI"]);
    // It comes back as a new assignment, and the days between stay as they were.
    done(&client, &[LEADS], "Nr,Titlu,Resp,Part\n1,Cursuri,MAI,MEN; DNSC\n").await;
    assert_eq!(today(&client, "support").await, ["DNSC", "MEN", "SRI"]);
}

#[tokio::test]
async fn entities_are_matched_before_they_are_made() {
    let client = with_strategy("draft").await;
    let dnsc = json!({"code": "DNSC", "external_id": "e-dnsc", "name": "Directoratul Național de Securitate Cibernetică", "kind": "agency"});
    client.create("entities", dnsc).await;
    client.create("entities", json!({"name": "Ministerul Educației", "kind": "ministry"})).await;
    let map = ("map", "title=Titlu,lead=Resp");
    let csv = "Titlu,Resp\na,DNSC\nb,D.N.S.C.*\nc,dnsc (1)\nd,directoratul national de securitate cibernetica\ne,e-dnsc\nf,MINISTERUL  EDUCATIEI **\n";
    let report = done(&client, &[map], csv).await;
    assert_eq!((&report["made_entities"]["count"], count(&client, "entities").await), (&json!(0), 2), "{report}");
    // Another strategy names them too.
    client.create("strategies", json!({"external_id": "t", "title": "T", "country": "RO", "kind": "strategy"})).await;
    let query = "strategy_id=external:t&map=title%3DTitlu,lead%3DResp";
    let call = client.call("POST", format!("/v1/imports?{query}")).header("content-type", "text/csv").body(csv);
    call.expect(200).await;
    assert_eq!(count(&client, "entities").await, 2);
    // One that nobody knows is made once, however it is written; or refused.
    let new = "Titlu,Resp\ng,S.T.S.\nh,STS *\ni,sts\n";
    let refused = send(&client, &[map, ("entities", "must-exist")], new).expect(422).await;
    assert_eq!(refused.faults(), ["line 2: Resp must_exist"], "{}", refused.text);
    let report = done(&client, &[map], new).await;
    assert_eq!(report["made_entities"], json!({"count": 1, "first": [{"pointer": "line 2: Resp", "words": "S.T.S."}]}));
    // Two of one name: nobody guesses, unless one of them is no more.
    for valid_to in [Value::Null, "2020-01-01".into()] {
        client.create("entities", json!({"name": "Agenția", "kind": "agency", "valid_to": valid_to})).await;
    }
    done(&client, &[map], "Titlu,Resp\nj,agentia\n").await;
    client.create("entities", json!({"name": "AGENȚIA", "kind": "agency"})).await;
    let refused = send(&client, &[map], "Titlu,Resp\nk,agentia\n").expect(422).await;
    assert_eq!(refused.faults(), ["line 2: Resp ambiguous"]);
    assert!(
        details(&refused)[0].contains("`Agenția`") && details(&refused)[0].contains("`AGENȚIA`"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn what_was_entered_otherwise_is_found_by_its_code() {
    let client = with_strategy("draft").await;
    let plan = json!({
        "format": "mandate-plan/1",
        "objectives": [{"strategy_id": "code:S", "code": "O", "title": "Obiectiv"}],
        "initiatives": [{"external_id": "mine", "strategy_id": "code:S", "code": "1", "title": "Cursuri"}],
        "steps": [{"initiative_id": "external:mine", "code": "a", "title": "Pas"}]
    });
    client.post("/v1/imports", plan).expect(200).await;
    let map = ("map", "objective_code=Ob,code=Nr,title=Titlu,step_code=P,step=Pas,amount:2026=S26");
    let report = done(&client, &[map], "Ob,Nr,Titlu,P,Pas,S26\nO,1,Cursuri,a,Pas,10\n").await;
    assert_eq!((&report["created"], &report["refused"]), (&json!(1), &json!(0)), "{report}");
    assert_eq!(items(&client, "initiatives").await[0]["external_id"], "mine");
}

#[tokio::test]
async fn amounts_are_known_by_item_year_and_source() {
    let client = with_strategy("draft").await;
    let map = ("map", "code=Nr,title=Titlu,amount=Suma,fiscal_year=An,funding_source=Sursa");
    for year in ["2026", "2027"] {
        done(&client, &[map], &format!("Nr,Titlu,Suma,An,Sursa\n1,Cursuri,10,{year},PNRR\n")).await;
    }
    assert_eq!(count(&client, "budget-allocations").await, 2);
    // Rows of one code that differ in year or source are amounts of one initiative.
    let rows = "Nr,Titlu,Suma,An,Sursa\n1,Cursuri,10,2026,PNRR\n1,Cursuri,12,2027,P.N.R.R.\n1,Cursuri,5,2027,Buget\n";
    let report = done(&client, &[map], rows).await;
    assert_eq!(report["changes"], json!({"budget_allocations": {"money": 1}}), "{report}");
    assert_eq!((count(&client, "budget-allocations").await, count(&client, "funding-sources").await), (3, 2));
    let twice = send(&client, &[map], "Nr,Titlu,Suma,An,Sursa\n1,Cursuri,10,2026,PNRR\n1,Cursuri,11,2026,pnrr\n")
        .expect(422)
        .await;
    assert_eq!(twice.faults(), ["line 3: Suma duplicate"], "{}", twice.text);
    // Several columns of amounts; where sources are not mapped, an amount of the year is the one that is there.
    let wide = ("map", "code=Nr,title=Titlu,amount:2026=S26,amount:2028:PNRR=S28,currency=M");
    let report =
        done(&client, &[wide], "Nr,Titlu,S26,S28,M\n1,Cursuri,10,7,RON\n2,Altele,-,\"în limita bugetului\",RON\n")
            .await;
    assert_eq!((&report["created"], &report["words_for_amounts"]["count"]), (&json!(2), &json!(1)), "{report}");
    let other = &items(&client, "initiatives?code=2").await[0];
    assert_eq!(other["funding_note"], json!({"ro": "în limita bugetului"}));
    // A year that the table does not have stays; of one that it has, what is not named any more becomes 0 when asked.
    let less = "Nr,Titlu,Suma,An,Sursa\n1,Cursuri,12,2027,PNRR\n";
    assert_eq!(done(&client, &[map], less).await["left_over"]["count"], 1);
    done(&client, &[map, ("prune", "true")], less).await;
    let amounts: Vec<String> = items(&client, "budget-allocations?sort=fiscal_year,amount")
        .await
        .iter()
        .map(|row| format!("{} {}", row["fiscal_year"], row["money"]["amount"].as_str().unwrap()))
        .collect();
    assert_eq!(amounts, ["2026 10.00", "2027 0.00", "2027 12.00", "2028 7.00"]);
}

#[tokio::test]
async fn what_was_not_taken_is_counted() {
    let client = with_strategy("draft").await;
    let csv = "Nr,Titlu,Termen,Observații\n1,Cursuri,când se poate,x\n2,Exerciții,2027,\n";
    let report = done(&client, &[MAP], csv).await;
    assert_eq!(report["unmapped_columns"], json!([{"header": "Observații", "cells": 1}]), "{report}");
    let unread = json!({"count": 1, "first": [{"pointer": "line 2: Termen", "words": "când se poate"}]});
    assert_eq!(report["unread_deadlines"], unread);
}
