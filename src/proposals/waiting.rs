//! The layer that keeps a request as a proposal where the database asks for a second principal.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    Json,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    copy::Copy,
    handlers::shown,
    store::{self, New},
};
use crate::{
    access::Actor,
    api::answer::internal,
    app::App,
    error::{Error, Failure},
    repository, router,
};

/// The operations by method and path.
static OPERATIONS: LazyLock<HashMap<(String, String), String>> = LazyLock::new(|| {
    let document = router::document();
    let mut all = HashMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            all.insert((method.to_ascii_uppercase(), path.clone()), id);
        }
    }
    all
});

/// A request, as far as it is needed to make it again.
struct Asked {
    method: String,
    path: String,
    operation: String,
    headers: HeaderMap,
}

/// Lets a write through. One that needs a second principal has changed nothing; it stands as proposed, and the answer is 202.
pub async fn wait(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().to_string();
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let headers = request.headers().clone();
    let (parts, body) = request.into_parts();
    let (body, copy) = Copy::of(body);
    let response = next.run(Request::from_parts(parts, body)).await;
    let change = match response.extensions().get::<Failure>().map(|failure| &*failure.0) {
        Some(Error::NeedsSecond(change)) => change.clone(),
        _ => return response,
    };
    let route = route.as_ref().map_or("", MatchedPath::as_str).to_owned();
    let operation = OPERATIONS.get(&(method.clone(), route)).cloned().unwrap_or_default();
    let asked = Asked { method, path, operation, headers };
    match propose(&app, &asked, copy.take(), &change).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn propose(app: &App, asked: &Asked, body: Option<Vec<u8>>, change: &Value) -> Result<Response, Error> {
    let Some(body) = body.filter(|_| !change["changes"].is_null()) else {
        let detail = format!(
            "it holds at least one {} ({} {}), which needs a second principal, and is too large to stand as a proposal (1 MiB, 1000 changes): take \
             such rows out, and write them in requests of their own",
            change["act"].as_str().unwrap_or_default(),
            change["kind"].as_str().unwrap_or_default(),
            change["after"]["external_id"].as_str().or(change["after"]["code"].as_str()).unwrap_or_default(),
        );
        return Err(Error::invalid("", "needs_second", detail));
    };
    let actor = Actor::of(&asked.headers, app).await?;
    let author = actor.author(&asked.headers)?;
    let text = |name: header::HeaderName| asked.headers.get(name).and_then(|value| value.to_str().ok());
    let content_type = text(header::CONTENT_TYPE);
    let if_match = text(header::IF_MATCH);
    let mut fingerprint = Sha256::new();
    for part in [asked.method.as_bytes(), asked.path.as_bytes(), content_type.unwrap_or_default().as_bytes(), &body] {
        fingerprint.update(part.len().to_be_bytes());
        fingerprint.update(part);
    }
    fingerprint.update(if_match.unwrap_or_default());
    let new = New {
        operation: &asked.operation,
        method: &asked.method,
        path: &asked.path,
        content_type,
        if_match,
        body: &body,
        reason: author.reason.as_deref(),
        change,
        principal: &actor.principal(),
        actor: actor.name(),
        idempotency_key: text(header::HeaderName::from_static("idempotency-key")),
        fingerprint: &fingerprint.finalize(),
    };
    let mut connection = app.connection().await?;
    let proposal = store::keep(&mut connection, &new).await.map_err(repository::Error::at_commit)?;
    let location = HeaderValue::from_str(&format!("/v1/proposals/{}", proposal.id)).map_err(internal)?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(shown(&proposal)?)).into_response())
}
