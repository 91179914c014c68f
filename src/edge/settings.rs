//! The settings of the edge.

use std::{fmt, net::IpAddr, str::FromStr};

use clap::Args;
use ipnet::IpNet;

use super::cors::Origin;

/// How the service meets the network.
#[derive(Debug, Clone, Args)]
pub struct EdgeSettings {
    /// Requests a second of one key (without a key: of one address); 0 for no limit
    #[arg(long, env = "MANDATE_RATE", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=100_000), global = true)]
    pub rate: u32,
    /// Requests of one key at once, after a rest [default: ten times the rate]
    #[arg(long, env = "MANDATE_BURST", value_parser = clap::value_parser!(u32).range(1..=1_000_000), global = true)]
    pub burst: Option<u32>,
    /// Logins that may fail in a minute from one address before no more are tried; 0 for no limit
    #[arg(long, env = "MANDATE_LOGIN_FAILURES", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000), global = true)]
    pub login_failures: u32,
    /// Addresses and networks (CIDR) of proxies, between commas, whose Forwarded or X-Forwarded-For says who asks
    #[arg(long, env = "MANDATE_TRUSTED_PROXIES", value_delimiter = ',', global = true)]
    pub trusted_proxies: Vec<Trusted>,
    /// Origins, between commas, whose pages may use the API from a browser (CORS)
    #[arg(long, env = "MANDATE_CORS_ORIGINS", value_delimiter = ',', global = true)]
    pub cors_origins: Vec<Origin>,
}

impl EdgeSettings {
    /// Requests of one key at once.
    pub fn burst(&self) -> u32 {
        self.burst.unwrap_or(self.rate.saturating_mul(10))
    }
}

/// As `mandate doctor` shows them.
impl fmt::Display for EdgeSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rate {
            0 => write!(formatter, "requests without limit, ")?,
            rate => write!(formatter, "{rate} requests a second of one key, {} at once, ", self.burst())?,
        }
        match self.login_failures {
            0 => write!(formatter, "failed logins without limit, ")?,
            most => write!(formatter, "{most} failed logins a minute from one address, ")?,
        }
        let proxies: Vec<_> = self.trusted_proxies.iter().map(|network| network.0.to_string()).collect();
        let origins: Vec<_> = self.cors_origins.iter().map(ToString::to_string).collect();
        let or_none = |words: Vec<String>| if words.is_empty() { "none".to_owned() } else { words.join(",") };
        write!(formatter, "trusted proxies {}, other sites (CORS) {}", or_none(proxies), or_none(origins))
    }
}

/// A network of proxies whose word is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trusted(pub IpNet);

impl FromStr for Trusted {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let word = word.trim();
        let network = word.parse().or_else(|_| word.parse::<IpAddr>().map(IpNet::from));
        match network {
            Ok(network) if network.prefix_len() == 0 => Err(
                "MANDATE_TRUSTED_PROXIES would trust everybody, and then each client names its own address; name your proxies",
            ),
            Ok(network) => Ok(Self(network)),
            Err(_) => {
                Err("MANDATE_TRUSTED_PROXIES are addresses and networks between commas, such as 10.0.0.5,fd00::/8")
            }
        }
    }
}
