//! Logins that fail, counted by address: whoever tries keys is soon no longer listened to, and his neighbours are.
//!
//! Two things are counted for a minute. A credential that fails again and again is refused by itself, and counts for its address only once, so a
//! script with an old key does not lock out the others behind the same address. Different credentials that fail are somebody who tries, and
//! then nothing from that address is looked up but credentials that were good within the hour.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use super::{address::Client, memory::Memory};
use crate::error::Error;

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
    failures: Memory<(IpAddr, Option<Hash>), u32>,
    good: Memory<Hash, ()>,
}

/// A login that is tried.
#[derive(Debug)]
pub struct Attempt<'a> {
    logins: &'a Logins,
    network: IpAddr,
    hash: Hash,
    began: Instant,
    /// How long the credential still counts as good.
    good_for: Option<Duration>,
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

    /// Lets a login be tried, or refuses it. Those under way at the same time all are tried.
    pub(super) fn attempt(&self, client: Client, credentials: &[u8]) -> Result<Attempt<'_>, Error> {
        let (network, hash, began) = (client.network(), Sha256::digest(credentials).into(), Instant::now());
        let good_for = self.good.get(&hash, began).map(|((), left)| left);
        let of_all = || if good_for.is_none() { self.wait((network, None), began) } else { None };
        match self.wait((network, Some(hash)), began).or_else(of_all) {
            None => Ok(Attempt { logins: self, network, hash, began, good_for }),
            Some(wait) => {
                metrics::counter!("requests_limited_total", "code" => "failed_logins").increment(1);
                Err(Error::FailedLogins(wait))
            }
        }
    }

    /// How long to wait, after too many failures.
    fn wait(&self, whose: (IpAddr, Option<Hash>), now: Instant) -> Option<Duration> {
        self.failures.get(&whose, now).filter(|(count, _)| *count >= self.most).map(|(_, left)| left)
    }
}

impl Attempt<'_> {
    /// The credential is good.
    pub fn succeeded(self) {
        if self.good_for.is_none_or(|left| left < GOOD_FOR / 2) {
            self.logins.good.put(self.hash, self.began, ());
        }
    }

    /// The credential is bad.
    pub fn failed(self) {
        let Self { logins, network, hash, began, .. } = self;
        logins.good.forget(&hash);
        let count = |whose| logins.failures.change((network, whose), began, |count| count.saturating_add(1));
        if count(Some(hash)) == 0 {
            count(None);
        }
    }
}
