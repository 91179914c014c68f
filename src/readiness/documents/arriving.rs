//! A document as it comes in: its pieces as the network brings them, counted and hashed on the way, kept in memory once.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::media::{self, MediaType};
use crate::{
    access::keys::hex,
    api::{Error, answer::internal, json},
    repository::Fault,
};

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
    /// Its bytes, in pieces.
    pub(super) pieces: Arc<[Bytes]>,
    /// How many they are.
    pub(super) size: usize,
    /// SHA-256 of them, in hexadecimal digits.
    pub(super) sha256: String,
    /// What they are.
    pub(super) media_type: &'static MediaType,
    /// Held until it is written.
    _room: OwnedSemaphorePermit,
}

/// Takes in a document.
pub(super) async fn take(headers: &HeaderMap, body: Body, intake: &Intake) -> Result<Arrived, Error> {
    let limit = intake.limit;
    let said = json::media_type(headers);
    let media_type = media::named(&said).ok_or_else(|| {
        Error::UnsupportedMediaType(format!(
            "send the document as it is, with one of these as its Content-Type: {}",
            media::names()
        ))
    })?;
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
    let (mut pieces, mut size, mut hash) = (Vec::new(), 0, Sha256::new());
    let mut body = body;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| Error::Malformed("the body broke off".into()))?.into_data() else { continue };
        size += piece.len();
        if size > limit {
            return Err(too_large());
        }
        hash.update(&piece);
        pieces.push(piece);
    }
    if size == 0 {
        return Err(fault("#", "empty", "the document has no bytes"));
    }
    let pieces: Arc<[Bytes]> = pieces.into();
    let all = pieces.clone();
    let fits = tokio::task::spawn_blocking(move || media_type.fits(&all)).await.map_err(internal)?;
    if !fits {
        let detail = format!("the bytes are not those of {}; say what they are", media_type.name);
        return Err(fault("Content-Type", "wrong_type", &detail));
    }
    Ok(Arrived { pieces, size, sha256: hex(&hash.finalize()), media_type, _room: room })
}

fn announced(headers: &HeaderMap) -> u64 {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or_default()
}

fn fault(pointer: &str, code: &str, detail: &str) -> Error {
    Error::Invalid(vec![Fault { pointer: pointer.into(), code: code.into(), detail: detail.into() }])
}
