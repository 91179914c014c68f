//! `GET /v1/me`: who one is, and what one may do.

use axum::{Json, extract::RawQuery};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Actor, Role,
    policy::{Grant, Relation, decide, table},
    role::{Scope, Scopes},
};
use crate::{
    api::{
        document::problems,
        query::{self, NoParameters},
        shape::schemas,
    },
    error::Error,
};

/// Who makes the request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// How it is known.
    kind: Known,
    /// Who it is, once for all, such as `key:5f1c09d2ab34`.
    principal: String,
    /// Who it is in the record, such as `key:night-batch` or `oidc:4711`.
    actor: String,
    /// The issuer of its token.
    issuer: Option<String>,
    /// Who it is for the issuer (`sub`).
    subject: Option<String>,
    /// What it is.
    role: Role,
    /// The entity for which it acts, for a role of an entity.
    entity_id: Option<Uuid>,
    /// What it may of what its role may; empty for all of that.
    #[schema(value_type = Vec<Scope>)]
    scopes: Scopes,
    /// When its key or token ends (RFC 3339, UTC).
    expires_at: Option<DateTime<Utc>>,
    /// What it may do.
    may: Vec<May>,
}

/// How somebody is known.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MeKind)]
enum Known {
    /// By a key.
    Key,
    /// By a token of the issuer.
    Token,
    /// Not at all.
    Anonymous,
}

/// An operation that may be done.
#[derive(Debug, Serialize, ToSchema)]
struct May {
    /// The operation id.
    operation: String,
    /// On which things: on `any`, or on its `own`, which belong to the work of the entity.
    on: Relation,
}

/// Tells who one is.
pub(super) async fn find(actor: Actor, RawQuery(query): RawQuery) -> Result<Json<Me>, Error> {
    actor.may("find_me")?;
    query::read::<NoParameters>(query.as_deref())?;
    let grants = table().iter().filter_map(|rule| {
        let grant = decide(&rule.operation, actor.role(), actor.entity(), actor.scopes()).ok()?;
        let on = if grant == Grant::Any { Relation::Any } else { Relation::Own };
        Some(May { operation: rule.operation.clone(), on })
    });
    let identity = actor.identity();
    let kind = match identity {
        Some(_) => Known::Token,
        None if actor.is_anonymous() => Known::Anonymous,
        None => Known::Key,
    };
    Ok(Json(Me {
        kind,
        principal: actor.principal(),
        actor: actor.name().to_owned(),
        issuer: identity.map(|(issuer, _)| issuer.to_owned()),
        subject: identity.map(|(_, subject)| subject.to_owned()),
        role: actor.role(),
        entity_id: actor.entity(),
        scopes: actor.scopes().clone(),
        expires_at: actor.expires_at(),
        may: grants.collect(),
    }))
}

/// Adds the operation to the document.
pub(super) fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<Me>());
    }
    let mut responses = problems(&[]);
    responses.insert(
        "200".into(),
        json!({"description": "This is you.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Me"}}}}),
    );
    document["paths"]["/v1/me"] = json!({"get": {"operationId": "find_me", "tags": ["access"],
        "summary": "Tells who makes the request, and what it may do.", "responses": responses}});
}
