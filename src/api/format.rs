//! The formats of lists and reports: JSON, NDJSON, CSV (RFC 4180) and an aligned table for people. A suffix of the path names one
//! (`/v1/initiatives.csv`), for programs that cannot send headers; without one it is `Accept`.

use axum::{
    Router,
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderMap, header, request::Parts},
    routing::MethodRouter,
};

use crate::app::App;
use crate::error::Error;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/json`, the default.
    Json,
    /// `application/x-ndjson`: one resource a line.
    Ndjson,
    /// `text/csv`.
    Csv,
    /// `text/plain`: an aligned table.
    Text,
}

const OFFERED: [(&str, Format); 5] = [
    ("application/json", Format::Json),
    ("application/x-ndjson", Format::Ndjson),
    ("application/ndjson", Format::Ndjson),
    ("text/csv", Format::Csv),
    ("text/plain", Format::Text),
];

/// The suffixes of a path, and what they ask for.
pub const SUFFIXES: [(&str, Format); 4] =
    [(".csv", Format::Csv), (".ndjson", Format::Ndjson), (".txt", Format::Text), (".json", Format::Json)];

/// The routes of a reading with each suffix. They stand beside the one without, and lead to the same.
pub fn suffixed(path: &str, reading: &MethodRouter<App>) -> Router<App> {
    SUFFIXES.iter().fold(Router::new(), |router, (suffix, _)| router.route(&format!("{path}{suffix}"), reading.clone()))
}

impl<S: Send + Sync> FromRequestParts<S> for Format {
    type Rejection = Error;

    /// The suffix of the route wins over `Accept`. One that is a part of an id is none: such a path has no suffix in its route.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        match SUFFIXES.iter().find(|(suffix, _)| route.ends_with(suffix)) {
            Some((_, format)) => Ok(*format),
            None => Self::accepted(&parts.headers),
        }
    }
}

impl Format {
    /// Reads `Accept`.
    fn accepted(headers: &HeaderMap) -> Result<Self, Error> {
        let accept: Vec<&str> =
            headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        if accept.iter().all(|value| value.trim().is_empty()) {
            return Ok(Self::Json);
        }
        let mut best: Option<(f32, Self)> = None;
        for range in accept.join(",").split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts
                .find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('=')?.parse().ok())
                .unwrap_or(1.0_f32);
            let format = match media.as_str() {
                "*/*" | "application/*" => Some(Self::Json),
                "text/*" => Some(Self::Text),
                media => OFFERED.iter().find(|(name, _)| *name == media).map(|(_, format)| *format),
            };
            if let Some(format) = format
                && quality > 0.0
                && best.is_none_or(|(best, _)| quality > best)
            {
                best = Some((quality, format));
            }
        }
        best.map(|(_, format)| format).ok_or_else(|| {
            Error::NotAcceptable("ask for application/json, application/x-ndjson, text/csv or text/plain".into())
        })
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}
