//! Cross-origin requests (the CORS of the Fetch standard): which other sites' pages may use the API. None, unless `MANDATE_CORS_ORIGINS` names them.
//!
//! Keys travel in `Authorization`, never in cookies, so there are no credentials in the sense of the standard.

use std::{str::FromStr, time::Duration};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, header},
};
use tower_http::cors::CorsLayer;
use url::Url;

/// A site, as browsers name it: scheme, host, and a port that is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let word = word.trim();
        let is_exact = !word.contains('*')
            && Url::parse(word).is_ok_and(|url| {
                ["http", "https"].contains(&url.scheme()) && url.origin().ascii_serialization() == word
            });
        HeaderValue::from_str(word).ok().filter(|_| is_exact).map(Self).ok_or(
            "MANDATE_CORS_ORIGINS are origins between commas, such as https://dashboard.example.org: scheme and host in small letters, no path, no `*`",
        )
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// What a page may send.
const SENT: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("mandate-reason"),
    HeaderName::from_static("x-request-id"),
];

/// What a page may read of an answer, besides what each may.
const READ: [HeaderName; 9] = [
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    HeaderName::from_static("idempotency-replayed"),
    HeaderName::from_static("mandate-as-of"),
    HeaderName::from_static("mandate-receipt"),
    HeaderName::from_static("mandate-withheld"),
    HeaderName::from_static("x-request-id"),
];

/// Opens routes to the pages of other sites; without origins they stay as they are.
pub fn open_to<S: Clone + Send + Sync + 'static>(origins: &[Origin], routes: Router<S>) -> Router<S> {
    if origins.is_empty() {
        return routes;
    }
    let layer = CorsLayer::new()
        .allow_origin(origins.iter().map(|origin| origin.0.clone()).collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(SENT)
        .expose_headers(READ)
        .max_age(Duration::from_hours(1));
    routes.layer(layer)
}
