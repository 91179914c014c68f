//! Which issuer, and how its tokens are read.

use std::{fmt, path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use clap::Args;
use jsonwebtoken::Algorithm;
use ureq::tls::{Certificate, PemItem, parse_pem};
use url::{Host, Url};

/// The settings of tokens.
#[derive(Debug, Clone, Args)]
#[group(id = "oidc")]
pub struct Settings {
    /// Take tokens of this OpenID Connect issuer besides keys: its https address, letter by letter as its tokens have it in `iss` [default: none]
    #[arg(long = "oidc-issuer", env = "MANDATE_OIDC_ISSUER", value_parser = issuer, global = true)]
    issuer: Option<String>,
    /// What a token must have in `aud`; needed with an issuer
    #[arg(long = "oidc-audience", env = "MANDATE_OIDC_AUDIENCE", global = true)]
    audience: Option<String>,
    /// The one algorithm of signatures that is taken: RS256, PS256, ES256 or EdDSA
    #[arg(long = "oidc-algorithm", env = "MANDATE_OIDC_ALGORITHM", default_value = "RS256", value_parser = algorithm, global = true)]
    algorithm: Algorithm,
    /// The claim with the role, with dots into objects, such as realm_access.roles
    #[arg(long = "oidc-role-claim", env = "MANDATE_OIDC_ROLE_CLAIM", default_value = "mandate_role", value_parser = claim, global = true)]
    role_claim: String,
    /// The claim with the entity of an editor or finance officer: its id, external:ID or code:CODE
    #[arg(long = "oidc-entity-claim", env = "MANDATE_OIDC_ENTITY_CLAIM", default_value = "mandate_entity", value_parser = claim, global = true)]
    entity_claim: String,
    /// A file with the certificates (PEM) of the authorities that vouch for the issuer's server [default: the public ones]
    #[arg(long = "oidc-ca", env = "MANDATE_OIDC_CA", global = true)]
    ca: Option<PathBuf>,
}

/// A configured issuer.
#[derive(Clone)]
pub struct Config {
    /// Its address, as `iss` has it.
    pub issuer: Arc<str>,
    /// What `aud` must have.
    pub audience: String,
    /// The algorithm of signatures.
    pub algorithm: Algorithm,
    /// The claim with the role.
    pub role_claim: String,
    /// The claim with the entity.
    pub entity_claim: String,
    /// The authorities that vouch for its server; none for the public ones.
    pub authorities: Vec<Certificate<'static>>,
}

impl Settings {
    /// The issuer, if one is configured.
    pub fn config(&self) -> anyhow::Result<Option<Config>> {
        let Some(issuer) = &self.issuer else {
            let has_rest = self.audience.is_some() || self.ca.is_some();
            anyhow::ensure!(!has_rest, "MANDATE_OIDC_AUDIENCE and MANDATE_OIDC_CA need MANDATE_OIDC_ISSUER");
            return Ok(None);
        };
        let audience = self.audience.as_ref().filter(|audience| !audience.is_empty());
        let audience = audience.context(
            "MANDATE_OIDC_ISSUER needs MANDATE_OIDC_AUDIENCE: what the issuer writes into `aud` of tokens for this service",
        )?;
        Ok(Some(Config {
            issuer: issuer.as_str().into(),
            audience: audience.clone(),
            algorithm: self.algorithm,
            role_claim: self.role_claim.clone(),
            entity_claim: self.entity_claim.clone(),
            authorities: self.ca.as_ref().map(authorities).transpose()?.unwrap_or_default(),
        }))
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "issuer {}, audience {}, algorithm {:?}, role in `{}`, entity in `{}`",
            self.issuer, self.audience, self.algorithm, self.role_claim, self.entity_claim
        )
    }
}

fn authorities(path: &PathBuf) -> anyhow::Result<Vec<Certificate<'static>>> {
    let pem = std::fs::read(path).with_context(|| format!("MANDATE_OIDC_CA: cannot read {}", path.display()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        match item.with_context(|| format!("MANDATE_OIDC_CA: {} is not PEM", path.display()))? {
            PemItem::Certificate(certificate) => found.push(certificate),
            _ => bail!("MANDATE_OIDC_CA: {} has something else than certificates", path.display()),
        }
    }
    anyhow::ensure!(!found.is_empty(), "MANDATE_OIDC_CA: {} has no certificate", path.display());
    Ok(found)
}

fn issuer(word: &str) -> Result<String, &'static str> {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_graphic()) && word.len() <= 500;
    let url = Url::parse(word).ok().filter(|_| is_plain);
    let has_more = |url: &Url| {
        !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some()
    };
    let is_good = url.is_some_and(|url| !has_more(&url) && is_safe(&url));
    is_good.then(|| word.to_owned()).ok_or(
        "MANDATE_OIDC_ISSUER is an https address without query, such as https://login.example.org/realms/plans; http only on this machine",
    )
}

/// Whether what comes from there can be relied on: over TLS, or from this machine.
pub(super) fn is_safe(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

fn algorithm(word: &str) -> Result<Algorithm, &'static str> {
    match word {
        "RS256" => Ok(Algorithm::RS256),
        "PS256" => Ok(Algorithm::PS256),
        "ES256" => Ok(Algorithm::ES256),
        "EdDSA" => Ok(Algorithm::EdDSA),
        _ => Err("MANDATE_OIDC_ALGORITHM is RS256, PS256, ES256 or EdDSA"),
    }
}

fn claim(word: &str) -> Result<String, &'static str> {
    let is_good = !word.is_empty() && word.split('.').all(|name| !name.is_empty()) && !word.contains(char::is_control);
    is_good.then(|| word.to_owned()).ok_or("a claim is a name, with dots into objects, such as realm_access.roles")
}
