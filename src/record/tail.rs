//! The newest changes, kept once for all listeners of a process.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::changes::Change;
use crate::repository::Clearance;

/// A change as listeners get it: written out once, however many they are.
#[derive(Debug)]
pub(super) struct Event {
    /// The change.
    pub(super) change: Change,
    /// As a server-sent event.
    pub(super) text: Bytes,
}

impl Event {
    pub(super) fn new(change: Change) -> Arc<Self> {
        let json = serde_json::to_string(&change).expect("a change is JSON");
        let text = format!("id: {}\nevent: {}.{}\ndata: {json}\n\n", change.position, change.kind, change.action);
        Arc::new(Self { change, text: text.into() })
    }
}

/// A window of changes with consecutive positions. A listener that is behind it reads the database.
#[derive(Debug, Default)]
pub(super) struct Tail(Mutex<VecDeque<Arc<Event>>>);

/// So many changes are kept, of a few kilobytes each.
pub(super) const LENGTH: usize = 4096;

impl Tail {
    /// Adds what follows. When something was left out before it, what was kept is of no use any more.
    pub(super) fn push(&self, changes: impl IntoIterator<Item = Change>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            if kept.back().is_some_and(|last| last.change.position + 1 != change.position) {
                kept.clear();
            }
            if kept.len() == LENGTH {
                kept.pop_front();
            }
            kept.push_back(Event::new(change));
        }
    }

    /// At most `most` changes that follow a position, and the position of the last; `None` when the next one is not here, or when the database must
    /// say what may be seen.
    pub(super) fn after(&self, position: i64, most: usize, clearance: Clearance) -> Option<(Vec<Arc<Event>>, i64)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.front()?.change.position;
        let skipped = usize::try_from(position.checked_add(1)?.checked_sub(first)?).ok()?;
        let last = kept.iter().skip(skipped).take(most).next_back()?.change.position;
        // What a thing is today decides too, and it is as what it is part of. While nothing from here on is above the reader, nothing that it was told
        // of has been classified higher since.
        if clearance == Clearance::Public {
            // Texts are written out with what such readers do not see: who it was, and why.
            return None;
        }
        if clearance != Clearance::All && !kept.iter().skip(skipped).all(|event| event.change.is_seen(clearance)) {
            return None;
        }
        Some((kept.iter().skip(skipped).take(most).cloned().collect(), last))
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(position: i64) -> Change {
        Change { position, ..Change::default() }
    }

    fn positions(tail: &Tail, after: i64, most: usize) -> Option<Vec<i64>> {
        Some(tail.after(after, most, Clearance::All)?.0.iter().map(|event| event.change.position).collect())
    }

    #[test]
    fn what_follows_is_given_or_nothing() {
        let tail = Tail::default();
        assert_eq!(positions(&tail, 0, 9), None);
        tail.push((5..9).map(change));
        assert_eq!(positions(&tail, 3, 9), None);
        assert_eq!(positions(&tail, 4, 2), Some(vec![5, 6]));
        assert_eq!(positions(&tail, 6, 9), Some(vec![7, 8]));
        assert_eq!(positions(&tail, 8, 9), None);
        tail.push([change(11)]);
        assert_eq!(positions(&tail, 8, 9), None);
        assert_eq!(positions(&tail, 10, 9), Some(vec![11]));
    }

    #[test]
    fn it_does_not_grow() {
        let tail = Tail::default();
        let length = i64::try_from(LENGTH).unwrap();
        tail.push((1..=length + 3).map(change));
        assert_eq!(positions(&tail, 2, 9), None);
        assert_eq!(positions(&tail, 3, 1), Some(vec![4]));
    }
}
