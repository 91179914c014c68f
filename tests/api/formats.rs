//! The formats of lists and reports: stable tables, suffixes of paths, and texts in one language.

use std::collections::BTreeSet;

use mandate::router;
use serde_json::{Value, json};

use crate::support::{Client, client::Reply, service};

const PLANS: [&str; 7] = [
    include_str!("../../examples/turkiye-2013-2014.json"),
    include_str!("../../examples/romania-2022-2027-partial.json"),
    include_str!("../../examples/reference-forums.json"),
    include_str!("../../examples/framework-ncsi-3.0.json"),
    include_str!("../../examples/romania-acceptance-case.json"),
    include_str!("../../examples/exampland-2026.json"),
    include_str!("../../examples/us-assistance-albania.json"),
];

/// A service with the plans of the demo.
async fn furnished() -> Client {
    let client = service().await;
    for plan in PLANS {
        let call = client.call("POST", "/v1/imports").header("content-type", "application/json");
        call.body(plan).expect(200).await;
    }
    client
}

/// The readings of the document that answer tables, without those of one resource.
fn readings() -> Vec<String> {
    let document = router::document();
    let paths = document["paths"].as_object().unwrap().iter();
    let listed =
        paths.filter(|(path, item)| !path.contains('{') && item["get"]["responses"]["200"].get("x-formats").is_some());
    listed.map(|(path, _)| path.clone()).collect()
}

/// What some readings cannot do without.
fn needed(path: &str) -> &'static str {
    if path == "/v1/diff" { "?from=2020-01-01" } else { "" }
}

fn records(reply: &Reply) -> Vec<Vec<String>> {
    let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(reply.text.as_bytes());
    reader.into_records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The paths of all values of a row, without the places in lists.
fn paths(at: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                paths(&if at.is_empty() { name.clone() } else { format!("{at}.{name}") }, value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(at, item, found)),
        Value::Null => {}
        _ => {
            found.insert(at.to_owned());
        }
    }
}

#[tokio::test]
async fn every_table_has_the_same_columns_full_or_empty_and_no_json() {
    let (empty, full) = (service().await, furnished().await);
    let readings = readings();
    assert!(readings.len() > 70, "{readings:?}");
    let mut wrong = Vec::new();
    for path in &readings {
        let asked = format!("{path}.csv{}", needed(path));
        let (first, second) = (empty.get(&asked).send().await, full.get(&asked).expect(200).await);
        let second_rows = records(&second);
        // A reading that needs a row of another noun has none in an empty service.
        if first.status == 200 {
            let rows = records(&first);
            if rows.is_empty() || rows[0] != second_rows[0] {
                wrong.push(format!("{path}: {:?} when empty, {:?} when not", rows.first(), second_rows[0]));
            }
        }
        let header: BTreeSet<&str> = second_rows[0].iter().map(String::as_str).collect();
        if header.len() != second_rows[0].len() {
            wrong.push(format!("{path}: a column stands twice: {:?}", second_rows[0]));
        }
        for cell in second_rows.iter().flatten().filter(|cell| cell.starts_with(['{', '[']) || cell.contains("{\"")) {
            wrong.push(format!("{path}: {cell}"));
        }
        let page = full.get(format!("{path}.json{}", needed(path))).expect(200).await.json();
        let mut values = BTreeSet::new();
        page["items"].as_array().unwrap().iter().for_each(|row| paths("", row, &mut values));
        let is_held = |value: &str| {
            // An open value is one cell, whatever is in it; a language that the service does not have stands in no column.
            header.iter().any(|column| value == *column || value.starts_with(&format!("{column}.")))
                || value.rsplit_once('.').is_some_and(|(text, _)| header.contains(format!("{text}.ro").as_str()))
        };
        for value in values.iter().filter(|value| !is_held(value)) {
            wrong.push(format!("{path}: {value} has no column"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_suffix_asks_for_a_format_whatever_is_accepted() {
    let client = furnished().await;
    for (suffix, kind) in [
        (".csv", "text/csv"),
        (".ndjson", "application/x-ndjson"),
        (".txt", "text/plain"),
        (".json", "application/json"),
    ] {
        for path in
            ["/v1/initiatives", "/v1/reports/plan", "/v1/obligations", "/v1/changes", "/v1/webhooks", "/v1/api-keys"]
        {
            for accept in ["application/json", "text/csv", "image/png", "*/*"] {
                let reply = client.get(format!("{path}{suffix}?")).header("accept", accept).expect(200).await;
                assert!(
                    reply.header("content-type").starts_with(kind),
                    "{path}{suffix}: {}",
                    reply.header("content-type")
                );
            }
        }
    }
    // The same as by the header.
    for path in ["/v1/entities", "/v1/reports/budget"] {
        let by_header = client.get(path).header("accept", "text/csv").expect(200).await.text;
        assert_eq!(client.get(format!("{path}.csv")).expect(200).await.text, by_header);
    }
    let page = client.get("/v1/initiatives.csv?limit=2&sort=code").expect(200).await;
    assert_eq!(records(&page).len(), 3);
    let next = page.header("link");
    let next = next.trim_start_matches('<').split('>').next().unwrap();
    assert!(next.starts_with("/v1/initiatives.csv?"), "{next}");
    assert_eq!(records(&client.get(next).expect(200).await).len(), 3);
    client.post("/v1/initiatives.csv", json!({})).expect(405).await;
    let unknown = client.get("/v1/initiatives.xlsx").expect(404).await;
    assert!(unknown.text.contains("did you mean `/v1/initiatives`?"), "{}", unknown.text);
    client.get("/v1/initiatives.csv?titel=x").expect(400).await;
}

#[tokio::test]
async fn a_text_table_has_every_column_that_was_asked_for() {
    let client = service().await;
    client.create("entities", json!({"name": "Agency", "kind": "agency", "code": "A", "external_id": "x-1"})).await;
    let header = async |query: &str| {
        let text = client.get(format!("/v1/entities.txt{query}")).expect(200).await.text;
        text.lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(header("?fields=external_id,version,description,code").await, "version external_id code description");
    assert_eq!(header("?fields=id,code").await, "id code");
    assert_eq!(header("").await, "code name kind id");
}

#[tokio::test]
async fn an_id_may_end_like_a_suffix() {
    let client = service().await;
    for external in ["a.csv", "a.json", "b.ndjson", "b.txt"] {
        client.create("entities", json!({"name": external, "kind": "agency", "external_id": external})).await;
    }
    for external in ["a.csv", "a.json", "b.ndjson", "b.txt"] {
        let path = format!("/v1/entities/external:{external}");
        let found = client.get(&path).header("accept", "text/csv").expect(200).await.json();
        assert_eq!(found["external_id"], external);
        let history = client.get(format!("{path}/history.csv")).expect(200).await;
        assert_eq!(records(&history).len(), 2, "{}", history.text);
        let id = found["id"].as_str().unwrap();
        assert_eq!(client.get(format!("/v1/entities/{id}.json")).expect(200).await.json(), found);
        assert_eq!(
            client.get(format!("/v1/entities/{id}/history.json")).expect(200).await.json()["items"][0]["after"]["external_id"],
            external
        );
    }
    client.get("/v1/entities/external:a").expect(404).await;
    client.get("/v1/entities/external:a.csv.json").expect(404).await;
}

#[tokio::test]
async fn texts_are_told_in_the_language_asked_for() {
    let client = service().await;
    let strategy =
        json!({"code": "S", "title": {"en": "Strategy", "ro": "Strategie"}, "country": "XX", "kind": "strategy"});
    let strategy = client.create("strategies", strategy).await["id"].clone();
    for (code, title) in [
        ("1", json!({"en": "English only"})),
        ("2", json!({"ro": "Română", "en": "Romanian"})),
        ("3", json!({"hu": "Magyar"})),
    ] {
        client.create("initiatives", json!({"strategy_id": strategy, "code": code, "title": title})).await;
    }
    let titles = async |query: &str| -> Vec<Value> {
        let page = client.get(format!("/v1/initiatives{query}")).expect(200).await.json();
        page["items"].as_array().unwrap().iter().map(|row| row["title"].clone()).collect()
    };
    // What is not said in it is said in the first language of the service that has it, and else in any.
    assert_eq!(titles("?sort=code&lang=ro").await, ["English only", "Română", "Magyar"]);
    assert_eq!(titles("?sort=code&lang=en").await, ["English only", "Romanian", "Magyar"]);
    assert_eq!(titles("?sort=code&lang=hu").await, ["English only", "Română", "Magyar"]);
    assert_eq!(titles("?sort=code").await[1], json!({"ro": "Română", "en": "Romanian"}));
    assert_eq!(titles("?sort=code&lang=en&fields=title&expand=strategy").await, ["English only", "Romanian", "Magyar"]);

    for path in ["/v1/initiatives.csv?sort=code", "/v1/reports/plan.csv?"] {
        let both = records(&client.get(path).expect(200).await);
        assert!(both[0].contains(&"title.ro".to_owned()) && both[0].contains(&"title.en".to_owned()), "{both:?}");
        let one = records(&client.get(format!("{path}&lang=ro")).expect(200).await);
        let place = one[0].iter().position(|name| name == "title").unwrap();
        let cells: Vec<&str> = one[1..].iter().map(|row| row[place].as_str()).collect();
        assert_eq!(cells, ["English only", "Română", "Magyar"]);
        assert!(one[0].iter().all(|name| !name.starts_with("title.")), "{:?}", one[0]);
    }
    let lines = client.get("/v1/initiatives.ndjson?sort=code&lang=ro").expect(200).await.text;
    assert!(lines.lines().nth(1).unwrap().contains("\"title\":\"Română\""), "{lines}");
    let table = client.get("/v1/initiatives.txt?sort=code&lang=en").expect(200).await.text;
    assert!(table.contains("Romanian") && !table.contains("Română"), "{table}");
    let plan = client.get("/v1/reports/plan?lang=en").expect(200).await.json();
    assert_eq!(plan["items"][1]["title"], "Romanian");

    let found = client.get("/v1/initiatives?code=2").expect(200).await.json()["items"][0].clone();
    let path = format!("/v1/initiatives/{}", found["id"].as_str().unwrap());
    assert_eq!(client.get(format!("{path}?lang=en")).expect(200).await.json()["title"], "Romanian");
    let expanded = client.get(format!("{path}?lang=en&expand=strategy")).expect(200).await.json();
    assert_eq!(expanded["strategy"]["title"], "Strategy");

    for path in ["/v1/initiatives", "/v1/reports/plan", "/v1/reports/treaties", "/v1/obligations", path.as_str()] {
        let refused = client.get(format!("{path}?lang=xx")).expect(400).await;
        assert_eq!(refused.faults(), ["lang unknown_code"], "{path}");
        assert!(refused.text.contains("this service has ro, en"), "{}", refused.text);
        assert_eq!(client.get(format!("{path}?lang=romanian")).expect(400).await.faults(), ["lang wrong_format"]);
    }
}

#[tokio::test]
async fn columns_follow_what_is_asked_for_and_lists_are_joined() {
    let client = furnished().await;
    let header =
        async |query: &str| records(&client.get(format!("/v1/initiatives.csv{query}")).expect(200).await)[0].clone();
    assert_eq!(header("?fields=id,title,deadline&limit=1").await[..3], ["id", "title.ro", "title.en"]);
    let expanded = header("?fields=code&expand=strategy").await;
    assert!(
        expanded.contains(&"strategy.title.ro".to_owned()) && expanded.contains(&"strategy.code".to_owned()),
        "{expanded:?}"
    );
    assert_eq!(header("?fields=code&code=none&limit=5").await, ["code"]);

    let rows = records(&client.get("/v1/reports/plan.csv?strategy_id=external:exl-plan").expect(200).await);
    let column = |name: &str| {
        rows[0].iter().position(|column| column == name).unwrap_or_else(|| panic!("{name}: {:?}", rows[0]))
    };
    let (amount, currency, phase) = (column("money.amount"), column("money.currency"), column("money.phase"));
    let several: Vec<_> = rows.iter().filter(|row| row[amount].contains("; ")).collect();
    assert!(!several.is_empty(), "no initiative has several sums");
    for row in several {
        let parts = [amount, currency, phase].map(|column| row[column].split("; ").count());
        assert!(parts.iter().all(|count| *count == parts[0]), "{row:?}");
    }
}
