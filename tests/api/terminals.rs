//! Characters that do something to the terminal of whoever shows a text: refused where they come in, escaped where they were before.

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::{database, service_over};

/// A colour, a bell, a C1 control, DEL, a carriage return alone, text turned round.
const WORST: [&str; 7] = ["\u{1b}[31mx", "a\u{7}", "a\u{9b}31m", "a\u{7f}", "a\rb", "a\u{202e}b", "a\u{2066}b"];

#[tokio::test]
async fn a_text_with_a_character_that_does_something_is_refused_at_every_door() {
    let client = service_over(database().await, mandate::base::limits::Limits::default()).await;
    let entity = client.create("entities", json!({"name": {"en": "x"}, "kind": "agency", "external_id": "e"})).await;
    let strategy = json!({"external_id": "s", "code": "S", "title": "S", "country": "XX", "kind": "strategy"});
    client.create("strategies", strategy).await;
    let path = format!("/v1/entities/{}", entity["id"].as_str().unwrap());
    let agency = |name: &str| json!({"name": {"en": name}, "kind": "agency"});
    let table = "/v1/imports?strategy_id=external:s&map=code%3D%22Nr%22%2Ctitle%3D%22T%22";
    for words in WORST {
        let calls = [
            (client.post("/v1/entities", agency(words)), "#/name/en invisible_character"),
            (client.post("/v1/entities", json!({"name": words, "kind": "agency"})), "#/name invisible_character"),
            (
                client.patch(&path, json!({"name": {"en": words}})).header("if-match", "*"),
                "#/name/en invisible_character",
            ),
            (client.put(&path, agency(words)).header("if-match", "*"), "#/name/en invisible_character"),
            (
                client.post("/v1/imports", json!({"format": "mandate-plan/1", "entities": [agency(words)]})),
                "#/entities/0/name/en invisible_character",
            ),
            (client.post("/v1/api-keys", json!({"name": words, "role": "viewer"})), "#/name invisible_character"),
            (
                client.post("/v1/webhooks", json!({"url": "http://127.0.0.1:1/", "description": words})),
                "#/description invisible_character",
            ),
        ];
        for (call, fault) in calls {
            let faults = call.expect(422).await.faults();
            assert!(faults.contains(&fault.to_owned()), "{words:?}: {faults:?}");
        }
        let sheet = format!("Nr,T\r\n1,\"{words}\"\r\n");
        let reply = client.call("POST", table).header("content-type", "text/csv").body(sheet).expect(422).await;
        assert!(reply.text.contains("invisible_character"), "{words:?}: {}", reply.text);
        let query: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
        client.get(format!("/v1/entities?q={query}")).expect(400).await;
    }
    let fine = agency("a\tb\r\nc\nd");
    assert_eq!(client.put(&path, fine).header("if-match", "*").expect(200).await.json()["name"]["en"], "a\tb\r\nc\nd");
    let entities: Value = client.get("/v1/entities?count=true").expect(200).await.json();
    assert_eq!(entities["count"], 1);
}

#[tokio::test]
async fn an_old_text_cannot_reach_the_terminal() {
    let options = database().await;
    let client = service_over(options.clone(), mandate::base::limits::Limits::default()).await;
    let mut outside = PgConnection::connect_with(&options).await.unwrap();
    client.create("entities", json!({"name": {"en": "x"}, "kind": "agency", "code": "E"})).await;
    for words in WORST {
        sqlx::query("update entities set name = jsonb_build_object('en', $1::text)")
            .bind(words)
            .execute(&mut outside)
            .await
            .unwrap();
        for path in ["/v1/entities", "/v1/search?q=E"] {
            let reply = client.get(path).header("accept", "text/plain").send().await;
            let text = reply.text.replace('\n', "");
            assert!(
                !text
                    .contains(|letter: char| letter.is_control()
                        || WORST[5..].concat().replace(['a', 'b'], "").contains(letter)),
                "{text:?}"
            );
        }
        let table = client.get("/v1/entities").header("accept", "text/plain").expect(200).await.text;
        assert!(words == "a\rb" || table.contains("\\u{"), "{table}");
    }
}
