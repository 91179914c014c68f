//! What is published and does not change while the process runs: made once, off the event loop, when somebody first asks for it.

use std::io::Write as _;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::{answer::internal, precondition};
use crate::access::keys::hex;
use crate::error::Error;

/// Bytes that are given out as often as somebody asks, plain and as gzip.
#[derive(Debug)]
pub struct Published {
    plain: Bytes,
    gzip: Bytes,
    tag: HeaderValue,
    media_type: &'static str,
}

impl Published {
    /// The bytes with their tag, compressed once.
    pub fn new(media_type: &'static str, bytes: Vec<u8>) -> std::io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        let gzip = encoder.finish()?.into();
        // Weak, because both codings have it.
        let tag = format!("W/\"{}\"", hex(&Sha256::digest(&bytes)[..16]));
        let tag = HeaderValue::from_str(&tag).expect("hexadecimal digits are a header");
        Ok(Self { plain: bytes.into(), gzip, tag, media_type })
    }

    /// What is in the cell, made by the first who asks.
    pub async fn once(
        cell: &'static OnceCell<Self>,
        media_type: &'static str,
        make: fn() -> Vec<u8>,
    ) -> Result<&'static Self, Error> {
        let made = cell.get_or_try_init(|| async {
            let made = tokio::task::spawn_blocking(move || Self::new(media_type, make())).await;
            made.map_err(internal)?.map_err(internal)
        });
        made.await
    }

    /// The answer in the coding that the client takes; 304 when it has the bytes already.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let vary = (header::VARY, HeaderValue::from_static("accept-encoding"));
        let tag = (header::ETAG, self.tag.clone());
        if precondition::not_modified(headers, &self.tag) {
            return (StatusCode::NOT_MODIFIED, [tag, vary]).into_response();
        }
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        if takes_gzip(headers) {
            let coding = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            return ([tag, vary, kind, coding], self.gzip.clone()).into_response();
        }
        ([tag, vary, kind], self.plain.clone()).into_response()
    }
}

/// Whether `Accept-Encoding` names gzip, and not with the quality 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let quality = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('=')?.parse::<f32>().ok());
        is_gzip && quality.is_none_or(|quality| quality > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_given_to_who_takes_it() {
        for (accepts, takes) in [
            ("", false),
            ("gzip", true),
            ("GZIP;q=0.5", true),
            ("br, gzip", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, br", false),
            ("xgzip", false),
            ("*", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepts));
            assert_eq!(takes_gzip(&headers), takes, "{accepts}");
        }
    }
}
