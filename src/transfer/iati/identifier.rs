//! Identifiers of activities as external ids, which stand in addresses and so have no `/`, `?`, `#` or spaces. Nothing is lost: what an
//! external id cannot hold is written as in a URL, and written back in an export.

/// An external id has so many characters.
pub(super) const LONGEST: usize = 200;

/// Whether a character cannot stand in an external id.
fn is_odd(letter: char) -> bool {
    letter.is_whitespace() || "/?#".contains(letter)
}

/// Whether a text has something that was written as in a URL.
fn has_escapes(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        if after.get(..2).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return true;
        }
        rest = after;
    }
    false
}

/// The external id of an identifier.
pub(super) fn external(identifier: &str) -> String {
    if !identifier.contains(is_odd) && !has_escapes(identifier) {
        return identifier.to_owned();
    }
    let mut external = String::with_capacity(identifier.len());
    for letter in identifier.chars() {
        if is_odd(letter) || letter == '%' {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                external.push_str(percent_encoding::percent_encode_byte(byte));
            }
        } else {
            external.push(letter);
        }
    }
    external
}

/// The identifier of an external id.
pub(super) fn identifier(external: &str) -> String {
    let mut bytes = Vec::with_capacity(external.len());
    let mut rest = external;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = byte {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(b'%');
            rest = after;
        }
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).unwrap_or_else(|_| external.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_comes_back() {
        for word in ["XM-DAC-9-1", "GB-1/2 a?b#c", "a%2Fb", "100%", "50 % of", "ș/ț\u{a0}x", "%", "%zz/", "%%41"] {
            let external = external(word);
            assert!(!external.contains(is_odd), "{external}");
            assert_eq!(identifier(&external), word, "{external}");
        }
        assert_eq!(external("GB-1/2"), "GB-1%2F2");
        assert_eq!(external("100%"), "100%");
    }
}
