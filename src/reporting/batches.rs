//! `POST /v1/progress-report-batches`: many reports led a step further at once: all of them, or none.

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::writes::lead;
use crate::nouns::progress::progress_reports::{ProgressReport, ProgressReportId, ReportState};
use crate::{
    access::{
        Actor,
        own::{self, When},
        policy::Right,
    },
    api::{
        document::{parameters, problems},
        enough::Enough,
        idempotency::{Attempt, Work},
        incoming::Incoming,
        json,
        patch::patched,
        query,
        seen::fetch_seen,
        shape::schemas,
    },
    app::App,
    base::{
        aside::aside,
        values::{ExternalId, Text},
    },
    error::Error,
    proposals::{self, Act},
    repository::{self, Author, Fault, Faults, Isolation, Key, Resource, Stored},
};

/// How a batch can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct BatchParameters {
    /// Only tries it: the answer has a row for each report, and nothing is written.
    dry_run: Option<bool>,
}

/// Reports to be led a step further, in this order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProgressReportBatch {
    /// One row for each report.
    #[schema(min_items = 1, max_items = 500)]
    items: Vec<ProgressReportStep>,
}

/// The frame of a batch; each row is judged by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Frame {
    #[schema(min_items = 1, max_items = 500)]
    #[expect(dead_code, reason = "the rows are taken out of the body; here is their schema")]
    items: Vec<Value>,
}

/// One report of a batch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProgressReportStep {
    /// The report; exactly one of this and `external_id`.
    id: Option<ProgressReportId>,
    /// The caller's own identifier of the report.
    external_id: Option<ExternalId>,
    /// Where it is led. A report that is there already stays as it is.
    state: ReportState,
    /// What has to be changed; needed for `returned`.
    return_note: Option<Text>,
    /// The version that was read; where it is given and old, the row is refused.
    #[schema(minimum = 1)]
    version: Option<i32>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StepOutcome {
    /// It was led a step further.
    Changed,
    /// It was there already.
    Unchanged,
    /// It was not: see `errors`.
    Refused,
}

/// The answer for one row.
#[derive(Debug, Serialize, ToSchema)]
struct StepAnswer {
    /// The place of the row, from 0.
    index: usize,
    /// The report, where it was found.
    id: Option<Uuid>,
    /// As the row has it.
    external_id: Option<String>,
    /// What became of it.
    #[schema(inline)]
    outcome: StepOutcome,
    /// The version that it has now, or would have.
    version: Option<i32>,
    /// Why it was refused; the pointers lead into the batch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

/// What became of a batch.
#[derive(Debug, Default, Serialize, ToSchema)]
struct BatchAnswer {
    /// True when it was only tried.
    dry_run: bool,
    /// True when it is written.
    committed: bool,
    /// Reports led a step further.
    changed: usize,
    /// Reports that were there already.
    unchanged: usize,
    /// Reports that were refused. One is enough, and nothing is written.
    refused: usize,
    /// The acts for which it would stand as proposed and not be written at once, when it was only tried and nothing was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proposed_for: Vec<Act>,
    /// Each row, in the order of the batch.
    rows: Vec<StepAnswer>,
}

/// The route.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/v1/progress-report-batches", post(create))
}

struct Asked {
    /// Each with its faults, where it is none.
    items: Vec<Result<ProgressReportStep, Vec<Fault>>>,
    author: Author,
    right: Right,
    dry_run: bool,
}

async fn create(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming,
) -> Result<Response, Error> {
    let right = actor.right("create_progress_report_batch")?;
    let parameters: BatchParameters = query::read(query.as_deref())?;
    let body = body.read(&app).await?;
    let items = json::items::<Frame>(json::parse(&headers, &body)?).map_err(Error::Invalid)?;
    let items = aside(true, || judged(items));
    let dry_run = parameters.dry_run.unwrap_or_default();
    let asked = Asked { items, author: actor.author(&headers)?, right, dry_run };
    let work: Work<Asked> = |connection, asked| Box::pin(asked.answer(connection));
    attempt.whole(true).once((&app, &actor), &body, Isolation::of::<ProgressReport>(), asked, work).await
}

/// Each row judged by itself, until there are faults enough.
fn judged(items: Vec<Value>) -> Vec<Result<ProgressReportStep, Vec<Fault>>> {
    let mut enough = Enough::default();
    let mut judge = |item| {
        if let Some(fault) = enough.instead() {
            return Err(fault);
        }
        json::decode(item).inspect_err(|faults| enough.count(faults.len()))
    };
    items.into_iter().map(&mut judge).collect()
}

impl Asked {
    async fn answer(&self, connection: &mut PgConnection) -> Result<Response, Error> {
        let mut all = repository::begin(connection, Isolation::Committed).await?;
        let rows = match self.rows(&mut all).await {
            Ok(rows) => rows,
            Err(error) => return Err(repository::give_up(all, error).await),
        };
        let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
        let (changed, unchanged) = (count(StepOutcome::Changed), count(StepOutcome::Unchanged));
        let refused = count(StepOutcome::Refused);
        if refused > 0 && !self.dry_run {
            let faults = rows.into_iter().flat_map(|row| row.errors).collect();
            return Err(repository::give_up(all, Error::Invalid(faults)).await);
        }
        let mut proposed_for = Vec::new();
        if self.dry_run {
            if refused == 0 {
                proposed_for = proposals::waiting_for(&mut all).await?;
            }
            all.rollback().await?;
        } else {
            repository::commit(all).await?;
        }
        let (dry_run, committed) = (self.dry_run, !self.dry_run);
        Ok(Json(BatchAnswer { dry_run, committed, changed, unchanged, refused, proposed_for, rows }).into_response())
    }

    async fn rows(&self, connection: &mut PgConnection) -> Result<Vec<StepAnswer>, Error> {
        let mut rows = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            let mut row = StepAnswer {
                index,
                id: None,
                external_id: None,
                outcome: StepOutcome::Refused,
                version: None,
                errors: Vec::new(),
            };
            let item = match item {
                Ok(item) => item,
                Err(faults) => {
                    row.errors = refusal(index, None, Error::Invalid(faults.clone()))?;
                    rows.push(row);
                    continue;
                }
            };
            row.external_id = item.external_id.as_ref().map(|name| name.0.clone());
            // A savepoint, so that the rows after a refused one are judged too.
            let mut point = repository::begin(connection, Isolation::Committed).await?;
            let outcome = self.row(&mut point, item).await;
            match outcome {
                Ok((outcome, stored)) => {
                    repository::commit(point).await?;
                    (row.outcome, row.id, row.version) = (outcome, Some(stored.id), Some(stored.version));
                }
                Err(error) => {
                    row.id = item.id.map(ProgressReportId::uuid);
                    row.errors = refusal(index, item.version, repository::give_up(point, error).await)?;
                }
            }
            rows.push(row);
        }
        Ok(rows)
    }

    async fn row(
        &self,
        connection: &mut PgConnection,
        item: &ProgressReportStep,
    ) -> Result<(StepOutcome, Stored<ProgressReport>), Error> {
        let key = match (item.id, &item.external_id) {
            (Some(id), None) => Key::Id(id.uuid()),
            (None, Some(name)) => Key::External(name.0.clone()),
            _ => return Err(Error::invalid("id", "exactly_one", "Give exactly one of id and external_id.")),
        };
        let before = fetch_seen::<ProgressReport>(connection, &key, self.right.clearance).await?;
        own::check(connection, self.right.grant, (ProgressReport::KIND, before.id), When::Before).await?;
        if item.version.is_some_and(|version| version != before.version) {
            return Err(Error::Stale(serde_json::to_value(&before).ok()));
        }
        if item.state == before.data.state {
            return Ok((StepOutcome::Unchanged, before));
        }
        let mut patch = json!({"state": item.state});
        if let Some(note) = &item.return_note {
            patch["return_note"] = json!(note);
        }
        let body = patched(&before.data, patch)?;
        let after = lead(connection, &self.author, &before, body, self.right).await?;
        Ok((StepOutcome::Changed, after))
    }
}

/// The faults of a refused row, which was read as this version, with pointers into the batch; any other failure ends the batch.
fn refusal(index: usize, read: Option<i32>, error: Error) -> Result<Vec<Fault>, Error> {
    let mut found = Faults::default();
    match error {
        Error::Invalid(faults) | Error::Conflict(faults) | Error::Archived(faults) | Error::Reserved(faults) => {
            found.0 = faults;
        }
        Error::Forbidden(why) => found.add("", "forbidden", why),
        Error::NotFound(why) => found.add("", "not_found", why),
        Error::Deleted(history) => found.add("", "deleted", format!("it was deleted; its history is at {history}")),
        Error::Stale(current) => {
            let versions = match (read, &current) {
                (Some(read), Some(current)) => format!(" from version {read} to version {}", current["version"]),
                _ => String::new(),
            };
            found.add("version", "stale", format!("it has changed meanwhile{versions}; read it again"));
        }
        other => return Err(other),
    }
    for fault in &mut found.0 {
        fault.pointer = format!("#/items/{index}{}", fault.pointer.trim_start_matches('#'));
    }
    Ok(found.0)
}

/// Adds the operation to the document.
pub(super) fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<ProgressReportBatch>());
        components.extend(schemas::<BatchAnswer>());
    }
    let schema = |name: &str| json!({"schema": {"$ref": format!("#/components/schemas/{name}")}});
    let mut responses = problems(&["conflict", "archived", "too_large", "unsupported_media_type", "invalid"]);
    let done = json!({"description": "A row for each report.", "content": {"application/json": schema("BatchAnswer")}});
    responses.insert("200".into(), done);
    let mut asked = parameters::<BatchParameters>();
    asked.push(json!({"name": "Mandate-Reason", "in": "header", "description": "Why; kept in the record.", "schema": {"type": "string"}}));
    let example = json!({"items": [{"external_id": "erp-4711-2023-03", "state": "accepted"}]});
    document["paths"]["/v1/progress-report-batches"] = json!({"post": {
        "operationId": "create_progress_report_batch", "tags": ["progress-reports"],
        "summary": "Leads up to 500 progress reports a step further: all of them, or none.",
        "description": "The rules are those of PATCH on each. With dry_run the answer has its rows also when some are refused; otherwise the faults point at `#/items/{index}`.",
        "parameters": asked,
        "requestBody": {"required": true, "content": {"application/json": {"schema": schema("ProgressReportBatch")["schema"], "example": example}}},
        "responses": responses}});
}
