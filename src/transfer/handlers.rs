//! Imports and exports over HTTP.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::sync::OnceCell;
use utoipa::ToSchema;

use super::{
    export::{export, strategy_id},
    how::{Empty, How, Mode, NewEntities},
    import::{Report, import},
    meter::measure,
    schema::{frame, plan_schema},
    table::{
        DecimalMark,
        import::TableImport,
        mapping::{Given, ROLES},
    },
};
use crate::{
    access::Actor,
    api::{
        document::{parameters, problems},
        enough::FAULTS,
        idempotency::{Attempt, Work},
        incoming::Incoming,
        json, past,
        published::Published,
        query::{self, NoParameters},
        shape::schemas,
    },
    app::App,
    base::{aside::aside, values::codelists},
    error::Error,
    repository::{Author, Fault, Isolation, Reading},
    router::nouns,
};

/// An import may have so many bytes.
const LIMIT: usize = 64 << 20;
/// A table may have so many bytes, and so many rows of a plan may be made of it: they are all in memory together.
const TABLE: usize = 8 << 20;
const MADE: usize = 20_000;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/imports", post(import_plan))
        .route("/v1/exports/plan", get(export_plan))
        .route("/schemas/plan.json", get(find_schema))
}

/// How an import can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ImportParameters {
    /// Only tries it: the answer is the report, and nothing is written.
    dry_run: Option<bool>,
    /// What is done with a row that is there already; `merge` when not given.
    mode: Option<Mode>,
    /// Whether entities may be made that are not there; `make` when not given.
    entities: Option<NewEntities>,
    /// For a table: what an empty cell of a mapped column says; `unchanged` when not given.
    empty: Option<Empty>,
    /// For a table: also ends what it does not name any more. An assignment ends the day before today, and a new lead begins after it; an amount of a
    /// year that the table has becomes 0; so does what stands in the place of an empty cell. Nothing is deleted.
    prune: Option<bool>,
    /// For a table: the language of its words (ISO 639-1), when it is not the first of the service.
    #[schema(min_length = 2, max_length = 2, example = "en")]
    language: Option<String>,
    /// For a table: the strategy into which its rows go, as its id, `external:` and its external id, or `code:` and its code.
    #[schema(min_length = 1, max_length = 300)]
    strategy_id: Option<String>,
    /// For a table: which column holds what, such as `code="Nr",title="Acțiune"`.
    #[schema(min_length = 1)]
    map: Option<String>,
    /// For a table: a role or header of a column whose empty cells repeat the cell above; may be repeated.
    fill_down: Vec<String>,
    /// For a table: what stands between several entities of a cell; `;` and new lines when not given.
    separator: Option<String>,
    /// For a table: what stands before the decimals of amounts; needed where `1.234` could be read in two ways.
    decimal: Option<DecimalMark>,
}

impl ImportParameters {
    /// The parameters that are for a table only, and whether they are given.
    fn of_tables(&self) -> [(&'static str, bool); 8] {
        [
            ("empty", self.empty.is_some()),
            ("prune", self.prune.is_some()),
            ("language", self.language.is_some()),
            ("strategy_id", self.strategy_id.is_some()),
            ("map", self.map.is_some()),
            ("fill_down", !self.fill_down.is_empty()),
            ("separator", self.separator.is_some()),
            ("decimal", self.decimal.is_some()),
        ]
    }
}

/// What an export can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ExportParameters {
    /// Only this strategy and what it refers to: its id, `external:` and its external id, or `code:` and its code.
    #[schema(min_length = 1, max_length = 300)]
    strategy_id: Option<String>,
    /// As the record had it at this instant (RFC 3339), or at the end of this day in the time zone of the service.
    #[schema(max_length = 40, example = "2026-01-31")]
    as_of: Option<String>,
}

async fn import_plan(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming<LIMIT>,
) -> Result<Response, Error> {
    actor.may("import_plan")?;
    let parameters: ImportParameters = query::read(query.as_deref())?;
    let is_table = match json::media_type(&headers).as_str() {
        "application/json" => false,
        "text/csv" => true,
        _ => {
            return Err(Error::UnsupportedMediaType(
                "send a plan file, with the header `Content-Type: application/json`, or a table with `text/csv`".into(),
            ));
        }
    };
    json::uncompressed(&headers)?;
    check(&parameters, is_table)?;
    let body = body.read(&app).await?;
    if is_table && body.len() > TABLE {
        return Err(Error::TooLarge(format!("a table may have at most {TABLE} bytes here; use `mandate import`")));
    }
    let author = actor.author(&headers)?;
    let asked = Asked { parameters, is_table, body: body.clone(), author, currency: app.currency.clone() };
    let work: Work<Asked> = |connection, asked| Box::pin(asked.import(connection));
    attempt.once((&app, &actor), &body, Isolation::Committed, asked, work).await
}

/// An import as it was asked for.
struct Asked {
    parameters: ImportParameters,
    is_table: bool,
    body: Bytes,
    author: Author,
    currency: Option<Arc<str>>,
}

impl Asked {
    async fn import(&self, connection: &mut PgConnection) -> Result<Response, Error> {
        let how = How {
            dry_run: self.parameters.dry_run.unwrap_or_default(),
            mode: self.parameters.mode.unwrap_or_default(),
            entities: self.parameters.entities.unwrap_or_default(),
        };
        let report = if self.is_table {
            self.table(connection, how).await.map_err(capped)?
        } else {
            aside(true, || measure(&self.body, nouns()))?;
            import(connection, nouns(), &self.author, &self.body, how, |_, _| {}).await?
        };
        if how.dry_run || report.committed {
            return Ok(Json(report).into_response());
        }
        Err(capped(Error::Invalid(report.rows.into_iter().flat_map(|row| row.errors).collect())))
    }

    async fn table(&self, connection: &mut PgConnection, how: How) -> Result<Report, Error> {
        let parameters = &self.parameters;
        let given = Given {
            map: parameters.map.as_deref().unwrap_or_default(),
            fill_down: &parameters.fill_down,
            separator: parameters.separator.as_deref(),
            decimal: parameters.decimal,
        };
        let table = TableImport {
            strategy: parameters.strategy_id.as_deref().unwrap_or_default(),
            mapping: &given.mapping()?,
            currency: self.currency.as_deref().map(str::to_owned),
            language: parameters.language.clone(),
            empty: parameters.empty.unwrap_or_default(),
            prune: parameters.prune.unwrap_or_default(),
            most: MADE,
            how,
        };
        table.run(connection, &self.author, &self.body, |_, _| {}).await
    }
}

/// A table needs its strategy and its mapping; a plan file takes neither. What is replaced is not known well enough to end it.
fn check(parameters: &ImportParameters, is_table: bool) -> Result<(), Error> {
    let fault =
        |name: &str, code: &str, detail: &str| Fault { pointer: name.into(), code: code.into(), detail: detail.into() };
    let mut faults = Vec::new();
    for (name, is_given) in parameters.of_tables() {
        match (name, is_given) {
            ("strategy_id", false) if is_table => {
                faults.push(fault(
                    name,
                    "required",
                    "must say into which strategy the rows go: its id, `external:...` or `code:...`",
                ));
            }
            ("map", false) if is_table => {
                faults.push(fault(name, "required", "must say which column holds what: code=\"Nr\",title=\"Titlu\""));
            }
            (_, true) if !is_table => {
                faults.push(fault(name, "not_allowed", "is for a table (`Content-Type: text/csv`); leave it out"));
            }
            _ => {}
        }
    }
    if is_table && parameters.prune == Some(true) && parameters.mode.is_some_and(|mode| mode != Mode::Merge) {
        faults.push(fault("prune", "not_allowed", "goes with the mode `merge` only"));
    }
    if parameters.language.as_deref().is_some_and(|language| !codelists::is_language(language)) {
        faults.push(fault("language", "unknown_code", "must be a language of ISO 639-1, such as `en`"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::BadQuery(faults)) }
}

/// An error that names the first faults, and how many more there are.
pub(super) fn capped(error: Error) -> Error {
    let Error::Invalid(faults) = error else { return error };
    let all = faults.len();
    first_of(faults, all)
}

/// The first of so many faults, as an error.
pub(super) fn first_of(mut faults: Vec<Fault>, all: usize) -> Error {
    if all > FAULTS {
        faults.truncate(FAULTS);
        faults.push(Fault {
            pointer: "#".into(),
            code: "more".into(),
            detail: "more faults are not shown; correct these first".into(),
        });
    }
    Error::Invalid(faults)
}

async fn export_plan(State(app): State<App>, actor: Actor, RawQuery(query): RawQuery) -> Result<Response, Error> {
    actor.may("export_plan")?;
    let app = app.seen_by(&actor);
    let parameters: ExportParameters = query::read(query.as_deref())?;
    let moment = past::moment(&app, parameters.as_of.as_deref()).await?;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, moment, app.clearance).await?;
    let strategy = match parameters.strategy_id {
        Some(word) => Some(strategy_id(&mut reading, &word).await?),
        None => None,
    };
    let exported = export(&mut reading, nouns(), strategy).await?;
    reading.end().await?;
    Ok(past::mark(([(header::CONTENT_TYPE, "application/json")], exported.bytes).into_response(), moment))
}

async fn find_schema(headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, Error> {
    static SCHEMA: OnceCell<Published> = OnceCell::const_new();
    query::read::<NoParameters>(query.as_deref())?;
    let make = || plan_schema(nouns()).to_string().into_bytes();
    Ok(Published::once(&SCHEMA, "application/schema+json", make).await?.answer(&headers))
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
    let reason = json!({"name": "Mandate-Reason", "in": "header", "description": "Why; kept in the record. Changes of dates, leads and appropriations of a strategy in force need it.", "schema": {"type": "string"}});
    let mut of_import = parameters::<ImportParameters>();
    of_import.push(reason);
    let roles = ROLES.join(", ");
    document["paths"]["/v1/imports"] = json!({"post": {
        "operationId": "import_plan", "tags": ["transfer"],
        "summary": "Imports a plan file, or a table with a mapping: all of its rows, or none.",
        "description": format!("A row with the id or external id of one that is there, or with its code within what it belongs to, changes the fields that it names; so does a row without them that has the key of one that is there (an amount: its item, year, source and phase) or the values of one: absent is unchanged, `null` is cleared, and one language of a text touches that language only. Every other row is created. What was reported (status, evidence, confidence, forecast) is set back only by a row that names it, and with a reason; so is which forecast counts. `mode=replace` clears what a row does not name. The report tells each field with before and after, in a dry run and otherwise. The exact schema of a plan file is at /schemas/plan.json. A table is CSV (UTF-8, RFC 4180, delimiter comma, semicolon or tab, one header): each row is an initiative, or a step where `step` is mapped; strategy_id and map are needed, and faults point at `line 14: Header`. Roles of columns: {roles}, and amount:YEAR or amount:YEAR:SOURCE for several amounts in a row. An empty cell leaves its field as it is. Entities are found by code, external id or name before they are made, initiatives and steps by code, assignments by item, role and entity, amounts by item, year and source; what no cell says of a row that is there stays. A lead that the table names otherwise ends only with `prune`. With dry_run the answer is a report also when rows are refused, or cannot be read."),
        "parameters": of_import,
        "requestBody": {"required": true, "content": {"application/json": schema("PlanFile"), "text/csv": {"schema": {"type": "string"},
            "example": "Nr,Acțiune,Responsabil,Termen\r\n1,Cursuri,MEN; DNSC,semestrul I 2025\r\n"}}},
        "responses": responses("The report.", schema("Report"), &["too_large", "unsupported_media_type", "invalid"])
    }});
    document["paths"]["/v1/exports/plan"] = json!({"get": {
        "operationId": "export_plan", "tags": ["transfer"],
        "summary": "Exports everything, or one strategy, as a plan file.",
        "description": "The file of one strategy can be imported where there is no other. Its dependencies on other strategies are no rows of the file, but stand in `source.left_out`.",
        "parameters": parameters::<ExportParameters>(),
        "responses": responses("The plan file; its schema is at /schemas/plan.json.", json!({"schema": {"type": "object"}}), &[])
    }});
    document["paths"]["/schemas/plan.json"] = json!({"get": {
        "operationId": "find_plan_schema", "tags": ["transfer"], "summary": "The JSON Schema of a plan file.", "security": [],
        "responses": {"200": {"description": "The schema.", "content": {"application/schema+json": {"schema": {"type": "object"}}}},
            "400": {"$ref": "#/components/responses/bad_query"}}
    }});
}
