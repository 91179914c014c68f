//! Bearer tokens of an OpenID Connect issuer: JWTs (RFC 7519) with its signature, checked as RFC 8725 and RFC 9068 say.
//!
//! `settings` says which issuer, `fetch` asks it for its keys (`keys`), `issuer` keeps them, `token` checks what comes (`crypto` the signature),
//! and `claims` reads who it is. Mandate takes no part in how people sign in: a client brings a token that the issuer gave it.

mod claims;
mod crypto;
mod fetch;
mod issuer;
mod keys;
mod settings;
mod token;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use issuer::{Issuer, Patience};
pub use settings::{Config, Settings};

use super::role::{Role, Scopes};
use crate::{app::App, error::Error};

/// Who brings a good token.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The issuer, as configured.
    pub issuer: Arc<str>,
    /// Who it is for the issuer (`sub`).
    pub subject: String,
    /// What it is.
    pub role: Role,
    /// The entity for which it acts, for a role of an entity.
    pub entity: Option<Uuid>,
    /// What it may of what its role may.
    pub scopes: Scopes,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
}

impl Issuer {
    /// Who brings this token.
    pub async fn bearer(&self, text: &str, app: &App) -> Result<Bearer, Error> {
        let config = self.config();
        let kid = token::kid(text, config.algorithm)?;
        let claims = token::claims(text, &self.key(&kid).await?, config)?;
        let role = claims::role(&claims.all, &config.role_claim)?;
        let scopes = claims::scopes(&claims.all)?;
        let entity = if role.is_of_an_entity() {
            Some(self.entity(claims::entity(&claims.all, &config.entity_claim, role)?, app).await?)
        } else {
            None
        };
        let (issuer, subject) = (Arc::clone(&config.issuer), claims.subject);
        Ok(Bearer { issuer, subject, role, entity, scopes, expires_at: claims.expires_at })
    }
}
