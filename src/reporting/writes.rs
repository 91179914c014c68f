//! The writes of progress reports: those of every noun, with who leads a report a step further, and what its submission moves.

use axum::{
    Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use serde_json::Value;
use sqlx::PgConnection;

use super::submission::submit;
use crate::nouns::progress::progress_reports::{OF_STATE, ProgressReport, ReportState};
use crate::{
    access::{
        Actor,
        own::{self, When},
        policy::Right,
    },
    api::{
        answer::{created, one},
        format::suffixed,
        handlers::{self, add, change, gone, history_of, with_external_id},
        history::history,
        idempotency::{Attempt, Work, perform},
        incoming::Incoming,
        json,
        list::list,
        operations::Verb,
        patch::patched,
        precondition,
        query::{self, NoParameters},
        rehearsal::{ChangeParameters, rehearse},
        seen::{accept_seen, fetch_seen, look, still_classified},
        target::Target,
    },
    app::App,
    error::Error,
    repository::{Author, Isolation, Key, Lookup, Resource, Stored},
};

type Report = ProgressReport;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/progress-reports", get(list::<Report>).post(create))
        .route(
            "/v1/progress-reports/{id}",
            get(handlers::find::<Report>).put(replace).patch(patch).delete(handlers::delete::<Report>),
        )
        .route("/v1/progress-reports/{id}/history", get(history::<Report>))
        .merge(suffixed("/v1/progress-reports", &get(list::<Report>)))
        .merge(suffixed("/v1/progress-reports/{id}/history", &get(history::<Report>)))
}

async fn create(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    let right = Verb::Create.by::<Report>(&actor)?;
    query::read::<NoParameters>(query.as_deref())?;
    let body = body.read(&app).await?;
    let fields = json::parse(&headers, &body)?;
    let input = (fields, actor.author(&headers)?, right);
    attempt
        .whole(true)
        .once((&app, &actor), &body, Isolation::of::<Report>(), input, |connection, (fields, author, right)| {
            Box::pin(async move { created(&begin(connection, author, fields.clone(), *right).await?) })
        })
        .await
}

async fn replace(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    let right = Verb::Replace.by::<Report>(&actor)?;
    query::read::<NoParameters>(query.as_deref())?;
    let body = body.read(&app).await?;
    let body = with_external_id(json::parse(&headers, &body)?, &key)?;
    let mut connection = app.connection().await?;
    let input = (key, body, actor.author(&headers)?, headers, right);
    let isolation = Some(Isolation::of::<Report>());
    perform(&mut connection, isolation, &input, |connection, (key, body, author, headers, right)| {
        Box::pin(async move {
            let before = match (key, look::<Report>(connection, key, right.clearance).await?) {
                (_, Lookup::Found(stored)) => stored,
                (Key::External(_), lookup @ (Lookup::Deleted(_) | Lookup::Missing)) => {
                    precondition::check_absent(headers, history_of::<Report, _>(&lookup))?;
                    return created(&begin(connection, author, body.clone(), *right).await?);
                }
                (_, lookup) => return Err(gone::<Report, _>(key, lookup)),
            };
            own::check(connection, right.grant, (Report::KIND, before.id), When::Before).await?;
            precondition::check(headers, &before)?;
            let body = still_classified(body.clone(), &before.data)?;
            let led = lead(connection, author, &before, body, *right).await;
            one(&led.map_err(|error| precondition::overtaken(headers, error))?)
        })
    })
    .await
}

async fn patch(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    let right = Verb::Patch.by::<Report>(&actor)?;
    let asked: ChangeParameters = query::read(query.as_deref())?;
    let body = body.read(&app).await?;
    let patch = json::parse_patch(&headers, &body)?;
    let work: Work<(Key, Value, Author, HeaderMap, Right)> = |connection, (key, patch, author, headers, right)| {
        Box::pin(async move {
            let before = fetch_seen::<Report>(connection, key, right.clearance).await?;
            own::check(connection, right.grant, (Report::KIND, before.id), When::Before).await?;
            precondition::check(headers, &before)?;
            let body = patched(&before.data, patch.clone())?;
            let led = lead(connection, author, &before, body, *right).await;
            one(&led.map_err(|error| precondition::overtaken(headers, error))?)
        })
    };
    let input = (key, patch, actor.author(&headers)?, headers, right);
    if asked.dry_run.unwrap_or_default() {
        let mut connection = app.connection().await?;
        return rehearse::<Report, _>(&mut connection, (&input.0, right.clearance), &input, work).await;
    }
    attempt.whole(true).once((&app, &actor), &body, Isolation::of::<Report>(), input, work).await
}

/// Writes a new report, as a draft or submitted at once.
async fn begin(
    connection: &mut PgConnection,
    author: &Author,
    body: Value,
    right: Right,
) -> Result<Stored<Report>, Error> {
    let data = accept_seen::<Report>(connection, body, None, right.clearance).await?;
    if ReportState::OF_COORDINATOR.contains(&data.state) {
        let detail = format!("A new report is a draft or submitted; {} comes later.", data.state.word());
        return Err(conflict(Error::invalid("state", "transition", detail)));
    }
    let stored = add(connection, author, &data, right).await?;
    if data.state == ReportState::Submitted {
        submit(connection, author, &stored, right).await?;
    }
    Ok(stored)
}

/// Changes a report, and leads it a step further where its state is another than before.
pub(super) async fn lead(
    connection: &mut PgConnection,
    author: &Author,
    before: &Stored<Report>,
    body: Value,
    right: Right,
) -> Result<Stored<Report>, Error> {
    let wanted = body["state"].as_str().filter(|word| *word != before.data.state.word());
    let is_of_coordinator =
        wanted.is_some_and(|word| ReportState::OF_COORDINATOR.iter().any(|state| state.word() == word));
    if right.grant.is_own() && is_of_coordinator {
        return Err(Error::Forbidden(
            "it is the coordinator who returns, accepts, consolidates and publishes reports; yours is to draft and to submit them"
                .into(),
        ));
    }
    let data = accept_seen::<Report>(connection, body, Some(&before.data), right.clearance).await.map_err(conflict)?;
    let is_step = data.state != before.data.state;
    let stored = change(connection, author, before, &data, right).await?;
    if is_step && data.state == ReportState::Submitted {
        submit(connection, author, &stored, right).await?;
    }
    Ok(stored)
}

/// What the state of the report does not allow is a conflict, with all other faults beside it.
fn conflict(error: Error) -> Error {
    match error {
        Error::Invalid(faults) if faults.iter().any(|fault| OF_STATE.contains(&fault.code.as_str())) => {
            Error::Conflict(faults)
        }
        other => other,
    }
}
