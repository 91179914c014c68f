//! `GET /v1/changes/stream`: the changes as they come, as server-sent events.
//!
//! A listener keeps a position and nothing else; it takes what follows from the tail that the sequencer keeps for all, or, when it is behind
//! that, from the database. So a slow reader costs no memory, and is cut off by the time limit of writes like every other.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{future::BoxFuture, stream::unfold};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};
use utoipa::ToSchema;

use super::{
    Stage,
    changes::{Filter, page},
    feed::{check_kinds, cursor, filter_parameters, head_from},
    tail::Event,
};
use crate::{
    access::Actor,
    api::{
        document::{parameters, problems},
        query,
    },
    app::App,
    error::Error,
    repository::{self, Clearance, Reading},
};

/// Where the stream begins.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StreamParameters {
    /// The `next` of a page or the `id` of an event: what follows it. `Last-Event-ID` counts more. Without either, from now on.
    #[schema(max_length = 20)]
    after: Option<String>,
}

const LAST_EVENT_ID: &str = "last-event-id";
/// Events taken at once.
const MOST: usize = 256;
/// After a failure of the database.
const RETRY: Duration = Duration::from_secs(1);

/// Tells changes as they come.
pub(super) async fn stream(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("stream_changes")?;
    check_accept(&headers)?;
    let (mut filter, parameters, _): (Filter, StreamParameters, _) =
        query::read_both(&app, query.as_deref(), &[]).await?;
    check_kinds(&filter)?;
    filter.without_access = !actor.sees_access();
    let last = headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or_default());
    let given = last.map(|word| ("Last-Event-ID", word)).or(parameters.after.as_deref().map(|word| ("after", word)));
    let after = given.map(|(name, word)| cursor(name, word).map(|after| (name, after))).transpose()?;
    // Before the connection goes back: what comes from here on is heard.
    let (head, stage) = (app.record.0.head.subscribe(), app.record.0.stage.subscribe());
    let mut connection = app.connection().await?;
    let now = head_from(&mut connection, after.map_or("after", |(name, _)| name), after.map_or(0, |(_, after)| after));
    let now = now.await?;
    drop(connection);
    let position = after.map_or(now, |(_, after)| after);
    let mut heartbeat = interval_at(Instant::now(), app.record.0.heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let waiting = VecDeque::new();
    let listener = Listener {
        app,
        headers,
        filter: Arc::new(filter),
        position,
        known: now,
        waiting,
        reading: None,
        head,
        stage,
        heartbeat,
    };
    let events = unfold(listener, |mut listener| async {
        let text = listener.next().await?;
        Some((Ok::<_, Infallible>(text), listener))
    });
    // A proxy that collects an answer before it passes it on would collect for ever.
    Ok((
        [(header::CONTENT_TYPE, "text/event-stream"), (header::HeaderName::from_static("x-accel-buffering"), "no")],
        Body::from_stream(events),
    )
        .into_response())
}

fn check_accept(headers: &HeaderMap) -> Result<(), Error> {
    let mut asked = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    let fits = |range: &str| {
        let media = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        ["text/event-stream", "text/*", "*/*"].contains(&media.as_str())
    };
    if asked.peek().is_none() || asked.flat_map(|accept| accept.split(',')).any(fits) {
        return Ok(());
    }
    Err(Error::NotAcceptable("ask for text/event-stream; /v1/changes has the same in other formats".into()))
}

/// One answer without end.
struct Listener {
    app: App,
    /// With the key or token: it is asked for again, because it can be revoked, or end, while the answer lasts.
    headers: HeaderMap,
    filter: Arc<Filter>,
    /// All up to here has been told or left out.
    position: i64,
    /// The last position known to be given.
    known: i64,
    waiting: VecDeque<Arc<Event>>,
    reading: Option<BoxFuture<'static, Result<Read, Error>>>,
    head: watch::Receiver<i64>,
    stage: watch::Receiver<Stage>,
    heartbeat: Interval,
}

/// What follows a position, and how far that goes.
type Read = (VecDeque<Arc<Event>>, i64);

impl Listener {
    /// The next part of the answer; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if *self.stage.borrow() != Stage::Running {
                return None;
            }
            if let Some(event) = self.waiting.pop_front() {
                return Some(event.text.clone());
            }
            self.known = self.known.max(*self.head.borrow_and_update());
            if self.reading.is_none() && self.position < self.known {
                let work =
                    read(self.app.clone(), self.headers.clone(), Arc::clone(&self.filter), self.position, self.known);
                // When the client goes in the middle of it, the connection is not lent again.
                self.reading = Some(Box::pin(repository::stoppable(work)));
            }
            tokio::select! {
                biased;
                _ = self.stage.changed() => {}
                outcome = async { self.reading.as_mut()?.await.into() }, if self.reading.is_some() => {
                    self.reading = None;
                    match outcome {
                        Some(Ok((events, upto))) => (self.waiting, self.position) = (events, upto),
                        Some(Err(error)) if error.is_refusal() => return None,
                        _ => self.reading = Some(Box::pin(again(self.position))),
                    }
                }
                _ = self.heartbeat.tick() => {
                    // While the database is away nobody can say whether the key is good, and nothing is told.
                    let good = timeout(RETRY, repository::stoppable(check(&self.app, &self.headers))).await;
                    if good.is_ok_and(|good| good.is_err_and(|error| error.is_refusal())) {
                        return None;
                    }
                    // A field without data is no event, but the client keeps the id: it resumes here also when its filter took nothing.
                    return Some(format!(": nothing else up to here\nid: {}\n\n", self.position).into());
                }
                changed = self.head.changed(), if self.reading.is_none() => changed.ok()?,
            }
        }
    }
}

/// Nothing, after a while: what failed is tried again.
async fn again(position: i64) -> Result<Read, Error> {
    tokio::time::sleep(RETRY).await;
    Ok((VecDeque::new(), position))
}

async fn read(app: App, headers: HeaderMap, filter: Arc<Filter>, after: i64, head: i64) -> Result<Read, Error> {
    let clearance = check(&app, &headers).await?;
    let shared = &app.record.0;
    if let Some(events) = shared.tail.after(after, MOST, clearance) {
        let (events, upto) = events;
        return Ok((events.into_iter().filter(|event| filter.takes(&event.change)).collect(), upto));
    }
    let _turn = shared.catching_up.acquire().await;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, None, clearance).await?;
    let page = page(&mut reading, &filter, after, head, i64::try_from(MOST).unwrap_or(i64::MAX)).await?;
    reading.end().await?;
    Ok((page.changes.into_iter().map(Event::new).collect(), page.upto))
}

/// Whether the key is still good, and what it may see.
async fn check(app: &App, headers: &HeaderMap) -> Result<Clearance, Error> {
    let _turn = app.record.0.looking_up.acquire().await;
    let actor = Actor::of(headers, app).await?;
    actor.may("stream_changes")?;
    Ok(actor.clearance())
}

/// Adds the operation to the document.
pub(super) fn describe(document: &mut Value) {
    let mut all = parameters::<StreamParameters>();
    all.extend(filter_parameters());
    all.push(json!({"name": "Last-Event-ID", "in": "header", "schema": {"type": "string", "maxLength": 20}, "example": "4711",
        "description": "The `id` of the last event seen, as browsers send it by themselves: the stream goes on after it."}));
    let mut responses = problems(&["not_acceptable"]);
    let text = "id: 4711\nevent: initiative.updated\ndata: {\"position\": 4711, \"kind\": \"initiative\"}\n\n";
    responses.insert(
        "200".into(),
        json!({"description": "An answer without end: an event for each change, named `{kind}.{action}`, its id the position, its data the change as `list_changes` has it.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": text}}}),
    );
    document["paths"]["/v1/changes/stream"] = json!({"get": {"operationId": "stream_changes", "tags": ["changes"],
        "summary": "Tells the changes of all resources as they come (server-sent events).", "parameters": all, "responses": responses}});
}
