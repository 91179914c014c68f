//! Whether a request's body is being waited for: it tells a slow client (408) from a slow service (504).

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// True while somebody waits for the rest of a body.
#[derive(Debug, Clone, Default)]
pub struct Awaited(Arc<AtomicBool>);

impl Awaited {
    /// The same body, watched.
    pub fn watch(&self, body: Body) -> Body {
        Body::new(Watched { body, awaited: self.clone() })
    }

    /// Whether the body is waited for at this moment.
    pub fn is_awaited(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Watched {
    body: Body,
    awaited: Awaited,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.awaited.0.store(polled.is_pending(), Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
