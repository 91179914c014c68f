//! Texts in several languages under PATCH, and words that look the same.

use serde_json::{Value, json};

use crate::support::{Client, service};

async fn strategy(client: &Client) -> String {
    let body = json!({"code": "S", "title": {"ro": "Unu", "en": "One", "fr": "Un"}, "description": {"ro": "D"}, "country": "XX", "kind": "strategy"});
    format!("/v1/strategies/{}", client.create("strategies", body).await["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_bare_string_is_the_first_language_and_leaves_the_others() {
    let client = service().await;
    let path = strategy(&client).await;
    let patch = async |change: Value| client.patch(&path, change).header("if-match", "*").expect(200).await.json();
    assert_eq!(patch(json!({"title": "Doi"})).await["title"], json!({"ro": "Doi", "en": "One", "fr": "Un"}));
    assert_eq!(patch(json!({"title": {"en": "Two"}})).await["title"], json!({"ro": "Doi", "en": "Two", "fr": "Un"}));
    assert_eq!(patch(json!({"title": {"fr": null}})).await["title"], json!({"ro": "Doi", "en": "Two"}));
    // A text without the first language gets it.
    patch(json!({"title": {"ro": null}})).await;
    assert_eq!(patch(json!({"title": "Trei"})).await["title"], json!({"en": "Two", "ro": "Trei"}));
    assert_eq!(patch(json!({"vision": "V"})).await["vision"], json!({"ro": "V"}));
    // PUT says all of it.
    let whole = json!({"code": "S", "title": "Patru", "country": "XX", "kind": "strategy"});
    let replaced = client.put(&path, whole).header("if-match", "*").expect(200).await.json();
    assert_eq!((&replaced["title"], &replaced["vision"]), (&json!({"ro": "Patru"}), &Value::Null));
}

#[tokio::test]
async fn a_text_without_a_language_is_empty_or_refused() {
    let client = service().await;
    let path = strategy(&client).await;
    let patch = |change: Value| client.patch(&path, change).header("if-match", "*");
    let cleared = patch(json!({"description": {"ro": null}})).expect(200).await.json();
    assert_eq!(cleared["description"], Value::Null);
    assert_eq!(patch(json!({"mission": {"en": null}})).expect(200).await.json()["mission"], Value::Null);
    let all = json!({"title": {"ro": null, "en": null, "fr": null}});
    assert_eq!(patch(all).expect(422).await.faults(), ["#/title empty"]);
    for (words, fault) in
        [("", "#/title empty"), ("  ", "#/title wrong_format"), (&"x".repeat(10_001), "#/title too_long")]
    {
        assert_eq!(patch(json!({"title": words})).expect(422).await.faults(), [fault]);
    }
    let kept = client.get(&path).expect(200).await.json();
    assert_eq!(kept["title"], json!({"ro": "Unu", "en": "One", "fr": "Un"}));
}

/// Ș with the comma as a character of its own.
const DECOMPOSED: &str = "S\u{326}1";

#[tokio::test]
async fn what_looks_the_same_is_one_thing() {
    let client = service().await;
    let body = |code: &str, external: &str| json!({"code": code, "external_id": external, "name": {"ro": format!("Agenția {code}")}, "kind": "agency"});
    let made = client.create("entities", body(DECOMPOSED, "erp-s\u{326}")).await;
    assert_eq!((&made["code"], &made["external_id"]), (&json!("Ș1"), &json!("erp-ș")));
    assert_eq!(made["name"]["ro"], "Agenția Ș1");
    assert_eq!(client.post("/v1/entities", body("Ș1", "other")).expect(409).await.faults(), ["#/code taken"]);
    assert_eq!(client.post("/v1/entities", body("T", "erp-ș")).expect(409).await.faults(), ["#/external_id taken"]);
    for path in [
        "/v1/entities?code=S%CC%A61",
        "/v1/entities?code=%C8%981",
        "/v1/entities?external_id=erp-s%CC%A6",
        "/v1/entities?q=Agent%CC%A6ia",
    ] {
        let page = client.get(path).expect(200).await.json();
        assert_eq!(page["items"][0]["id"], made["id"], "{path}");
    }
    for name in ["erp-s%CC%A6", "erp-%C8%99"] {
        assert_eq!(client.get(format!("/v1/entities/external:{name}")).expect(200).await.json()["id"], made["id"]);
    }
    let put = client.put("/v1/entities/external:erp-s%CC%A6", body("Ș1", "erp-s\u{326}")).header("if-match", "*");
    assert_eq!(put.expect(200).await.json()["id"], made["id"]);
    for reference in ["external:erp-s\u{326}", "code:S\u{326}1", "code:Ș1"] {
        let owned = json!({"title": "P", "country": "XX", "kind": "strategy", "owner_id": reference});
        assert_eq!(client.create("strategies", owned).await["owner_id"], made["id"], "{reference:?}");
    }
    let table = json!({"format": "mandate-plan/1", "entities": [{"external_id": "erp-s\u{326}", "code": "Ș1", "name": {"ro": "Agenția S\u{326}1"}, "kind": "agency"}]});
    let report = client.post("/v1/imports", table).expect(200).await.json();
    assert_eq!(client.get("/v1/entities?count=true").expect(200).await.json()["count"], 1, "{report}");
}

#[tokio::test]
async fn a_name_with_what_nobody_sees_is_refused_and_the_character_is_named() {
    let client = service().await;
    for (hidden, word) in [
        ('\u{200b}', "U+200B"),
        ('\u{ad}', "U+00AD"),
        ('\u{feff}', "U+FEFF"),
        ('\u{202e}', "U+202E"),
        ('\u{2060}', "U+2060"),
    ] {
        let body = json!({"code": format!("ș.{hidden}1"), "external_id": format!("erp{hidden}"), "name": "A", "kind": "agency"});
        let refused = client.post("/v1/entities", body).expect(422).await;
        for fault in ["#/code invisible_character", "#/external_id invisible_character"] {
            assert!(refused.faults().contains(&fault.to_owned()), "{word}: {}", refused.text);
        }
        let problem = refused.json();
        let detail = problem["errors"].as_array().unwrap().iter().find(|fault| fault["pointer"] == "#/code").unwrap();
        assert!(detail["detail"].as_str().unwrap().contains(&format!("{word} as its character 3")), "{problem}");
    }
    let act = json!({"country": "XX", "issuer": "The\u{a0}Council", "act_type": "law\u{200d}", "number": "1\u{200b}", "date": "2024-01-01"});
    let faults = client.post("/v1/legal-acts", act).expect(422).await.faults();
    assert_eq!(
        faults,
        ["#/act_type invisible_character", "#/issuer invisible_character", "#/number invisible_character"]
    );
    let refused = client.get("/v1/entities?code=1%E2%80%8B").expect(400).await;
    assert_eq!(refused.faults(), ["code invisible_character"]);
    // Words keep what languages are written with.
    let words = "Donau\u{ad}dampf \u{1f469}\u{200d}\u{1f4bb}";
    let made = client.create("entities", json!({"name": {"de": words}, "kind": "agency"})).await;
    assert_eq!(made["name"]["de"], words);
}

#[tokio::test]
async fn a_reason_comes_in_each_way_that_clients_have() {
    let client = service().await;
    let path = strategy(&client).await;
    let ways = [
        ("hotărât în ședință", "hotărât în ședință"),
        ("hot%C4%83r%C3%A2t%20%C3%AEn%20%C8%99edin%C8%9B%C4%83", "hotărât în ședință"),
        ("UTF-8'ro'hot%C4%83r%C3%A2t%20%C3%AEn%20%C8%99edin%C8%9B%C4%83", "hotărât în ședință"),
        ("s%CC%A6edint%CC%A6a%CC%86", "ședință"),
        ("cut by 50% of the rest", "cut by 50% of the rest"),
    ];
    for (number, (sent, kept)) in ways.into_iter().enumerate() {
        let change = json!({"annex": format!("Annex {number}")});
        client.patch(&path, change).header("if-match", "*").header("mandate-reason", sent).expect(200).await;
        let history = client.get(format!("{path}/history?limit=1")).expect(200).await.json();
        assert_eq!(history["items"][0]["reason"], kept, "{sent}");
    }
    let change = || client.patch(&path, json!({"annex": "B"})).header("if-match", "*");
    change().header("mandate-reason", "%C8%99".repeat(1000)).expect(200).await;
    for bad in ["%FF", "a%00b", "%1B%5B2J", &"%C8%99".repeat(1001)] {
        let refused = change().header("mandate-reason", bad).expect(400).await.json();
        assert!(refused["detail"].as_str().unwrap().contains("Mandate-Reason"), "{refused}");
    }
    change().header("mandate-reason", "a").header("mandate-reason", "b").expect(400).await;
}
