//! The record as one stream of changes: each gets its position (`sequencer`), and is read in that order, as pages (`feed`) and as it comes
//! (`stream`), and pushed (`webhooks`); `proof` shows that it is whole, `diff` tells what is different between two moments. What is recorded is
//! written by `repository`, in the statement of the change itself.

mod changes;
mod diff;
mod feed;
pub mod misfits;
pub mod proof;
mod sequencer;
mod stream;
mod tail;
pub mod webhooks;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{Router, routing::get};
use mandate_tlog::note::SignerKey;
use serde_json::Value;
use tokio::sync::{Notify, Semaphore, watch};

pub use sequencer::Sequencer;
use tail::Tail;

use crate::{api::format::suffixed, app::App};

/// The state that the sequencer of this process and its listeners share.
#[derive(Debug, Clone)]
pub struct Record(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Told of each write of this process.
    written: Notify,
    /// Told when the last position known here has moved.
    moved: Notify,
    /// The last position known here.
    head: watch::Sender<i64>,
    /// Whether the service is about to stop.
    stage: watch::Sender<Stage>,
    /// The newest changes, for all listeners.
    tail: Tail,
    /// So many listeners at once may ask the database for what they missed: there can be more of them than connections.
    catching_up: Semaphore,
    /// One listener at a time looks up a key: the others, who mostly have the same, then find it in the cache.
    looking_up: Semaphore,
    /// A listener that has nothing to hear is told so this often.
    heartbeat: Duration,
    /// What signs the checkpoints of the log.
    log_key: OnceLock<SignerKey>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// All goes on.
    Running,
    /// Streams end, changes still get positions.
    Draining,
    /// The sequencer ends too.
    Ended,
}

impl Default for Record {
    fn default() -> Self {
        Self::new(Duration::from_secs(15))
    }
}

impl Record {
    /// The state of a process that has just begun.
    pub fn new(heartbeat: Duration) -> Self {
        Self(Arc::new(Shared {
            written: Notify::new(),
            moved: Notify::new(),
            head: watch::Sender::new(0),
            stage: watch::Sender::new(Stage::Running),
            tail: Tail::default(),
            catching_up: Semaphore::new(2),
            looking_up: Semaphore::new(1),
            heartbeat,
            log_key: OnceLock::new(),
        }))
    }

    /// The same with a key that signs the log. Without one this process does not extend it.
    #[must_use]
    pub fn with_log_key(self, key: SignerKey) -> Self {
        // Given once, before anything asks for it.
        let _ = self.0.log_key.set(key);
        self
    }

    /// The key that signs the log.
    pub(crate) fn log_key(&self) -> Option<&SignerKey> {
        self.0.log_key.get()
    }

    /// Says that something may have been written, so that its position does not wait for the next look.
    pub fn written(&self) {
        self.0.written.notify_one();
    }

    /// Ends the streams of this process: a stop waits for them like for every request.
    pub fn drain(&self) {
        self.0.stage.send_replace(Stage::Draining);
    }
}

/// The routes of the feed.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/changes", get(feed::list))
        .route("/v1/changes/stream", get(stream::stream))
        .route("/v1/diff", get(diff::diff))
        .merge(suffixed("/v1/changes", &get(feed::list)))
        .merge(suffixed("/v1/diff", &get(diff::diff)))
        .merge(webhooks::routes())
        .merge(proof::routes())
}

/// Adds the operations of the feed to the OpenAPI document.
pub fn describe(document: &mut Value) {
    feed::describe(document);
    stream::describe(document);
    diff::describe(document);
    webhooks::describe(document);
    proof::describe(document);
}
