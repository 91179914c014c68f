//! The header `Forwarded` (RFC 7239), and how addresses are written in it and in `X-Forwarded-For`.
//!
//! Read strictly and with its quotes, which crates for it are not: a proxy writes the client's own `Host` into `host="..."`, so whoever splits
//! at each comma lets the client write elements. What does not follow the grammar is not read at all.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// What one proxy says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// `for`: whom it speaks for.
    pub(super) client: Option<String>,
    /// `proto`: how it was asked.
    pub(super) scheme: Option<String>,
}

/// The elements in the order of the header; `None` when it does not follow the grammar.
pub(super) fn read(line: &str) -> Option<Vec<Element>> {
    let mut elements = vec![Element::default()];
    let mut rest = line.trim();
    loop {
        let end = rest.find(|character| !is_token(character))?;
        let (name, after) = rest.split_at(end);
        let (value, after) = value(after.strip_prefix('=')?)?;
        let element = elements.last_mut()?;
        let known = match name.to_ascii_lowercase().as_str() {
            "for" => Some(&mut element.client),
            "proto" => Some(&mut element.scheme),
            "" => return None,
            _ => None,
        };
        // The same parameter twice is against the grammar.
        if known.is_some_and(|known| known.replace(value).is_some()) {
            return None;
        }
        let after = after.trim_start();
        rest = match after.chars().next() {
            None => return Some(elements),
            Some(';') => after[1..].trim_start(),
            Some(',') => {
                elements.push(Element::default());
                after[1..].trim_start()
            }
            Some(_) => return None,
        };
    }
}

/// A token or a quoted string, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // An address outside quotes is against the grammar when it has a port or is of IPv6; some proxies write it, and it is clear enough.
        let is_value = |character| is_token(character) || "[]:".contains(character);
        let (token, after) = text.split_at(text.find(|character| !is_value(character)).unwrap_or(text.len()));
        return (!token.is_empty()).then(|| (token.to_owned(), after));
    };
    let (mut value, mut is_escaped) = (String::new(), false);
    for (place, character) in quoted.char_indices() {
        match character {
            _ if is_escaped => {
                is_escaped = false;
                value.push(character);
            }
            '\\' => is_escaped = true,
            '"' => return Some((value, &quoted[place + 1..])),
            _ => value.push(character),
        }
    }
    None
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

/// An address as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. `None` for `unknown`,
/// `_hidden` and whatever else is no address.
pub(super) fn node(word: &str) -> Option<IpAddr> {
    let word = word.trim();
    let bracketed = || word.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || word.parse::<SocketAddr>().ok().map(|address| address.ip());
    word.parse().ok().or_else(bracketed).or_else(with_port).map(|address: IpAddr| address.to_canonical())
}
