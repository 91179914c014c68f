//! Logins that fail, counted by address: whoever tries keys is soon no longer listened to, and his neighbours are.
//!
//! Two things are counted for a minute. A credential that fails again and again is refused by itself, and counts for its address only once, so a
//! script with an old key does not lock out the others behind the same address. Different credentials that fail are somebody who tries, and
//! then nothing from that address is looked up but credentials that were good within the hour.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::{address::Client, memory::Memory};
use crate::api::Error;

const WINDOW: Duration = Duration::from_mins(1);
/// So long a credential that was good is looked up also from where logins fail.
const GOOD_FOR: Duration = Duration::from_hours(1);
/// An entry has less than 150 bytes.
const CAPACITY: usize = 20_000;

type Hash = [u8; 32];

/// How many logins failed, and what was good.
#[derive(Debug)]
pub(super) struct Logins {
    most: u32,
    /// By network: of one credential, or of all, each counted once.
    failures: Memory<(std::net::IpAddr, Option<Hash>), u32>,
    good: Memory<Hash, ()>,
}

impl Logins {
    /// Allows so many failures in a minute; none are counted when it is 0.
    pub(super) fn new(most: u32) -> Option<Self> {
        (most > 0).then(|| Self {
            most,
            failures: Memory::new(WINDOW, CAPACITY),
            good: Memory::new(GOOD_FOR, CAPACITY),
        })
    }

    /// Judges a login, unless it is refused without being tried. Those under way at the same time all are tried.
    pub(super) async fn judge<T>(
        &self,
        client: Client,
        credentials: &[u8],
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let hash: Hash = Sha256::digest(credentials).into();
        let network = client.network();
        let now = Instant::now();
        let is_known = self.good.get(&hash, now).is_some();
        let refused = self.wait(&(network, Some(hash)), now);
        if let Some(wait) = refused.or_else(|| if is_known { None } else { self.wait(&(network, None), now) }) {
            metrics::counter!("requests_limited_total", "code" => "failed_logins").increment(1);
            return Err(Error::FailedLogins(wait));
        }
        let outcome = attempt.await;
        match &outcome {
            Ok(_) => self.good.put(hash, now, ()),
            Err(Error::Unauthenticated(_)) => {
                self.good.forget(&hash);
                if self.failures.change((network, Some(hash)), now, |count| count.saturating_add(1)) == 0 {
                    self.failures.change((network, None), now, |count| count.saturating_add(1));
                }
            }
            Err(_) => {}
        }
        outcome
    }

    /// How long to wait, after too many failures.
    fn wait(&self, whose: &(std::net::IpAddr, Option<Hash>), now: Instant) -> Option<Duration> {
        self.failures.get(whose, now).filter(|(count, _)| *count >= self.most).map(|(_, left)| left)
    }
}
