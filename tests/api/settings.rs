//! The settings have the effect that they promise.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Parser as _;
use mandate::cli::config::Cli;
use serde_json::{Value, json};

use crate::support::{Client, service, services};

/// Now, by the clock of the database.
async fn now(client: &Client) -> DateTime<Utc> {
    let body = json!({"name": "Clock", "kind": "other"});
    client.create("entities", body).await["created_at"].as_str().unwrap().parse().unwrap()
}

async fn how_many(client: &Client, path: &str) -> usize {
    client.get(path).expect(200).await.json()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_day_ends_in_the_time_zone_of_the_service() {
    // In the west it is always at least one day earlier than in the east. Without a time zone it is UTC.
    let zones = [Tz::Pacific__Pago_Pago, Tz::Pacific__Kiritimati, Tz::UTC];
    let services = services([zones[0].name(), zones[1].name(), ""]).await;
    let client = &services[0];
    let strategy = json!({"code": "S", "title": "A strategy", "country": "XX", "kind": "strategy"});
    let strategy = client.create("strategies", strategy).await["id"].clone();
    // Should a day change while this runs, it is tried again.
    for code in ["1", "2"] {
        let days = async || {
            let now = now(client).await;
            zones.map(|zone| now.with_timezone(&zone).date_naive())
        };
        let today = days().await;
        let last = today[0];
        assert!(last < today[1]);
        let initiative = json!({"strategy_id": strategy, "code": code, "title": "An initiative"});
        let initiative = client.create("initiatives", initiative).await["id"].clone();
        let agency = json!({"name": code, "code": code, "kind": "agency", "valid_to": last});
        let agency = client.create("entities", agency).await["id"].clone();
        let lead = json!({"initiative_id": initiative, "entity_id": agency, "role": "lead", "valid_to": last});
        client.create("assignments", lead).await;
        let agency = agency.as_str().unwrap();
        let mut wrong = Vec::new();
        for (service, today) in services.iter().zip(today) {
            for path in [
                format!("/v1/assignments?is_current=true&entity_id={agency}"),
                format!("/v1/entities?is_current=true&code={code}"),
                format!("/v1/initiatives?has_lead=true&code={code}"),
                format!("/v1/initiatives?lead_id={agency}"),
                format!("/v1/reports/plan?entity_id={agency}"),
            ] {
                if how_many(service, &path).await != usize::from(today <= last) {
                    wrong.push(format!("{path} on {today}"));
                }
            }
        }
        if wrong.is_empty() {
            return;
        }
        assert!(days().await != today, "{wrong:#?}");
    }
    panic!("a day changed twice");
}

#[tokio::test]
async fn a_country_left_out_is_the_configured_one() {
    let client = service().await;
    let act = json!({"issuer": "Government", "act_type": "decision", "number": "1", "date": "2024-01-31"});
    let act = client.create("legal-acts", act).await;
    let strategy = client.create("strategies", json!({"title": "A strategy", "kind": "strategy"})).await;
    assert_eq!([&act["country"], &strategy["country"]], ["RO", "RO"]);
    // An international organisation has none.
    let entity = client.create("entities", json!({"name": "All", "kind": "international"})).await;
    assert_eq!(entity["country"], Value::Null);
    let wrong = json!({"title": "A strategy", "kind": "strategy", "country": "QA1"});
    assert_eq!(client.post("/v1/strategies", wrong).expect(422).await.faults(), ["#/country wrong_format"]);
    let document = client.get("/openapi.json").expect(200).await.json();
    for noun in ["LegalAct", "Strategy"] {
        let schema = &document["components"]["schemas"][noun];
        assert!(!schema["required"].as_array().unwrap().contains(&json!("country")), "{noun}");
        let words = schema["properties"]["country"]["description"].as_str().unwrap();
        assert!(words.contains("MANDATE_COUNTRY"), "{noun}: {words}");
    }
}

#[test]
fn a_wrong_setting_is_named_with_an_example() {
    for (option, value, words) in [
        ("--country", "Romania", "MANDATE_COUNTRY is a country of ISO 3166-1 alpha-2, such as RO"),
        ("--country", "ro", "such as RO"),
        ("--languages", "ro,english", "MANDATE_LANGUAGES are languages of ISO 639-1 between commas, such as ro,en"),
        ("--languages", "", "such as ro,en"),
        ("--currency", "EURO", "MANDATE_CURRENCY is a currency of ISO 4217, such as RON"),
        ("--timezone", "Bucharest", "MANDATE_TIMEZONE is a time zone of the IANA database, such as Europe/Bucharest"),
        ("--webhook-allow", "10.0.0.0/33", "MANDATE_WEBHOOK_ALLOW are host names and networks between commas, such as"),
    ] {
        let error = Cli::try_parse_from(["mandate", "serve", option, value]).unwrap_err().to_string();
        assert!(error.contains(words), "{option} {value}: {error}");
    }
    let settings =
        Cli::try_parse_from(["mandate", "serve", "--languages", "fr, nl", "--country", "BE"]).unwrap().settings;
    assert_eq!((settings.languages, settings.country), (vec!["fr".to_owned(), "nl".to_owned()], "BE".to_owned()));
}

#[test]
fn the_time_limits_of_postgresql_are_settings() {
    let limits = |words: &[&str]| {
        let words = ["mandate", "serve"].iter().chain(words);
        Cli::try_parse_from(words).map(|cli| cli.settings.limits()).map_err(|error| error.to_string())
    };
    let given = limits(&["--statement-time", "5", "--lock-time", "2"]).unwrap();
    assert_eq!((given.statement_time, given.lock_time), (Duration::from_secs(5), Duration::from_secs(2)));
    let default = limits(&[]).unwrap();
    assert_eq!((default.statement_time, default.lock_time), (Duration::from_secs(25), Duration::from_secs(10)));
    // PostgreSQL must give up before the request does.
    assert!(limits(&["--statement-time", "30"]).unwrap_err().contains("--statement-time"));
    assert!(limits(&["--lock-time", "0"]).unwrap_err().contains("--lock-time"));
}
