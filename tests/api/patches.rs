//! A patch touches what it names, and of a text the language that it names.

use serde_json::json;

use crate::support::service;

#[tokio::test]
async fn a_bare_string_sets_the_first_language_only() {
    let client = service().await;
    let body = json!({"title": {"ro": "Strategia", "en": "Strategy"}, "country": "RO", "kind": "strategy"});
    let id = client.create("strategies", body).await["id"].as_str().unwrap().to_owned();
    let patch = |body| client.call("PATCH", format!("/v1/strategies/{id}")).header("if-match", "*").json(body);
    let title = patch(json!({"title": "Planul"})).expect(200).await.json()["title"].take();
    assert_eq!(title, json!({"ro": "Planul", "en": "Strategy"}));
    let title = patch(json!({"title": {"ro": null}})).expect(200).await.json()["title"].take();
    assert_eq!(title, json!({"en": "Strategy"}));
    assert_eq!(patch(json!({"title": {"en": null}})).expect(422).await.faults(), ["#/title empty"]);
}

#[tokio::test]
async fn days_of_a_deadline_stay_with_its_words() {
    let client = service().await;
    let body = json!({"external_id": "s", "title": "S", "country": "RO", "kind": "strategy"});
    client.create("strategies", body).await;
    let deadline = json!({"text": "după aprobare", "kind": "exact", "from": null, "to": "2027-03-01"});
    let body =
        json!({"external_id": "i", "strategy_id": "external:s", "code": "1", "title": "I", "deadline": deadline});
    client.create("initiatives", body).await;
    let patch = |body| client.call("PATCH", "/v1/initiatives/external:i".to_owned()).header("if-match", "*").json(body);
    let same = patch(json!({"deadline": {"text": "după aprobare"}})).expect(200).await.json();
    assert_eq!(same["deadline"], deadline);
    let other = patch(json!({"deadline": {"text": "2028"}})).expect(200).await.json();
    assert_eq!((&other["deadline"]["kind"], &other["deadline"]["to"]), (&json!("year"), &json!("2028-12-31")));
}
