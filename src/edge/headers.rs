//! Headers: which of a request may come once only, and what every answer tells browsers not to do with it.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::error::Error;

/// The headers of a request that say one thing. Of two, one reader takes the first and another the last: a proxy may have judged the other one.
const ONCE: [HeaderName; 5] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("mandate-reason"),
];

/// A layer that refuses a header twice that says one thing.
pub async fn refuse_repeated(request: Request, next: Next) -> Response {
    let repeated = ONCE.into_iter().find(|name| request.headers().get_all(name).iter().nth(1).is_some());
    match repeated {
        Some(name) => Error::Malformed(format!("the header {name} came more than once; send it once")).into_response(),
        None => next.run(request).await,
    }
}

/// Whether an answer that asks for a key also asks for it as a password: not where a page asked, whose reader would be shown a form.
pub fn takes_password(headers: &HeaderMap) -> bool {
    let starts =
        |header: &HeaderValue| header.as_bytes().get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"basic "));
    headers.get(header::AUTHORIZATION).is_none_or(starts)
        && headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
}

/// Nothing is loaded, run, sent or framed: answers are data, and the welcome page is words.
const DATA: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The documentation has scripts, styles and pictures of its own, some written into its styles, and asks the API.
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `same-origin` fits CORS too: it is about what a page loads without asking by CORS, which nobody needs here.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Puts them on the answer from a path. That the site is to be asked over https only (`Strict-Transport-Security`, a year) is said where a trusted
/// proxy says that it was: said elsewhere, it would close a service that has no https.
pub fn secure(headers: &mut HeaderMap, path: &str, is_https: bool) {
    let is_docs = path == "/docs" || path.starts_with("/docs/");
    let policy = if is_docs { DOCS } else { DATA };
    // A captured copy says more than this.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(policy));
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}
