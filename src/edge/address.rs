//! The address of a client: that of its connection, or the one that a trusted proxy names.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::{IpNet, Ipv6Net};

use super::forwarded;

/// Who is at the other end of a request, as far as the network tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// Whether a trusted proxy says that it was asked over https.
    pub is_https: bool,
}

/// A request that came over no connection, as in tests, has the address `::`.
impl Default for Client {
    fn default() -> Self {
        Self { address: Ipv6Addr::UNSPECIFIED.into(), is_https: false }
    }
}

const FORWARDED: &str = "forwarded";
const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

impl Client {
    /// The client of a connection from `peer`. Headers count only when the peer is a trusted proxy.
    ///
    /// Most proxies write one of `Forwarded` and `X-Forwarded-For`, and let the other pass as the client sent it. So where both are there and
    /// disagree, neither is believed, and the client has the address of the proxy.
    pub fn find(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = peer.to_canonical();
        if !is_trusted(peer, trusted) {
            return Self { address: peer, is_https: false };
        }
        let (standard, customary) = (line(headers, FORWARDED), line(headers, FORWARDED_FOR));
        let elements = standard.as_deref().map(|line| forwarded::read(line).unwrap_or_default());
        let by_standard = elements.as_deref().map(|elements| {
            walk(
                peer,
                elements.iter().rev().map(|element| element.client.as_deref().and_then(forwarded::node)),
                trusted,
            )
        });
        let by_custom = customary.as_deref().map(|line| walk(peer, line.rsplit(',').map(forwarded::node), trusted));
        let address = match (by_standard, by_custom) {
            (Some(one), Some(other)) if one != other => peer,
            (one, other) => one.or(other).unwrap_or(peer),
        };
        let by_standard = elements.as_deref().and_then(<[_]>::last).and_then(|element| element.scheme.clone());
        let by_custom =
            line(headers, FORWARDED_PROTO).and_then(|line| line.rsplit(',').next().map(|word| word.trim().to_owned()));
        Self { address, is_https: by_standard.or(by_custom).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) }
    }

    /// What is counted as one client: the address, of IPv6 its /64, because whoever has one address there has them all.
    pub fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(_) => self.address,
            IpAddr::V6(address) => Ipv6Net::new(address, 64).map_or(self.address, |network| network.network().into()),
        }
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// From hop to hop, nearest first, as long as a hop is trusted and names another; what is no address ends the way.
fn walk(peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer;
    for hop in hops {
        match hop {
            Some(hop) if is_trusted(address, trusted) => address = hop,
            _ => break,
        }
    }
    address
}

/// All lines of a header as one, as HTTP reads them; bytes that are no ASCII become what is no address.
fn line(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

#[cfg(test)]
mod tests;
