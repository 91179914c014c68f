//! An issuer of tokens on this machine: its two documents, its keys, and tokens signed with them, right or wrong. Nothing here uses the library
//! that the service checks tokens with.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{OriginalUri, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mandate::access::oidc::{Config, Settings};
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaKeyPair,
    },
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

/// What tokens are for.
pub(crate) const AUDIENCE: &str = "mandate-test";

/// A key of an issuer. The RSA keys in `keys/` were made for this alone.
pub(crate) struct Key {
    pub(crate) kid: String,
    pair: Pair,
}

enum Pair {
    Rs256(RsaKeyPair),
    Ps256(RsaKeyPair),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

fn rsa(which: u8) -> RsaKeyPair {
    let der: &[u8] = if which == 1 { include_bytes!("keys/rsa-1.der") } else { include_bytes!("keys/rsa-2.der") };
    RsaKeyPair::from_pkcs8(der).unwrap()
}

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Key {
    /// A key for this algorithm. Of RSA keys there are two.
    pub(crate) fn new(algorithm: &str, kid: &str, which: u8) -> Self {
        let random = SystemRandom::new();
        let pair = match algorithm {
            "RS256" => Pair::Rs256(rsa(which)),
            "PS256" => Pair::Ps256(rsa(which)),
            "ES256" => {
                let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let der = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
                Pair::Es256(EcdsaKeyPair::from_pkcs8(kind, der.as_ref(), &random).unwrap())
            }
            "EdDSA" => {
                let der = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Pair::EdDsa(Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap())
            }
            other => panic!("{other}"),
        };
        Self { kid: kid.into(), pair }
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rs256(_) => "RS256",
            Pair::Ps256(_) => "PS256",
            Pair::Es256(_) => "ES256",
            Pair::EdDsa(_) => "EdDSA",
        }
    }

    /// As the issuer publishes it (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rs256(pair) | Pair::Ps256(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "n": encoded(n), "e": encoded(e)})
            }
            Pair::Es256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": encoded(&point[1..33]), "y": encoded(&point[33..])})
            }
            Pair::EdDsa(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key())}),
        };
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm());
        jwk
    }

    /// The signature of this text.
    pub(crate) fn sign(&self, text: &str) -> String {
        let random = SystemRandom::new();
        let text = text.as_bytes();
        match &self.pair {
            Pair::Rs256(pair) | Pair::Ps256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let outcome = match self.algorithm() {
                    "RS256" => pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature),
                    _ => pair.sign(&RSA_PSS_SHA256, &random, text, &mut signature),
                };
                outcome.unwrap();
                encoded(signature)
            }
            Pair::Es256(pair) => encoded(pair.sign(&random, text).unwrap()),
            Pair::EdDsa(pair) => encoded(pair.sign(text)),
        }
    }

    /// The head of its tokens.
    pub(crate) fn head(&self) -> Value {
        json!({"alg": self.algorithm(), "typ": "at+jwt", "kid": self.kid})
    }

    /// A token with this head.
    pub(crate) fn token_with(&self, head: Value, claims: &Value) -> String {
        let text = format!("{}.{}", encoded(head.to_string()), encoded(claims.to_string()));
        format!("{text}.{}", self.sign(&text))
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(self.head(), claims)
    }
}

type Manners = Arc<dyn Fn(&str) -> Option<Response> + Send + Sync>;

/// A running issuer.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    keys: Arc<Mutex<Value>>,
    manners: Arc<Mutex<Manners>>,
    /// How often it was asked for its keys.
    asked: Arc<watch::Sender<usize>>,
}

impl Issuer {
    /// Starts one with this key.
    pub(crate) async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/realms/plans", listener.local_addr().unwrap());
        let manners: Manners = Arc::new(|_| None);
        let issuer = Self {
            url,
            keys: Arc::default(),
            manners: Arc::new(Mutex::new(manners)),
            asked: Arc::new(watch::Sender::new(0)),
        };
        issuer.publish(keys);
        let router = Router::new().fallback(answer).with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    /// From now on these are its keys.
    pub(crate) fn publish(&self, keys: &[&Key]) {
        self.publish_set(json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()}));
    }

    pub(crate) fn publish_set(&self, set: Value) {
        *self.keys.lock().unwrap() = set;
    }

    /// From now on it answers so, where that says something.
    pub(crate) fn answer(&self, manners: impl Fn(&str) -> Option<Response> + Send + Sync + 'static) {
        *self.manners.lock().unwrap() = Arc::new(manners);
    }

    /// From now on it does not answer as it should.
    pub(crate) fn go_down(&self) {
        self.answer(|_| Some(StatusCode::BAD_GATEWAY.into_response()));
    }

    /// From now on it answers as it should.
    pub(crate) fn come_back(&self) {
        self.answer(|_| None);
    }

    /// How often it was asked for its keys.
    pub(crate) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn wait(&self, count: usize) {
        let mut asked = self.asked.subscribe();
        let enough = tokio::time::timeout(super::proxy::PATIENCE, asked.wait_for(|asked| *asked >= count)).await;
        enough.expect("the issuer is not asked").unwrap();
    }

    /// The claims of a good token for somebody with this role.
    pub(crate) fn claims(&self, subject: &str, role: &str) -> Value {
        let now = now();
        json!({"iss": self.url, "sub": subject, "aud": ["account", AUDIENCE], "iat": now, "exp": now + 600, "mandate_role": role})
    }

    /// The settings of a service that takes its tokens, with these options besides.
    pub(crate) fn config(&self, options: &[&str]) -> Config {
        let mut words = vec!["--oidc-issuer", &self.url, "--oidc-audience", AUDIENCE];
        words.extend(options);
        config(&words).unwrap().unwrap()
    }
}

/// The configuration that these options make.
pub(crate) fn config(words: &[&str]) -> Result<Option<Config>, String> {
    #[derive(clap::Parser)]
    struct Options {
        #[command(flatten)]
        settings: Settings,
    }
    let words = ["x"].iter().chain(words);
    let options = <Options as clap::Parser>::try_parse_from(words).map_err(|error| error.to_string())?;
    options.settings.config().map_err(|error| format!("{error:#}"))
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

async fn answer(State(issuer): State<Issuer>, OriginalUri(uri): OriginalUri) -> Response {
    if uri.path() == "/realms/plans/keys" {
        issuer.asked.send_modify(|asked| *asked += 1);
    }
    let manners = Arc::clone(&*issuer.manners.lock().unwrap());
    if let Some(response) = manners(uri.path()) {
        return response;
    }
    match uri.path() {
        "/realms/plans/.well-known/openid-configuration" => {
            let keys = format!("{}/keys", issuer.url);
            Json(json!({"issuer": issuer.url, "jwks_uri": keys, "token_endpoint": "x"})).into_response()
        }
        "/realms/plans/keys" => {
            let fresh = [(header::CACHE_CONTROL, "public, max-age=0")];
            (fresh, Json(issuer.keys.lock().unwrap().clone())).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
