//! The order of texts: by the words that are shown, and as their language sorts them.

use serde_json::{Value, json};

use mandate::base::limits::Limits;
use sqlx::{Connection as _, PgConnection};

use crate::support::{Client, database, service, service_over};

/// Initiatives with these titles, made in this order.
async fn titled(titles: &[Value]) -> Client {
    entitled(service().await, titles).await
}

/// The same in this service.
async fn entitled(client: Client, titles: &[Value]) -> Client {
    let strategy = json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"});
    let strategy = client.create("strategies", strategy).await["id"].clone();
    for (number, title) in titles.iter().enumerate() {
        client
            .create("initiatives", json!({"strategy_id": strategy, "code": number.to_string(), "title": title}))
            .await;
    }
    client
}

/// The titles of all pages, in their order, as they are shown.
async fn titles(client: &Client, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = client.get(format!("/v1/initiatives?{query}{after}")).expect(200).await.json();
        found.extend(page["items"].as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { return found };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn titles_are_ordered_as_their_language_sorts_them() {
    let words = ["zi", "Ăla", "ala", "șa", "sz", "ța", "tz", "îi", "iz", "âb", "az", "Șa"];
    let given: Vec<Value> = words.iter().map(|word| json!({"ro": word})).collect();
    let options = database().await;
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let has_icu = "select exists (select from pg_collation where collname = 'ro-x-icu')";
    let has_icu: bool = sqlx::query_scalar(has_icu).fetch_one(&mut connection).await.unwrap();
    let client = entitled(service_over(options, Limits::default()).await, &given).await;
    let expected = if has_icu {
        ["ala", "az", "Ăla", "âb", "iz", "îi", "sz", "șa", "Șa", "tz", "ța", "zi"]
    } else {
        ["âb", "ala", "Ăla", "az", "îi", "iz", "Șa", "șa", "sz", "ța", "tz", "zi"]
    };
    assert_eq!(titles(&client, "sort=title&lang=ro").await, expected);
    // Page by page, and the other way round.
    assert_eq!(titles(&client, "sort=title&lang=ro&limit=1").await, expected);
    assert_eq!(titles(&client, "sort=title,-code&lang=ro&limit=5").await, expected);
    let mut back = titles(&client, "sort=-title&lang=ro&limit=2").await;
    back.reverse();
    assert_eq!(back, expected);
}

#[tokio::test]
async fn languages_that_are_not_shown_do_not_count() {
    let client = titled(&[
        json!({"ro": "b", "en": "a"}),
        json!({"ro": "c", "en": "z"}),
        json!({"en": "bb"}),
        json!({"hu": "ab", "fr": "d"}),
        json!({"ro": "a", "en": "y"}),
    ])
    .await;
    assert_eq!(titles(&client, "sort=title&lang=ro").await, ["a", "b", "bb", "c", "d"]);
    assert_eq!(titles(&client, "sort=title&lang=en").await, ["a", "bb", "d", "y", "z"]);
    assert_eq!(titles(&client, "sort=title&lang=hu").await, ["a", "ab", "b", "bb", "c"]);
    // Without a language it is the first of the service.
    let rows = client.get("/v1/initiatives?sort=title").expect(200).await.json();
    let codes: Vec<&str> = rows["items"].as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["4", "0", "2", "1", "3"]);
}

#[tokio::test]
async fn a_cursor_belongs_to_the_language_of_its_order() {
    let client = titled(&[json!({"ro": "b", "en": "a"}), json!({"ro": "a", "en": "b"}), json!({"ro": "c"})]).await;
    let next = async |query: &str| {
        client.get(format!("/v1/initiatives?{query}")).expect(200).await.json()["next"].as_str().unwrap().to_owned()
    };
    let romanian = next("sort=title&lang=ro&limit=1").await;
    client.get(format!("/v1/initiatives?sort=title&lang=ro&after={romanian}")).expect(200).await;
    // The first language of the service is meant when none is said.
    client.get(format!("/v1/initiatives?sort=title&after={romanian}")).expect(200).await;
    let refused = client.get(format!("/v1/initiatives?sort=title&lang=en&after={romanian}")).expect(400).await;
    assert_eq!(refused.faults(), ["after bad_cursor"]);
    assert!(refused.text.contains("the order of `lang=ro`"), "{}", refused.text);
    // An order without texts is the same in every language.
    let by_code = next("sort=code&lang=ro&limit=1").await;
    client.get(format!("/v1/initiatives?sort=code&lang=en&after={by_code}")).expect(200).await;
}

#[tokio::test]
async fn every_noun_with_texts_is_ordered_by_them_today_and_in_the_past() {
    let client = service().await;
    for name in [json!({"en": "B"}), json!({"en": "A"}), json!({"ro": "C"})] {
        client.create("entities", json!({"name": name, "kind": "agency"})).await;
    }
    let path = "/v1/entities?sort=name&lang=en";
    let now = client.get(path).expect(200).await.json();
    let names: Vec<&str> = now["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["A", "B", "C"]);
    for (noun, key) in [
        ("strategies", "title"),
        ("objectives", "title"),
        ("steps", "title"),
        ("milestones", "title"),
        ("legal-acts", "title"),
        ("evidence", "title"),
        ("funding-sources", "name"),
        ("treaties", "name"),
        ("forums", "name"),
        ("positions", "title"),
        ("contributions", "title"),
        ("training-programmes", "title"),
    ] {
        for order in [key.to_owned(), format!("-{key}"), format!("{key},-created_at")] {
            client.get(format!("/v1/{noun}?sort={order}&lang=en")).expect(200).await;
            client.as_viewer().get(format!("/v1/{noun}.csv?sort={order}")).expect(200).await;
        }
    }
}
