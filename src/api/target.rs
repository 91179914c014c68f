//! `Target`: the resource that a path names.

use axum::{extract::FromRequestParts, http::request::Parts};
use uuid::Uuid;

use crate::error::Error;
use crate::{base::values::characters::composed, repository::Key};

/// The `{id}` of the path: a UUID, also with the suffix `.json`, or `external:{external_id}`.
pub struct Target(pub Key);

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let segment = parts.uri.path().split('/').nth(3).unwrap_or_default();
        let word = percent_encoding::percent_decode_str(segment)
            .decode_utf8()
            .map_err(|_| Error::NotFound("the id in the path is not UTF-8".into()))?;
        if word.contains('\0') {
            return Err(Error::NotFound("the id in the path has the character U+0000".into()));
        }
        if let Some(external) = word.strip_prefix("external:") {
            return Ok(Self(Key::External(composed(external).into_owned())));
        }
        // An external id may end so; a UUID does not.
        let id = word.strip_suffix(".json").unwrap_or(&word);
        let id = Uuid::try_parse(id).map_err(|_| {
            Error::NotFound(format!("`{word}` is no id: use the id that the service gave, or external:{{your own id}}"))
        })?;
        Ok(Self(Key::Id(id)))
    }
}
