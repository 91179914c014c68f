//! `Error`: all that can go wrong in a request, its status, and the problem (RFC 9457) that the client reads.
//!
//! The variants are what a client can act on. The cause of an internal failure is logged by `app::trace`, once, and never shown.

mod constraint;
mod sqlstate;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::repository::{self, Fault};

/// All that can go wrong in a request.
#[derive(Debug)]
pub enum Error {
    /// 400: not understood at all, such as broken JSON.
    Malformed(String),
    /// 400: the query has faults; each names its parameter.
    BadQuery(Vec<Fault>),
    /// 401: no key, or none that is valid.
    Unauthenticated(String),
    /// 401: a token of the issuer that is not good, and why.
    BadToken(String),
    /// 403: the key or token may not do this.
    Forbidden(String),
    /// 403: of what the key may write, these fields are kept for other roles.
    Reserved(Vec<Fault>),
    /// 404: there is no such thing.
    NotFound(String),
    /// 405: the method is not one of these.
    MethodNotAllowed(String),
    /// 406: none of the formats asked for.
    NotAcceptable(String),
    /// 408: the request took too long to arrive.
    RequestTimeout,
    /// 409: the state of things does not allow it.
    Conflict(Vec<Fault>),
    /// 409: it belongs to a strategy in the archive, which nothing changes.
    Archived(Vec<Fault>),
    /// 410: it was deleted; where its history is.
    Deleted(String),
    /// 412: it has changed since the version named; the resource as it is now.
    Stale(Option<Value>),
    /// 412: `If-Match` names a version of what is not there.
    Absent,
    /// 413: too large.
    TooLarge(String),
    /// 415: not JSON.
    UnsupportedMediaType(String),
    /// 409: the first request with this idempotency key is still under way.
    KeyInUse,
    /// 422: understood, but wrong.
    Invalid(Vec<Fault>),
    /// 202, where a proposal is kept of it (`proposals`), and else 409: it needs a second principal; the change.
    NeedsSecond(Value),
    /// 422: the idempotency key stands for another request.
    KeyReused,
    /// 428: `If-Match` is missing.
    VersionRequired(String),
    /// 429: more requests than one may make a second; how long to wait.
    RateLimited {
        /// Requests a second.
        rate: u32,
        /// Until the next is allowed.
        wait: Duration,
    },
    /// 429: so many logins failed from there that this one was not tried; how long to wait.
    FailedLogins(Duration),
    /// 503: try again later; nothing was written.
    Unavailable(String),
    /// 503: the same, because of other writers (SQLSTATE 40001, 40P01).
    Contended,
    /// 503: another writer was faster, where any version would have done; to be tried again from the reading on.
    Overtaken,
    /// 503: it may have been written or not, because the answer of the database was lost.
    OutcomeUnknown,
    /// 504: it took too long.
    Timeout,
    /// 500: our fault.
    Internal(Arc<anyhow::Error>),
}

/// A problem names so many faults, and counts the others. An import has a fault more: the one that says that there are others.
const FAULTS: usize = 1001;

/// A problem, as RFC 9457 has it: the body of every answer from 400 on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A relative URI that names the kind of problem and leads to its description.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status, again.
    pub status: u16,
    /// What happened, and what to do instead.
    pub detail: String,
    /// The request, as a URN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Stable word for machines, such as `not_found`.
    pub code: String,
    /// The id of the request, as in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// All the faults found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// With `stale`: the resource as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub current: Option<Value>,
    /// With `deleted`: where its history is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
}

impl Error {
    /// One fault of the input.
    pub fn invalid(field: &str, code: &str, detail: impl Into<String>) -> Self {
        let mut found = repository::Faults::default();
        found.add(field, code, detail);
        Self::Invalid(found.0)
    }

    #[expect(clippy::too_many_lines, reason = "one table: a line a problem")]
    fn parts(&self) -> (StatusCode, &'static str, &'static str, String) {
        use StatusCode as S;
        let faulty = |faults: &[Fault]| match faults {
            [only] => only.detail.clone(),
            many if many.len() > FAULTS => {
                format!("{} faults; the first {FAULTS} are named in `errors`. Nothing was changed.", many.len())
            }
            many => format!("{} faults; each is named in `errors`. Nothing was changed.", many.len()),
        };
        match self {
            Self::Malformed(why) => (S::BAD_REQUEST, "malformed", "The request is malformed", why.clone()),
            Self::BadQuery(faults) => (S::BAD_REQUEST, "bad_query", "The query is not understood", faulty(faults)),
            Self::Unauthenticated(why) => (S::UNAUTHORIZED, "unauthenticated", "A valid key is needed", why.clone()),
            Self::BadToken(why) => (S::UNAUTHORIZED, "unauthenticated", "The token is not good", why.clone()),
            Self::Forbidden(why) => (S::FORBIDDEN, "forbidden", "The key may not do this", why.clone()),
            Self::Reserved(faults) => (S::FORBIDDEN, "forbidden", "The key may not do this", faulty(faults)),
            Self::NotFound(what) => (S::NOT_FOUND, "not_found", "There is no such thing", what.clone()),
            Self::MethodNotAllowed(why) => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "The method is not possible here", why.clone())
            }
            Self::NotAcceptable(why) => {
                (S::NOT_ACCEPTABLE, "not_acceptable", "None of these formats is offered", why.clone())
            }
            Self::RequestTimeout => (
                S::REQUEST_TIMEOUT,
                "request_timeout",
                "The request took too long to arrive",
                "the body did not arrive in time; send the whole request within 30 seconds, an import or a document within 10 minutes".into(),
            ),
            Self::Conflict(faults) => {
                (S::CONFLICT, "conflict", "The state of things does not allow it", faulty(faults))
            }
            Self::Archived(faults) => (S::CONFLICT, "archived", "The strategy is archived", faulty(faults)),
            Self::NeedsSecond(change) => {
                (S::CONFLICT, "conflict", "A second principal is needed", constraint::needs_second(change))
            }
            Self::KeyInUse => (
                S::CONFLICT,
                "idempotency_key_in_use",
                "The first request with this key is under way",
                "send the same request again after Retry-After seconds; it will get the answer of the first".into(),
            ),
            Self::KeyReused => (
                S::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The Idempotency-Key stands for another request",
                "this key was used with another method, path, query, Content-Type, If-Match or body; choose a new key for a new request".into(),
            ),
            Self::Deleted(history) => (S::GONE, "deleted", "It was deleted", format!("its history is at {history}")),
            Self::Stale(_) => (
                S::PRECONDITION_FAILED,
                "stale",
                "It has changed meanwhile",
                "read `current`, apply your change to it, and send its version in If-Match".into(),
            ),
            Self::Absent => (
                S::PRECONDITION_FAILED,
                "absent",
                "There is nothing that If-Match could name",
                "nothing has this name, so no version of it matches; leave If-Match out, or send `If-None-Match: *`, to create it".into(),
            ),
            Self::TooLarge(why) => (S::PAYLOAD_TOO_LARGE, "too_large", "The body is too large", why.clone()),
            Self::UnsupportedMediaType(why) => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The media type is not understood", why.clone())
            }
            Self::Invalid(faults) => (S::UNPROCESSABLE_ENTITY, "invalid", "The content is not valid", faulty(faults)),
            Self::VersionRequired(why) => {
                (S::PRECONDITION_REQUIRED, "version_required", "If-Match is needed", why.clone())
            }
            Self::RateLimited { rate, .. } => (
                S::TOO_MANY_REQUESTS,
                "rate_limited",
                "Too many requests",
                format!(
                    "here one may make {rate} requests a second; nothing was done; wait for the seconds of Retry-After, and send many rows in one import"
                ),
            ),
            Self::FailedLogins(_) => (
                S::TOO_MANY_REQUESTS,
                "failed_logins",
                "Too many logins have failed",
                "the key was not looked at, because too many failed from your address; wait for the seconds of Retry-After, and send a key that is valid".into(),
            ),
            Self::Unavailable(why) => {
                (S::SERVICE_UNAVAILABLE, "unavailable", "Not possible at the moment", why.clone())
            }
            Self::Contended | Self::Overtaken => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not possible at the moment",
                "too many writers at once; nothing was written; try again".into(),
            ),
            Self::OutcomeUnknown => (
                S::SERVICE_UNAVAILABLE,
                "outcome_unknown",
                "It may have been written, or not",
                "the database was lost before it confirmed the write; send it again with the same Idempotency-Key, or read the resource before you repeat it".into(),
            ),
            Self::Timeout => (
                S::GATEWAY_TIMEOUT,
                "timeout",
                "It took too long",
                "ask for less, or try again; a write may or may not have happened: repeat it with the same Idempotency-Key, or read before you do".into(),
            ),
            Self::Internal(_) => (
                S::INTERNAL_SERVER_ERROR,
                "internal",
                "Something failed here",
                "the fault is ours; quote the request_id".into(),
            ),
        }
    }

    /// Whether it says that somebody may not, or may no longer: an answer without end is over then.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Unauthenticated(_) | Self::BadToken(_) | Self::Forbidden(_) | Self::Reserved(_))
    }

    /// The problem for the client, without the request.
    pub fn problem(&self) -> Problem {
        let (status, code, title, detail) = self.parts();
        let (errors, current, history) = match self {
            Self::BadQuery(faults)
            | Self::Conflict(faults)
            | Self::Archived(faults)
            | Self::Invalid(faults)
            | Self::Reserved(faults) => (faults.iter().take(FAULTS).cloned().collect(), None, None),
            Self::Stale(current) => (Vec::new(), current.clone(), None),
            Self::Deleted(history) => (Vec::new(), None, Some(history.clone())),
            _ => (Vec::new(), None, None),
        };
        Problem {
            kind: format!("/problems/{}", code.replace('_', "-")),
            title: title.into(),
            status: status.as_u16(),
            detail,
            instance: None,
            code: code.into(),
            request_id: None,
            errors,
            current,
            history,
        }
    }
}

/// Left in the response for the trace layer, which logs it and puts the request's id into the body.
#[derive(Debug, Clone)]
pub struct Failure(pub Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, ..) = self.parts();
        let mut response = (status, Body::empty()).into_response();
        let headers = response.headers_mut();
        match &self {
            Self::Unauthenticated(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mandate\""));
            }
            Self::BadToken(why) => {
                headers.insert(header::WWW_AUTHENTICATE, challenge(why));
            }
            Self::Unavailable(_) | Self::Contended | Self::Overtaken | Self::OutcomeUnknown | Self::Timeout => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            }
            Self::KeyInUse => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::RateLimited { wait, .. } | Self::FailedLogins(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                headers.insert(header::RETRY_AFTER, seconds.max(1).into());
            }
            Self::Stale(Some(current)) => {
                if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", current["version"])) {
                    headers.insert(header::ETAG, tag);
                }
            }
            _ => {}
        }
        response.extensions_mut().insert(Failure(Arc::new(self)));
        response
    }
}

/// Writes the problem of a failure into its response; `app::trace` calls it, because it knows the request's id.
pub fn render(response: Response, failure: &Failure, request_id: &str) -> Response {
    let (mut parts, _) = response.into_parts();
    let mut problem = failure.0.problem();
    problem.instance = Some(format!("urn:uuid:{request_id}"));
    problem.request_id = Some(request_id.to_owned());
    let body = serde_json::to_vec(&problem).unwrap_or_else(|_| json!({"status": 500}).to_string().into_bytes());
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

/// Says that nothing of this kind has this id.
pub fn missing(kind: &str, key: impl std::fmt::Display) -> Error {
    Error::NotFound(format!("there is no {} with the id {key}", kind.replace('_', " ")))
}

/// Where the history of a resource is.
pub fn history_path(table: &str, id: Uuid) -> String {
    format!("/v1/{}/{id}/history", table.replace('_', "-"))
}

/// The challenge to a token that is not good (RFC 6750, 3), whose words have only the characters allowed there.
pub fn challenge(why: &str) -> HeaderValue {
    let is_allowed = |c: &char| (' '..='~').contains(c) && !['"', '\\'].contains(c);
    let words: String = why.chars().filter(is_allowed).collect();
    let text = format!("Bearer realm=\"mandate\", error=\"invalid_token\", error_description=\"{words}\"");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer error=\"invalid_token\""))
}
