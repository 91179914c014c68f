//! The keys of an issuer: fetched, kept, changed, and gone; and which answers of an issuer are refused.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{StatusCode, header},
    response::IntoResponse as _,
};
use futures_util::future::join_all;
use mandate::access::oidc::{self, Patience};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use crate::support::{
    Client, database,
    issuer::{AUDIENCE, Issuer, Key, config, encoded},
    proxy::PATIENCE,
    service_with_tokens,
};

/// The issuer is asked for every key that is not known.
const EAGER: Patience =
    Patience { gap: Duration::ZERO, shortest: Duration::from_millis(20), oldest: Duration::from_hours(1) };

async fn service_of(issuer: &Issuer, patience: Patience) -> Client {
    let config = issuer.config(&["--oidc-algorithm", "ES256"]);
    service_with_tokens(database().await, oidc::Issuer::new(config, patience)).await
}

fn new_key(kid: &str) -> Key {
    Key::new("ES256", kid, 1)
}

/// The user with a token of this key.
fn user(client: &Client, issuer: &Issuer, key: &Key) -> Client {
    client.with_key(key.token(&issuer.claims("4711", "viewer")))
}

#[tokio::test]
async fn a_new_key_is_taken_without_a_restart_and_an_old_one_is_not_any_more() {
    let (old, new) = (new_key("old"), new_key("new"));
    let issuer = Issuer::start(&[&old]).await;
    let client = service_of(&issuer, EAGER).await;
    let (before, after) = (user(&client, &issuer, &old), user(&client, &issuer, &new));
    before.get("/v1/me").expect(200).await;
    after.get("/v1/me").expect(401).await;
    issuer.publish(&[&old, &new]);
    after.get("/v1/me").expect(200).await;
    before.get("/v1/me").expect(200).await;
    issuer.publish(&[&new]);
    // It is found out when the keys are asked for the next time.
    user(&client, &issuer, &new_key("unknown")).get("/v1/me").expect(401).await;
    let problem = before.get("/v1/me").expect(401).await;
    assert!(problem.text.contains("no such key"), "{}", problem.text);
    after.get("/v1/me").expect(200).await;
    // All keys taken back: none is left.
    issuer.publish(&[]);
    before.get("/v1/me").expect(401).await;
    after.get("/v1/me").expect(401).await;
}

#[tokio::test]
async fn keys_that_are_no_longer_fresh_are_fetched_again_by_themselves() {
    let (old, new) = (new_key("old"), new_key("new"));
    let issuer = Issuer::start(&[&old]).await;
    let config = issuer.config(&["--oidc-algorithm", "ES256"]);
    let keys = oidc::Issuer::new(config, EAGER);
    keys.start();
    issuer.wait(3).await;
    let client = service_with_tokens(database().await, keys).await;
    let before = user(&client, &issuer, &old);
    before.get("/v1/me").expect(200).await;
    // Nobody brings a token of the new key, and the old one is gone nevertheless.
    issuer.publish(&[&new]);
    let asked = issuer.asked();
    issuer.wait(asked + 2).await;
    before.get("/v1/me").expect(401).await;
}

#[tokio::test]
async fn known_keys_go_on_working_while_the_issuer_is_away() {
    let key = new_key("1");
    let issuer = Issuer::start(&[&key]).await;
    let client = service_of(&issuer, Patience { gap: Duration::ZERO, ..Patience::default() }).await;
    let known = user(&client, &issuer, &key);
    known.get("/v1/me").expect(200).await;
    issuer.go_down();
    // Nobody can say whether this key is a new one.
    let problem = user(&client, &issuer, &new_key("2")).get("/v1/me").expect(503).await;
    assert_eq!((problem.header("retry-after").as_str(), problem.json()["code"].as_str()), ("2", Some("unavailable")));
    known.get("/v1/me").expect(200).await;
    client.get("/v1/me").expect(200).await;
    issuer.come_back();
    user(&client, &issuer, &new_key("2")).get("/v1/me").expect(401).await;
    known.get("/v1/me").expect(200).await;
}

#[tokio::test]
async fn keys_are_too_old_some_time() {
    let key = new_key("1");
    let issuer = Issuer::start(&[&key]).await;
    let client = service_of(&issuer, Patience { oldest: Duration::from_secs(1), ..EAGER }).await;
    let known = user(&client, &issuer, &key);
    known.get("/v1/me").expect(200).await;
    issuer.go_down();
    let lost = async {
        while known.get("/v1/me").send().await.status != 503 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, lost).await.expect("the key is used for ever");
    issuer.come_back();
    known.get("/v1/me").expect(200).await;
}

#[tokio::test]
async fn without_any_key_the_answer_is_to_try_again() {
    let key = new_key("1");
    let issuer = Issuer::start(&[&key]).await;
    issuer.go_down();
    let client = service_of(&issuer, EAGER).await;
    let user = user(&client, &issuer, &key);
    let problem = user.get("/v1/me").expect(503).await;
    assert!(problem.text.contains("cannot be asked for its keys"), "{}", problem.text);
    assert!(!problem.text.contains("127.0.0.1"), "{}", problem.text);
    issuer.come_back();
    user.get("/v1/me").expect(200).await;
}

#[tokio::test]
async fn nobody_makes_the_service_ask_again_and_again() {
    let key = new_key("1");
    let issuer = Issuer::start(&[&key]).await;
    // Far longer than this test.
    let client = service_of(&issuer, Patience { gap: Duration::from_hours(1), ..Patience::default() }).await;
    let ask =
        async |kid: String, status: u16| user(&client, &issuer, &new_key(&kid)).get("/v1/me").expect(status).await;
    join_all((0..40).map(|kid| ask(format!("x{kid}"), 401))).await;
    for kid in 0..20 {
        ask(format!("y{kid}"), 401).await;
    }
    assert_eq!(issuer.asked(), 1);
    user(&client, &issuer, &key).get("/v1/me").expect(200).await;

    // Nor is an issuer that fails asked more often.
    let issuer = Issuer::start(&[&key]).await;
    issuer.answer(|path| path.ends_with("/keys").then(|| StatusCode::BAD_GATEWAY.into_response()));
    let client = service_of(&issuer, Patience { gap: Duration::from_hours(1), ..Patience::default() }).await;
    let ask = async |kid: String| user(&client, &issuer, &new_key(&kid)).get("/v1/me").expect(503).await;
    join_all((0..40).map(|kid| ask(format!("x{kid}")))).await;
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn an_answer_that_cannot_be_relied_on_is_refused() {
    let key = new_key("1");
    let issuer = Issuer::start(&[&key]).await;
    let client = service_of(&issuer, EAGER).await;
    let checked = oidc::Issuer::new(issuer.config(&["--oidc-algorithm", "ES256"]), EAGER);
    assert_eq!(checked.check().await.unwrap(), "keys: 1");
    let discovery = "/.well-known/openid-configuration";
    let url = issuer.url.as_str();
    let document = |issuer: &str, keys: &str| json!({"issuer": issuer, "jwks_uri": keys}).to_string();
    let large = "x".repeat(300 * 1024);
    for (path, status, body, words) in [
        (discovery, 200, document("https://login.example.org", &format!("{url}/keys")), "they must be equal"),
        (discovery, 200, document(&format!("{url}/"), &format!("{url}/keys")), "they must be equal"),
        (discovery, 307, String::new(), "redirects"),
        ("/keys", 301, String::new(), "redirects"),
        (discovery, 200, document(url, "http://192.0.2.1/keys"), "no https address"),
        (discovery, 200, document(url, "file:///etc/passwd"), "no https address"),
        (discovery, 200, json!({"issuer": url}).to_string(), "no `issuer` and `jwks_uri`"),
        (discovery, 200, "<html>".into(), "no `issuer` and `jwks_uri`"),
        (discovery, 200, json!({"issuer": large}).to_string(), "more than 262144 bytes"),
        ("/keys", 200, json!({"keys": [], "more": large}).to_string(), "more than 262144 bytes"),
        ("/keys", 204, String::new(), "answers 204"),
        ("/keys", 500, String::new(), "answers 500"),
        ("/keys", 200, "[]".into(), "no set of keys"),
        ("/keys", 200, "{\"keys\": 1}".into(), "no set of keys"),
        ("/keys", 200, "{\"keys\": []}".into(), "has no key for ES256"),
    ] {
        let place = format!("{url}/elsewhere");
        issuer.answer(move |asked| {
            let status = StatusCode::from_u16(status).unwrap();
            asked.ends_with(path).then(|| (status, [(header::LOCATION, place.clone())], body.clone()).into_response())
        });
        let why = checked.check().await.unwrap_err();
        assert!(why.contains(words), "{words}: {why}");
        let status = if words.contains("no key for") { 401 } else { 503 };
        user(&client, &issuer, &key).get("/v1/me").expect(status).await;
    }
    issuer.come_back();
    user(&client, &issuer, &key).get("/v1/me").expect(200).await;
}

#[tokio::test]
async fn a_key_that_is_weak_or_for_something_else_is_left_out() {
    let good = Key::new("RS256", "good", 1);
    let with = |kid: &str, field: &str, value: Value| {
        let mut jwk = good.jwk();
        (jwk["kid"], jwk[field]) = (json!(kid), value);
        jwk
    };
    let nameless = with("", "use", json!("sig"));
    let twice = good.jwk();
    // As some issuers have them: without `use` and `alg`, and with a zero before the number.
    let mut plain = with("plain", "use", Value::Null);
    plain["alg"] = Value::Null;
    plain["n"] = json!(format!("AAAA{}", plain["n"].as_str().unwrap()));
    let issuer = Issuer::start(&[]).await;
    issuer.publish_set(json!({"keys": [
        good.jwk(), twice, nameless, plain, 7, {"kid": "alien", "kty": "XYZ"},
        {"kid": "secret", "kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        new_key("curve").jwk(),
        with("weak", "n", json!(encoded([0xff; 128]))),
        with("just-weak", "n", json!(encoded([&[0x7f][..], &[0xff; 255]].concat()))),
        with("encrypts", "use", json!("enc")),
        with("signs", "key_ops", json!(["sign"])),
        with("other", "alg", json!("RS512")),
        with("broken", "n", json!("*")),
    ]}));
    let keys = oidc::Issuer::new(issuer.config(&[]), EAGER);
    let found = keys.check().await.unwrap();
    assert!(found.starts_with("keys: 2 ("), "{found}");
    for words in [
        "`good` stands twice",
        "one has no `kid`",
        "`alien` is for another algorithm",
        "`secret` is for another algorithm",
        "`curve` is for another algorithm",
        "`weak` has fewer than 2048 bits",
        "`just-weak` has fewer than 2048 bits",
        "`encrypts` is not for signatures",
        "`signs` is not for signatures",
        "`other` is for another algorithm",
        "`broken` is broken",
    ] {
        assert!(found.contains(words), "{words}: {found}");
    }
    let client = service_with_tokens(database().await, keys).await;
    for (kid, status) in [("good", 200), ("plain", 200), ("encrypts", 401), ("signs", 401), ("other", 401)] {
        let key = Key::new("RS256", kid, 1);
        let reply = user(&client, &issuer, &key).get("/v1/me").send().await;
        assert_eq!(reply.status, status, "{kid}: {}", reply.text);
    }
    // Another key of the same kind, under a name that is known.
    user(&client, &issuer, &Key::new("RS256", "good", 2)).get("/v1/me").expect(401).await;
}

/// A server with a certificate for `localhost`, which answers as an issuer; its address, and the certificate (PEM).
async fn secure_issuer(key: &Key) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let private = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, made.cert.der())
    );
    let (discovery, keys) = (
        json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string(),
        json!({"keys": [key.jwk()]}).to_string(),
    );
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap();
            let body = if head[..read].starts_with(b"GET /keys ") { &keys } else { &discovery };
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            stream.write_all(text.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (url, pem)
}

#[tokio::test]
async fn an_issuer_is_known_by_its_certificate() {
    let key = new_key("1");
    let (url, pem) = secure_issuer(&key).await;
    let options = ["--oidc-issuer", &url, "--oidc-audience", AUDIENCE, "--oidc-algorithm", "ES256"];
    let check = async |more: &[&str]| {
        let config = config(&[&options[..], more].concat()).unwrap().unwrap();
        oidc::Issuer::new(config, EAGER).check().await
    };
    let why = check(&[]).await.unwrap_err();
    assert!(why.contains("certificate"), "{why}");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    assert_eq!(check(&["--oidc-ca", &file("good.pem", &pem)]).await.unwrap(), "keys: 1");
    for (path, words) in [
        (file("empty.pem", "nothing"), "has no certificate"),
        (file("broken.pem", "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n"), "is not PEM"),
        (file("missing.pem", "") + "x", "cannot read"),
    ] {
        let why = config(&[&options[..], &["--oidc-ca", &path]].concat()).err().unwrap();
        assert!(why.contains("MANDATE_OIDC_CA") && why.contains(words), "{words}: {why}");
    }
}

#[test]
fn a_wrong_setting_of_tokens_is_named() {
    let good = ["--oidc-issuer", "https://login.example.org/realms/plans", "--oidc-audience", "mandate"];
    assert!(config(&good).unwrap().is_some());
    assert!(config(&[]).unwrap().is_none());
    for issuer in ["https://[::1]:8443/x", "http://localhost:8080", "http://127.0.0.2/", "https://a.example.org/"] {
        assert_eq!(&*config(&["--oidc-issuer", issuer, "--oidc-audience", "x"]).unwrap().unwrap().issuer, issuer);
    }
    for issuer in [
        "http://login.example.org",
        "http://192.0.2.1/",
        "http://localhost.example.org",
        "ftp://localhost/",
        "https://",
        "login.example.org",
        "https://login.example.org/?x=1",
        "https://login.example.org/#x",
        "https://a:b@login.example.org/",
        " https://login.example.org",
        "https://login.example.org/a b",
        "",
    ] {
        let why = config(&["--oidc-issuer", issuer, "--oidc-audience", "x"]).err().unwrap();
        assert!(why.contains("MANDATE_OIDC_ISSUER is an https address"), "{issuer}: {why}");
    }
    for (words, wanted) in [
        (&good[..2], "MANDATE_OIDC_ISSUER needs MANDATE_OIDC_AUDIENCE"),
        (&[good[0], good[1], "--oidc-audience", ""], "MANDATE_OIDC_ISSUER needs MANDATE_OIDC_AUDIENCE"),
        (&good[2..], "MANDATE_OIDC_AUDIENCE and MANDATE_OIDC_CA need MANDATE_OIDC_ISSUER"),
        (&["--oidc-algorithm", "HS256"], "MANDATE_OIDC_ALGORITHM is RS256, PS256, ES256 or EdDSA"),
        (&["--oidc-algorithm", "none"], "MANDATE_OIDC_ALGORITHM is"),
        (&["--oidc-role-claim", "a..b"], "with dots into objects"),
        (&["--oidc-entity-claim", ""], "with dots into objects"),
    ] {
        let why = config(words).err().unwrap();
        assert!(why.contains(wanted), "{words:?}: {why}");
    }
}
