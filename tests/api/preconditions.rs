//! `If-Match` and `If-None-Match`: through proxies, under races, on what is not there.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Client, service};

/// The ways in which a version comes back from behind proxies.
const MARKED: [&str; 8] =
    ["\"N\"", "W/\"N\"", "\"N-gzip\"", "W/\"N-br\"", "\"N--gzip\"", "\"N-zstd\"", "\"N;gzip\"", "\"x\", \"N-df\""];

async fn entity(client: &Client) -> String {
    let made = client.create("entities", json!({"name": "Agency", "kind": "agency"})).await;
    format!("/v1/entities/{}", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_tag_that_a_proxy_marked_is_the_version_in_it() {
    let client = service().await;
    let path = entity(&client).await;
    for (version, marked) in (1..).zip(MARKED) {
        let marked = marked.replace('N', &version.to_string());
        client.get(&path).header("if-none-match", &marked).expect(304).await;
        let change = json!({"code": format!("E{version}")});
        client
            .patch(&path, change.clone())
            .header("if-match", marked.replace(&version.to_string(), "99"))
            .expect(412)
            .await;
        let changed = client.patch(&path, change).header("if-match", &marked).expect(200).await.json();
        assert_eq!(changed["version"], version + 1, "{marked}");
        client.get(&path).header("if-none-match", &marked).expect(200).await;
    }
}

#[tokio::test]
async fn lists_reports_and_histories_know_their_marked_tags() {
    let client = service().await;
    let path = entity(&client).await;
    for reading in ["/v1/entities", "/v1/reports/summary", &format!("{path}/history"), "/v1/obligations"] {
        let tag = client.get(reading).expect(200).await.header("etag");
        let bare = tag.trim_start_matches("W/").trim_matches('"').to_owned();
        for marked in MARKED {
            let marked = marked.replace('N', &bare);
            client.get(reading).header("if-none-match", &marked).expect(304).await;
        }
        client.get(reading).header("if-none-match", format!("\"{bare}0-gzip\"")).expect(200).await;
        client.get(reading).header("if-none-match", bare).expect(400).await;
    }
}

#[tokio::test]
async fn what_is_no_list_of_tags_is_refused_on_readings_too() {
    let client = service().await;
    let path = entity(&client).await;
    let history = format!("{path}/history");
    let readings =
        ["/v1/entities", "/v1/entities.csv", "/v1/reports/summary", "/v1/changes", "/v1/obligations", "/openapi.json"];
    for reading in readings.into_iter().chain([path.as_str(), history.as_str()]) {
        for text in ["\"1", "*,*", "*, \"1\"", "1", "", "W/1", "\"1\" \"2\""] {
            let reply = client.get(reading).header("if-none-match", text).expect(400).await;
            assert_eq!(reply.json()["code"], "malformed", "{reading} {text}: {}", reply.text);
            assert!(reply.text.contains("If-None-Match is no list of entity tags"), "{}", reply.text);
        }
        client.get(reading).header("if-none-match", "\"0\", W/\"x\"").expect(200).await;
    }
}

#[tokio::test]
async fn any_version_will_do_however_many_write() {
    let client = service().await;
    let path = entity(&client).await;
    let change = |number: usize| {
        let call = client.patch(&path, json!({"code": format!("E{number}")})).header("if-match", "*");
        // Some of them as one transaction.
        if number.is_multiple_of(4) { call.header("idempotency-key", format!("key-{number}")) } else { call }
    };
    let replies = join_all((0..16).map(|number| change(number).send())).await;
    let mut versions: Vec<i64> = Vec::new();
    for reply in replies {
        assert_eq!(reply.status, 200, "{}", reply.text);
        versions.push(reply.json()["version"].as_i64().unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (2..18).collect::<Vec<i64>>(), "each wrote upon another");

    let body = |number: usize| json!({"name": format!("Agency {number}"), "kind": "agency"});
    let puts = join_all((0..8).map(|number| client.put(&path, body(number)).header("if-match", "*").send())).await;
    assert!(puts.iter().all(|reply| reply.status == 200), "{puts:?}");
    let exact = join_all((0..8).map(|number| client.put(&path, body(100 + number)).if_match(25 + 1).send())).await;
    let statuses: Vec<u16> = exact.iter().map(|reply| reply.status.as_u16()).collect();
    assert!(statuses.iter().all(|status| *status == 412), "{statuses:?}");
}

#[tokio::test]
async fn a_patch_upon_any_version_loses_nothing_of_another() {
    let client = service().await;
    let body = json!({"code": "S", "title": {"ro": "R"}, "country": "XX", "kind": "strategy"});
    let made = client.create("strategies", body).await;
    let path = format!("/v1/strategies/{}", made["id"].as_str().unwrap());
    let fields = ["title", "description", "vision", "mission", "evidence_note"];
    let languages = ["en", "fr", "de"];
    let pairs: Vec<(&str, &str)> =
        fields.iter().flat_map(|field| languages.map(|language| (*field, language))).collect();
    let calls = pairs.iter().map(|(field, language)| {
        client
            .patch(&path, json!({ *field: { *language: format!("{field} {language}") } }))
            .header("if-match", "*")
            .send()
    });
    for reply in join_all(calls).await {
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    let strategy = client.get(&path).expect(200).await.json();
    for (field, language) in pairs {
        assert_eq!(strategy[field][language], format!("{field} {language}"), "{strategy}");
    }
}

#[tokio::test]
async fn what_another_deleted_meanwhile_is_gone_for_any_version() {
    let client = service().await;
    let path = entity(&client).await;
    let deletions = join_all((0..6).map(|_| client.delete(&path).header("if-match", "*").send())).await;
    let mut statuses: Vec<u16> = deletions.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 410, 410, 410, 410, 410]);
}

#[tokio::test]
async fn a_version_that_is_not_wanted_is_not_written_over() {
    let client = service().await;
    let path = entity(&client).await;
    for unwanted in ["*", "\"1\"", "\"7\", W/\"1-gzip\""] {
        for call in [client.patch(&path, json!({"code": "A"})), client.delete(&path)] {
            let refused = call.header("if-match", "*").header("if-none-match", unwanted).expect(412).await.json();
            assert_eq!((&refused["code"], &refused["current"]["version"]), (&json!("stale"), &json!(1)), "{refused}");
        }
    }
    let changed = client.patch(&path, json!({"code": "A"})).header("if-match", "*").header("if-none-match", "\"7\"");
    assert_eq!(changed.expect(200).await.json()["version"], 2);
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_is_none_that_is_left_out() {
    let client = service().await;
    let path = entity(&client).await;
    for word in ["1", "\"1", "1\"", ", ,", "*, \"1\"", "\"1\" \"2\"", "W/1", "ă"] {
        for call in [
            client.patch(&path, json!({"code": "A"})),
            client.delete(&path),
            client.put("/v1/entities/external:new", json!({"name": "New", "kind": "agency"})),
        ] {
            let refused: Value = call.header("if-match", word).expect(400).await.json();
            assert!(refused["detail"].as_str().unwrap().contains("in quotes"), "{word}: {refused}");
        }
    }
    assert_eq!(client.get(&path).expect(200).await.json()["version"], 1);
    client.get("/v1/entities/external:new").expect(404).await;
}
