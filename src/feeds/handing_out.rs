//! `/v1/feed-tokens`: tokens made, listed and revoked.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    reading::{read, reader, reading},
    tokens::{self, FeedToken, Opens},
};
use crate::{
    access::Actor,
    api::{
        answer::{Form, whole},
        format::Format,
        json,
        query::{self, NoParameters},
    },
    app::App,
    error::{Error, Failure, missing},
    repository::{self, Clearance, Faults},
};

/// A token lives so many days, where nothing else is said, and at most.
const DAYS: i32 = 365;

/// How much a feed shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Shows {
    /// What is public.
    Public,
    /// What is public or internal.
    #[default]
    Internal,
}

/// A token to be made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FeedTokenInput {
    /// The report or list that it opens, with its filters.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^/v1/[^\s#]+$",
        example = "/v1/reports/plan?strategy_id=external:tr13-plan"
    )]
    path: String,
    /// What it is for, such as whose workbook.
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$", example = "budget workbook of the ministry")]
    name: String,
    /// What it shows: `internal` when not given. What is restricted is in no feed.
    #[serde(default)]
    #[schema(inline)]
    clearance: Shows,
    /// Days until it ends; 365 when not given.
    #[schema(minimum = 1, maximum = 365)]
    days: Option<i32>,
}

/// A token just made, with its text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedFeedToken {
    /// The token; shown this once.
    token: String,
    /// Where the feed is read with it, on this service, as CSV; also with `.ndjson`, `.json` and `.txt`.
    address: String,
    #[serde(flatten)]
    kept: FeedToken,
}

pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_feed_tokens")?;
    query::read::<NoParameters>(query.as_deref())?;
    let found = tokens::list::<FeedToken>(&mut *app.connection().await?, &[]).await?;
    whole(&headers, &found, &Form::of::<FeedToken>(format), None, None)
}

/// No `Attempt` here: the answer of an idempotency key is kept, and with it the token would be.
pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Error> {
    actor.may("create_feed_token")?;
    query::read::<NoParameters>(query.as_deref())?;
    let input: FeedTokenInput = json::decode(json::parse(&headers, &body)?).map_err(Error::Invalid)?;
    let Some(rule) = reading(&input.path) else {
        let detail = "must be the path of a report or of a list, such as /v1/reports/plan?strategy_id=code:S; without a suffix such as .csv: \
                      the format is chosen by the address of the feed";
        return Err(Error::invalid("path", "not_allowed", detail));
    };
    // Nobody hands out what he may not read.
    actor.may(&rule.operation)?;
    if actor.clearance() == Clearance::Public && input.clearance != Shows::Public {
        return Err(Error::invalid("clearance", "not_allowed", "You do not see that much yourself; give public."));
    }
    try_out(&app, &input).await?;
    let opens = Opens { path: Some(&input.path), is_public: input.clearance == Shows::Public, ..Opens::default() };
    let mut connection = app.connection().await?;
    let of = (input.name.as_str(), input.days.unwrap_or(DAYS));
    let (token, kept): (String, FeedToken) =
        tokens::make(&mut connection, &opens, of, &actor.principal()).await.map_err(repository::Error::at_commit)?;
    let address = format!("/v1/feeds/{}.csv?token={token}", kept.id);
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, headers, Json(CreatedFeedToken { token, address, kept })).into_response())
}

/// Reads it once, as its reader: a filter that is not understood, or names what is not there for him, is said now.
async fn try_out(app: &App, input: &FeedTokenInput) -> Result<(), Error> {
    let clearance = if input.clearance == Shows::Public { "public" } else { "internal" };
    let reader = reader(Uuid::nil(), &input.name, &input.path, clearance)?;
    let response = read(app, &input.path, reader, None, None).await?;
    let Some(failure) = response.extensions().get::<Failure>() else { return Ok(()) };
    let problem = failure.0.problem();
    if problem.status >= 500 {
        return Err(Error::Unavailable("the reading cannot be tried now; try again".into()));
    }
    let mut faults = Faults::default();
    for fault in &problem.errors {
        faults.add("path", &fault.code, format!("{}: {}", fault.pointer, fault.detail));
    }
    if faults.0.is_empty() {
        faults.add("path", &problem.code, problem.detail);
    }
    Err(Error::Invalid(faults.0))
}

pub(super) async fn revoke(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Error> {
    actor.may("delete_feed_token")?;
    query::read::<NoParameters>(query.as_deref())?;
    let unknown = || missing("feed_token", crate::base::text::brief(&id));
    let uuid = Uuid::try_parse(&id).map_err(|_| unknown())?;
    let mut connection = app.connection().await?;
    match tokens::revoke::<FeedToken>(&mut connection, uuid).await.map_err(repository::Error::at_commit)? {
        Some(true) => Ok(StatusCode::NO_CONTENT),
        Some(false) => Err(Error::Deleted("/v1/feed-tokens".into())),
        None => Err(unknown()),
    }
}
