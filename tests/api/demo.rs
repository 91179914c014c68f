//! `mandate demo` starts any number of times: it loads what is not there, and touches nothing that is.

use mandate::{cli::demo, repository, transfer::iati::Settings};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

use crate::support::{Client, database, service_changed};

async fn load(options: &PgConnectOptions) {
    let mut connection = options.connect().await.unwrap();
    demo::load(&mut connection).await.unwrap();
}

async fn export(client: &Client) -> Value {
    client.get("/v1/exports/plan").expect(200).await.json()
}

#[tokio::test]
async fn a_second_start_changes_nothing() {
    let options = database().await;
    let client = service_changed(options.clone(), |app| app).await;
    load(&options).await;
    let path = "/v1/initiatives/external:ro22-action-1.1-1";
    let change = json!({"status": "in_progress", "deadline": {"text": "31 decembrie 2023"}});
    let call = client.call("PATCH", path).header("if-match", "*").header("mandate-reason", "agreed").json(change);
    call.expect(200).await;
    let rows = client.get("/v1/risks").expect(200).await.json();
    let risk = format!("/v1/risks/{}", rows["items"][0]["id"].as_str().unwrap());
    client.call("DELETE", risk).header("if-match", "*").header("mandate-reason", "gone").expect(204).await;
    let before = export(&client).await;
    load(&options).await;
    load(&options).await;
    assert!(export(&client).await == before, "a later start changed something");
    let versions = client.get(format!("{path}?fields=version")).expect(200).await.json();
    assert_eq!(versions["version"], 2);
}

#[tokio::test]
async fn it_starts_wherever_the_fiscal_year_does() {
    for month in [1, 4, 10] {
        let options = repository::in_fiscal_year(database().await, month, "end");
        let client = service_changed(options.clone(), |app| app).await;
        load(&options).await;
        let strategies = client.get("/v1/strategies?count=true").expect(200).await.json();
        assert_eq!(strategies["count"], 7, "month {month}");
    }
}

#[tokio::test]
async fn all_that_it_loads_can_be_exported() {
    let options = database().await;
    let ours = Settings { reference: Some("XN-GOV-1".into()), kind: Some("10".into()), name: Some("Exampland".into()) };
    let client = service_changed(options.clone(), |app| app.with_iati(ours)).await;
    load(&options).await;
    for path in ["/v1/exports/iati", "/v1/exports/iati?all=true"] {
        let reply = client.get(path).expect(200).await;
        assert_eq!(reply.headers["mandate-left-out"], "0", "{}", reply.text);
    }
    client.get("/v1/exports/plan").expect(200).await;
}
