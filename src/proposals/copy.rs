//! A copy of a body, made while the handler reads it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use crate::app::BODY_LIMIT;

/// What has been read of a body; nothing once it is too large to be kept.
#[derive(Debug, Clone)]
pub(super) struct Copy(Arc<Mutex<Option<Vec<u8>>>>);

impl Copy {
    /// A body, and the copy that comes to be while it is read.
    pub(super) fn of(body: Body) -> (Body, Self) {
        let copy = Self(Arc::new(Mutex::new(Some(Vec::new()))));
        (Body::new(Copied { body, copy: copy.clone() }), copy)
    }

    /// The copy, unless the body was too large.
    pub(super) fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn add(&self, more: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_mut() {
            Some(bytes) if bytes.len() + more.len() <= BODY_LIMIT => bytes.extend(more),
            _ => *kept = None,
        }
    }
}

struct Copied {
    body: Body,
    copy: Copy,
}

impl HttpBody for Copied {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.copy.add(data);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
