//! How many requests a second one may make.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use governor::{
    DefaultKeyedRateLimiter, Quota,
    clock::{Clock as _, DefaultClock},
};

use crate::error::Error;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// One who is known, by the word for it such as `key:5f1c09d2ab34`.
    Principal(String),
    /// Whoever asks from there without saying who it is.
    Network(IpAddr),
}

/// After so many requests whoever has his burst again is forgotten: memory holds who asked lately, and not who ever did.
const PRUNE_AFTER: u32 = 10_000;

/// The limit on the requests of each.
#[derive(Debug)]
pub(super) struct RateLimit {
    rate: u32,
    limiter: DefaultKeyedRateLimiter<Who>,
    counted: AtomicU32,
}

impl RateLimit {
    /// Allows so many requests a second, and so many at once; there is no limit when the rate is 0.
    pub(super) fn new(rate: u32, burst: u32) -> Option<Self> {
        let quota = Quota::per_second(NonZeroU32::new(rate)?).allow_burst(NonZeroU32::new(burst)?);
        Some(Self { rate, limiter: DefaultKeyedRateLimiter::keyed(quota), counted: AtomicU32::new(0) })
    }

    /// Counts a request, or refuses it.
    pub(super) fn count(&self, who: &Who) -> Result<(), Error> {
        if self.counted.fetch_add(1, Ordering::Relaxed) % PRUNE_AFTER == PRUNE_AFTER - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(who).map_err(|until| {
            metrics::counter!("requests_limited_total", "code" => "rate_limited").increment(1);
            Error::RateLimited { rate: self.rate, wait: until.wait_time_from(DefaultClock::default().now()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_his_burst_again_is_forgotten() {
        // Each has it again after 10 microseconds.
        let limit = RateLimit::new(100_000, 1).unwrap();
        for who in 0..PRUNE_AFTER * 3 {
            let _ = limit.count(&Who::Principal(format!("key:{who}")));
        }
        assert!(limit.limiter.len() <= PRUNE_AFTER as usize * 2, "{} are remembered", limit.limiter.len());
    }

    #[test]
    fn no_rate_is_no_limit() {
        assert!(RateLimit::new(0, 10).is_none());
    }
}
