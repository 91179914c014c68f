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
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use uuid::Uuid;

use super::{
    keys::{self, ApiKey},
    policy::{self, Grant},
    role::{Role, Scopes},
};
use crate::{
    api::Error,
    app::App,
    repository::{Author, Clearance},
};

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

/// Who makes a request. Today it comes with a key; nothing but `Actor::of` depends on that.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Who it is for what belongs to one alone, such as `key:5f1c09d2ab34`: names may be given twice, these not.
    principal: String,
    /// Who it is in the record, such as `key:night-batch`.
    name: String,
    role: Role,
    entity: Option<Uuid>,
    scopes: Scopes,
    expires_at: Option<DateTime<Utc>>,
    /// Whether nobody knows who it is.
    is_anonymous: bool,
}

impl From<ApiKey> for Actor {
    fn from(key: ApiKey) -> Self {
        Self {
            principal: format!("key:{}", key.id),
            name: format!("key:{}", key.name),
            role: key.role,
            entity: key.entity_id,
            scopes: key.scopes,
            expires_at: key.expires_at,
            is_anonymous: false,
        }
    }
}

impl Actor {
    /// Who sent these headers. An answer without end asks again and again.
    pub async fn of(headers: &HeaderMap, app: &App) -> Result<Self, Error> {
        let unknown = || Error::Unauthenticated("the key is not valid: it is mistyped, expired or revoked".into());
        let Some(header) = headers.get(header::AUTHORIZATION) else {
            if app.is_public {
                return Ok(Self::anonymous());
            }
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
            return Ok(key.into());
        }
        let key = keys::verify(&mut *app.connection().await?, text).await?.ok_or_else(unknown)?;
        app.keys.put(hash, key.clone());
        Ok(key.into())
    }

    /// Somebody without a key, where the service shows to everybody what is public.
    fn anonymous() -> Self {
        Self {
            principal: "anonymous".into(),
            name: "anonymous".into(),
            role: Role::Viewer,
            entity: None,
            scopes: Scopes::default(),
            expires_at: None,
            is_anonymous: true,
        }
    }

    /// Whether an operation of the document may be done, and on which things; `policy` decides.
    pub fn may(&self, operation: &str) -> Result<Grant, Error> {
        let decision = policy::decide(operation, self.role, self.entity, &self.scopes);
        if self.is_anonymous && decision.is_err() {
            return Err(Error::Unauthenticated(
                "without a key only what is public can be read; send one as `Authorization: Bearer mandate_...`".into(),
            ));
        }
        decision
    }

    /// Who it is, for what belongs to one alone: names of keys may be given twice, their ids not.
    pub fn principal(&self) -> String {
        self.principal.clone()
    }

    /// What it is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What it may see.
    pub fn clearance(&self) -> Clearance {
        match self.role {
            _ if self.is_anonymous => Clearance::Public,
            Role::Admin | Role::Coordinator | Role::Auditor => Clearance::All,
            _ => Clearance::Internal,
        }
    }

    /// The entity for which it acts.
    pub fn entity(&self) -> Option<Uuid> {
        self.entity
    }

    /// What it may of what its role may.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// When that ends.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// Who it is in the record.
    pub fn name(&self) -> &str {
        &self.name
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
            actor: self.name.clone(),
            principal: self.principal.clone(),
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
