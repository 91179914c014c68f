//! A document as it comes in: counted and hashed on the way, and kept in memory once, in the parts in which it is written.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use super::media::{self, MediaType};
use crate::{
    access::keys::hex,
    api::{answer::internal, json},
    error::Error,
    repository::Fault,
};

/// A part has so many bytes, but the last.
const PART: usize = 1 << 20;
/// So many documents come in at once; each stands in memory until it is written.
const AT_ONCE: usize = 8;
/// The next one waits so long until one of them has.
const PATIENCE: Duration = Duration::from_secs(10);
/// A document may have so many bytes where nothing else is set (`MANDATE_DOCUMENT_LIMIT`).
const LIMIT: usize = 20 << 20;

/// How many documents come in at once, and how large they may be.
#[derive(Debug, Clone)]
pub struct Intake {
    limit: usize,
    room: Arc<Semaphore>,
}

impl Default for Intake {
    fn default() -> Self {
        Self::of(LIMIT)
    }
}

impl Intake {
    /// For documents of at most so many bytes.
    pub fn of(limit: usize) -> Self {
        Self { limit, room: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// A document that has come in whole.
pub(super) struct Arrived {
    /// Its bytes, in parts of `PART`, the last one shorter.
    pub(super) parts: Arc<[Vec<u8>]>,
    /// How many they are.
    pub(super) size: usize,
    /// SHA-256 of them, in hexadecimal digits.
    pub(super) sha256: String,
    /// What they are.
    pub(super) media_type: &'static MediaType,
    /// Held until it is written.
    _room: OwnedSemaphorePermit,
}

/// How an upload can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UploadParameters {
    /// What the bytes are, for clients that cannot say it in Content-Type, such as generated ones; it counts more than that.
    media_type: Option<String>,
}

impl UploadParameters {
    /// What the bytes are said to be, and where.
    fn said(&self, headers: &HeaderMap) -> Result<(&'static MediaType, &'static str), Error> {
        if let Some(name) = &self.media_type {
            let detail = format!("must be one of {}", media::names());
            let wrong = Fault { pointer: "media_type".into(), code: "not_allowed".into(), detail };
            return Ok((media::named(name).ok_or_else(|| Error::BadQuery(vec![wrong]))?, "media_type"));
        }
        let found = media::named(&json::media_type(headers)).ok_or_else(|| {
            Error::UnsupportedMediaType(format!(
                "send the document as it is, and say in Content-Type (or in the parameter media_type) which of these it is: {}",
                media::names()
            ))
        });
        Ok((found?, "Content-Type"))
    }
}

/// Takes in a document.
pub(super) async fn take(
    parameters: &UploadParameters,
    headers: &HeaderMap,
    mut body: Body,
    intake: &Intake,
) -> Result<Arrived, Error> {
    let limit = intake.limit;
    let (media_type, place) = parameters.said(headers)?;
    json::uncompressed(headers)?;
    let too_large =
        || Error::TooLarge(format!("a document may have at most {limit} bytes here (MANDATE_DOCUMENT_LIMIT)"));
    let announced = body.size_hint().lower().max(announced(headers));
    if announced > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let room = tokio::time::timeout(PATIENCE, intake.room.clone().acquire_owned()).await;
    let room = room.ok().and_then(Result::ok).ok_or_else(|| {
        Error::Unavailable(format!("{AT_ONCE} documents are coming in already; nothing was written; try again"))
    })?;
    let (mut parts, mut size, mut hash) = (Vec::new(), 0, Sha256::new());
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| Error::Malformed("the body broke off".into()))?.into_data() else { continue };
        size += piece.len();
        if size > limit {
            return Err(too_large());
        }
        hash.update(&piece);
        put(&mut parts, &piece);
    }
    if size == 0 {
        return Err(fault("#", "empty", "the document has no bytes"));
    }
    let parts: Arc<[Vec<u8>]> = parts.into();
    let all = parts.clone();
    let fits = tokio::task::spawn_blocking(move || media_type.fits(&all)).await.map_err(internal)?;
    if !fits {
        let detail = format!("the bytes are not those of {}; say what they are", media_type.name);
        return Err(fault(place, "wrong_type", &detail));
    }
    Ok(Arrived { parts, size, sha256: hex(&hash.finalize()), media_type, _room: room })
}

/// Puts bytes behind those that are there. They are copied, because a client that sends one byte at a time would otherwise cost a buffer each.
fn put(parts: &mut Vec<Vec<u8>>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match parts.last_mut() {
            Some(last) if last.len() < PART => {
                let (fits, rest) = bytes.split_at(bytes.len().min(PART - last.len()));
                last.extend_from_slice(fits);
                bytes = rest;
            }
            _ => parts.push(Vec::new()),
        }
    }
}

fn announced(headers: &HeaderMap) -> u64 {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or_default()
}

fn fault(pointer: &str, code: &str, detail: &str) -> Error {
    Error::Invalid(vec![Fault { pointer: pointer.into(), code: code.into(), detail: detail.into() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_full_but_the_last() {
        let mut parts = Vec::new();
        for _ in 0..3 {
            put(&mut parts, &vec![7; PART / 2 + 1]);
        }
        put(&mut parts, &[]);
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [PART, PART / 2 + 3]);
    }
}
