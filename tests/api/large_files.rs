//! A large file does not depend on plans of statements that were made when the table was small.

use std::fmt::Write as _;

use mandate::{nouns::money::ExchangeRate, repository};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use uuid::Uuid;

use crate::support::{database, service};

/// The plan of each statement that the connection has prepared over exchange rates.
async fn plans(connection: &mut PgConnection) -> Vec<(String, String)> {
    let prepared: Vec<(String, String, String)> = sqlx::query_as(
        "select name, statement, parameter_types::text from pg_prepared_statements where statement like '%exchange_rates%' \
         and statement not like '%pg_prepared_statements%' and cardinality(parameter_types) = 1",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut plans = Vec::new();
    for (name, statement, types) in prepared {
        let list = if types.contains("uuid") { "array[gen_random_uuid()]" } else { "array['a']" };
        let explain = AssertSqlSafe(format!("explain execute \"{name}\"({list})"));
        let lines: Vec<String> = sqlx::query_scalar(explain).fetch_all(&mut *connection).await.unwrap();
        plans.push((statement, lines.join("\n")));
    }
    plans
}

#[tokio::test]
async fn lookups_of_many_rows_hold_no_row_against_each_name() {
    // As if each plan had been made when the table was empty, and kept.
    let mut connection = database().await.options([("plan_cache_mode", "force_generic_plan")]).connect().await.unwrap();
    sqlx::query("analyze exchange_rates").execute(&mut connection).await.unwrap();
    let names = ["a".to_owned(), "b".to_owned()];
    repository::named_by(&mut connection, "exchange_rates", "external_id", &names).await.unwrap();
    repository::find_many::<ExchangeRate>(&mut connection, &[Uuid::nil()]).await.unwrap();
    let plans = plans(&mut connection).await;
    assert_eq!(plans.len(), 2, "{plans:#?}");
    for (statement, plan) in &plans {
        assert!(!plan.contains("= ANY"), "{statement}\n{plan}");
    }
}

#[tokio::test]
async fn many_rates_after_few_are_taken() {
    const CURRENCIES: [&str; 10] = ["USD", "JPY", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF"];
    let client = service().await;
    let mut from = 0;
    for days in [1, 1, 1, 500] {
        let mut csv = format!("Date,{}\n", CURRENCIES.join(","));
        for day in from..from + days {
            let date = chrono::NaiveDate::from_ymd_opt(1999, 1, 4).unwrap() + chrono::Days::new(day);
            writeln!(csv, "{date},{}", ["1.5"; 10].join(",")).unwrap();
        }
        from += days;
        let call = client.call("POST", "/v1/imports/exchange-rates").header("content-type", "text/csv").body(csv);
        assert_eq!(call.expect(200).await.json()["created"], days * 10);
    }
}
