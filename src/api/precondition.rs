//! `If-Match` and `If-None-Match` (RFC 9110 §13). The entity tag of a resource is its version.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Serialize;

use super::error::Error;
use crate::repository::Stored;

/// The entity tag of a version.
pub fn tag(version: i32) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits in quotes are a header")
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() {
        return None;
    }
    // Proxies that compress weaken tags (`W/"7"`); the version in it still is the version.
    Some(values.join(",").split(',').map(|tag| tag.trim().trim_start_matches("W/").to_owned()).collect())
}

/// Whether `If-Match` was sent at all.
pub fn has_if_match(headers: &HeaderMap) -> bool {
    headers.contains_key(header::IF_MATCH)
}

/// Whether `If-None-Match` says that only a new resource is wanted.
pub fn only_new(headers: &HeaderMap) -> bool {
    tags(headers, &header::IF_NONE_MATCH).is_some_and(|tags| tags.iter().any(|tag| tag == "*"))
}

/// Demands `If-Match` with the version of the resource, or `*`.
pub fn if_match<R: Serialize>(headers: &HeaderMap, current: &Stored<R>) -> Result<(), Error> {
    let Some(tags) = tags(headers, &header::IF_MATCH) else {
        return Err(Error::VersionRequired(format!(
            "send the version you have read as `If-Match: \"{}\"`, or `If-Match: *` to write over whatever is there",
            current.version
        )));
    };
    let version = format!("\"{}\"", current.version);
    if tags.iter().any(|tag| tag == "*" || *tag == version) {
        Ok(())
    } else if tags.iter().any(|tag| is_tag(tag)) {
        Err(Error::Stale(serde_json::to_value(current).ok()))
    } else {
        Err(Error::Malformed("If-Match has no entity tag; write the version in quotes, as in `If-Match: \"4\"`".into()))
    }
}

/// Whether this has the form of an entity tag: something in quotes.
fn is_tag(text: &str) -> bool {
    text.len() >= 2 && text.starts_with('"') && text.ends_with('"')
}

/// Whether the client already has this representation.
pub fn not_modified(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = tag.to_str().unwrap_or_default().trim_start_matches("W/").to_owned();
    tags(headers, &header::IF_NONE_MATCH).is_some_and(|tags| tags.iter().any(|each| each == "*" || *each == tag))
}
