//! A body as it comes in: read when its handler asks for it, held once, and few large ones at a time.

use std::{convert::Infallible, ops::Deref, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{FromRequest, Request},
};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::{App, BODY_LIMIT};
use crate::error::Error;

/// A body of more bytes waits for its turn.
const LARGE: usize = 64 << 10;
/// So many large bodies of one resource are worked on at once.
const PLAIN: usize = 8;
/// So many files and batches are worked on at once.
const BULK: usize = 4;
/// The next one waits so long until one of them is done.
const PATIENCE: Duration = Duration::from_secs(10);
/// The parts in which a long body comes together.
const PART: usize = 1 << 20;

/// The turns of large bodies.
#[derive(Debug, Clone)]
pub struct Turns {
    plain: Arc<Semaphore>,
    bulk: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { plain: Arc::new(Semaphore::new(PLAIN)), bulk: Arc::new(Semaphore::new(BULK)) }
    }
}

/// A body that is still to come, of at most so many bytes. Nothing of it is read before the handler has asked whether it may be sent at all.
pub struct Incoming<const LIMIT: usize = BODY_LIMIT>(Body);

/// A body that has come in whole, with its turn, which ends with it.
pub struct Whole {
    bytes: Bytes,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Deref for Whole {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for Incoming<LIMIT> {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self(request.into_body()))
    }
}

impl<const LIMIT: usize> Incoming<LIMIT> {
    /// Reads it, and waits for its turn if it is large. A body that waits is in memory once, and not yet taken apart.
    pub async fn read(self, app: &App) -> Result<Whole, Error> {
        let bytes = self.bytes().await?;
        let turn = if bytes.len() > LARGE { Some(turn(app, LIMIT > BODY_LIMIT).await?) } else { None };
        Ok(Whole { bytes, _turn: turn })
    }

    async fn bytes(self) -> Result<Bytes, Error> {
        let mut body = self.0;
        if body.size_hint().lower() > LIMIT as u64 {
            return Err(too_large(LIMIT));
        }
        let (mut parts, mut size): (Vec<Bytes>, usize) = (Vec::new(), 0);
        let mut part: Vec<u8> = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Error::Malformed("the body broke off".into()))?;
            let Ok(piece) = frame.into_data() else { continue };
            size += piece.len();
            if size > LIMIT {
                return Err(too_large(LIMIT));
            }
            if body.is_end_stream() && size == piece.len() {
                return Ok(piece);
            }
            // Copied, because a client that sends one byte at a time would otherwise cost a buffer each.
            part.extend_from_slice(&piece);
            if part.len() >= PART {
                parts.push(std::mem::take(&mut part).into());
            }
        }
        if parts.is_empty() {
            return Ok(part.into());
        }
        parts.push(part.into());
        // Each part goes as soon as it is copied, so that the body is never there twice.
        let mut whole = Vec::with_capacity(size);
        for part in parts {
            whole.extend_from_slice(&part);
        }
        Ok(whole.into())
    }
}

async fn turn(app: &App, is_bulk: bool) -> Result<OwnedSemaphorePermit, Error> {
    let turns = if is_bulk { &app.turns.bulk } else { &app.turns.plain };
    let turn = tokio::time::timeout(PATIENCE, Arc::clone(turns).acquire_owned()).await;
    turn.ok().and_then(Result::ok).ok_or_else(|| {
        Error::Unavailable("other large bodies are being worked on; nothing was written; try again".into())
    })
}

fn too_large(limit: usize) -> Error {
    let instead = if limit > BODY_LIMIT { "split it, or use `mandate import`" } else { "use an import for more" };
    Error::TooLarge(format!("a body may have at most {limit} bytes here; {instead}"))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn read(pieces: &[&'static [u8]]) -> Result<Bytes, String> {
        let pieces: Vec<Result<Bytes, Infallible>> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
        let incoming: Incoming<{ PART * 2 }> = Incoming(Body::from_stream(stream::iter(pieces)));
        incoming.bytes().await.map_err(|error| error.problem().code)
    }

    #[tokio::test]
    async fn a_body_is_its_pieces() {
        static LONG: [u8; PART] = [7; PART];
        assert_eq!(read(&[]).await, Ok(Bytes::new()));
        assert_eq!(read(&[b"a"]).await, Ok(Bytes::from_static(b"a")));
        assert_eq!(read(&[b"a", b"", b"bc"]).await, Ok(Bytes::from_static(b"abc")));
        assert_eq!(read(&[b"a", &LONG, b"b"]).await.unwrap().len(), PART + 2);
        assert_eq!(read(&[&LONG, &LONG]).await.unwrap().len(), PART * 2);
        assert_eq!(read(&[&LONG, &LONG, b"a"]).await, Err("too_large".to_owned()));
    }
}
