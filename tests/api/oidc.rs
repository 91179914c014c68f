//! Tokens of an issuer: which are good, which are not and why, and who brings them.

use axum::body::Body;
use http_body_util::BodyExt as _;
use mandate::access::oidc::{self, Patience};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use crate::support::{
    Client, database, edge,
    issuer::{Issuer, Key, encoded, now},
    proxy::PATIENCE,
    service, service_changed, service_with_tokens,
};

/// A service that takes tokens of this issuer, signed with this algorithm.
async fn service_of(issuer: &Issuer, algorithm: &str) -> Client {
    let config = issuer.config(&["--oidc-algorithm", algorithm]);
    service_with_tokens(database().await, oidc::Issuer::new(config, Patience::default())).await
}

/// A service with an issuer, and the issuer's key.
async fn with_issuer() -> (Client, Issuer, Key) {
    let key = Key::new("ES256", "1", 1);
    let issuer = Issuer::start(&[&key]).await;
    (service_of(&issuer, "ES256").await, issuer, key)
}

fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// Half a second later, as some issuers write it.
fn fraction(seconds: u64) -> Value {
    serde_json::from_str(&format!("{seconds}.5")).unwrap()
}

#[tokio::test]
async fn a_good_token_of_each_algorithm_says_who_it_is() {
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let key = Key::new(algorithm, "1", 1);
        let issuer = Issuer::start(&[&key]).await;
        let client = service_of(&issuer, algorithm).await;
        let claims = issuer.claims("4711", "coordinator");
        let user = client.with_key(key.token(&claims));
        let me = user.get("/v1/me").expect(200).await.json();
        assert_eq!(
            [&me["kind"], &me["actor"], &me["issuer"], &me["subject"], &me["role"]],
            ["token", "oidc:4711", &issuer.url, "4711", "coordinator"]
        );
        assert_eq!(me["principal"], format!("oidc:{}#4711", issuer.url));
        let end: chrono::DateTime<chrono::Utc> = me["expires_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(json!(end.timestamp()), claims["exp"]);
        let made = user.create("entities", json!({"name": "Agency", "kind": "agency"})).await;
        let history = client.get(format!("/v1/entities/{}/history", made["id"].as_str().unwrap()));
        assert_eq!(history.expect(200).await.json()["items"][0]["actor"], "oidc:4711", "{algorithm}");
        // The other algorithms of the same kind of key are not taken.
        let other = if algorithm == "RS256" { "PS256" } else { "RS256" };
        let head = with(&Key::new(other, "1", 1).head(), "alg", json!(other));
        refused(&client, &Key::new(other, "1", 1).token_with(head, &claims), "another algorithm").await;
    }
}

/// The service refuses a token, says why, and says so as RFC 6750 has it.
async fn refused(client: &Client, token: &str, words: &str) {
    let reply = client.with_key(token.to_owned()).get("/v1/me").expect(401).await;
    let detail = reply.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(words), "{words}: {detail}");
    assert_eq!(reply.json()["code"], "unauthenticated");
    let challenge = reply.header("www-authenticate");
    let expected = format!("Bearer realm=\"mandate\", error=\"invalid_token\", error_description=\"{detail}\"");
    assert_eq!(challenge, expected, "{words}");
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_said() {
    let (client, issuer, key) = with_issuer().await;
    let claims = issuer.claims("4711", "viewer");
    let good = key.token(&claims);
    client.with_key(good.clone()).get("/v1/me").expect(200).await;
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };

    for (name, value, words) in [
        ("exp", json!(now() - 61), "has expired"),
        ("exp", fraction(now() - 62), "has expired"),
        ("exp", json!("2999-01-01"), "no claim `exp`"),
        ("exp", json!(-1), "no claim `exp`"),
        ("exp", json!(1e18), "no claim `exp`"),
        ("nbf", json!(now() + 90), "not valid yet"),
        ("nbf", json!("soon"), "no claim `nbf`"),
        ("iat", json!(now() + 90), "issued in the future"),
        ("iat", json!([]), "no claim `iat`"),
        ("aud", json!("another"), "not for this service"),
        ("aud", json!([]), "not for this service"),
        ("aud", json!(7), "no claim `aud`"),
        ("iss", json!(format!("{}/", issuer.url)), "another issuer"),
        ("iss", json!([issuer.url]), "another issuer"),
        ("iss", json!("https://login.example.org"), "another issuer"),
        ("sub", json!(""), "visible ASCII"),
        ("sub", json!(" x"), "visible ASCII"),
        ("sub", json!("a\u{0}b"), "visible ASCII"),
        ("sub", json!("a\u{202e}b"), "visible ASCII"),
        ("sub", json!("x".repeat(256)), "visible ASCII"),
        ("sub", json!(4711), "no claim `sub`"),
    ] {
        refused(&client, &key.token(&with(&claims, name, value)), words).await;
    }
    for name in ["exp", "aud", "iss", "sub"] {
        refused(&client, &key.token(&without(&claims, name)), &format!("no claim `{name}`")).await;
    }

    let own = key.head();
    for (name, value, words) in [
        ("alg", json!("none"), "algorithm is not"),
        ("alg", json!("HS256"), "another algorithm"),
        ("alg", json!("RS256"), "another algorithm"),
        ("alg", json!("ES384"), "another algorithm"),
        ("kid", json!("2"), "no such key"),
        ("kid", json!(1), "not understood"),
        ("crit", json!(["exp"]), "`crit`"),
        ("crit", json!("exp"), "not understood"),
        ("typ", json!("dpop+jwt"), "another kind"),
    ] {
        refused(&client, &key.token_with(with(&own, name, value), &claims), words).await;
    }
    refused(&client, &key.token_with(without(&own, "kid"), &claims), "`kid`").await;
    refused(&client, &key.token_with(without(&own, "alg"), &claims), "algorithm is not").await;
    refused(&client, &key.token_with(json!([]), &claims), "not understood").await;

    // Without a signature, with the public key as a secret, with another key under the same name, with another's signature.
    let none = with(&own, "alg", json!("none"));
    refused(&client, &format!("{}.{body}.", encoded(none.to_string())), "neither a key").await;
    let text = format!("{}.{body}", encoded(with(&own, "alg", json!("HS256")).to_string()));
    refused(&client, &format!("{text}.{}", hmac(&key, &text)), "another algorithm").await;
    let thief = Key::new("ES256", "1", 1);
    refused(&client, &thief.token(&claims), "signature").await;
    let brought = with(&thief.head(), "jwk", thief.jwk());
    refused(&client, &thief.token_with(brought, &claims), "signature").await;
    let raised = encoded(with(&claims, "mandate_role", json!("admin")).to_string());
    refused(&client, &format!("{head}.{raised}.{signature}"), "signature").await;
    refused(&client, &format!("{head}.{body}.{}", &signature[..signature.len() - 2]), "signature").await;
    refused(&client, &key.token(&json!("claims")), "cannot be read").await;

    for wrong in [format!("{head}.{body}"), format!("{good}.{signature}"), "x".into(), format!("{head}..{signature}")] {
        refused(&client, &wrong, "neither a key").await;
    }
    refused(&client, &key.token(&with(&claims, "more", json!("x".repeat(9 * 1024)))), "at most 8192 bytes").await;
}

/// The signature that somebody makes who takes the public key for a secret.
fn hmac(key: &Key, text: &str) -> String {
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.jwk().to_string().as_bytes());
    encoded(ring::hmac::sign(&secret, text.as_bytes()))
}

#[tokio::test]
async fn clocks_may_be_a_minute_apart_and_heads_have_several_spellings() {
    let (client, issuer, key) = with_issuer().await;
    let claims = issuer.claims("4711", "viewer");
    let good = |token: String| client.with_key(token).get("/v1/me").expect(200);
    for (name, value) in [
        ("exp", json!(now() - 40)),
        ("exp", fraction(now() + 10)),
        ("nbf", json!(now() + 40)),
        ("iat", json!(now() + 40)),
        ("aud", json!(crate::support::issuer::AUDIENCE)),
        ("sub", json!("CN=Ana Pop,O=X")),
    ] {
        good(key.token(&with(&claims, name, value))).await;
    }
    good(key.token(&without(&claims, "iat"))).await;
    for typ in ["JWT", "jwt", "AT+JWT", "application/at+jwt"] {
        good(key.token_with(with(&key.head(), "typ", json!(typ)), &claims)).await;
    }
    good(key.token_with(without(&key.head(), "typ"), &claims)).await;
}

#[tokio::test]
async fn keys_and_tokens_do_not_pass_for_each_other() {
    let (client, issuer, key) = with_issuer().await;
    let me = client.get("/v1/me").expect(200).await.json();
    assert_eq!([&me["kind"], &me["issuer"], &me["subject"]], [&json!("key"), &Value::Null, &Value::Null]);
    let token = key.token(&issuer.claims("4711", "viewer"));
    let problem = client.with_key(format!("mandate_{token}")).get("/v1/me").expect(401).await;
    assert!(problem.text.contains("the key is not valid"), "{}", problem.text);
    assert_eq!(issuer.asked(), 0);
    let problem = client.as_nobody().get("/v1/me").expect(401).await;
    assert!(problem.text.contains("or an access token of the issuer"), "{}", problem.text);
    assert_eq!(problem.header("www-authenticate"), "Bearer realm=\"mandate\"");
    // Without an issuer a token is nothing.
    let problem = service().await.with_key(token).get("/v1/me").expect(401).await;
    assert!(problem.text.contains("the key is not valid"), "{}", problem.text);
}

#[tokio::test]
async fn roles_scopes_and_entities_come_from_claims() {
    let (client, issuer, key) = with_issuer().await;
    let entity = json!({"name": "Mine", "kind": "agency", "code": "MINE", "external_id": "erp-1"});
    let entity = client.create("entities", entity).await["id"].clone();
    let claims = issuer.claims("4711", "editor");
    let me = |claims: &Value| client.with_key(key.token(claims)).get("/v1/me");
    let denied = async |claims: &Value, words: &str| {
        let problem = me(claims).expect(403).await.json();
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    };
    denied(&without(&claims, "mandate_role"), "no role in the claim `mandate_role` (MANDATE_OIDC_ROLE_CLAIM)").await;
    denied(&with(&claims, "mandate_role", json!("boss")), "one of admin, coordinator").await;
    denied(&with(&claims, "mandate_role", json!(["viewer", "admin"])), "several roles").await;
    denied(&claims, "does not name one in the claim `mandate_entity` (MANDATE_OIDC_ENTITY_CLAIM)").await;
    for wrong in ["code:NONE", "external:none", "none", "0190aaaa-0000-7000-8000-000000000000", "code:\u{0}", ""] {
        denied(&with(&claims, "mandate_entity", json!(wrong)), "names no entity").await;
    }
    for word in [entity.clone(), json!("code:MINE"), json!("external:erp-1"), json!(["code:MINE"])] {
        let me = me(&with(&claims, "mandate_entity", word)).expect(200).await.json();
        assert_eq!([&me["entity_id"], &me["role"]], [&entity, &json!("editor")]);
        assert!(me["may"].as_array().unwrap().contains(&json!({"operation": "patch_initiative", "on": "own"})), "{me}");
    }
    // A role of no entity has none, also when the token has the claim for all its users.
    let viewer = with(&with(&claims, "mandate_role", json!("viewer")), "mandate_entity", json!("code:MINE"));
    assert_eq!(me(&viewer).expect(200).await.json()["entity_id"], Value::Null);

    let limited =
        with(&with(&claims, "mandate_role", json!(["x", "coordinator"])), "scope", json!("openid entities:read"));
    let limited_client = client.with_key(key.token(&limited));
    limited_client.get("/v1/entities").expect(200).await;
    let problem = limited_client.post("/v1/entities", json!({"name": "x", "kind": "agency"})).expect(403).await;
    assert!(problem.text.contains("entities:write"), "{}", problem.text);
    denied(&with(&limited, "scope", json!("plan:raed")), "`scope` of the token is not right").await;
}

#[tokio::test]
async fn what_may_be_done_with_a_token_is_the_same_policy() {
    let (client, issuer, key) = with_issuer().await;
    let id = async |noun: &str, body: Value| client.create(noun, body).await["id"].clone();
    let mine = id("entities", json!({"name": "Mine", "kind": "agency", "code": "MINE"})).await;
    let strategy = id("strategies", json!({"code": "S", "title": "S", "country": "XX", "kind": "strategy"})).await;
    let initiative = |code: &str| json!({"strategy_id": strategy, "code": code, "title": "An initiative"});
    let (own, foreign) = (id("initiatives", initiative("1")).await, id("initiatives", initiative("2")).await);
    id("assignments", json!({"initiative_id": own, "entity_id": mine, "role": "lead"})).await;
    let claims = with(&issuer.claims("4711", "editor"), "mandate_entity", json!("code:MINE"));
    let editor = client.with_key(key.token(&claims));
    let step = |initiative: &Value| json!({"initiative_id": initiative, "code": "a", "title": "A step"});
    editor.create("steps", step(&own)).await;
    editor.post("/v1/steps", step(&foreign)).expect(403).await;
    client.with_key(key.token(&issuer.claims("1", "viewer"))).post("/v1/steps", step(&own)).expect(403).await;
}

#[tokio::test]
async fn an_admin_by_token_manages_keys_and_its_retries_are_its_own() {
    let (client, issuer, key) = with_issuer().await;
    let admin = |subject: &str| client.with_key(key.token(&issuer.claims(subject, "admin")));
    let made = admin("4711").create("api-keys", json!({"name": "night-batch", "role": "viewer"})).await;
    assert_eq!(made["created_by"], format!("oidc:{}#4711", issuer.url));
    admin("4711").delete(format!("/v1/api-keys/{}", made["id"].as_str().unwrap())).expect(204).await;

    let post = |client: &Client| {
        let call = client.post("/v1/entities", json!({"name": "Agency", "kind": "agency"}));
        call.header("idempotency-key", "1").expect(201)
    };
    let first = post(&admin("4711")).await;
    // A new token of the same person is the same person; another is not, nor is a key.
    let later = client.with_key(key.token(&with(&issuer.claims("4711", "admin"), "exp", json!(now() + 60))));
    let again = post(&later).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json()["id"], first.json()["id"]);
    for other in [admin("4712"), client.clone()] {
        assert_ne!(post(&other).await.json()["id"], first.json()["id"]);
    }
}

#[tokio::test]
async fn tokens_that_fail_lock_nobody_out_and_keys_that_fail_lock_out_no_tokens() {
    let key = Key::new("ES256", "1", 1);
    let issuer = Issuer::start(&[&key]).await;
    let tokens = oidc::Issuer::new(issuer.config(&["--oidc-algorithm", "ES256"]), Patience::default());
    let client = service_changed(database().await, |app| {
        app.with_issuer(Some(tokens)).with_edge(edge(&["--login-failures", "2"]))
    })
    .await;
    let with = |second: u64| with(&issuer.claims("4711", "viewer"), "exp", json!(second));
    for past in 100..110 {
        client.with_key(key.token(&with(now() - past))).get("/v1/me").expect(401).await;
    }
    client.get("/v1/me").expect(200).await;
    let tried = async |id: u8| client.with_key(format!("mandate_{id}")).get("/v1/me").send().await.status;
    for id in 0..2 {
        assert_eq!(tried(id).await, 401);
    }
    assert_eq!(tried(2).await, 429);
    client.with_key(key.token(&with(now() + 77))).get("/v1/me").expect(200).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let (client, issuer, key) = with_issuer().await;
    let open = async |left: i64| -> Body {
        let end = i64::try_from(now()).unwrap() - 60 + left;
        let token = key.token(&with(&issuer.claims("4711", "viewer"), "exp", json!(end)));
        let response = client.with_key(token).get("/v1/changes/stream").open().await;
        assert_eq!(response.status(), 200);
        response.into_body()
    };
    // The one tells how long it takes when the token goes on: it is still there when the other has ended.
    let (mut long, mut short) = (open(600).await, open(2).await);
    let ended = async { while short.frame().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ended).await.expect("the stream stays");
    let next = tokio::time::timeout(PATIENCE, long.frame()).await.expect("nothing comes");
    assert!(next.is_some_and(|frame| frame.is_ok()));
}

#[tokio::test]
async fn whatever_stands_for_a_token_is_no_server_error() {
    let (client, issuer, key) = with_issuer().await;
    let good = key.token(&issuer.claims("4711", "viewer"));
    let mut runner = TestRunner::deterministic();
    let part = "(\\{\"(alg|kid|typ|crit|iss|sub|exp|aud)\":(\"ES256\"|\"1\"|1e999|-1|null|\\[\\]|\\{\\}|\"[^\"]{0,9}\"),?\\}|[ -~]{0,30})";
    let parts = [part, part, "[ -~]{0,90}"].map(|part| part.prop_map(encoded));
    let made = parts.prop_map(|parts| parts.join("."));
    let model = good.clone();
    let changed = (0..good.len(), "[!-~]").prop_map(|(place, with)| {
        let mut text = model.clone();
        text.replace_range(place..=place, &with);
        text
    });
    let text = proptest::prop_oneof!["[!-~]{1,200}", "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,5}", made, changed];
    for _ in 0..600 {
        let token = text.new_tree(&mut runner).unwrap().current();
        if token == good {
            continue;
        }
        let reply = client.with_key(token.clone()).get("/v1/me").send().await;
        assert!([401, 403].contains(&reply.status.as_u16()), "{token}: {}", reply.text);
        assert_eq!(reply.headers["content-type"], "application/problem+json", "{token}: {}", reply.text);
    }
    assert!(issuer.asked() <= 2, "{}", issuer.asked());
}
