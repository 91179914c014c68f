//! What is public is shown without a key, where the operator says so (`MANDATE_PUBLIC`), and nothing else is.

use mandate::{
    app::{App, layered},
    base::limits::Limits,
    repository, router,
};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;

use crate::support::{Client, database, service_over};

/// The service over the same database, open to everybody, and a client without a key.
pub(crate) fn open(options: PgConnectOptions, beside: &Client) -> Client {
    let pool = repository::connect(options, 2, Limits::default()).unwrap();
    let app = App::new(pool, None).with_public(true);
    Client::new(layered(router::routes(), app, Limits::default()), beside.record(), String::new(), String::new())
        .as_nobody()
}

async fn plan(client: &Client) {
    let strategy = json!({"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy", "classification": "public"});
    client.create("strategies", strategy).await;
    for classification in ["public", "internal", "restricted"] {
        let body = json!({"external_id": classification, "strategy_id": "external:s", "code": classification, "title": classification, "classification": classification});
        client.create("initiatives", body).await;
    }
}

fn codes(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everybody_sees_what_is_public_and_nothing_else() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    plan(&client).await;
    let nobody = open(options, &client);
    let page = nobody.get("/v1/initiatives?count=true").expect(200).await.json();
    assert_eq!((codes(&page), &page["count"]), (vec!["public"], &json!(1)), "{page}");
    nobody.get("/v1/initiatives/external:public").expect(200).await;
    for hidden in ["internal", "restricted"] {
        nobody.get(format!("/v1/initiatives/external:{hidden}")).expect(404).await;
        nobody.get(format!("/v1/initiatives/external:{hidden}/history")).expect(404).await;
    }
    assert_eq!(codes(&nobody.get("/v1/reports/plan").expect(200).await.json()), ["public"]);
    let me = nobody.get("/v1/me").expect(200).await.json();
    assert_eq!(me["role"], "viewer", "{me}");
}

#[tokio::test]
async fn everybody_may_not_write_and_a_wrong_key_is_not_nobody() {
    let options = database().await;
    let client = service_over(options.clone(), Limits::default()).await;
    plan(&client).await;
    let nobody = open(options, &client);
    nobody.post("/v1/entities", json!({"name": "x", "kind": "agency"})).expect(401).await;
    nobody.delete("/v1/initiatives/external:public").if_match(1).expect(401).await;
    for path in ["/v1/api-keys", "/v1/webhooks", "/v1/exports/plan", "/v1/log/tile/entries/000"] {
        nobody.get(path).expect(401).await;
    }
    nobody.with_key("mandate_000000000000_nothing".into()).get("/v1/initiatives").expect(401).await;
    // Where it is not said so, nobody sees anything.
    client.as_nobody().get("/v1/initiatives").expect(401).await;
    assert_eq!(client.get("/v1/initiatives/external:public").expect(200).await.json()["version"], 1);
}
