//! `If-Match` and `If-None-Match` (RFC 9110 §13). The entity tag of a resource is its version.
//!
//! Tags come back changed by what stands between: a proxy that compresses weakens them (`W/"7"`) or marks them (`"7-gzip"`). The version in
//! such a tag still says which state was read, so it counts.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::error::Error;
use crate::repository::Stored;

/// The codings that proxies write behind a tag, after one of `MARKS`.
const CODINGS: [&[u8]; 9] = [b"gzip", b"gz", b"br", b"zstd", b"zst", b"deflate", b"df", b"bzip2", b"compress"];
const MARKS: &[u8] = b"-;:+.";

/// What a header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// `*`: anything that is there.
    Any,
    /// One of these, without quotes and without what proxies added.
    Tags(Vec<Vec<u8>>),
}

impl Asked {
    fn has(&self, tag: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|each| each == tag),
        }
    }
}

/// The entity tag of a version.
pub fn tag(version: i32) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits in quotes are a header")
}

/// What a header asks for, if it is there; `Err` when it cannot be read.
fn asked(headers: &HeaderMap, name: &HeaderName) -> Option<Result<Asked, Error>> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    if lines.is_empty() {
        return None;
    }
    Some(read(&lines.join(&b","[..])).ok_or_else(|| {
        let header = if name == header::IF_MATCH { "If-Match" } else { "If-None-Match" };
        Error::Malformed(format!(
            "{header} is no list of entity tags; write the version in quotes, as in `{header}: \"4\"`, or `*` alone"
        ))
    }))
}

/// `*`, or at least one tag between commas.
fn read(text: &[u8]) -> Option<Asked> {
    let mut rest = text.trim_ascii();
    if rest == b"*" {
        return Some(Asked::Any);
    }
    let mut tags = Vec::new();
    loop {
        let start = rest.iter().position(|byte| !b", \t".contains(byte));
        let Some(start) = start else { break };
        let quoted = rest[start..].strip_prefix(b"W/").unwrap_or(&rest[start..]).strip_prefix(b"\"")?;
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        let (opaque, after) = (&quoted[..end], &quoted[end + 1..]);
        if opaque.iter().any(u8::is_ascii_control) {
            return None;
        }
        // Some proxies write their mark behind the closing quote.
        let next = after.iter().position(|byte| b", \t".contains(byte)).unwrap_or(after.len());
        if !unmarked(&after[..next]).is_empty() {
            return None;
        }
        rest = after[next..].trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
        tags.push(unmarked(opaque).to_vec());
    }
    if tags.is_empty() { None } else { Some(Asked::Tags(tags)) }
}

/// A tag without what compressing proxies wrote behind it.
fn unmarked(mut tag: &[u8]) -> &[u8] {
    while let Some(bare) = CODINGS.iter().find_map(|coding| {
        let marked = tag.strip_suffix(*coding)?;
        let length = marked.iter().rposition(|byte| !MARKS.contains(byte)).map_or(0, |last| last + 1);
        (length < marked.len()).then(|| &marked[..length])
    }) {
        tag = bare;
    }
    tag
}

/// The opaque part of a tag that the service made.
fn opaque(tag: &HeaderValue) -> &[u8] {
    let tag = tag.as_bytes();
    let tag = tag.strip_prefix(b"W/").unwrap_or(tag);
    tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\"")).unwrap_or(tag)
}

/// Whether `If-Match` was sent at all.
pub fn has_if_match(headers: &HeaderMap) -> bool {
    headers.contains_key(header::IF_MATCH)
}

/// Judges a change of what is there: it demands `If-Match` with the version, or `*`, and that `If-None-Match` does not name it.
pub fn check<R: Serialize>(headers: &HeaderMap, current: &Stored<R>) -> Result<(), Error> {
    let version = current.version.to_string();
    let stale = || Err(Error::Stale(serde_json::to_value(current).ok()));
    if let Some(unwanted) = asked(headers, &header::IF_NONE_MATCH).transpose()?
        && unwanted.has(version.as_bytes())
    {
        return stale();
    }
    let Some(wanted) = asked(headers, &header::IF_MATCH).transpose()? else {
        return Err(Error::VersionRequired(format!(
            "send the version you have read as `If-Match: \"{}\"`, or `If-Match: *` to write over whatever is there",
            current.version
        )));
    };
    if wanted.has(version.as_bytes()) { Ok(()) } else { stale() }
}

/// Judges a creation under a name of the client's own: `If-Match`, whatever it names, is false of what is not there (RFC 9110 §13.1.1).
/// `history` is that of an earlier bearer of the name, which was deleted.
pub fn check_absent(headers: &HeaderMap, history: Option<String>) -> Result<(), Error> {
    asked(headers, &header::IF_NONE_MATCH).transpose()?;
    match (asked(headers, &header::IF_MATCH).transpose()?, history) {
        (None, _) => Ok(()),
        (Some(_), Some(history)) => Err(Error::Deleted(history)),
        (Some(_), None) => Err(Error::Absent),
    }
}

/// Why a write failed that came too late: where any version will do, it is to be tried again from the reading on.
pub fn overtaken(headers: &HeaderMap, error: Error) -> Error {
    let any = matches!(asked(headers, &header::IF_MATCH), Some(Ok(Asked::Any)));
    if any && matches!(error, Error::Stale(_)) { Error::Overtaken } else { error }
}

/// A layer that refuses a reading whose `If-None-Match` is no list of tags.
pub async fn refuse_no_tags(request: Request, next: Next) -> Response {
    let is_reading = request.method().is_safe();
    match asked(request.headers(), &header::IF_NONE_MATCH) {
        Some(Err(error)) if is_reading => error.into_response(),
        _ => next.run(request).await,
    }
}

/// Whether the client already has this representation. What cannot be read is refused before (`refuse_no_tags`).
pub fn not_modified(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    asked(headers, &header::IF_NONE_MATCH).is_some_and(|asked| asked.is_ok_and(|asked| asked.has(opaque(tag))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Option<Vec<String>> {
        match read(text.as_bytes())? {
            Asked::Any => Some(vec!["*".into()]),
            Asked::Tags(tags) => Some(tags.into_iter().map(|tag| String::from_utf8(tag).unwrap()).collect()),
        }
    }

    #[test]
    fn what_proxies_add_to_a_tag_is_taken_off() {
        for text in [
            "\"7\"",
            "W/\"7\"",
            "\"7-gzip\"",
            "W/\"7-gzip\"",
            "\"7--gzip\"",
            "\"7-br\"",
            "\"7-zstd\"",
            "\"7-df\"",
            "\"7;gzip\"",
            "\"7:deflate\"",
            "\"7-gzip-br\"",
            "\"7\"-gzip",
            "\"7\";gzip",
            " \"7\" ",
            ",\"7\",,",
        ] {
            assert_eq!(tags(text), Some(vec!["7".into()]), "{text}");
        }
        for (text, kept) in
            [("\"gzip\"", "gzip"), ("\"7gzip\"", "7gzip"), ("\"7-\"", "7-"), ("\"a,b\"", "a,b"), ("\"\"", "")]
        {
            assert_eq!(tags(text), Some(vec![kept.into()]), "{text}");
        }
        assert_eq!(tags("\"1\", W/\"2-gzip\" ,\"3\""), Some(vec!["1".into(), "2".into(), "3".into()]));
        assert_eq!(tags(" * "), Some(vec!["*".into()]));
    }

    #[test]
    fn what_is_no_list_of_tags_is_not_read() {
        for text in [
            "",
            "7",
            "\"7",
            "7\"",
            ", ,",
            "*, \"7\"",
            "*, *",
            "w/\"7\"",
            "\"7\" \"8\"",
            "\"7\"8",
            "\"7\"x\"8\"",
            "W/7",
            "W/ \"7\"",
        ] {
            assert_eq!(tags(text), None, "{text}");
        }
    }
}
