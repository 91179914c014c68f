//! `Idempotency-Key`: a write that is sent twice happens once, and is answered twice with the same bytes.
//!
//! A handler of a POST or PATCH takes an `Attempt` and does its work in `Attempt::once`; there is nothing else to do for it. The document gets
//! the header, and the problems that come of it, from `describe`. PUT and DELETE need no key, and refuse one.

use std::collections::BTreeMap;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use super::{
    answer::{RECEIPT, internal},
    document::add_problems,
};
use crate::error::Error;
use crate::{
    access::Actor,
    app::App,
    repository::{self, Attempts, Claim, Isolation, Kept},
};

const NAME: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The POSTs whose answers must not be kept.
const SECRET: [&str; 3] = ["/v1/api-keys", "/v1/calendar-tokens", "/v1/feed-tokens"];
/// Decided once: the same decision by the same principal is answered the same.
const DECISIONS: &str = "/v1/confirmations";
/// The headers that are kept with an answer; the others belong to the request that asks.
const KEPT: [HeaderName; 4] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION, RECEIPT];

/// What a handler does between the connection and the answer, given what it has read of the request. It may be called more than once.
pub type Work<I> = for<'a> fn(&'a mut PgConnection, &'a I) -> BoxFuture<'a, Result<Response, Error>>;

/// A write as the client asked for it, with its key, if it sent one.
pub struct Attempt {
    key: Option<String>,
    /// Whether the work is one transaction also without a key.
    whole: bool,
    /// Runs over what stands before the body.
    fingerprint: Sha256,
}

impl<S: Send + Sync> FromRequestParts<S> for Attempt {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut fingerprint = Sha256::new();
        let target = parts.uri.path_and_query().map_or(parts.uri.path(), |target| target.as_str());
        let header = |name| parts.headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
        let content_type = header(header::CONTENT_TYPE);
        // A list, which may come in several lines.
        let if_match: Vec<&[u8]> = parts.headers.get_all(header::IF_MATCH).iter().map(HeaderValue::as_bytes).collect();
        let if_match = if_match.join(&b',');
        for part in [parts.method.as_str().as_bytes(), target.as_bytes(), content_type, &if_match] {
            // With its length before it, no part can pass for the end of another.
            fingerprint.update(part.len().to_be_bytes());
            fingerprint.update(part);
        }
        Ok(Self { key: key(&parts.headers)?, whole: false, fingerprint })
    }
}

impl Attempt {
    /// The same as one transaction also without a key, when that is needed.
    #[must_use]
    pub fn whole(self, whole: bool) -> Self {
        Self { whole, ..self }
    }

    /// Does the work, once for each key. With a key the work and its answer are one transaction, which is tried again when it was in the way
    /// of another; without one the work has the connection as it is. An answer that is no success leaves no trace, not even the key.
    pub async fn once<I: Sync>(
        self,
        (app, actor): (&App, &Actor),
        body: &[u8],
        isolation: Isolation,
        input: I,
        work: Work<I>,
    ) -> Result<Response, Error> {
        let mut connection = app.connection().await?;
        let Some(key) = &self.key else {
            return perform(&mut connection, self.whole.then_some(isolation), &input, work).await;
        };
        let fingerprint = self.fingerprint.chain_update(body).finalize().into();
        let claim = Claim { principal: actor.principal(), key, fingerprint };
        let mut attempts = Attempts::default();
        loop {
            let outcome = attempt(&mut connection, isolation, &claim, &input, work).await;
            if !attempts.again(matches!(outcome, Err(Error::Contended | Error::Overtaken))).await {
                return outcome;
            }
        }
    }
}

/// Does the work as it is, or in one transaction; again when it was in the way of another. An answer that is no success
/// leaves no trace.
pub async fn perform<I: Sync>(
    connection: &mut PgConnection,
    isolation: Option<Isolation>,
    input: &I,
    work: Work<I>,
) -> Result<Response, Error> {
    let mut attempts = Attempts::default();
    let Some(isolation) = isolation else {
        loop {
            let outcome = work(connection, input).await;
            if !attempts.again(matches!(outcome, Err(Error::Overtaken))).await {
                return outcome;
            }
        }
    };
    loop {
        let mut transaction = repository::begin(connection, isolation).await?;
        let outcome = match work(&mut transaction, input).await.map_err(uncommitted) {
            Ok(response) if response.status().is_success() => {
                repository::commit(transaction).await.map(|()| response).map_err(Error::from)
            }
            other => repository::give_up(transaction, other).await,
        };
        if !attempts.again(matches!(outcome, Err(Error::Contended | Error::Overtaken))).await {
            return outcome;
        }
    }
}

/// Before the COMMIT that is still to come, a lost connection takes everything back.
fn uncommitted(error: Error) -> Error {
    match error {
        Error::OutcomeUnknown => {
            Error::Unavailable("the database is busy or away; nothing was written; try again".into())
        }
        other => other,
    }
}

async fn attempt<I: Sync>(
    connection: &mut PgConnection,
    isolation: Isolation,
    claim: &Claim<'_>,
    input: &I,
    work: Work<I>,
) -> Result<Response, Error> {
    let (mut transaction, kept) = repository::claim(connection, isolation, claim).await?;
    if let Some(kept) = kept {
        return repository::give_up(transaction, replay(kept, claim)).await;
    }
    match kept_work(&mut transaction, claim, input, work).await {
        Ok(response) if response.status().is_success() => {
            repository::commit(transaction).await?;
            if let Err(error) = repository::sweep(connection).await {
                repository::distrust();
                tracing::warn!(%error, "old idempotency keys were not swept");
            }
            Ok(response)
        }
        other => repository::give_up(transaction, other).await,
    }
}

async fn kept_work<I: Sync>(
    connection: &mut PgConnection,
    claim: &Claim<'_>,
    input: &I,
    work: Work<I>,
) -> Result<Response, Error> {
    let response = work(connection, input).await.map_err(uncommitted)?;
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(internal)?;
    let text = |name: &HeaderName| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned()));
    let headers: BTreeMap<_, _> = KEPT.iter().filter_map(text).collect();
    repository::keep(connection, claim, parts.status.as_u16(), headers, &body).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// The answer that the key got before, if it was to the same question.
fn replay(kept: Kept, claim: &Claim<'_>) -> Result<Response, Error> {
    if kept.fingerprint != claim.fingerprint {
        return Err(Error::KeyReused);
    }
    let status = u16::try_from(kept.status).map_err(internal)?;
    let mut response = (StatusCode::from_u16(status).map_err(internal)?, kept.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in &kept.headers.0 {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(internal)?;
        headers.insert(name, HeaderValue::from_str(value).map_err(internal)?);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// The key of a request: a string in quotes, as structured fields (RFC 8941) have it, or the bare word.
fn key(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut values = headers.get_all(NAME).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let wrong = || {
        Error::Malformed(
            "Idempotency-Key is one word of 1 to 255 visible ASCII characters, best a UUID in quotes: \
             `Idempotency-Key: \"8e03978e-40d5-43dd-bc93-6894a57f9324\"`"
                .into(),
        )
    };
    let text = value.to_str().map_err(|_| wrong())?.trim();
    let word = match text.strip_prefix('"') {
        Some(rest) => unquoted(rest).ok_or_else(wrong)?,
        None => text.to_owned(),
    };
    let good = (1..=255).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
    if good && values.next().is_none() { Ok(Some(word)) } else { Err(wrong()) }
}

/// What stands before the closing quote, which must be the last character; `\` goes before a quote or another `\`.
fn unquoted(rest: &str) -> Option<String> {
    let mut word = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(word),
            '\\' => word.push(characters.next().filter(|next| ['"', '\\'].contains(next))?),
            other => word.push(other),
        }
    }
}

/// A layer that refuses a key where it would promise nothing.
pub async fn refuse_where_needless(request: Request, next: Next) -> Response {
    if request.method() == Method::POST
        && SECRET.contains(&request.uri().path())
        && request.headers().contains_key(NAME)
    {
        return Error::Malformed(
            "a key or token is made without Idempotency-Key: the answer that is kept for one would hold the secret; leave the header out"
                .into(),
        )
        .into_response();
    }
    if request.uri().path() == DECISIONS && request.headers().contains_key(NAME) {
        return Error::Malformed(
            "a decision takes no Idempotency-Key: the same again is answered the same; leave the header out".into(),
        )
        .into_response();
    }
    let needless = [Method::PUT, Method::DELETE].contains(request.method());
    if needless && request.headers().contains_key(NAME) {
        let method = request.method();
        return Error::Malformed(format!(
            "{method} takes no Idempotency-Key: with If-Match it is idempotent already; leave the header out"
        ))
        .into_response();
    }
    next.run(request).await
}

/// Adds the header, and the problems that come of it, to every POST and PATCH; and to every write that its outcome can be unknown.
pub fn describe(document: &mut Value) {
    document["components"]["parameters"]["IdempotencyKey"] = json!({
        "name": "Idempotency-Key", "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 257},
        "description": "A word of your own for this write, best a UUID in quotes. The same request sent again with the same key within 48 hours is not done again, but answered as the first was, with `Idempotency-Replayed: true`. A request that failed leaves no key.",
        "example": "\"8e03978e-40d5-43dd-bc93-6894a57f9324\""
    });
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let operations =
        paths.flat_map(|(path, item)| item.as_object_mut().into_iter().flatten().map(move |each| (path, each)));
    for (path, (method, operation)) in operations {
        if ["post", "patch"].contains(&method.as_str())
            && (!SECRET.contains(&path.as_str()) && path != DECISIONS || method == "patch")
        {
            if let Value::Array(parameters) = &mut operation["parameters"] {
                parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
            }
            add_problems(operation, &["idempotency_key_in_use", "idempotency_key_reused", "malformed"]);
        }
        if method != "get" {
            add_problems(operation, &["outcome_unknown"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_str(value).unwrap());
        }
        key(&headers).map_err(|_| ())
    }

    #[test]
    fn a_key_is_a_string_in_quotes_or_a_bare_word() {
        let word = |text: &str| read(&[text]).map(Option::unwrap);
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(word("8e03978e-40d5"), Ok("8e03978e-40d5".into()));
        assert_eq!(word("\"8e03978e-40d5\""), Ok("8e03978e-40d5".into()));
        assert_eq!(word(r#""a\"b\\c""#), Ok(r#"a"b\c"#.into()));
        assert_eq!(word(&"x".repeat(255)).map(|word| word.len()), Ok(255));
    }

    #[test]
    fn anything_else_is_refused() {
        let long = "x".repeat(256);
        for text in ["", "\"", "\"\"", "\"a", "\"a\" ", "\"a\";x=1", "a b", "\"a b\"", r#""a\b""#, "ă", &long] {
            let refused = read(&[text]);
            assert!(refused.is_err() || text == "\"a\" ", "{text}: {refused:?}");
        }
        assert!(read(&["a", "b"]).is_err());
    }
}
