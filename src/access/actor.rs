//! `Actor`: who makes a request. A handler that takes one cannot be reached without a valid key.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};

use uuid::Uuid;

use super::{
    keys::{self, ApiKey},
    lately::Lately,
    oidc::Bearer,
    policy::{self, Grant, Right, Rule},
    role::{Act, Role, Scope, Scopes},
};
use crate::{
    api::header_words,
    app::App,
    base::limits::REASON,
    error::Error,
    repository::{Author, Clearance},
};

/// Keys seen lately, by the hash of their text.
pub type KeyCache = Lately<[u8; 32], ApiKey>;

/// The proposal that a request confirms (`proposals`): the write is that of two principals.
#[derive(Debug)]
pub struct Confirming {
    /// The proposal.
    pub proposal: Uuid,
    /// The principal who proposed it.
    pub proposed_by: String,
    /// Who that is in the record.
    pub actor: String,
}

/// What stands between the two names in the record; no key has it in its name.
pub const CONFIRMED_BY: &str = ", confirmed by ";

/// Who makes a request. It comes with a key or a token; nothing but `Actor::of` depends on that.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Who it is for what belongs to one alone, such as `key:5f1c09d2ab34`: names may be given twice, these not.
    principal: String,
    /// Who it is in the record, such as `key:night-batch` or `oidc:4711`.
    name: String,
    role: Role,
    entity: Option<Uuid>,
    scopes: Scopes,
    expires_at: Option<DateTime<Utc>>,
    /// The issuer of its token, and who it is there.
    identity: Option<(Arc<str>, String)>,
    /// Whether nobody knows who it is.
    pub(super) is_anonymous: bool,
    /// What it sees at most, where that is less than its role sees.
    ceiling: Option<Clearance>,
    /// The proposal that it confirms by this request.
    pub(super) confirming: Option<Arc<Confirming>>,
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
            identity: None,
            is_anonymous: false,
            ceiling: None,
            confirming: None,
        }
    }
}

impl From<Bearer> for Actor {
    fn from(bearer: Bearer) -> Self {
        Self {
            // No issuer has a `#` in it, so nobody can pass for somebody of another one, whose tokens were taken before.
            principal: format!("oidc:{}#{}", bearer.issuer, bearer.subject),
            name: format!("oidc:{}", bearer.subject),
            role: bearer.role,
            entity: bearer.entity,
            scopes: bearer.scopes,
            expires_at: Some(bearer.expires_at),
            identity: Some((bearer.issuer, bearer.subject)),
            is_anonymous: false,
            ceiling: None,
            confirming: None,
        }
    }
}

/// What somebody comes with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credentials<'a> {
    /// What stands after `Bearer`: a key, or a token of the issuer.
    Bearer(&'a str),
    /// The password after `Basic` (RFC 7617), whatever the user name: a key. Spreadsheets can send nothing else.
    Password(String),
}

impl<'a> Credentials<'a> {
    pub(super) fn of(header: &'a HeaderValue) -> Option<Self> {
        let (scheme, text) = header.to_str().ok()?.split_once(' ')?;
        let text = text.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer(text));
        }
        let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(text).ok()).flatten()?;
        let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some(Self::Password(password.to_owned()))
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Bearer(text) => text,
            Self::Password(text) => text,
        }
    }
}

/// Whether somebody comes with a token of the issuer, good or not.
pub(super) fn has_token(headers: &HeaderMap, app: &App) -> bool {
    let credentials = headers.get(header::AUTHORIZATION).and_then(Credentials::of);
    app.issuer.is_some() && matches!(credentials, Some(Credentials::Bearer(text)) if !keys::is_meant(text))
}

impl Actor {
    /// Who sent these headers. An answer without end asks again and again.
    pub async fn of(headers: &HeaderMap, app: &App) -> Result<Self, Error> {
        let unknown = || Error::Unauthenticated("the key is not valid: it is mistyped, expired or revoked".into());
        let Some(header) = headers.get(header::AUTHORIZATION) else {
            if app.is_public {
                return Ok(Self::anonymous());
            }
            let also = if app.issuer.is_some() { ", or an access token of the issuer in its place" } else { "" };
            return Err(Error::Unauthenticated(format!(
                "send a key as `Authorization: Bearer mandate_...`; `mandate key create` makes one{also}"
            )));
        };
        let credentials = Credentials::of(header).ok_or_else(|| {
            Error::Unauthenticated(
                "send the key as `Authorization: Bearer mandate_...`, or as the password of Basic authentication"
                    .into(),
            )
        })?;
        if let (Credentials::Bearer(text), Some(issuer)) = (&credentials, &app.issuer)
            && !keys::is_meant(text)
        {
            return Ok(issuer.bearer(text, app).await?.into());
        }
        let text = credentials.text();
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
            identity: None,
            is_anonymous: true,
            ceiling: None,
            confirming: None,
        }
    }

    /// The reader that a token of a feed is: it may do one reading, and sees no more than the token says.
    pub fn of_feed(id: Uuid, name: &str, rule: &Rule, clearance: Clearance) -> Self {
        Self {
            principal: format!("feed:{id}"),
            name: format!("feed:{name}"),
            scopes: Scopes(rule.area.iter().map(|area| Scope(*area, Act::Read)).collect()),
            is_anonymous: false,
            ceiling: Some(clearance),
            ..Self::anonymous()
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

    /// The same, with what else a write is judged by.
    pub fn right(&self, operation: &str) -> Result<Right, Error> {
        Ok(Right { role: self.role, grant: self.may(operation)?, clearance: self.clearance() })
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
        if let Some(ceiling) = self.ceiling {
            return ceiling;
        }
        match self.role {
            _ if self.is_anonymous => Clearance::Public,
            Role::Admin | Role::Coordinator | Role::Auditor => Clearance::All,
            _ => Clearance::Internal,
        }
    }

    /// Whether it may know who got which access: the changes of keys and webhooks.
    pub fn sees_access(&self) -> bool {
        !self.is_anonymous && matches!(self.role, Role::Admin | Role::Auditor)
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

    /// The issuer of its token, and who it is there, when it came with one.
    pub fn identity(&self) -> Option<(&str, &str)> {
        self.identity.as_ref().map(|(issuer, subject)| (&**issuer, subject.as_str()))
    }

    /// Whether nobody knows who it is.
    pub fn is_anonymous(&self) -> bool {
        self.is_anonymous
    }

    /// Who it is in the record.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the record keeps of the actor and the request.
    pub fn author(&self, headers: &HeaderMap) -> Result<Author, Error> {
        let request_id = headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let (actor, principal, confirmation) = match self.confirming.as_deref() {
            None => (self.name.clone(), self.principal.clone(), None),
            Some(confirming) => (
                format!("{}{CONFIRMED_BY}{}", confirming.actor, self.name),
                confirming.proposed_by.clone(),
                Some(json!({"proposal_id": confirming.proposal, "principal": self.principal, "actor": self.name})),
            ),
        };
        Ok(Author {
            actor,
            principal,
            confirmation,
            request_id: request_id.to_owned(),
            reason: header_words::words(headers, &HeaderName::from_static("mandate-reason"), REASON)?,
        })
    }
}
