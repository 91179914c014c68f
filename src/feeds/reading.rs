//! `GET /v1/feeds/{id}`: the reading that a token opens, made as the reader that the token is.

use axum::{
    Extension,
    body::Body,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, Uri, header},
    response::Response,
};
use serde::Deserialize;
use tower::ServiceExt as _;
use utoipa::ToSchema;
use uuid::Uuid;

use super::tokens::{self, FeedToken};
use crate::{
    access::{
        Actor,
        policy::{self, Rule},
        role::Act,
    },
    api::{answer::internal, format::SUFFIXES, query},
    app::App,
    edge::{Who, address::Client},
    error::{Error, missing},
    repository::Clearance,
    router,
};

/// How a feed can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FeedParameters {
    /// The token of the feed, in place of a key.
    #[schema(max_length = 200)]
    token: Option<String>,
}

pub(super) async fn find(
    State(app): State<App>,
    Path(name): Path<String>,
    actor: Result<Actor, Error>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let parameters: FeedParameters = query::read(query.as_deref())?;
    let suffixed = SUFFIXES.iter().find_map(|(suffix, format)| Some((name.strip_suffix(suffix)?, *format)));
    let (word, format) = suffixed.map_or((name.as_str(), None), |(word, format)| (word, Some(format)));
    let id = Uuid::try_parse(word).map_err(|_| missing("feed", crate::base::text::brief(word)));
    let (feed, reader) = if let Some(token) = &parameters.token {
        // A token is nobody whose requests could be counted, so those of its address are.
        app.edge.count(&Who::Network(client.map(|Extension(client)| client).unwrap_or_default().network()))?;
        if headers.contains_key(header::AUTHORIZATION) {
            return Err(Error::Malformed("send a key or a token, not both".into()));
        }
        let found: Option<FeedToken> = tokens::verify(&mut *app.connection().await?, token).await?;
        let feed = found.filter(|feed| id.as_ref().is_ok_and(|id| *id == feed.id)).ok_or_else(|| {
            Error::Unauthenticated("the token is not valid for this feed: it is mistyped, expired or revoked".into())
        })?;
        let reader = reader(feed.id, &feed.name, &feed.path, &feed.clearance)?;
        (feed, reader)
    } else {
        let actor = actor?;
        actor.may("find_feed")?;
        let id = id?;
        let feed = tokens::find(&mut *app.connection().await?, id).await?.ok_or_else(|| missing("feed", id))?;
        (feed, actor)
    };
    let accept = format
        .map(|format| HeaderValue::from_static(format.media_type()))
        .or_else(|| headers.get(header::ACCEPT).cloned());
    read(&app, &feed.path, reader, accept, headers.get(header::IF_NONE_MATCH).cloned()).await
}

/// The reader that a token is: it may do this one reading, and sees no more than the token says.
pub(super) fn reader(id: Uuid, name: &str, path: &str, clearance: &str) -> Result<Actor, Error> {
    let rule = reading(path).ok_or_else(|| Error::Forbidden("the feed reads nothing any more".into()))?;
    let clearance = if clearance == "public" { Clearance::Public } else { Clearance::Internal };
    Ok(Actor::of_feed(id, name, rule, clearance))
}

/// Makes the reading.
pub(super) async fn read(
    app: &App,
    path: &str,
    reader: Actor,
    accept: Option<HeaderValue>,
    known: Option<HeaderValue>,
) -> Result<Response, Error> {
    let mut request = Request::get(path).body(Body::empty()).map_err(internal)?;
    for (name, value) in [(header::ACCEPT, accept), (header::IF_NONE_MATCH, known)] {
        if let Some(value) = value {
            request.headers_mut().insert(name, value);
        }
    }
    request.extensions_mut().insert(reader);
    router::routes().with_state(app.clone()).oneshot(request).await.map_err(internal)
}

/// The row of the policy for a path that a token can open: a report, the list of a noun, or of what is owed.
pub(super) fn reading(path: &str) -> Option<&'static Rule> {
    let address: Uri = path.parse().ok()?;
    let name = address.path().strip_prefix("/v1/")?;
    let operation = if let Some(report) = name.strip_prefix("reports/") {
        format!("report_{}", report.replace('-', "_"))
    } else {
        let table = name.replace('-', "_");
        let is_known = name == "obligations" || router::nouns().iter().any(|noun| noun.table == table);
        is_known.then(|| format!("list_{table}"))?
    };
    policy::table().iter().find(|rule| rule.operation == operation && rule.act == Act::Read)
}
