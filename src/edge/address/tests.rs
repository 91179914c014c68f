//! Who a client is, and whom it cannot pretend to be.

use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.1";

/// The address found, with 10.0.0.0/8 and fd00::/8 trusted.
fn found(peer: &str, lines: &[(&'static str, &str)]) -> String {
    client(peer, lines).address.to_string()
}

fn client(peer: &str, lines: &[(&'static str, &str)]) -> Client {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().unwrap());
    }
    let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    Client::find(peer.parse().unwrap(), &headers, &trusted)
}

#[test]
fn who_is_no_trusted_proxy_is_not_believed() {
    for name in [FORWARDED_FOR, FORWARDED] {
        let value = if name == FORWARDED { "for=192.0.2.9;proto=https" } else { "192.0.2.9" };
        let found = client("198.51.100.1", &[(name, value), (FORWARDED_PROTO, "https")]);
        assert_eq!(found, Client { address: "198.51.100.1".parse().unwrap(), is_https: false }, "{name}");
    }
}

#[test]
fn a_trusted_proxy_says_who_asks() {
    assert_eq!(found(PROXY, &[]), PROXY);
    for (value, address) in [
        ("192.0.2.9", "192.0.2.9"),
        (" 192.0.2.9:4711 ", "192.0.2.9"),
        ("2001:db8::9", "2001:db8::9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
    ] {
        assert_eq!(found(PROXY, &[(FORWARDED_FOR, value)]), address, "{value}");
    }
    for (value, address) in [
        ("for=192.0.2.9", "192.0.2.9"),
        ("for=[2001:db8::9]:4711;proto=http", "2001:db8::9"),
        ("For=\"192.0.2.9:4711\"; proto=https;by=10.0.0.1", "192.0.2.9"),
        ("for=\"[2001:db8::9]:4711\";host=\"a, for=192.0.2.66;x\"", "2001:db8::9"),
    ] {
        assert_eq!(found(PROXY, &[(FORWARDED, value)]), address, "{value}");
    }
    // The connection itself may be one of IPv4 in the clothes of IPv6.
    assert_eq!(found("::ffff:10.0.0.1", &[(FORWARDED_FOR, "192.0.2.9")]), "192.0.2.9");
}

#[test]
fn what_a_client_wrote_before_its_proxy_did_is_not_believed() {
    for (lines, address) in [
        (vec![(FORWARDED_FOR, "192.0.2.66, 192.0.2.9")], "192.0.2.9"),
        (vec![(FORWARDED_FOR, "192.0.2.66"), (FORWARDED_FOR, "192.0.2.9")], "192.0.2.9"),
        (vec![(FORWARDED_FOR, "10.9.9.9, 192.0.2.9")], "192.0.2.9"),
        (vec![(FORWARDED_FOR, "192.0.2.66, 192.0.2.9, 10.0.0.2")], "192.0.2.9"),
        (vec![(FORWARDED, "for=192.0.2.66, for=192.0.2.9")], "192.0.2.9"),
        (vec![(FORWARDED, "for=192.0.2.66, for=192.0.2.9, for=\"[fd00::2]\"")], "192.0.2.9"),
        // The other header, which this proxy does not write.
        (vec![(FORWARDED, "for=192.0.2.66"), (FORWARDED_FOR, "192.0.2.9")], PROXY),
        (vec![(FORWARDED, "for=192.0.2.9"), (FORWARDED_FOR, "192.0.2.66")], PROXY),
        (vec![(FORWARDED, "for=192.0.2.9"), (FORWARDED_FOR, "192.0.2.9")], "192.0.2.9"),
        // A quote that is to swallow what the proxy writes.
        (vec![(FORWARDED, "for=192.0.2.66;x=\", for=192.0.2.9")], PROXY),
        (vec![(FORWARDED, "for=192.0.2.66;x=\""), (FORWARDED, "for=\"[2001:db8::9]\"")], PROXY),
        (vec![(FORWARDED, "for=192.0.2.66;x=\"\\"), (FORWARDED, "for=192.0.2.9;host=\"y\"")], PROXY),
    ] {
        assert_eq!(found(PROXY, &lines), address, "{lines:?}");
    }
}

proptest! {
    /// The client writes what it likes into the header before its proxy does, and into its `Host`, which the proxy repeats in quotes.
    #[test]
    fn nothing_that_a_client_writes_makes_it_another(
        before in r#"([=;,"\\ x]|for=|192\.0\.2\.66|by="|\[::1\]){0,12}"#,
        host in r#"([=;,"\\ x]|, for=192\.0\.2\.66|192\.0\.2\.66){0,8}"#,
        is_one_line: bool,
    ) {
        let quoted: String = host.chars().flat_map(|it| "\"\\".contains(it).then_some('\\').into_iter().chain([it])).collect();
        let own = format!("for=192.0.2.9;host=\"{quoted}\";proto=http");
        let joined = format!("{before}, {own}");
        let lines = if is_one_line { vec![(FORWARDED, &*joined)] } else { vec![(FORWARDED, &*before), (FORWARDED, &*own)] };
        let found = found(PROXY, &lines);
        prop_assert!(found == "192.0.2.9" || found == PROXY, "{found} by {lines:?}");
        let joined = format!("{before}, 192.0.2.9");
        let lines = if is_one_line { vec![(FORWARDED_FOR, &*joined)] } else { vec![(FORWARDED_FOR, &*before), (FORWARDED_FOR, "192.0.2.9")] };
        prop_assert_eq!(self::found(PROXY, &lines), "192.0.2.9");
    }
}

#[test]
fn what_is_no_address_leaves_the_last_trusted_hop() {
    for (lines, address) in [
        (vec![(FORWARDED_FOR, "")], PROXY),
        (vec![(FORWARDED_FOR, "192.0.2.9,")], PROXY),
        (vec![(FORWARDED_FOR, "192.0.2.9, junk")], PROXY),
        (vec![(FORWARDED_FOR, "192.0.2.9, junk, 10.0.0.2")], "10.0.0.2"),
        (vec![(FORWARDED_FOR, "192.0.2.256")], PROXY),
        (vec![(FORWARDED_FOR, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
        (vec![(FORWARDED, "for=unknown")], PROXY),
        (vec![(FORWARDED, "for=192.0.2.9, for=_hidden, for=10.0.0.2")], "10.0.0.2"),
        (vec![(FORWARDED, "for=192.0.2.9, proto=https")], PROXY),
        (vec![(FORWARDED, "for=192.0.2.9;for=192.0.2.66")], PROXY),
        (vec![(FORWARDED, "for = 192.0.2.9")], PROXY),
        (vec![(FORWARDED, "for=")], PROXY),
        (vec![(FORWARDED, "=x;for=192.0.2.9")], PROXY),
        (vec![(FORWARDED, "192.0.2.9")], PROXY),
    ] {
        assert_eq!(found(PROXY, &lines), address, "{lines:?}");
    }
    let mut headers = HeaderMap::new();
    headers.insert(FORWARDED_FOR, axum::http::HeaderValue::from_bytes(b"192.0.2.9, \xff").unwrap());
    let proxy = PROXY.parse().unwrap();
    assert_eq!(Client::find(proxy, &headers, &[IpNet::from(proxy)]).address, proxy);
}

#[test]
fn the_nearest_proxy_says_whether_it_was_asked_over_https() {
    for (lines, is_https) in [
        (vec![], false),
        (vec![(FORWARDED_PROTO, "https")], true),
        (vec![(FORWARDED_PROTO, "https, http")], false),
        (vec![(FORWARDED, "for=192.0.2.9;proto=HTTPS")], true),
        (vec![(FORWARDED, "for=192.0.2.9;proto=https, for=192.0.2.9;proto=http")], false),
    ] {
        assert_eq!(client(PROXY, &lines).is_https, is_https, "{lines:?}");
    }
}

#[test]
fn a_request_over_no_connection_has_an_address_that_nobody_has() {
    let mut headers = HeaderMap::new();
    headers.insert(FORWARDED_FOR, "192.0.2.9".parse().unwrap());
    let edge = crate::edge::Edge { proxies: ["::/1".parse().unwrap()].into(), ..crate::edge::Edge::default() };
    assert_eq!(edge.client(None, &headers).address, Ipv6Addr::UNSPECIFIED);
}

#[test]
fn of_ipv6_a_whole_64_is_one_client() {
    let network = |address: &str| client(address, &[]).network().to_string();
    assert_eq!(network("2001:db8:1:2:aaaa::1"), "2001:db8:1:2::");
    assert_eq!(network("2001:db8:1:2::"), "2001:db8:1:2::");
    assert_eq!(network("2001:db8:1:3::1"), "2001:db8:1:3::");
    assert_eq!(network("192.0.2.9"), "192.0.2.9");
}
