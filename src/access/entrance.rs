//! Where an `Actor` comes in: the login is judged, and the request counted, once for every operation that has one.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, header, request::Parts},
};

use super::{
    Actor,
    actor::{Credentials, has_token},
    keys,
};
use crate::{
    app::App,
    edge::{Attempt, Who, address::Client},
    error::Error,
};

impl FromRequestParts<App> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        // The reader of a feed, whose token was judged where it came in; no request brings one.
        if let Some(reader) = parts.extensions.get::<Self>() {
            return Ok(reader.clone());
        }
        let client = parts.extensions.get::<Client>().copied().unwrap_or_default();
        let headers = &parts.headers;
        refuse_sent_by_itself(&parts.method, headers)?;
        // A token cannot be tried out, and asks the database nothing; many short-lived ones that have expired must not lock out their neighbours.
        let attempt = if has_token(headers, app) { None } else { app.edge.login(client, headers)? };
        let outcome = Self::of(headers, app).await;
        match (&outcome, attempt) {
            (Ok(_), Some(attempt)) => attempt.succeeded(),
            (Err(Error::Unauthenticated(_) | Error::BadToken(_)), attempt)
                if headers.contains_key(header::AUTHORIZATION) =>
            {
                note_failure(client, headers);
                attempt.into_iter().for_each(Attempt::failed);
            }
            // Also when the database is away: whether the credential is good is not known.
            _ => {}
        }
        let mut actor = outcome?;
        actor.confirming.clone_from(&app.confirming);
        let who = if actor.is_anonymous { Who::Network(client.network()) } else { Who::Principal(actor.principal()) };
        app.edge.count(&who)?;
        Ok(actor)
    }
}

/// Refuses a write with a password that a browser sent by itself, because it was asked for one before: another site may have made it write.
fn refuse_sent_by_itself(method: &Method, headers: &HeaderMap) -> Result<(), Error> {
    let is_of_page = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    let has_password =
        || matches!(headers.get(header::AUTHORIZATION).and_then(Credentials::of), Some(Credentials::Password(_)));
    if method.is_safe() || !is_of_page || !has_password() {
        return Ok(());
    }
    Err(Error::Forbidden(
        "from a page Basic authentication only reads, because browsers repeat it by themselves; send the key as `Authorization: Bearer mandate_...`"
            .into(),
    ))
}

/// Tells the log and the metrics that a login failed: from where, and with which key, of which only the public part is ever written down.
fn note_failure(client: Client, headers: &HeaderMap) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let credentials = headers.get(header::AUTHORIZATION).and_then(Credentials::of);
    let is_id = |id: &&str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let key_id = credentials.as_ref().and_then(|each| keys::split(each.text())).map(|(id, _)| id).filter(is_id);
    metrics::counter!("logins_failed_total").increment(1);
    tracing::warn!(request_id = text("x-request-id"), address = %client.address, key_id, "a login failed");
}
