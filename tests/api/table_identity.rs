//! A table finds what it means by what that is, touches what it maps, and takes back nothing that was changed by hand.

use serde_json::{Value, json};

use crate::support::{Client, client::Call, service};

async fn with_strategies(status: &str) -> Client {
    let client = service().await;
    let plan = json!({
        "format": "mandate-plan/1",
        "legal_acts": [{"external_id": "act", "country": "XX", "issuer": "Council", "act_type": "decision", "number": "1", "date": "2024-01-31"}],
        "strategies": [
            {"external_id": "s", "code": "S", "title": "S", "country": "RO", "kind": "strategy", "status": status, "legal_act_id": "external:act"},
            {"external_id": "t", "code": "T", "title": "T", "country": "RO", "kind": "strategy"}
        ]
    });
    client.post("/v1/imports", plan).expect(200).await;
    client
}

fn send(client: &Client, pairs: &[(&str, &str)], csv: &str) -> Call {
    let all = [&[("strategy_id", "external:s")][..], pairs].concat();
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
    let call = client.call("POST", format!("/v1/imports?{query}")).header("content-type", "text/csv");
    call.header("mandate-reason", "the new table").body(csv)
}

async fn done(client: &Client, pairs: &[(&str, &str)], csv: &str) -> Value {
    send(client, pairs, csv).expect(200).await.json()
}

async fn items(client: &Client, path: &str) -> Vec<Value> {
    let mut list = client.get(format!("/v1/{path}")).expect(200).await.json();
    list["items"].as_array_mut().unwrap().drain(..).collect()
}

async fn patch(client: &Client, path: &str, change: Value) {
    let call = client.patch(format!("/v1/{path}"), change).header("if-match", "*");
    call.header("mandate-reason", "by hand").expect(200).await;
}

async fn export(client: &Client) -> String {
    client.get("/v1/exports/plan").expect(200).await.text
}

const PRUNE: (&str, &str) = ("prune", "true");
const DRY: (&str, &str) = ("dry_run", "true");
const LEADS: (&str, &str) = ("map", "code=Nr,title=Titlu,lead=Resp,support=Part");
const MONEY: (&str, &str) = ("map", "code=Nr,title=Titlu,amount:2026=S26");

#[tokio::test]
async fn what_no_column_says_stays_as_it_is() {
    let client = with_strategies("draft").await;
    let with_currency = ("map", "code=Nr,title=Titlu,amount:2026=S26,currency=M");
    done(&client, &[with_currency], "Nr,Titlu,S26,M\n1,Cursuri,10,EUR\n").await;
    // Another amount without a currency, or with an empty one, is of the same money; what is new has that of the service.
    for (map, csv) in [
        (MONEY, "Nr,Titlu,S26\n1,Cursuri,12\n2,Altele,5\n"),
        (with_currency, "Nr,Titlu,S26,M\n1,Cursuri,14,\n2,Altele,6,\n"),
    ] {
        done(&client, &[map], csv).await;
        let mut money: Vec<String> = items(&client, "budget-allocations")
            .await
            .iter()
            .map(|row| row["money"]["currency"].as_str().unwrap().into())
            .collect();
        money.sort();
        assert_eq!(money, ["EUR", "RON"]);
    }
    // Words of a code that stands for its title, and codes that stand for nothing, are not written over.
    let bare = ("map", "objective_code=Ob,title=Titlu,step=Pas");
    let csv = "Ob,Titlu,Pas\nO1,Cursuri noi,Pilot\n";
    done(&client, &[bare], csv).await;
    patch(&client, "objectives/external:s-objective-o1", json!({"title": "Educație"})).await;
    patch(&client, "initiatives/external:s-initiative-cursuri-noi", json!({"code": "7.1"})).await;
    patch(&client, "steps/external:s-initiative-cursuri-noi-step-pilot", json!({"code": "a"})).await;
    let before = export(&client).await;
    for mode in ["merge", "replace"] {
        let report = done(&client, &[bare, ("mode", mode)], csv).await;
        assert_eq!((&report["created"], &report["changed"]), (&json!(0), &json!(0)), "{mode}: {report}");
    }
    assert_eq!(export(&client).await, before);
}

#[tokio::test]
async fn a_lead_that_was_changed_by_hand_stands() {
    let client = with_strategies("draft").await;
    let csv = "Nr,Titlu,Resp,Part\n1,Cursuri,MAI,MEN\n";
    done(&client, &[LEADS], csv).await;
    let other =
        client.create("entities", json!({"code": "DNSC", "name": "DNSC", "kind": "agency"})).await["id"].clone();
    patch(&client, "assignments/external:s-initiative-1-lead-mai", json!({"entity_id": other})).await;
    patch(&client, "assignments/external:s-initiative-1-support-men", json!({"entity_id": other})).await;
    let refused = send(&client, &[LEADS], csv).expect(422).await;
    assert_eq!(refused.faults(), ["line 2: Resp lead_stands"], "{}", refused.text);
    done(&client, &[LEADS, PRUNE], csv).await;
    let mut leads: Vec<Value> = Vec::new();
    for row in items(&client, "assignments?sort=created_at").await {
        let entity =
            client.get(format!("/v1/entities/{}", row["entity_id"].as_str().unwrap())).expect(200).await.json();
        leads.push(json!([row["role"], entity["name"]["ro"], row["valid_to"].is_null(), row["external_id"]]));
    }
    assert_eq!(
        json!(leads),
        json!([
            ["lead", "DNSC", false, "s-initiative-1-lead-mai"],
            ["support", "DNSC", false, "s-initiative-1-support-men"],
            ["lead", "MAI", true, "s-initiative-1-lead-mai-2"],
            ["support", "MEN", true, "s-initiative-1-support-men-2"]
        ])
    );
    let again = done(&client, &[LEADS, PRUNE], csv).await;
    assert_eq!((&again["created"], &again["changed"]), (&json!(0), &json!(0)), "{again}");
}

#[tokio::test]
async fn an_item_that_was_moved_by_hand_is_not_moved_back() {
    let client = with_strategies("draft").await;
    let map = ("map", "objective_code=Ob,objective=Obiectiv,code=Nr,title=Titlu,step_code=P,step=Pas");
    let csv = "Ob,Obiectiv,Nr,Titlu,P,Pas\nO,Educație,1,Cursuri,a,Cadru\n,,2,Exerciții,b,Plan\n";
    done(&client, &[map], csv).await;
    patch(&client, "steps/external:s-initiative-1-step-a", json!({"initiative_id": "external:s-initiative-2"})).await;
    let before = export(&client).await;
    let refused = send(&client, &[map], csv).expect(422).await;
    assert_eq!(refused.faults(), ["line 2: Pas elsewhere"], "{}", refused.text);
    assert!(refused.text.contains("the initiative 2 of the strategy S"), "{}", refused.text);
    patch(&client, "steps/external:s-initiative-1-step-a", json!({"initiative_id": "external:s-initiative-1"})).await;
    patch(&client, "initiatives/external:s-initiative-2", json!({"strategy_id": "external:t"})).await;
    let refused = send(&client, &[map], csv).expect(422).await;
    assert_eq!(refused.faults(), ["line 3: Titlu elsewhere"], "{}", refused.text);
    assert!(refused.text.contains("is in the strategy T now"), "{}", refused.text);
    let dry = done(&client, &[map, DRY], csv).await;
    assert_eq!((&dry["refused"], &dry["rows"][0]["line"]), (&json!(1), &json!(3)), "{dry}");
    patch(&client, "initiatives/external:s-initiative-2", json!({"strategy_id": "external:s"})).await;
    drop(before);
    let again = done(&client, &[map], csv).await;
    assert_eq!((&again["created"], &again["changed"]), (&json!(0), &json!(0)), "{again}");
}

#[tokio::test]
async fn what_has_another_code_by_now_keeps_what_belongs_to_it() {
    let client = with_strategies("draft").await;
    let map = ("map", "code=Nr,title=Titlu,lead=Resp,amount:2026=S26");
    let csv = "Nr,Titlu,Resp,S26\n1,Cursuri,MAI,10\n";
    done(&client, &[map], csv).await;
    patch(&client, "initiatives/external:s-initiative-1", json!({"code": "9"})).await;
    let old = items(&client, "initiatives?code=9").await[0]["id"].clone();
    let report = done(&client, &[map], &csv.replace("10", "20")).await;
    assert_eq!((&report["created"], &report["changed"]), (&json!(3), &json!(0)), "{report}");
    let new = items(&client, "initiatives?code=1").await;
    assert_eq!(new[0]["external_id"], "s-initiative-1-2");
    for noun in ["assignments", "budget-allocations"] {
        let items = items(&client, &format!("{noun}?sort=created_at")).await;
        let of: Vec<&Value> = items.iter().map(|row| &row["initiative_id"]).collect();
        assert_eq!(of, [&old, &new[0]["id"]], "{noun}");
    }
    // Both are known from now on, in one table and with steps below.
    let both = "Nr,Titlu,Resp,S26\n1,Cursuri,MAI,20\n9,Cursuri,MAI,10\n";
    let report = done(&client, &[map], both).await;
    assert_eq!((&report["created"], &report["changed"]), (&json!(0), &json!(0)), "{report}");
    // The name that a suffix would make is that of a row of the table.
    patch(&client, "initiatives/external:s-initiative-1-2", json!({"code": "8"})).await;
    let report = done(&client, &[map], "Nr,Titlu,Resp,S26\n1,Cursuri,MAI,1\n1-2,Altele,MAI,2\n").await;
    assert_eq!((&report["created"], &report["refused"]), (&json!(6), &json!(0)), "{report}");
    let steps = ("map", "code=Nr,title=Titlu,step_code=P,step=Pas");
    done(&client, &[steps], "Nr,Titlu,P,Pas\n1,Cursuri,a,Pas\n").await;
    patch(&client, "steps/external:s-initiative-1-step-a", json!({"code": "z"})).await;
    let report = done(&client, &[steps], "Nr,Titlu,P,Pas\n1,Cursuri,a,Alt pas\n1,Cursuri,z,Pas\n").await;
    assert_eq!((&report["created"], &report["changed"]), (&json!(1), &json!(0)), "{report}");
}

#[tokio::test]
async fn an_amount_of_another_year_source_or_phase_by_now_is_another_one() {
    let client = with_strategies("draft").await;
    let csv = "Nr,Titlu,S26\n1,Cursuri,10\n";
    done(&client, &[MONEY], csv).await;
    let mut made = 1;
    for change in [json!({"fiscal_year": 2027}), json!({"phase": "appropriation"})] {
        let id = items(&client, "budget-allocations?fiscal_year=2026&phase=estimate").await[0]["id"].clone();
        patch(&client, &format!("budget-allocations/{}", id.as_str().unwrap()), change).await;
        let report = done(&client, &[MONEY], csv).await;
        assert_eq!((&report["created"], &report["changed"]), (&json!(1), &json!(0)), "{report}");
        made += 1;
        assert_eq!(items(&client, "budget-allocations").await.len(), made);
    }
}

#[tokio::test]
async fn an_empty_cell_says_that_nothing_stands_whatever_other_rows_say() {
    let client = with_strategies("draft").await;
    let map = ("map", "code=Nr,title=Titlu,lead=Resp,support=Part,amount:2026=S26,amount:2027:PNRR=P27");
    let full = "Nr,Titlu,Resp,Part,S26,P27\n1,Cursuri,MAI,MEN,10,7\n2,Exerciții,MAI,MEN,20,8\n";
    done(&client, &[map], full).await;
    // By hand: another source of that year, and somebody else who supports.
    let entity = client.create("entities", json!({"name": "SRI", "kind": "agency"})).await["id"].clone();
    client
        .create(
            "assignments",
            json!({"initiative_id": "external:s-initiative-2", "entity_id": entity, "role": "support"}),
        )
        .await;
    let by_hand = json!({"initiative_id": "external:s-initiative-1", "fiscal_year": 2027, "phase": "estimate", "money": {"amount": "3", "currency": "RON"}});
    client.create("budget-allocations", by_hand).await;
    let empty = "Nr,Titlu,Resp,Part,S26,P27\n1,Cursuri,,,,-\n2,Exerciții,MAI,MEN,\"în limita bugetului\",8\n";
    let listed = done(&client, &[map], empty).await;
    let words: Vec<&str> =
        listed["left_over"]["first"].as_array().unwrap().iter().map(|note| note["words"].as_str().unwrap()).collect();
    assert_eq!(
        words,
        ["lead: MAI", "support: MEN", "10.00 RON of 2026", "7.00 RON of 2027", "20.00 RON of 2026"],
        "{listed}"
    );
    let ended = done(&client, &[map, PRUNE], empty).await;
    assert_eq!(
        ended["changes"],
        json!({"assignments": {"valid_to": 2}, "budget_allocations": {"money": 3}}),
        "{ended}"
    );
    let again = done(&client, &[map, PRUNE], empty).await;
    assert_eq!((&again["changed"], &again["left_over"]["count"]), (&json!(0), &json!(0)), "{again}");
    // What is not in the table, and what the table is not about, stays.
    let amounts: Vec<String> = items(&client, "budget-allocations?sort=fiscal_year,amount")
        .await
        .iter()
        .map(|row| format!("{} {}", row["fiscal_year"], row["money"]["amount"].as_str().unwrap()))
        .collect();
    assert_eq!(amounts, ["2026 0.00", "2026 0.00", "2027 0.00", "2027 3.00", "2027 8.00"]);
    assert_eq!(items(&client, "assignments?is_current=true").await.len(), 3);
}

#[tokio::test]
async fn an_empty_cell_is_of_what_stands_whoever_entered_it() {
    let client = with_strategies("draft").await;
    let plan = json!({
        "format": "mandate-plan/1",
        "entities": [{"code": "MAI", "name": "MAI", "kind": "ministry"}],
        "initiatives": [{"external_id": "i", "strategy_id": "external:s", "code": "1", "title": "Cursuri"}],
        "steps": [{"external_id": "p", "initiative_id": "external:i", "code": "a", "title": "Pas"}],
        "assignments": [{"initiative_id": "external:i", "entity_id": "code:MAI", "role": "lead"}],
        "budget_allocations": [{"initiative_id": "external:i", "fiscal_year": 2026, "phase": "estimate", "money": {"amount": "10", "currency": "EUR"}}]
    });
    client.post("/v1/imports", plan).expect(200).await;
    // A row about a step says nothing of its initiative.
    let steps = ("map", "code=Nr,title=Titlu,step_code=P,step=Pas,lead=Resp,amount:2026=S26");
    let report = done(&client, &[steps, PRUNE], "Nr,Titlu,P,Pas,Resp,S26\n1,Cursuri,a,Pas,,\n").await;
    assert_eq!((&report["changed"], &report["left_over"]["count"]), (&json!(0), &json!(0)), "{report}");
    let map = ("map", "code=Nr,title=Titlu,lead=Resp,amount=Suma,fiscal_year=An");
    let empty = "Nr,Titlu,Resp,Suma,An\n1,Cursuri,,,2026\n";
    assert_eq!(done(&client, &[map], empty).await["left_over"]["count"], 2);
    let report = done(&client, &[map, PRUNE], empty).await;
    assert_eq!(
        report["changes"],
        json!({"assignments": {"valid_to": 1}, "budget_allocations": {"money": 1}}),
        "{report}"
    );
    assert_eq!(items(&client, "budget-allocations").await[0]["money"], json!({"amount": "0.00", "currency": "EUR"}));
}

#[tokio::test]
async fn a_dry_run_tells_of_refused_cells_in_its_report() {
    let client = with_strategies("draft").await;
    let map = ("map", "code=Nr,title=Titlu,amount:2026=S26");
    for (csv, faults) in [
        ("Nr,Titlu,S26\n1,a,\"10.000,00 EUR\"\n2,b,5\n", vec!["line 2: S26 wrong_format"]),
        ("Nr,Titlu,S26\n1,a,\n1,b,\n", vec!["line 3: Nr ambiguous"]),
        (
            "Nr,Titlu,S26\n1,,5\n2,b,-5\n3,c\n",
            vec!["line 2: Titlu required", "line 3: S26 wrong_format", "line 4 ragged"],
        ),
    ] {
        let dry = done(&client, &[map, DRY], csv).await;
        let told: Vec<String> = dry["rows"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|row| row["errors"].as_array().unwrap())
            .map(|fault| format!("{} {}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
            .collect();
        assert_eq!(
            (told, &dry["refused"]),
            (faults.iter().map(|&word| word.to_owned()).collect(), &json!(faults.len())),
            "{dry}"
        );
        assert_eq!((&dry["dry_run"], &dry["committed"]), (&json!(true), &json!(false)));
        assert!(
            dry["rows"].as_array().unwrap().iter().all(|row| row["outcome"] == "refused" && row["line"].is_u64()),
            "{dry}"
        );
        assert_eq!(send(&client, &[map], csv).expect(422).await.faults(), faults);
    }
    done(&client, &[map], "Nr,Titlu,S26\n1,a,5\n").await;
    for source in ["A", "B"] {
        let source = client.create("funding-sources", json!({"name": source, "kind": "other"})).await["id"].clone();
        let other = json!({"initiative_id": "external:s-initiative-1", "fiscal_year": 2025, "phase": "estimate", "funding_source_id": source,
            "money": {"amount": "3", "currency": "RON"}});
        client.create("budget-allocations", other).await;
    }
    let several = ("map", "code=Nr,title=Titlu,amount:2025=S25");
    let dry = done(&client, &[several, DRY], "Nr,Titlu,S25\n1,a,5\n").await;
    assert_eq!(dry["rows"][0]["errors"][0]["pointer"], "line 2: S25", "{dry}");
    // What is no table, or has no such header, is a problem all the same.
    send(&client, &[map, DRY], "Nr,Titlu,S26\n1,\"a\n").expect(400).await;
    send(&client, &[map, DRY], "Nr,Titlu\n1,a\n").expect(400).await;
}

#[tokio::test]
async fn a_mapping_is_read_to_its_closing_quote_and_a_table_by_its_delimiter() {
    let client = with_strategies("draft").await;
    for map in ["title=\"Acțiune", "title=Acțiune\"", "code=\"Nr,title=Acțiune", "title=\"Acțiune\"x"] {
        let refused = send(&client, &[("map", map)], "Nr,Acțiune\n1,a\n").expect(400).await;
        assert_eq!(refused.faults(), ["map wrong_format"], "{map}: {}", refused.text);
    }
    let quoted = ("map", "code=\"Nr. \"\"crt\"\", lead=x\", title=Ce, când");
    let csv = "\"Nr. \"\"crt\"\", lead=x\"\t\"Ce, când\"\n1\tCursuri; altele, și alte\n";
    assert_eq!(done(&client, &[quoted], csv).await["created"], 1);
    assert_eq!(items(&client, "initiatives").await[0]["title"]["ro"], "Cursuri; altele, și alte");
    let refused = send(&client, &[("map", "code=Nr,title=T")], "Nr\tT\n1\ta\tb\n").expect(422).await;
    assert!(refused.text.contains("the delimiter is the tab"), "{}", refused.text);
    let none = client
        .call("POST", "/v1/imports?map=title%3DT")
        .header("content-type", "text/csv")
        .body("T\na\n")
        .expect(400)
        .await;
    assert!(none.text.contains("`code:...`"), "{}", none.text);
}
