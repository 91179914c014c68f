//! `Issuer`: the issuer whose tokens are taken, and its keys as they were last fetched.
//!
//! Requests with a known key never wait for the issuer: a task of its own fetches the keys again when they are no longer fresh. A key that is not
//! known may be a new one, so it is asked for, by one request at a time and not again and again.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, Weak},
    time::{Duration, Instant},
};

use jsonwebtoken::DecodingKey;
use tokio::sync::Mutex;
use ureq::Agent;
use uuid::Uuid;

use super::{
    crypto,
    fetch::{agent, fetch},
    keys::Keys,
    settings::Config,
    token::refused,
};
use crate::{
    access::{entity, lately::Lately},
    app::App,
    error::Error,
};

/// How often the issuer is asked, and how long its last answer counts.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The issuer is not asked again within this after its last answer, whatever keys the tokens name.
    pub gap: Duration,
    /// Keys are fresh for at least this, whatever the issuer says.
    pub shortest: Duration,
    /// Keys are used for so long while the issuer does not answer.
    pub oldest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { gap: Duration::from_secs(10), shortest: Duration::from_mins(1), oldest: Duration::from_hours(24) }
    }
}

/// Keys are fresh for so long when the issuer does not say.
const USUAL: Duration = Duration::from_mins(10);
/// Keys are fresh for at most this: a key that the issuer has taken back works no longer.
const LONGEST: Duration = Duration::from_hours(1);

/// The issuer whose tokens are taken.
#[derive(Clone)]
pub struct Issuer(Arc<Shared>);

struct Shared {
    config: Config,
    agent: Agent,
    patience: Patience,
    known: RwLock<Option<Known>>,
    /// Held by the one who asks the issuer; how it went the last time.
    last: Mutex<Option<Attempt>>,
    entities: Lately<String, Option<Uuid>>,
}

struct Known {
    keys: Keys,
    since: Instant,
}

#[derive(Clone, Copy)]
struct Attempt {
    ended: Instant,
    /// When to ask again, counted from the end; nothing when it failed.
    fresh_for: Option<Duration>,
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.config.fmt(f)
    }
}

impl Issuer {
    /// The issuer, whose keys are fetched when a token needs them.
    pub fn new(config: Config, patience: Patience) -> Self {
        crypto::install();
        let agent = agent(&config);
        let (known, last, entities) = (RwLock::default(), Mutex::default(), Lately::default());
        Self(Arc::new(Shared { config, agent, patience, known, last, entities }))
    }

    /// Fetches the keys now, and again whenever they are no longer fresh, until the last copy of the issuer is dropped.
    pub fn start(&self) {
        tokio::spawn(keep_fresh(Arc::downgrade(&self.0)));
    }

    pub(super) fn config(&self) -> &Config {
        &self.0.config
    }

    /// Asks the issuer, and says what it answered or what is wrong with it.
    pub async fn check(&self) -> Result<String, String> {
        let (agent, config) = (self.0.agent.clone(), self.0.config.clone());
        let fetched = tokio::task::spawn_blocking(move || fetch(&agent, &config)).await;
        let keys = fetched.map_err(|error| error.to_string())??.keys;
        let left_out =
            if keys.left_out.is_empty() { String::new() } else { format!(" ({})", keys.left_out.join("; ")) };
        match keys.usable.len() {
            0 => Err(format!("the issuer has no key for {:?}{left_out}", self.0.config.algorithm)),
            many => Ok(format!("keys: {many}{left_out}")),
        }
    }

    /// The key with this id.
    pub(super) async fn key(&self, kid: &str) -> Result<DecodingKey, Error> {
        if let Some(key) = self.0.known(kid) {
            return Ok(key);
        }
        let shared = Arc::clone(&self.0);
        // A task of its own: a client that goes in the middle of it takes nothing from those who wait for the same.
        let attempt = tokio::spawn(async move { shared.ask().await }).await;
        match (self.0.known(kid), attempt) {
            (Some(key), _) => Ok(key),
            (None, Ok(Attempt { fresh_for: Some(_), .. })) => Err(refused(format!(
                "the issuer has no such key (`kid`); when it is a new one, it is known here within {} seconds",
                self.0.patience.gap.as_secs()
            ))),
            (None, _) => {
                let words = "the issuer of tokens cannot be asked for its keys at the moment; try again, or use a key";
                Err(Error::Unavailable(words.into()))
            }
        }
    }

    /// The entity that a claim names.
    pub(super) async fn entity(&self, word: &str, app: &App) -> Result<Uuid, Error> {
        let found = if let Some(found) = self.0.entities.get(word) {
            found
        } else {
            let found = entity::named(&mut *app.connection().await?, word).await?;
            self.0.entities.put(word.to_owned(), found);
            found
        };
        found.ok_or_else(|| {
            Error::Forbidden(format!(
                "the claim `{}` of the token names no entity that is here; it needs an id, external:ID or code:CODE",
                self.0.config.entity_claim
            ))
        })
    }
}

impl Shared {
    fn known(&self, kid: &str) -> Option<DecodingKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| known.since.elapsed() < self.patience.oldest)?;
        known.keys.usable.get(kid).cloned()
    }

    /// Asks the issuer, unless that was done a moment ago.
    async fn ask(self: Arc<Self>) -> Attempt {
        let mut last = self.last.lock().await;
        if let Some(last) = last.filter(|last| last.ended.elapsed() < self.patience.gap) {
            return last;
        }
        let shared = Arc::clone(&self);
        let fetched = tokio::task::spawn_blocking(move || fetch(&shared.agent, &shared.config)).await;
        let fetched = fetched.unwrap_or_else(|error| Err(error.to_string()));
        let outcome = if fetched.is_ok() { "fetched" } else { "failed" };
        metrics::counter!("oidc_key_fetches_total", "outcome" => outcome).increment(1);
        let fresh_for = match fetched {
            Ok(fetched) => {
                let (usable, left_out) = (fetched.keys.usable.len(), fetched.keys.left_out.join("; "));
                tracing::info!(usable, left_out, "the issuer's keys are fetched");
                // Also when none is usable: then the issuer has taken all of them back.
                let known = Known { keys: fetched.keys, since: Instant::now() };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
                let longest = LONGEST.max(self.patience.shortest);
                Some(fetched.max_age.unwrap_or(USUAL).clamp(self.patience.shortest, longest))
            }
            Err(why) => {
                tracing::warn!(why, "the issuer's keys cannot be fetched");
                None
            }
        };
        *last.insert(Attempt { ended: Instant::now(), fresh_for })
    }
}

async fn keep_fresh(issuer: Weak<Shared>) {
    while let Some(shared) = issuer.upgrade() {
        let gap = shared.patience.gap;
        let attempt = shared.ask().await;
        tokio::time::sleep(attempt.fresh_for.unwrap_or(gap)).await;
    }
}
