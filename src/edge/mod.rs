//! Where the service meets the network: which address a client has, how much it may ask, and what browsers are told.
//!
//! Not here: who a client is and what it may do (`access`), how long it may take (`limits`).

pub mod address;
pub mod body_watch;
pub mod cors;
mod forwarded;
pub mod headers;
mod logins;
mod memory;
mod rate;
pub mod settings;

use std::{net::SocketAddr, sync::Arc};

use axum::http::{HeaderMap, header};
use ipnet::IpNet;

use self::{address::Client, cors::Origin, logins::Logins, rate::RateLimit, settings::EdgeSettings};
pub use self::{logins::Attempt, rate::Who};
use crate::error::Error;

/// How the service meets the network. The default trusts no proxy, limits nothing, and opens itself to no other site.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    /// The networks whose word on whom they speak for is taken.
    proxies: Arc<[IpNet]>,
    /// The sites whose pages may read answers.
    pub origins: Arc<[Origin]>,
    rate: Option<Arc<RateLimit>>,
    logins: Option<Arc<Logins>>,
}

impl From<&EdgeSettings> for Edge {
    fn from(settings: &EdgeSettings) -> Self {
        Self {
            proxies: settings.trusted_proxies.iter().map(|network| network.0).collect(),
            origins: settings.cors_origins.clone().into(),
            rate: RateLimit::new(settings.rate, settings.burst()).map(Arc::new),
            logins: Logins::new(settings.login_failures).map(Arc::new),
        }
    }
}

impl Edge {
    /// Who is at the other end of a request that came from this peer.
    pub fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Client {
        peer.map_or_else(Client::default, |peer| Client::find(peer.ip(), headers, &self.proxies))
    }

    /// Lets a login be tried, unless so many failed from there that it is not: `FailedLogins`. There is none without credentials, nor where logins
    /// are not counted.
    pub fn login(&self, client: Client, headers: &HeaderMap) -> Result<Option<Attempt<'_>>, Error> {
        let credentials = headers.get(header::AUTHORIZATION);
        let attempt = self.logins.as_ref().zip(credentials);
        attempt.map(|(logins, credentials)| logins.attempt(client, credentials.as_bytes())).transpose()
    }

    /// Counts a request of somebody, or refuses it: `RateLimited`.
    pub fn count(&self, who: &Who) -> Result<(), Error> {
        self.rate.as_ref().map_or(Ok(()), |rate| rate.count(who))
    }
}
