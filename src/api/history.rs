//! The history of every noun: what the record knows of one resource.

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    answer::{Form, tagged},
    format::Format,
    handlers::gone,
    operations::Verb,
    past, query,
    target::Target,
};
use crate::error::Error;
use crate::{
    access::Actor,
    app::App,
    repository::{self, Entry, Lookup, Reading, Resource, Stored},
};

/// What the history of a resource can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryParameters {
    /// Changes of a page, 1 to 200; 50 when not given.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// The `next` of the page before.
    #[schema(max_length = 20)]
    pub after: Option<String>,
    /// What was known at this instant (RFC 3339), or at the end of this day in the time zone of the service.
    #[schema(max_length = 40, example = "2026-01-31")]
    pub as_of: Option<String>,
}

/// Tells the changes of one resource, also when it is deleted.
pub async fn history<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    format: Format,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    Verb::History.by::<R>(&actor)?;
    let app = app.seen_by(&actor);
    let parameters: HistoryParameters = query::read(query.as_deref())?;
    let below = match &parameters.after {
        None => i32::MAX,
        Some(word) => word.parse().map_err(|_| {
            Error::BadQuery(vec![repository::Fault {
                pointer: "after".into(),
                code: "bad_cursor".into(),
                detail: "is no cursor of a history; start again without it".into(),
            }])
        })?,
    };
    let limit = parameters.limit.unwrap_or(50);
    let moment = past::moment(&app, parameters.as_of.as_deref()).await?;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, moment, app.clearance).await?;
    let id = match repository::find::<R>(&mut reading, &key).await? {
        Lookup::Found(stored) => stored.id,
        Lookup::Deleted(id) => id,
        Lookup::Missing => return Err(gone::<R, Stored<R>>(&key, Lookup::Missing)),
    };
    let mut entries = repository::history::<R>(&mut reading, id, below, limit + 1).await?;
    reading.end().await?;
    let more = entries.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        entries.pop();
    }
    let next = entries.last().filter(|_| more).map(|entry| entry.version.to_string());
    let form = Form::of::<Entry>(format);
    let body = form.render(form.values(&entries)?, |items| {
        let mut page = json!({"items": items, "next": next});
        past::tell(&mut page, moment);
        page
    })?;
    Ok(past::mark(tagged(&headers, body, format), moment))
}
