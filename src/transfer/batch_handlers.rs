//! `POST /v1/measurement-batches`.

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    batch::{BatchReport, ROWS, write},
    folder::read_section,
    handlers::capped,
};
use crate::{
    access::{Actor, policy::Right},
    api::{
        document::{parameters, problems},
        idempotency::{Attempt, Work},
        incoming::Incoming,
        json, query,
        shape::schemas,
    },
    app::App,
    base::aside::aside,
    error::Error,
    nouns::indicators::Measurement,
    repository::{Author, Isolation, Resource as _},
    router::nouns,
};

/// A batch may have so many bytes.
const LIMIT: usize = 16 << 20;
/// And so many values: 20 a row.
const VALUES: usize = 20 * ROWS;

/// The route.
pub fn routes() -> Router<App> {
    Router::new().route("/v1/measurement-batches", post(create_measurement_batch))
}

/// How a batch can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct BatchParameters {
    /// Only tries it: the answer is the report, and nothing is written.
    dry_run: Option<bool>,
}

/// The frame of a batch; each row is judged by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Frame {
    /// The measurements.
    #[schema(max_items = 10_000)]
    #[expect(dead_code, reason = "the rows are taken out of the body; here is their schema")]
    items: Vec<Value>,
}

/// A batch as it was asked for.
struct Asked {
    headers: HeaderMap,
    /// The rows are read out of it at each attempt, so that they are in memory once.
    body: Bytes,
    author: Author,
    right: Right,
    dry_run: bool,
}

async fn create_measurement_batch(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming<LIMIT>,
) -> Result<Response, Error> {
    let right = actor.right("create_measurement_batch")?;
    let parameters: BatchParameters = query::read(query.as_deref())?;
    let author = actor.author(&headers)?;
    let body = body.read(&app).await?;
    let dry_run = parameters.dry_run.unwrap_or_default();
    let asked = Asked { headers, body: body.clone(), author, right, dry_run };
    let work: Work<Asked> = |connection, asked| {
        Box::pin(async move {
            let rows = aside(true, || rows(&asked.headers, &asked.body))?;
            let report = write(connection, &asked.author, asked.right, rows, asked.dry_run).await?;
            if asked.dry_run || report.committed {
                return Ok(Json(report).into_response());
            }
            Err(capped(Error::Invalid(report.items.into_iter().flat_map(|item| item.errors).collect())))
        })
    };
    attempt.whole(true).once((&app, &actor), &body, Isolation::Committed, asked, work).await
}

/// The rows of a body: JSON, or CSV with the columns of the noun.
fn rows(headers: &HeaderMap, body: &Bytes) -> Result<Vec<Value>, Error> {
    if json::media_type(headers) != "text/csv" {
        return json::items::<Frame>(json::parse_within(headers, body, VALUES)?).map_err(Error::Invalid);
    }
    json::uncompressed(headers)?;
    let noun = nouns().iter().find(|noun| noun.kind == Measurement::KIND);
    Ok(noun.map(|noun| read_section(body, noun, (ROWS, VALUES))).transpose()?.unwrap_or_default())
}

/// Adds the operation to the document.
pub fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<BatchReport>());
    }
    let measurement = json!({"$ref": "#/components/schemas/Measurement"});
    let body = json!({"type": "object", "required": ["items"], "additionalProperties": false,
        "properties": {"items": {"type": "array", "maxItems": ROWS, "items": measurement}}});
    let item = json!({"indicator_id": "0192f0c0-0000-7000-8000-000000000001", "period_from": "2025-01-01", "period_to": "2025-12-31",
        "disaggregation": {"sex": "female"}, "value": "120", "status": "provisional"});
    let mut responses = problems(&["too_large", "unsupported_media_type", "invalid"]);
    responses.insert(
        "200".into(),
        json!({"description": "What became of each row.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BatchReport"}}}}),
    );
    let mut all = parameters::<BatchParameters>();
    all.push(json!({"name": "Mandate-Reason", "in": "header", "description": "Why; kept in the record.", "schema": {"type": "string"}}));
    document["paths"]["/v1/measurement-batches"] = json!({"post": {
        "operationId": "create_measurement_batch", "tags": ["measurements"],
        "summary": "Writes up to 10,000 measurements: all of them, or none.",
        "description": "A row whose indicator, period, disaggregation and `restates_id` are those of a measurement that is there changes the fields that it names, unless that is final; every other row is created. The answer has an item for each row, in the order of the request. CSV has the columns of a measurement, `disaggregation.sex` for a dimension. With dry_run the answer is a report also when rows are refused.",
        "parameters": all,
        "requestBody": {"required": true, "content": {
            "application/json": {"schema": body, "example": {"items": [item]}},
            "text/csv": {"schema": {"type": "string"},
                "example": "indicator_id,period_from,period_to,value,status\r\nexternal:trained,2025-01-01,2025-12-31,120,final\r\n"}}},
        "responses": responses
    }});
}
