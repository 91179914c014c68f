//! Tables of other systems in, over HTTP: with a mapping, with money, and with all that can be wrong.

use serde_json::{Value, json};

use crate::support::{
    Client,
    client::{Call, Reply},
    service,
};

const MINISTRY: &str = "\u{feff}Nr.;Acțiune;Responsabil;Termen;Suma;An;Sursa\r\n\
    1;Cursuri;\"MEN\nDNSC\";semestrul I 2025;1.234.567,89;2025;PNRR\r\n\
    2;Exerciții;DNSC;2024;;;\r\n";
const MAP: &str =
    "code=Nr.,title=actiune,lead=Responsabil,deadline=Termen,amount=Suma,fiscal_year=An,funding_source=Sursa";

async fn with_strategy() -> Client {
    let client = service().await;
    let body = json!({"external_id": "s-1", "code": "SNSC", "title": "Strategia", "country": "RO", "kind": "strategy"});
    client.create("strategies", body).await;
    client
}

fn table(client: &Client, pairs: &[(&str, &str)], csv: impl Into<Vec<u8>>) -> Call {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    client.call("POST", format!("/v1/imports?{query}")).header("content-type", "text/csv; charset=utf-8").body(csv)
}

fn details(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let word = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    let faults = json["errors"].as_array().unwrap().iter();
    faults.map(|fault| format!("{}: {}", word(fault, "pointer"), word(fault, "detail"))).collect()
}

#[tokio::test]
async fn a_table_goes_into_its_strategy() {
    let client = with_strategy().await;
    let csv = MINISTRY;
    let pairs = [("strategy_id", "external:s-1"), ("map", MAP)];
    let dry = table(&client, &[&pairs[..], &[("dry_run", "true")]].concat(), csv).expect(200).await.json();
    assert_eq!((dry["committed"].as_bool(), dry["refused"].as_i64()), (Some(false), Some(0)), "{dry}");
    let report = table(&client, &pairs, csv).expect(200).await.json();
    assert_eq!((report["created"].as_i64(), report["refused"].as_i64()), (Some(9), Some(0)), "{report}");
    let initiative = client.get("/v1/initiatives/external:s-1-initiative-1").expect(200).await.json();
    assert_eq!((&initiative["title"]["ro"], &initiative["deadline"]["to"]), (&json!("Cursuri"), &json!("2025-06-30")));
    let money = client.get("/v1/budget-allocations").expect(200).await.json()["items"].take();
    assert_eq!(money.as_array().unwrap().len(), 1, "{money}");
    assert_eq!(money[0]["money"], json!({"amount": "1234567.89", "currency": "RON"}));
    assert_eq!((&money[0]["phase"], &money[0]["entity_id"]), (&json!("estimate"), &Value::Null));
    assert_eq!(money[0]["initiative_id"], initiative["id"]);

    // Again, however the strategy is named: the same rows.
    let strategy = client.get("/v1/strategies/external:s-1").expect(200).await.json();
    for name in ["code:SNSC", strategy["id"].as_str().unwrap()] {
        let again = table(&client, &[("strategy_id", name), ("map", MAP)], csv).expect(200).await.json();
        assert_eq!((again["created"].as_i64(), again["changed"].as_i64()), (Some(0), Some(0)), "{again}");
    }
    let changed = csv.replace("Exerciții", "Exerciții naționale");
    let report = table(&client, &pairs, changed).expect(200).await.json();
    assert_eq!((report["created"].as_i64(), report["changed"].as_i64()), (Some(0), Some(1)), "{report}");
}

#[tokio::test]
async fn parameters_of_a_table_are_judged_all_at_once() {
    let client = with_strategy().await;
    let refused = table(&client, &[], MINISTRY).expect(400).await;
    assert_eq!(refused.faults(), ["map required", "strategy_id required"]);
    let all = [("strategy_id", "external:s-1"), ("map", "titel=Acțiune,x=y"), ("decimal", ";"), ("separater", "|")];
    let refused = table(&client, &all, MINISTRY).expect(400).await;
    assert!(details(&refused)[0].contains("did you mean `separator`?"), "{}", refused.text);
    let refused = table(&client, &all[..2], MINISTRY).expect(400).await;
    assert!(details(&refused)[0].contains("did you mean `title`?"), "{}", refused.text);
    assert_eq!(refused.faults(), ["map unknown_role", "map unknown_role"]);
    let refused = table(&client, &[all[0], ("map", "title=Actiuni")], MINISTRY).expect(400).await;
    assert!(
        details(&refused)[0].starts_with("map: `Actiuni` is not a known header of the table; did you mean `Acțiune`?")
    );
    table(&client, &[("strategy_id", "external:none"), ("map", MAP)], MINISTRY).expect(404).await;
    table(&client.as_viewer(), &[all[0], ("map", MAP)], MINISTRY).expect(403).await;
    let plan = client.call("POST", "/v1/imports?map=title%3Dx").header("content-type", "application/json").body("{}");
    assert_eq!(plan.expect(400).await.faults(), ["map not_allowed"]);
    let other = client.call("POST", "/v1/imports").header("content-type", "text/plain").body("x").expect(415).await;
    assert!(other.text.contains("text/csv"));
}

#[tokio::test]
async fn faults_of_a_table_name_the_line_and_the_header() {
    let client = with_strategy().await;
    let map = "title=Titlu,deadline=Termen,lead=Resp,amount=Suma,currency=Moneda,fiscal_year=An";
    let pairs = [("strategy_id", "external:s-1"), ("map", map)];
    let csv = "Titlu,Termen,Resp,Suma,Moneda,An\n\na,2024,,5,lei,2024\nb,2024,DNSC,5,XXQ,1914\n";
    let refused = table(&client, &pairs, csv).expect(422).await;
    assert_eq!(refused.faults(), ["line 3: Moneda wrong_format", "line 4: An too_small"], "{}", refused.text);
    let dry = table(&client, &[&pairs[..], &[("dry_run", "true")]].concat(), csv).expect(200).await.json();
    let lines: Vec<&Value> = dry["rows"].as_array().unwrap().iter().map(|row| &row["line"]).collect();
    assert!(lines.iter().all(|line| line.is_u64()), "{dry}");
    let csv = "Titlu,Termen,Resp,Suma,Moneda,An\na,,,1.234,RON,2024\na,,,,,\nb,,,\n";
    let refused = table(&client, &pairs, csv).expect(422).await;
    assert_eq!(refused.faults(), ["line 2: Suma wrong_format", "line 3: Titlu duplicate", "line 4 ragged"]);
    let refused = table(&client, &pairs, &csv[..csv.len() - 5]).expect(422).await;
    assert_eq!(refused.faults(), ["line 2: Suma wrong_format", "line 3: Titlu duplicate"], "{}", refused.text);
    let with_decimal = [&pairs[..], &[("decimal", ",")]].concat();
    let refused = table(&client, &with_decimal, &csv[..csv.len() - 5]).expect(422).await;
    assert_eq!(refused.faults(), ["line 3: Titlu duplicate"], "{}", refused.text);
}

#[tokio::test]
async fn hostile_tables_are_refused_with_words() {
    let client = with_strategy().await;
    let pairs = [("strategy_id", "external:s-1"), ("map", "title=Titlu")];
    for (csv, words) in [
        (&b"Titlu\n\"open\n"[..], "line 2: character 1: the quote that starts here is never closed"),
        (b"Titlu\na\0b\n", "line 2: character 2: has the character U+0000"),
        (b"Titlu\n\xff\n", "line 2: character 1: is not UTF-8"),
        (b"T\0i\0t\0", "line 1: character 2: has the character U+0000"),
    ] {
        let refused = table(&client, &pairs, csv).expect(400).await.json();
        assert!(refused["detail"].as_str().unwrap().starts_with(words), "{refused}");
    }
    assert_eq!(table(&client, &pairs, "").expect(422).await.faults(), ["line 1 required"]);
    let wide = table(&client, &pairs, "x,".repeat(1_000_000)).expect(422).await;
    assert_eq!(wide.faults(), ["line 1 too_many"]);
    let huge = format!("Titlu\n{}\n", "x".repeat(3_000_000));
    let refused = table(&client, &pairs, huge).expect(422).await;
    assert!(refused.faults().contains(&"line 2: Titlu too_long".to_owned()) && refused.text.len() < 5000);
    let ragged = table(&client, &pairs, format!("Titlu\n{}", "a,b\n".repeat(5000))).expect(422).await;
    assert_eq!(ragged.json()["errors"].as_array().unwrap().len(), 1001);
    // Formulas are text here, and are guarded when they leave as CSV.
    let report = table(&client, &pairs, "Titlu\n\"=HYPERLINK(\"\"x\"\")\"\n'=1\n").expect(200).await.json();
    assert_eq!(report["created"], 2, "{report}");
    let csv = client.get("/v1/initiatives?sort=created_at").header("accept", "text/csv").expect(200).await.text;
    assert!(csv.contains("\"'=HYPERLINK(\"\"x\"\")\"") && csv.contains(",''=1,"), "{csv}");
}
