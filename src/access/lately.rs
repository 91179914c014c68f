//! What was found lately. An entry lives one second, so what is changed, revoked or deleted works no longer than that.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const LIFE: Duration = Duration::from_secs(1);
const CAPACITY: usize = 10_000;

/// What was found lately, for all requests.
#[derive(Debug, Clone)]
pub struct Lately<K, V>(Arc<Mutex<HashMap<K, (Instant, V)>>>);

impl<K, V> Default for Lately<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash, V: Clone> Lately<K, V> {
    /// What was found for this, if that was lately.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|(since, _)| since.elapsed() < LIFE).map(|(_, value)| value.clone())
    }

    /// Keeps what was found.
    pub fn put(&self, key: K, value: V) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(key, (Instant::now(), value));
    }
}
