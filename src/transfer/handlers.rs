//! Imports and exports over HTTP.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    export::{export, strategy_id},
    import::{Report, import},
    schema::{frame, plan_schema},
};
use crate::{
    access::{Actor, Role},
    api::{
        Error,
        document::problems,
        json,
        query::{self, NoParameters},
        shape::schemas,
    },
    app::App,
    repository::Fault,
    router::nouns,
};

/// A plan file may have so many bytes.
const LIMIT: usize = 64 << 20;
/// A problem names so many faults.
const FAULTS: usize = 1000;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/imports", post(import_plan).layer(DefaultBodyLimit::max(LIMIT)))
        .route("/v1/exports/plan", get(export_plan))
        .route("/schemas/plan.json", get(find_schema))
}

/// How an import can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ImportParameters {
    /// Only tries it: the answer is the report, and nothing is written.
    dry_run: Option<bool>,
}

/// What an export can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ExportParameters {
    /// Only this strategy and what it refers to: its id, or `external:` and its external id.
    #[schema(min_length = 1, max_length = 300)]
    strategy_id: Option<String>,
}

async fn import_plan(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Report>, Error> {
    actor.needs(Role::Admin)?;
    let parameters: ImportParameters = query::read(query.as_deref())?;
    if json::media_type(&headers) != "application/json" {
        return Err(Error::UnsupportedMediaType(
            "send a plan file, with the header `Content-Type: application/json`".into(),
        ));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge(format!(
            "a plan file may have at most {LIMIT} bytes here; split it, or use `mandate import`"
        )),
        _ => Error::Malformed("the body broke off".into()),
    })?;
    let author = actor.author(&headers)?;
    let mut connection = app.connection().await?;
    let dry_run = parameters.dry_run.unwrap_or_default();
    let report = import(&mut connection, nouns(), &author, &body, dry_run, |_, _| {}).await?;
    if dry_run || report.committed {
        return Ok(Json(report));
    }
    Err(Error::Invalid(faults(report)))
}

/// The first faults of an import, and how many more there are.
fn faults(report: Report) -> Vec<Fault> {
    let all: usize = report.rows.iter().map(|row| row.errors.len()).sum();
    let mut faults: Vec<Fault> = report.rows.into_iter().flat_map(|row| row.errors).take(FAULTS).collect();
    if all > FAULTS {
        faults.push(Fault {
            pointer: "#".into(),
            code: "more".into(),
            detail: format!("{} more faults are not shown; `dry_run=true` shows all", all - FAULTS),
        });
    }
    faults
}

async fn export_plan(State(app): State<App>, actor: Actor, RawQuery(query): RawQuery) -> Result<Response, Error> {
    actor.needs(Role::Viewer)?;
    let parameters: ExportParameters = query::read(query.as_deref())?;
    let mut connection = app.connection().await?;
    let strategy = match parameters.strategy_id {
        Some(word) => Some(strategy_id(&mut connection, &word).await?),
        None => None,
    };
    let bytes = export(&mut connection, nouns(), strategy).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

async fn find_schema(RawQuery(query): RawQuery) -> Result<Response, Error> {
    query::read::<NoParameters>(query.as_deref())?;
    let kind = [(header::CONTENT_TYPE, "application/schema+json")];
    Ok((kind, plan_schema(nouns()).to_string()).into_response())
}

/// Adds the operations to the document.
pub fn describe(document: &mut Value) {
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<Report>());
        components.insert("PlanFile".into(), frame(nouns(), "#/components/schemas/"));
    }
    if let Value::Array(tags) = &mut document["tags"] {
        tags.push(json!({"name": "transfer", "description": "Import and export of whole plans."}));
    }
    let schema = |name: &str| json!({"schema": {"$ref": format!("#/components/schemas/{name}")}});
    let responses = |words: &str, content: Value, wrong: &[&str]| {
        let mut all = problems(wrong);
        all.insert("200".into(), json!({"description": words, "content": {"application/json": content}}));
        all
    };
    let query = |name: &str, kind: &str, words: &str| json!({"name": name, "in": "query", "description": words, "schema": {"type": kind}});
    let reason = json!({"name": "Mandate-Reason", "in": "header", "description": "Why; kept in the record.", "schema": {"type": "string"}});
    document["paths"]["/v1/imports"] = json!({"post": {
        "operationId": "import_plan", "tags": ["transfer"],
        "summary": "Imports a plan file: all of its rows, or none.",
        "description": "A row with the id or external id of one that is there changes it; every other row is created. The exact schema is at /schemas/plan.json. With dry_run the answer is a report also when rows are refused.",
        "parameters": [query("dry_run", "boolean", "Only tries it: the answer is the report, and nothing is written."), reason],
        "requestBody": {"required": true, "content": {"application/json": schema("PlanFile")}},
        "responses": responses("The report.", schema("Report"), &["too_large", "unsupported_media_type", "invalid"])
    }});
    document["paths"]["/v1/exports/plan"] = json!({"get": {
        "operationId": "export_plan", "tags": ["transfer"],
        "summary": "Exports everything, or one strategy, as a plan file.",
        "parameters": [query("strategy_id", "string", "Only this strategy and what it refers to: its id, or `external:` and its external id.")],
        "responses": responses("The plan file; its schema is at /schemas/plan.json.", json!({"schema": {"type": "object"}}), &[])
    }});
    document["paths"]["/schemas/plan.json"] = json!({"get": {
        "operationId": "find_plan_schema", "tags": ["transfer"], "summary": "The JSON Schema of a plan file.", "security": [],
        "responses": {"200": {"description": "The schema.", "content": {"application/schema+json": {"schema": {"type": "object"}}}},
            "400": {"$ref": "#/components/responses/bad_query"}}
    }});
}
