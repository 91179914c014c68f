//! `Actor`: who makes a request. A handler that takes one cannot be reached without a valid key.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::keys::{self, ApiKey};
use crate::{api::Error, app::App, repository::Author};

/// What a key may do; each role may do what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and writes.
    Editor,
    /// Also imports.
    Admin,
}

/// Keys seen lately, by the hash of their text. An entry lives one second, so a revoked key works no longer than that.
#[derive(Debug, Clone, Default)]
pub struct KeyCache(Arc<Mutex<Entries>>);

type Entries = HashMap<[u8; 32], (Instant, ApiKey)>;

const LIFE: Duration = Duration::from_secs(1);
const CAPACITY: usize = 10_000;

impl KeyCache {
    fn get(&self, hash: &[u8; 32]) -> Option<ApiKey> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(hash).filter(|(since, _)| since.elapsed() < LIFE).map(|(_, key)| key.clone())
    }

    fn put(&self, hash: [u8; 32], key: ApiKey) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(hash, (Instant::now(), key));
    }
}

/// Who makes a request.
#[derive(Debug, Clone)]
pub struct Actor {
    key: ApiKey,
}

impl Actor {
    /// Who sent these headers. An answer without end asks again and again.
    pub async fn of(headers: &HeaderMap, app: &App) -> Result<Self, Error> {
        let unknown = || Error::Unauthenticated("the key is not valid: it is mistyped, expired or revoked".into());
        let Some(header) = headers.get(header::AUTHORIZATION) else {
            return Err(Error::Unauthenticated(
                "send a key as `Authorization: Bearer mandate_...`; `mandate key create` makes one".into(),
            ));
        };
        let text = header
            .to_str()
            .ok()
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, text)| text.trim())
            .ok_or_else(|| Error::Unauthenticated("send the key as `Authorization: Bearer mandate_...`".into()))?;
        keys::split(text).ok_or_else(unknown)?;
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        if let Some(key) = app.keys.get(&hash) {
            return Ok(Self { key });
        }
        let key = keys::verify(&mut *app.connection().await?, text).await?.ok_or_else(unknown)?;
        app.keys.put(hash, key.clone());
        Ok(Self { key })
    }

    /// Demands a role.
    pub fn needs(&self, role: Role) -> Result<(), Error> {
        if self.key.role >= role {
            return Ok(());
        }
        let name = |role: Role| role.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        Err(Error::Forbidden(format!(
            "this needs the role {}; the key has the role {}",
            name(role),
            name(self.key.role)
        )))
    }

    /// Who it is, for what belongs to one alone: names of keys may be given twice, their ids not.
    pub fn principal(&self) -> String {
        format!("key:{}", self.key.id)
    }

    /// What the record keeps of the actor and the request.
    pub fn author(&self, headers: &HeaderMap) -> Result<Author, Error> {
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8(value.as_bytes().to_vec()));
        let reason = text("mandate-reason")
            .transpose()
            .map_err(|_| Error::Malformed("the header Mandate-Reason is not UTF-8".into()))?;
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > 1000) {
            return Err(Error::Malformed("the header Mandate-Reason may have at most 1000 characters".into()));
        }
        Ok(Author {
            actor: format!("key:{}", self.key.name),
            request_id: text("x-request-id").and_then(Result::ok).unwrap_or_default(),
            reason: reason.filter(|reason| !reason.trim().is_empty()),
        })
    }
}

impl FromRequestParts<App> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        Self::of(&parts.headers, app).await
    }
}
