//! The list of every noun: pages, and whole lists as a stream.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    body::Body,
    extract::{OriginalUri, RawQuery, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;

use super::{
    answer::{Form, internal, show, tagged, values, with_next},
    cursor::Cursor,
    format::Format,
    operations::Verb,
    past,
    query::{self, Listing, bad_cursor},
};
use crate::error::Error;
use crate::{
    access::Actor,
    app::App,
    repository::{self, Listed, Reading, Resource, Stored},
};

/// Lists the resources of a noun.
pub async fn list<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    Verb::List.by::<R>(&actor)?;
    let app = app.seen_by(&actor);
    let mut listing = query::listing::<R>(&app, query.as_deref()).await?;
    listing.view.by::<R>(&actor)?;
    let form = listing.view.form::<R>(format);
    if matches!(format, Format::Csv | Format::Ndjson) && !listing.limited {
        return stream::<R>(app, listing, form).await;
    }
    let moment = listing.moment;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, moment, app.clearance).await?;
    let (mut count, mut withheld) = (None, None);
    if listing.count {
        count = Some(repository::count::<R>(&mut reading, &listing.filter, &listing.common).await?);
        withheld = Some(repository::withheld(&mut reading, app.clearance, moment, R::TABLE).await?);
    }
    let (rows, next) = page::<R>(&mut reading, &mut listing).await?;
    let response = if format == Format::Json && listing.view.is_plain() {
        #[derive(Serialize)]
        struct Page<'a, R: Resource> {
            items: Vec<&'a Stored<R>>,
            next: &'a Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            count: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            withheld: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            as_of: Option<String>,
        }
        let items: Vec<_> = rows.iter().map(|row| &row.stored).collect();
        // About as much as such a page takes: growing to it step by step costs a few percent.
        let mut body = Vec::with_capacity(items.len() * 1024);
        serde_json::to_writer(&mut body, &Page { items, next: &next, count, withheld, as_of: moment.map(past::text) })
            .map_err(internal)?;
        tagged(&headers, body, format)
    } else {
        let mut items = values(rows.into_iter().map(|row| row.stored))?;
        show(&app, &mut reading, &listing.view, R::REFERENCES, &mut items).await?;
        let body = form.render(items, |items| {
            let mut page = json!({"items": items, "next": next});
            if let Some(count) = count {
                page["count"] = count.into();
                page["withheld"] = withheld.into();
            }
            past::tell(&mut page, moment);
            page
        })?;
        tagged(&headers, body, format)
    };
    reading.end().await?;
    let response = with_next(response, &uri, next.as_deref())?;
    Ok(past::mark(response, moment))
}

/// One page, and the cursor of the next.
async fn page<R: Resource>(
    connection: &mut PgConnection,
    listing: &mut Listing<R>,
) -> Result<(Vec<Listed<R>>, Option<String>), Error> {
    let limit = listing.window.limit;
    let mut window = listing.window.clone();
    window.limit = limit + 1;
    let rows = repository::list::<R>(connection, &listing.filter, &listing.common, &window).await;
    // All other values of a query have been judged, so what PostgreSQL cannot read is what a made-up cursor says.
    let mut rows = rows.map_err(|error| match error.sqlstate().as_deref() {
        Some("22003" | "22007" | "22008" | "22P02") if window.after.is_some() => Error::BadQuery(vec![bad_cursor()]),
        _ => error.into(),
    })?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        rows.pop();
    }
    let next = rows.last().filter(|_| more).map(|last| {
        listing.window.after = Some((last.sort.clone(), last.stored.id));
        let language = listing.window.spelling.as_ref().map(|spelling| spelling.language().to_owned());
        Cursor { order: listing.order.clone(), language, values: last.sort.clone(), id: last.stored.id }.encode()
    });
    Ok((rows, next))
}

/// All rows of a list, page by page out of one snapshot, in memory that does not grow.
async fn stream<R: Resource>(app: App, mut listing: Listing<R>, form: Form) -> Result<Response, Error> {
    const ROWS: i64 = 500;
    listing.window.limit = ROWS;
    let moment = listing.moment;
    let media_type = form.format.media_type();
    let mut connection = app.connection().await?;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(4);
    let whole = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&whole);
    tokio::spawn(async move {
        let work = async {
            let mut reading = Reading::snapshot(&mut connection, moment, app.clearance).await?;
            if form.format == Format::Csv {
                let _ = sender.send(form.header().into()).await;
            }
            loop {
                let (rows, next) = page::<R>(&mut reading, &mut listing).await?;
                let mut items = values(rows.into_iter().map(|row| row.stored))?;
                show(&app, &mut reading, &listing.view, R::REFERENCES, &mut items).await?;
                let mut bytes = Vec::new();
                for item in items {
                    bytes.extend(form.line(item)?);
                }
                if sender.send(bytes.into()).await.is_err() || next.is_none() {
                    break;
                }
            }
            reading.end().await?;
            Ok::<(), Error>(())
        };
        match work.await {
            Ok(()) => done.store(true, Ordering::Release),
            Err(error) => tracing::error!(?error, "an export broke off"),
        }
        drop(sender);
    });
    // Without the word of the task that all was sent, be it for an error or a panic, the answer breaks off: half a list must not look whole.
    let stream = futures_util::stream::unfold(Some(receiver), move |receiver| {
        let whole = Arc::clone(&whole);
        async move {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(part) => Some((Ok(part), Some(receiver))),
                None if whole.load(Ordering::Acquire) => None,
                None => Some((Err(std::io::Error::other("the export broke off")), None)),
            }
        }
    });
    let response = ([(header::CONTENT_TYPE, media_type)], Body::from_stream(stream)).into_response();
    Ok(past::mark(response, moment))
}
