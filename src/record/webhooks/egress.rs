//! Which addresses deliveries may go to: https to global addresses, and whatever else the operator allows by name or network.
//!
//! A name is resolved once, all its addresses are judged, and the connection is made to one of those: what a name resolves to later does not count.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use ipnet::IpNet;
use url::{Host, Url};

/// One entry of `MANDATE_WEBHOOK_ALLOW`: a host name, or a network in CIDR form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Whatever this name resolves to.
    Name(String),
    /// These addresses.
    Network(IpNet),
}

impl FromStr for Allowed {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let word = word.trim().to_ascii_lowercase();
        if let Ok(network) = word.parse() {
            return Ok(Self::Network(network));
        }
        if let Ok(address) = word.parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        let is_name =
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        let has_letter = word.bytes().any(|byte| byte.is_ascii_alphabetic());
        if is_name && has_letter {
            Ok(Self::Name(word.trim_end_matches('.').into()))
        } else {
            Err("MANDATE_WEBHOOK_ALLOW are host names and networks between commas, such as hooks.internal,10.20.0.0/16")
        }
    }
}

/// What the operator allows beyond https to global addresses.
#[derive(Debug, Clone, Default)]
pub struct Egress(Arc<[Allowed]>);

impl From<Vec<Allowed>> for Egress {
    fn from(allowed: Vec<Allowed>) -> Self {
        Self(allowed.into())
    }
}

const ONLY_HTTPS: &str = "must start with https://; http is for hosts that the operator allows (MANDATE_WEBHOOK_ALLOW)";

impl Egress {
    fn names(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.0.iter().any(|allowed| matches!(allowed, Allowed::Name(name) if name == host))
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|allowed| matches!(allowed, Allowed::Network(network) if network.contains(&address)))
    }

    /// Reads the address of a receiver, and says what is wrong with it as far as that can be seen without asking for its name. The parser is
    /// that of browsers: `0x7f.1` and `2130706433` come out of it as 127.0.0.1.
    pub(super) fn read(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|_| "is no address; write it as https://host/path".to_owned())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "has a user name or password; receivers know a delivery by its signature, so leave them out".into()
            );
        }
        if url.fragment().is_some() {
            return Err("has a fragment (`#...`), which is never sent; leave it out".into());
        }
        let is_plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err("must start with https://".into()),
        };
        // Whether a name has its addresses in an allowed network is seen when it is resolved.
        let has_networks = self.0.iter().any(|allowed| matches!(allowed, Allowed::Network(_)));
        let is_named = url.host_str().is_some_and(|host| self.names(host));
        match literal(&url) {
            Some(address) => self.judge(address, is_plain)?,
            None if is_plain && !is_named && !has_networks => return Err(ONLY_HTTPS.into()),
            None => {}
        }
        Ok(url)
    }

    fn judge(&self, address: IpAddr, is_plain: bool) -> Result<(), String> {
        if self.has(address) {
            Ok(())
        } else if !is_global(address) {
            Err(format!(
                "leads to {address}, which is no public address; the operator can allow it with MANDATE_WEBHOOK_ALLOW"
            ))
        } else if is_plain {
            Err(ONLY_HTTPS.into())
        } else {
            Ok(())
        }
    }

    /// The addresses to connect to; none, with the reason, when one of them is not allowed.
    pub(super) async fn resolve(&self, url: &Url) -> Result<Vec<SocketAddr>, String> {
        let port = url.port_or_known_default().unwrap_or(443);
        let is_plain = url.scheme() == "http";
        if let Some(address) = literal(url) {
            self.judge(address, is_plain)?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let host = url.host_str().unwrap_or_default();
        let found = tokio::net::lookup_host((host, port)).await;
        let addresses: Vec<SocketAddr> = found.map_err(|_| format!("the name {host} was not found"))?.collect();
        if addresses.is_empty() {
            return Err(format!("the name {host} has no address"));
        }
        if !self.names(host) {
            for address in &addresses {
                self.judge(address.ip(), is_plain).map_err(|why| format!("the address {why}"))?;
            }
        }
        Ok(addresses)
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Whether an address is one of the public internet.
fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

/// All but what IANA's registry of special-purpose addresses (RFC 6890) reserves.
fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

/// Only 2000::/3, without Teredo and the other protocol assignments, documentation, and 6to4. So v4-mapped, NAT64, ULA, link-local and
/// multicast addresses are out.
fn is_global_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    (0x2000..0x4000).contains(&a)
        && !(a == 0x2001 && b < 0x200)
        && !(a == 0x2001 && b == 0xdb8)
        && a != 0x2002
        && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_is_refused_however_it_is_spelt() {
        let egress = Egress::default();
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "192.88.99.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "１２７.０.０.１",
            "127.0.0.1.",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[2001::1]",
            "[2002:7f00:1::]",
            "[3fff::1]",
            "[100::1]",
            "[5f00::1]",
        ] {
            let outcome = egress.read(&format!("https://{host}/"));
            assert!(outcome.as_ref().is_err_and(|why| why.contains("no public address")), "{host}: {outcome:?}");
        }
        for good in [
            "https://8.8.8.8/",
            "https://receiver.example/",
            "https://receiver.example:8443/x?y=1",
            "https://[2606:4700::1]/",
        ] {
            assert!(egress.read(good).is_ok(), "{good}");
        }
        for bad in [
            "http://8.8.8.8/",
            "http://receiver.example/",
            "ftp://receiver.example/",
            "https://a@receiver.example/",
            "https://a:b@8.8.8.8/",
            "https://receiver.example/#x",
            "receiver.example",
            "https://",
            "file:///etc/passwd",
        ] {
            assert!(egress.read(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_all_it_resolves_to() {
        let url = Url::parse("https://localhost:1/").unwrap();
        assert!(Egress::default().resolve(&url).await.unwrap_err().contains("no public address"));
        let allow = |word: &str| Egress::from(vec![word.parse().unwrap()]);
        let found = allow("localhost").resolve(&url).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|found| found.ip().is_loopback()), "{found:?}");
        assert!(allow("other").resolve(&url).await.is_err());
    }

    #[test]
    fn the_operator_allows_names_and_networks() {
        let egress = Egress::from(vec![
            "Hooks.Internal".parse().unwrap(),
            "10.20.0.0/16".parse().unwrap(),
            "127.0.0.1".parse().unwrap(),
        ]);
        for good in [
            "http://hooks.internal/",
            "http://hooks.internal./x",
            "https://10.20.3.4/",
            "http://10.20.3.4:81/",
            "http://2130706433/",
        ] {
            assert!(egress.read(good).is_ok(), "{good}: {:?}", egress.read(good));
        }
        for bad in ["https://10.21.0.1/", "http://127.0.0.2/", "https://[::ffff:127.0.0.1]/", "http://8.8.8.8/"] {
            assert!(egress.read(bad).is_err(), "{bad}");
        }
        for wrong in ["", " ", "10.0.0.0/33", "a b", "https://x", "1.2.3"] {
            assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
        }
    }
}
