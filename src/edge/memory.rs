//! `Memory`: what is remembered for a while, of so many things at most.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Values that are forgotten so long after they were first remembered.
#[derive(Debug)]
pub(super) struct Memory<K, V> {
    life: Duration,
    capacity: usize,
    entries: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Eq + Hash, V: Copy + Default> Memory<K, V> {
    pub(super) fn new(life: Duration, capacity: usize) -> Self {
        Self { life, capacity, entries: Mutex::default() }
    }

    /// What is remembered, and for how long still.
    pub(super) fn get(&self, key: &K, now: Instant) -> Option<(V, Duration)> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, value) = entries.get(key)?;
        let left = (*since + self.life).checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some((*value, left))
    }

    /// Changes what is remembered, or a new value, and returns it as it was. The life of a value goes on, that of a new one begins.
    ///
    /// A full memory lets go of what is past its life, and when all is still young, of everything: it must not grow, and not get slow.
    pub(super) fn change(&self, key: K, now: Instant, change: impl FnOnce(V) -> V) -> V {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.capacity && !entries.contains_key(&key) {
            entries.retain(|_, (since, _)| *since + self.life > now);
            if entries.len() >= self.capacity {
                entries.clear();
            }
        }
        let entry = entries.entry(key).or_insert_with(|| (now, V::default()));
        if entry.0 + self.life <= now {
            *entry = (now, V::default());
        }
        let before = entry.1;
        entry.1 = change(before);
        before
    }

    /// Remembers a value anew.
    pub(super) fn put(&self, key: K, now: Instant, value: V)
    where
        K: Clone,
    {
        self.forget(&key);
        self.change(key, now, |_| value);
    }

    pub(super) fn forget(&self, key: &K) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_life_begins_with_the_first_change_and_ends() {
        let (memory, start) = (Memory::<_, u32>::new(3 * SECOND, 10), Instant::now());
        let count = |seconds| memory.change("a", start + seconds * SECOND, |count| count + 1);
        assert_eq!([count(0), count(2)], [0, 1]);
        assert_eq!(memory.get(&"a", start + 2 * SECOND), Some((2, SECOND)));
        assert_eq!(memory.get(&"a", start + 3 * SECOND), None);
        assert_eq!(count(3), 0);
        memory.put("a", start + 5 * SECOND, 7);
        assert_eq!(memory.get(&"a", start + 5 * SECOND), Some((7, 3 * SECOND)));
        memory.forget(&"a");
        assert_eq!(memory.get(&"a", start + 5 * SECOND), None);
    }

    #[test]
    fn it_never_holds_more_than_it_may() {
        let (memory, start) = (Memory::<u32, ()>::new(SECOND, 10), Instant::now());
        let size = || memory.entries.lock().unwrap().len();
        (0..10).for_each(|key| memory.put(key, start, ()));
        // What is past its life goes first.
        memory.put(0, start + SECOND / 2, ());
        memory.put(10, start + SECOND, ());
        assert_eq!(size(), 2);
        assert!(memory.get(&0, start + SECOND).is_some());
        for key in 0..1000 {
            memory.put(key, start + SECOND, ());
            assert!(size() <= 10);
        }
        assert!(memory.get(&999, start + SECOND).is_some());
    }
}
