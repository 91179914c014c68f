//! Whatever comes in, the answer is a problem that helps, and never a 500.

use serde_json::{Value, json};

use crate::support::service;

#[tokio::test]
async fn what_is_no_json_is_named() {
    let client = service().await;
    let send =
        |body: Vec<u8>| client.call("POST", "/v1/entities").header("content-type", "application/json").body(body);
    for (body, words) in [
        (b"".to_vec(), "ends before"),
        (b"{".to_vec(), "ends before"),
        (b"{\"name\": \"a\"} x".to_vec(), "not JSON"),
        (b"{\"name\": \"a\", \"name\": \"b\"}".to_vec(), "stands twice"),
        (b"{\"name\": \"\\u0000\"}".to_vec(), "U+0000"),
        (b"{\"name\": \"\\ud800\"}".to_vec(), "stands for no character"),
        (b"{\"name\": \"\xff\"}".to_vec(), "not UTF-8"),
        (vec![b'['; 100_000], "nested deeper"),
        (b"{\"name\": 1e999}".to_vec(), "out of range"),
    ] {
        let reply = send(body).expect(400).await;
        assert!(reply.json()["detail"].as_str().unwrap().contains(words), "{}", reply.text);
    }
    for body in ["null", "[]", "7", "\"x\"", "{}"] {
        send(body.into()).expect(422).await;
    }
    client.call("POST", "/v1/entities").header("content-type", "text/plain").body("{}").expect(415).await;
    client.call("POST", "/v1/entities").body("{}").expect(415).await;
    send(vec![b' '; 2 << 20]).expect(413).await;
}

#[tokio::test]
async fn all_faults_are_named_at_once() {
    let client = service().await;
    let body = json!({"naem": "x", "kind": "agncy", "valid_from": "2024-13-01", "country": 7});
    let reply = client.post("/v1/entities", body).expect(422).await;
    assert_eq!(
        reply.faults(),
        [
            "#/country wrong_type",
            "#/kind not_allowed",
            "#/naem unknown_field",
            "#/name required",
            "#/valid_from wrong_format"
        ]
    );
    assert!(
        reply.text.contains("did you mean `name`?") && reply.text.contains("did you mean `agency`?"),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn unknown_places_and_keys_are_problems() {
    let client = service().await;
    client.get("/v1/nothing").expect(404).await;
    client.call("DELETE", "/v1/entities").expect(405).await;
    client.as_nobody().get("/v1/entities").expect(401).await;
    client.as_nobody().get("/v1/entities").header("authorization", "Bearer mandate_junk").expect(401).await;
    client.as_nobody().get("/v1/entities").header("authorization", "Basic eA==").expect(401).await;
    let problem = client.get("/v1/nothing").expect(404).await;
    assert_eq!(problem.json()["request_id"], problem.header("x-request-id"));
    client.get(problem.json()["type"].as_str().unwrap()).expect(200).await;
    client.get("/v1/entities?q=%00").expect(400).await;
    client.get("/v1/entities?q=%ff").expect(400).await;
    client.get("/v1/entities?updated_after=tomorrow").expect(400).await;
    client.get("/v1/entities/external:%00").expect(404).await;
}

#[tokio::test]
async fn what_looks_right_and_is_not_is_named() {
    let client = service().await;
    let body = |more: Value| {
        let mut body = json!({"name": "x", "kind": "agency"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let year_zero = client.post("/v1/entities", body(json!({"valid_from": "0000-01-01"}))).expect(422).await;
    assert_eq!(year_zero.faults(), ["#/valid_from wrong_format"]);
    for day in ["-2024-1-01", "+12345-1-1", "2024-1-001", "12024-01-1"] {
        let signed = client.post("/v1/entities", body(json!({"valid_from": day}))).expect(422).await;
        assert_eq!(signed.faults(), ["#/valid_from wrong_format"], "{day}");
        client.get(format!("/v1/obligations?due_before={day}")).expect(400).await;
    }
    let evidence = |at: &str| json!({"kind": "legal_act", "title": "A page", "claim": "So", "about": "plan", "url": "https://plan.example/", "retrieved_at": at});
    for at in ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "2026-01-31 10:00:00Z"] {
        let far = client.post("/v1/evidence", evidence(at)).expect(422).await;
        assert_eq!(far.faults(), ["#/retrieved_at wrong_format"], "{at}");
    }
    client.post("/v1/evidence", evidence("0001-01-01T00:00:00-01:00")).expect(201).await;
    client.get("/v1/evidence?updated_after=9999-12-31T23:59:59-01:00").expect(400).await;
    let squeezed = client.post("/v1/entities", body(json!({}))).header("content-encoding", "gzip");
    squeezed.expect(415).await;
    for word in [["x"], ["2024-13-01"], [""]] {
        let cursor = json!({"o": "created_at", "v": word, "i": "00000000-0000-7000-8000-000000000000"}).to_string();
        let cursor = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, cursor);
        let refused = client.get(format!("/v1/entities?sort=created_at&after={cursor}")).expect(400).await;
        assert_eq!(refused.faults(), ["after bad_cursor"]);
    }
    let wide = client.get("/v1/budget-allocations?fiscal_year=99999999999&amount_min=1e5").expect(400).await;
    assert_eq!(wide.faults(), ["amount_min wrong_format"]);
    let wide = client.get("/v1/budget-allocations?fiscal_year=99999999999").expect(400).await;
    assert_eq!(wide.faults(), ["fiscal_year invalid"]);
    assert!(!wide.text.contains("i32"), "{}", wide.text);
}

#[tokio::test]
async fn a_version_without_quotes_is_no_stale_version() {
    let client = service().await;
    let made = client.create("entities", json!({"name": "x", "kind": "agency"})).await;
    let path = format!("/v1/entities/{}", made["id"].as_str().unwrap());
    for word in ["1", "\"1", ", ,", "one"] {
        let refused = client.patch(&path, json!({"code": "A"})).header("if-match", word).expect(400).await.json();
        assert!(refused["detail"].as_str().unwrap().contains("in quotes"), "{refused}");
    }
    client.patch(&path, json!({"code": "A"})).header("if-match", "\"7\", \"8\"").expect(412).await;
    let changed =
        client.patch(&path, json!({"code": "A"})).header("if-match", "\"7\", W/\"1\"").expect(200).await.json();
    assert_eq!((changed["version"].as_i64(), changed["code"].as_str()), (Some(2), Some("A")));
}

#[tokio::test]
async fn very_many_keys_are_refused_before_they_cost_anything() {
    let client = service().await;
    let keys: Vec<String> = (0..80_000).map(|key| format!("\"{key:x}\": \"a\"")).collect();
    let body = format!("{{\"kind\": \"agency\", \"name\": {{{}}}}}", keys.join(","));
    let json = |body: String| client.call("POST", "/v1/entities").header("content-type", "application/json").body(body);
    let refused = json(body).expect(400).await.json();
    assert!(refused["detail"].as_str().unwrap().contains("more than 256 keys"), "{refused}");
    let many: Vec<String> = (0..5000).map(|name| format!("x{name}")).collect();
    let refused = client.get(format!("/v1/entities?{}", many.join("&"))).expect(400).await.json();
    assert_eq!(refused["errors"].as_array().unwrap().len(), 1001);
    assert!(refused["detail"].as_str().unwrap().starts_with("1001 faults"), "{}", refused["detail"]);
    let long = json(format!("{{\"{}\": 1}}", "n".repeat(500_000))).expect(422).await.json();
    let fault = long["errors"].as_array().unwrap().iter().find(|fault| fault["code"] == "unknown_field").unwrap();
    assert!(fault["detail"].as_str().unwrap().len() < 500);
}

#[tokio::test]
async fn faults_are_said_in_words() {
    let client = service().await;
    for (body, words) in [
        (json!({"name": " ", "kind": "agency"}), "must have a character that can be seen"),
        (json!({"name": {}, "kind": "agency"}), "must not be empty"),
        (json!({"name": "", "kind": "agency"}), "must not be empty"),
        (json!({"name": "x", "kind": "agency", "country": "ro"}), "must be two capital letters, such as `RO`"),
        (json!({"name": "x", "kind": "agency", "external_id": "a/b"}), "must have no spaces and none of `/`, `?`, `#`"),
    ] {
        assert_eq!(client.post("/v1/entities", body).expect(422).await.json()["detail"], words);
    }
    for (path, status, words) in [
        ("/v1/entities?limit=x", 400, "must be a whole number"),
        ("/v1/entities?count=TRUE", 400, "must be true or false"),
        ("/v1/legal_acts", 404, "did you mean `/v1/legal-acts`?"),
        ("/v1/entities/", 404, "did you mean `/v1/entities`?"),
        ("/v1/exports", 404, "did you mean `/v1/exports/iati`?"),
        ("/v1/reports/intgrity", 404, "did you mean `/v1/reports/integrity`?"),
        ("/v1/nothing/like/it", 404, "there is nothing at /v1/nothing/like/it; /openapi.json"),
    ] {
        let refused = client.get(path).expect(status).await.json();
        assert!(refused["detail"].as_str().unwrap().contains(words), "{refused}");
    }
    assert_eq!(client.get("/docs/nothing").expect(404).await.json()["code"], "not_found");
    client.get("/v1/entities").header("accept", "").expect(200).await;
    let answer = client.get("/v1/entities").header("accept", "text/csv;Q=0.1, text/plain;q=0.5").expect(200).await;
    assert!(answer.header("content-type").starts_with("text/plain"));
}
