//! Words in headers. HTTP has room for ASCII only, and clients have three ways around it; all are read.

use axum::http::{HeaderMap, HeaderName};

use crate::base::values::characters::{composed, is_visible, unfit_in_text};
use crate::error::Error;

/// The words of a header: percent-encoded UTF-8 (as `encodeURIComponent` makes it), an extended value of RFC 8187 (`UTF-8'ro'...`), or raw UTF-8.
/// A percent sign that begins no escape stands for itself. Nothing to read is no words.
pub fn words(headers: &HeaderMap, name: &HeaderName, most: usize) -> Result<Option<String>, Error> {
    let malformed = |why: String| Error::Malformed(format!("the header {} {why}", spoken(name)));
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return Err(malformed("is given twice; give it once".into()));
    }
    let bytes: Vec<u8> = percent_encoding::percent_decode(value(line.as_bytes())).collect();
    let text = String::from_utf8(bytes).map_err(|_| {
        malformed("is not UTF-8; percent-encode its words as UTF-8, and a percent sign before two digits as %25".into())
    })?;
    if let Some(unfit) = unfit_in_text(&text) {
        return Err(malformed(unfit.to_string()));
    }
    let text = composed(text.trim());
    if text.chars().count() > most {
        return Err(malformed(format!("may have at most {most} characters")));
    }
    Ok(is_visible(&text).then(|| text.into_owned()))
}

/// What stands behind the charset and language of an extended value; all of another.
fn value(line: &[u8]) -> &[u8] {
    const CHARSET: &[u8] = b"utf-8'";
    let is_extended = line.get(..CHARSET.len()).is_some_and(|start| start.eq_ignore_ascii_case(CHARSET));
    let after = line.get(CHARSET.len()..).filter(|_| is_extended).and_then(|rest| {
        let end = rest.iter().position(|byte| *byte == b'\'')?;
        rest[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').then(|| &rest[end + 1..])
    });
    after.unwrap_or(line)
}

/// `mandate-reason` as it is written: `Mandate-Reason`.
fn spoken(name: &HeaderName) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.as_str().split('-').filter(|word| !word.is_empty()).map(capital).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const NAME: HeaderName = HeaderName::from_static("mandate-reason");

    fn read(line: &[u8]) -> Result<Option<String>, String> {
        let headers = HeaderMap::from_iter([(NAME, HeaderValue::from_bytes(line).unwrap())]);
        words(&headers, &NAME, 10).map_err(|error| error.problem().detail)
    }

    #[test]
    fn the_same_words_come_in_each_way() {
        for line in [
            "înțeles",
            "%C3%AEn%C8%9Beles",
            "%c3%aen%c8%9beles",
            "UTF-8''%C3%AEn%C8%9Beles",
            "utf-8'ro'%C3%AEn%C8%9Beles",
            "%C3%AEnțeles",
            "i%CC%82nt%CC%A6eles",
        ] {
            assert_eq!(read(line.as_bytes()), Ok(Some("înțeles".into())), "{line}");
        }
    }

    #[test]
    fn a_percent_sign_that_begins_no_escape_stays() {
        for (line, kept) in
            [("100%", "100%"), ("5% mai", "5% mai"), ("%zz", "%zz"), ("a%2", "a%2"), ("100%25", "100%"), ("a+b", "a+b")]
        {
            assert_eq!(read(line.as_bytes()), Ok(Some(kept.into())), "{line}");
        }
        for line in ["UTF-8'", "UTF-8' 'z", "ISO'a'b"] {
            assert_eq!(read(line.as_bytes()), Ok(Some(line.into())), "{line}");
        }
    }

    #[test]
    fn nothing_to_read_is_no_words() {
        for line in ["", "  ", "%20%20", "UTF-8''", "%E2%80%8B", "%C2%A0"] {
            assert_eq!(read(line.as_bytes()), Ok(None), "{line}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for line in [&b"%ff"[..], b"\xee", b"%C3", b"a%00", b"%1B[31m", b"%E2%80%AE", b"%0D"] {
            assert!(read(line).unwrap_err().starts_with("the header Mandate-Reason "), "{line:?}");
        }
        assert_eq!(read("%C8%99".repeat(10).as_bytes()), Ok(Some("ș".repeat(10))));
        assert!(read("ș".repeat(11).as_bytes()).unwrap_err().contains("at most 10 characters"));
        let mut both = HeaderMap::new();
        both.append(NAME, HeaderValue::from_static("a"));
        both.append(NAME, HeaderValue::from_static("b"));
        assert!(words(&both, &NAME, 10).is_err());
    }
}
