//! `/v1/documents`: the captured copies that evidence names, kept once for each content under its SHA-256 (decision 0022).

mod arriving;
mod describe;
mod media;
mod store;

use axum::{
    Router,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::stream;

use self::store::{Digests, Erasure, Kept, Upload};
use crate::{
    access::Actor,
    api::{
        answer::{RECEIPT, internal, receipt_header},
        idempotency::{Attempt, Work, perform},
        precondition,
        query::{self, NoParameters},
    },
    app::App,
    base::text::brief,
    error::Error,
    repository::{Author, Fault, Isolation, Reading},
};

pub use self::{arriving::Intake, describe::describe, store::KIND};

/// The path of uploads.
pub const PATH: &str = "/v1/documents";

/// Nothing in it is loaded, run, sent or framed, also where somebody opens it in spite of all.
const SANDBOX: &str = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route(PATH, post(upload)).route("/v1/documents/{sha256}", get(download).delete(erase))
}

async fn upload(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, Error> {
    actor.may("upload_document")?;
    let parameters = query::read(query.as_deref())?;
    let author = actor.author(&headers)?;
    let arrived = arriving::take(&parameters, &headers, body, &app.intake).await?;
    // What stands for the bytes in the fingerprint of an Idempotency-Key.
    let sha256 = arrived.sha256.clone();
    let work: Work<(arriving::Arrived, Author)> = |connection, (arrived, author)| {
        Box::pin(async move {
            match store::keep(connection, author, arrived).await? {
                Upload::New(kept, receipt) => {
                    let mut response = answer(StatusCode::CREATED, &kept)?;
                    response.headers_mut().insert(RECEIPT, receipt_header(&receipt)?);
                    Ok(response)
                }
                Upload::There(kept) => answer(StatusCode::OK, &kept),
                Upload::Erased(id) => {
                    let detail = format!("this document was erased, and is not taken again; {} says why", history(id));
                    Err(conflict("erased", &detail))
                }
                // The next attempt finds it new.
                Upload::Swept => Err(Error::Contended),
            }
        })
    };
    let input = (arrived, author);
    attempt.whole(true).once((&app, &actor), sha256.as_bytes(), Isolation::Committed, input, work).await
}

fn answer(status: StatusCode, kept: &Kept) -> Result<Response, Error> {
    let body = serde_json::to_vec(kept).map_err(internal)?;
    let location = HeaderValue::from_str(&format!("{PATH}/{}", kept.sha256)).map_err(internal)?;
    let kind = HeaderValue::from_static("application/json");
    Ok((status, [(header::CONTENT_TYPE, kind), (header::LOCATION, location)], body).into_response())
}

async fn download(
    State(app): State<App>,
    actor: Actor,
    Path(sha256): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("download_document")?;
    query::read::<NoParameters>(query.as_deref())?;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, None, actor.clearance()).await?;
    let found = store::find(&mut reading, &named(&sha256)?).await?;
    reading.end().await?;
    // The same words whether it is not there or not to be seen.
    let kept = found.ok_or_else(|| unknown(&sha256))?;
    if kept.is_erased {
        return Err(Error::Deleted(history(kept.id)));
    }
    let tag = HeaderValue::from_str(&format!("\"{}\"", kept.sha256)).map_err(internal)?;
    let vary = (header::VARY, HeaderValue::from_static("authorization"));
    if precondition::not_modified(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag), vary]).into_response());
    }
    let Some(digests) = store::digests(&mut connection, &kept).await? else {
        tracing::error!(sha256 = kept.sha256, "the kept bytes of a document are damaged");
        let detail = "the bytes that are kept are damaged, and are not shown; upload the document again, which replaces them, or restore a backup";
        return Err(conflict("damaged", detail));
    };
    drop(connection);
    let extension = media::named(&kept.media_type).map_or("bin", |media_type| media_type.extension);
    let name = format!("attachment; filename=\"{}.{extension}\"", &kept.sha256[..16]);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_str(&kept.media_type).map_err(internal)?),
        (header::CONTENT_LENGTH, kept.size.into()),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(internal)?),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX)),
        (header::ETAG, tag),
        vary,
    ];
    Ok((headers, bytes(app, kept, digests)).into_response())
}

/// The parts one after the other, each held against the digest that it had when the whole was verified: one that is another now breaks the answer
/// off. No connection is held while the client reads.
fn bytes(app: App, kept: Kept, digests: Digests) -> Body {
    let parts = (0..).zip(digests);
    Body::from_stream(stream::try_unfold((app, kept, parts), async |(app, kept, mut parts)| {
        let Some((number, digest)) = parts.next() else { return Ok(None) };
        let mut connection = app.connection().await.map_err(|_| std::io::Error::other("no connection"))?;
        let part = store::part(&mut connection, kept.id, number).await.map_err(std::io::Error::other)?;
        drop(connection);
        let part = part.filter(|part| store::digest(part) == digest);
        let part = part.ok_or_else(|| std::io::Error::other("a part has changed since it was verified"))?;
        Ok::<_, std::io::Error>(Some((part, (app, kept, parts))))
    }))
}

async fn erase(
    State(app): State<App>,
    actor: Actor,
    Path(sha256): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("erase_document")?;
    query::read::<NoParameters>(query.as_deref())?;
    let author = actor.author(&headers)?;
    let sha256 = named(&sha256)?;
    if author.reason.is_none() {
        return Err(Error::Invalid(vec![Fault {
            pointer: "Mandate-Reason".into(),
            code: "needs_reason".into(),
            detail: "Say in the header Mandate-Reason why it is erased; that cannot be undone.".into(),
        }]));
    }
    let mut connection = app.connection().await?;
    perform(&mut connection, Some(Isolation::Committed), &(sha256, author), |connection, (sha256, author)| {
        Box::pin(async move {
            match store::erase(connection, author, sha256).await? {
                Erasure::Done(receipt) => {
                    Ok((StatusCode::NO_CONTENT, [(RECEIPT, receipt_header(&receipt)?)]).into_response())
                }
                Erasure::Before(id) => Err(Error::Deleted(history(id))),
                Erasure::Unknown => Err(unknown(sha256)),
            }
        })
    })
    .await
}

/// The hash in a path, in lower case.
fn named(word: &str) -> Result<String, Error> {
    let is_hash = word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { Ok(word.to_ascii_lowercase()) } else { Err(unknown(word)) }
}

fn unknown(word: &str) -> Error {
    Error::NotFound(format!("there is no document with the SHA-256 {}", brief(word)))
}

/// Where the record of a document is; it is shown to those who may see everything.
fn history(id: uuid::Uuid) -> String {
    format!("/v1/changes?kind={KIND}&resource_id={id}")
}

fn conflict(code: &str, detail: &str) -> Error {
    Error::Conflict(vec![Fault { pointer: "#".into(), code: code.into(), detail: detail.into() }])
}
