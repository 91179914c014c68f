//! Whether a token is good: its form, its algorithm, its signature, and the claims that every token has.

use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind, get_current_timestamp,
};
use serde_json::{Map, Value};

use super::settings::Config;
use crate::error::Error;

/// A token has so many bytes at most.
const MOST_BYTES: usize = 8 * 1024;
/// So many seconds may the clock of the issuer and ours be apart.
const LEEWAY: u64 = 60;
/// OpenID Connect Core 1.0, 2: `sub` has at most 255 ASCII characters.
const MOST_OF_SUBJECT: usize = 255;

/// The claims of a good token.
pub(super) struct Claims {
    /// Who brings it, for the issuer.
    pub(super) subject: String,
    /// When it ends.
    pub(super) expires_at: DateTime<Utc>,
    /// All claims.
    pub(super) all: Map<String, Value>,
}

/// The token is not good, and why.
pub(super) fn refused(why: impl Into<String>) -> Error {
    Error::BadToken(why.into())
}

/// The id of the key that a token says it is signed with. Nothing is believed yet, and no key in the head itself (`jwk`, `jku`, `x5u`) ever is.
pub(super) fn kid(text: &str, algorithm: Algorithm) -> Result<String, Error> {
    if text.len() > MOST_BYTES {
        return Err(refused(format!("a token has at most {MOST_BYTES} bytes here; let the issuer put less into it")));
    }
    if text.split('.').filter(|part| !part.is_empty()).count() != 3 {
        return Err(refused("it is neither a key (mandate_...) nor a signed token (JWT)"));
    }
    let head =
        decode_header(text).map_err(|_| refused("the head of the token is not understood, or its algorithm is not"))?;
    if head.crit.is_some() {
        return Err(refused("the token demands what is not done here (`crit`)"));
    }
    let is_kind = |kind: &str| ["jwt", "at+jwt", "application/at+jwt"].contains(&kind.to_ascii_lowercase().as_str());
    if !head.typ.as_deref().is_none_or(is_kind) {
        return Err(refused("the token is of another kind (`typ`); an access token is JWT or at+jwt"));
    }
    if head.alg != algorithm {
        return Err(refused(format!("the token is signed with another algorithm; only {algorithm:?} is taken")));
    }
    head.kid.ok_or_else(|| refused("the token does not say which key signs it (`kid`)"))
}

/// The claims of a token, once its signature is good, this service is meant, and it is valid at this time.
pub(super) fn claims(text: &str, key: &DecodingKey, config: &Config) -> Result<Claims, Error> {
    let mut validation = Validation::new(config.algorithm);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_audience(&[&config.audience]);
    validation.set_issuer(&[&config.issuer]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY;
    let all = decode::<Map<String, Value>>(text, key, &validation).map_err(|error| reason(error.kind()))?.claims;
    // The library takes a list that has the issuer in it, too.
    if all.get("iss").and_then(Value::as_str) != Some(&*config.issuer) {
        return Err(reason(&ErrorKind::InvalidIssuer));
    }
    let issued = all.get("iat").map(|at| at.as_f64().ok_or_else(|| unreadable("iat"))).transpose()?;
    if issued.is_some_and(|at| at > seconds(get_current_timestamp() + LEEWAY)) {
        return Err(refused("the token was issued in the future (`iat`); is the clock of the issuer right, or ours?"));
    }
    let subject = all.get("sub").and_then(Value::as_str).unwrap_or_default();
    let is_plain = subject.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && subject.trim() == subject;
    if subject.is_empty() || subject.len() > MOST_OF_SUBJECT || !is_plain {
        return Err(refused(format!("the subject (`sub`) is not 1 to {MOST_OF_SUBJECT} visible ASCII characters")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "it saturates, and such an instant is then refused")]
    let end = all.get("exp").and_then(Value::as_f64).map(|end| end as i64);
    let expires_at = end.and_then(|end| DateTime::from_timestamp(end, 0)).ok_or_else(|| unreadable("exp"))?;
    Ok(Claims { subject: subject.to_owned(), expires_at, all })
}

#[expect(clippy::cast_precision_loss, reason = "seconds of this age are exact")]
fn seconds(time: u64) -> f64 {
    time as f64
}

fn unreadable(claim: &str) -> Error {
    refused(format!("the token has no claim `{claim}`, or it cannot be read"))
}

/// What is wrong, in words of ours.
fn reason(kind: &ErrorKind) -> Error {
    match kind {
        ErrorKind::InvalidSignature => refused("the signature of the token is not right"),
        ErrorKind::ExpiredSignature => refused("the token has expired; get a new one from the issuer"),
        ErrorKind::ImmatureSignature => refused("the token is not valid yet (`nbf`)"),
        ErrorKind::InvalidIssuer => refused("the token is of another issuer (`iss`)"),
        ErrorKind::InvalidAudience => refused("the token is not for this service (`aud`)"),
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => unreadable(claim),
        _ => refused("the token cannot be read"),
    }
}
