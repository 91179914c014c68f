//! `POST /v1/imports/iati` and `GET /v1/exports/iati`.

use std::io::BufReader;

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    export::{Exported, Selection, export},
    import::import,
    mapping::Given,
    report::{IatiReport, Kept},
};
use crate::{
    access::Actor,
    api::{
        document::{parameters, problems},
        idempotency::{Attempt, Work},
        incoming::Incoming,
        json, past, query,
        shape::schemas,
    },
    app::App,
    base::values::{Classification, codelists, word},
    error::Error,
    nouns::international::contributions::ContributionDirection,
    repository::{Author, Clearance, Fault, Isolation, Reading},
    transfer::handlers::first_of,
};

/// A file may have so many bytes.
const LIMIT: usize = 64 << 20;
const IMPORT: &str = "/v1/imports/iati";
const EXPORT: &str = "/v1/exports/iati";
/// How many contributions an export had to leave out.
const LEFT_OUT: HeaderName = HeaderName::from_static("mandate-left-out");

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route(IMPORT, post(import_iati)).route(EXPORT, get(export_iati))
}

/// How an import can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = IatiImportParameters)]
struct ImportParameters {
    /// Needed: whether the activities of the file were given by the country of the service, or received.
    direction: Option<ContributionDirection>,
    /// Only tries it: the answer is the report, and nothing is written.
    dry_run: Option<bool>,
    /// Takes the activities that can be taken, also when others are refused; the report names those.
    partial: Option<bool>,
    /// The language (ISO 639-1) of narratives that name none, in activities that name none; else it is the first of the service.
    #[schema(min_length = 2, max_length = 2, example = "en")]
    language: Option<String>,
    /// How far new contributions and partners may be known; `internal` when not given.
    classification: Option<Classification>,
}

/// What an export can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = IatiExportParameters)]
struct ExportParameters {
    /// Only these contributions: ids, or `external:` and external ids; may be repeated.
    contribution_id: Vec<String>,
    /// Only given, or only received ones.
    direction: Option<ContributionDirection>,
    /// Also what is not public, as far as the key sees it. Without it the file holds only what everybody may know.
    all: Option<bool>,
    /// As the record had it at this instant (RFC 3339), or at the end of this day in the time zone of the service.
    #[schema(max_length = 40, example = "2026-01-31")]
    as_of: Option<String>,
}

/// An import as it was asked for.
struct Asked {
    body: Bytes,
    given: Given,
    dry_run: bool,
    author: Author,
}

async fn import_iati(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming<LIMIT>,
) -> Result<Response, Error> {
    actor.may("import_iati")?;
    let parameters: ImportParameters = query::read(query.as_deref())?;
    if !["application/xml", "text/xml"].contains(&json::media_type(&headers).as_str()) {
        let detail = "send a file of IATI activities, with the header `Content-Type: application/xml`";
        return Err(Error::UnsupportedMediaType(detail.into()));
    }
    json::uncompressed(&headers)?;
    let fault = |pointer: &str, code: &str, detail: &str| {
        Error::BadQuery(vec![Fault { pointer: pointer.into(), code: code.into(), detail: detail.into() }])
    };
    let direction = parameters.direction.map(word);
    let direction = direction.ok_or_else(|| {
        fault(
            "direction",
            "required",
            "must say whether the activities were `given` by the country of the service, or `received`",
        )
    })?;
    if parameters.language.as_deref().is_some_and(|language| !codelists::is_language(language)) {
        return Err(fault("language", "unknown_code", "must be a language of ISO 639-1, such as `en`"));
    }
    let given = Given {
        direction,
        language: parameters.language,
        ours: app.iati.as_ref().clone(),
        classification: parameters.classification.map(word),
        partial: parameters.partial.unwrap_or_default(),
    };
    let author = actor.author(&headers)?;
    let body = body.read(&app).await?;
    let asked = Asked { body: body.clone(), given, dry_run: parameters.dry_run.unwrap_or_default(), author };
    let work: Work<Asked> = |connection, asked| {
        Box::pin(async move {
            let source = BufReader::with_capacity(1 << 16, &asked.body[..]);
            let mut kept = Kept::default();
            let keep = |row| kept.keep(row);
            let report = import(connection, &asked.author, source, &asked.given, asked.dry_run, keep).await?;
            if asked.dry_run || report.committed {
                return Ok(Json(IatiReport { rows: kept.rows, ..report }).into_response());
            }
            Err(first_of(kept.rows.into_iter().flat_map(|row| row.errors).collect(), kept.faults))
        })
    };
    attempt.once((&app, &actor), &body, Isolation::Committed, asked, work).await
}

async fn export_iati(State(app): State<App>, actor: Actor, RawQuery(query): RawQuery) -> Result<Response, Error> {
    actor.may("export_iati")?;
    let app = app.seen_by(&actor);
    let parameters: ExportParameters = query::read(query.as_deref())?;
    let clearance = if parameters.all.unwrap_or_default() { app.clearance } else { Clearance::Public };
    let moment = past::moment(&app, parameters.as_of.as_deref()).await?;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, moment, clearance).await?;
    let selection = Selection { names: parameters.contribution_id, direction: parameters.direction.map(word) };
    let Exported { bytes, left_out } = export(&mut reading, &selection, &app.iati).await?;
    reading.end().await?;
    let mut response = ([(header::CONTENT_TYPE, "application/xml")], bytes).into_response();
    response.headers_mut().insert(LEFT_OUT, left_out.contributions.into());
    Ok(past::mark(response, moment))
}

/// Adds the operations to the document.
pub fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<IatiReport>());
    }
    let reason = json!({"name": "Mandate-Reason", "in": "header", "description": "Why; kept in the record.", "schema": {"type": "string"}});
    let mut of_import = parameters::<ImportParameters>();
    for parameter in &mut of_import {
        if parameter["name"] == "direction" {
            parameter["required"] = true.into();
        }
    }
    of_import.push(reason);
    let answer = |words: &str, kind: &str, schema: Value, wrong: &[&str]| {
        let mut all = problems(wrong);
        all.insert("200".into(), json!({"description": words, "content": {kind: {"schema": schema}}}));
        all
    };
    let example = "<iati-activities version=\"2.03\"><iati-activity><iati-identifier>XM-DAC-9-1</iati-identifier><reporting-org ref=\"XM-DAC-9\" type=\"10\"><narrative>Agency</narrative></reporting-org><title><narrative xml:lang=\"en\">Exercises</narrative></title><description><narrative xml:lang=\"en\">Two exercises</narrative></description><participating-org role=\"1\" ref=\"XM-DAC-9\"/><activity-status code=\"2\"/><activity-date type=\"2\" iso-date=\"2025-03-01\"/></iati-activity></iati-activities>";
    let report = json!({"$ref": "#/components/schemas/IatiReport"});
    document["paths"][IMPORT] = json!({"post": {
        "operationId": "import_iati", "tags": ["contributions"],
        "summary": "Imports a file of IATI 2.03 activities as contributions: all of them, or none.",
        "description": "The file is judged by the published schema. The iati-identifier is the external id: a contribution that is there is changed, and what an activity has no place for stays as it is. What a contribution has no place for, and a value that it does not allow, is left out and listed in `left_out`. With `partial` the activities that can be taken are taken, also when others are refused. With dry_run the answer is a report also when activities are refused.",
        "parameters": of_import,
        "requestBody": {"required": true, "content": {"application/xml": {"schema": {"type": "string"}, "example": example}}},
        "responses": answer("The report.", "application/json", report, &["malformed", "too_large", "unsupported_media_type", "invalid"])
    }});
    document["paths"][EXPORT] = json!({"get": {
        "operationId": "export_iati", "tags": ["contributions"],
        "summary": "Exports contributions as a file of IATI 2.03 activities.",
        "description": "Only what is public, unless `all` is true. The file is valid by the published schema. A contribution that lacks what IATI asks for is left out: a comment at the end of the file says what to enter, and the header Mandate-Left-Out how many there are. Where nothing is left, where `contribution_id` names it, or where the service (MANDATE_IATI_ORG_REF, _TYPE, _NAME) lacks something, that is a conflict.",
        "parameters": parameters::<ExportParameters>(),
        "responses": answer("The file.", "application/xml", json!({"type": "string"}), &["not_found", "conflict"])
    }});
}
