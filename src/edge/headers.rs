//! What every answer tells browsers not to do with it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

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
