//! Asks an issuer for its keys: the discovery document (OpenID Connect Discovery 1.0), and the set that it names. TLS, no redirects, no proxy,
//! limits of time and size.

use std::time::Duration;

use serde::Deserialize;
use ureq::{
    Agent,
    http::header,
    tls::{RootCerts, TlsConfig},
};
use url::Url;

use super::{
    keys::Keys,
    settings::{Config, is_safe},
};

/// Each of the two answers has so long, from the look-up of the name to its last byte.
const TIME: Duration = Duration::from_secs(5);
/// A document has so many bytes at most; real sets of keys have some thousand.
const MOST_BYTES: u64 = 256 * 1024;

/// What an issuer answered.
pub(super) struct Fetched {
    pub(super) keys: Keys,
    /// For how long the answer is fresh (`Cache-Control: max-age`), if it says so.
    pub(super) max_age: Option<Duration>,
}

/// Who asks.
pub(super) fn agent(config: &Config) -> Agent {
    let roots = match config.authorities.as_slice() {
        [] => RootCerts::WebPki,
        own => RootCerts::new_with_certs(own),
    };
    Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .https_only(config.issuer.starts_with("https:"))
        .timeout_global(Some(TIME))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .max_idle_connections(0)
        .user_agent(concat!("Mandate/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// Fetches the keys; it blocks. A failure is a sentence for the operator.
pub(super) fn fetch(agent: &Agent, config: &Config) -> Result<Fetched, String> {
    #[derive(Deserialize)]
    struct Discovery {
        issuer: String,
        jwks_uri: String,
    }
    let address = format!("{}/.well-known/openid-configuration", config.issuer.trim_end_matches('/'));
    let (body, _) = get(agent, &address)?;
    let found: Discovery =
        serde_json::from_slice(&body).map_err(|_| format!("{address} has no `issuer` and `jwks_uri`"))?;
    if found.issuer != *config.issuer {
        return Err(format!(
            "{address} is of the issuer `{}`, not of MANDATE_OIDC_ISSUER; they must be equal, the last slash included",
            found.issuer
        ));
    }
    let url = Url::parse(&found.jwks_uri).ok().filter(is_safe);
    let address = url.ok_or_else(|| format!("{address} names no https address for the keys (`jwks_uri`)"))?;
    let (body, max_age) = get(agent, address.as_str())?;
    Ok(Fetched { keys: Keys::read(&body, config.algorithm).map_err(|why| format!("{address} {why}"))?, max_age })
}

fn get(agent: &Agent, address: &str) -> Result<(Vec<u8>, Option<Duration>), String> {
    let failed = |error: ureq::Error| match error {
        ureq::Error::BodyExceedsLimit(_) => format!("{address} has more than {MOST_BYTES} bytes"),
        error => format!("{address}: {error}"),
    };
    let mut answer = agent.get(address).header(header::ACCEPT, "application/json").call().map_err(failed)?;
    let status = answer.status();
    if status.is_redirection() {
        return Err(format!("{address} redirects ({status}), which is not followed"));
    }
    if status != 200 {
        return Err(format!("{address} answers {status}"));
    }
    let control = answer.headers().get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let max_age = control.and_then(max_age);
    let body = answer.body_mut().with_config().limit(MOST_BYTES).read_to_vec().map_err(failed)?;
    Ok((body, max_age))
}

fn max_age(control: &str) -> Option<Duration> {
    let seconds = control.split(',').find_map(|word| word.trim().strip_prefix("max-age=")?.parse().ok());
    seconds.map(Duration::from_secs)
}
