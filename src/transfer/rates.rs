//! Exchange rates as central banks publish them: the CSV of the European Central Bank, the XML of the National Bank of Romania. Each file becomes
//! the section `exchange_rates` of a plan file, and is imported as one: all of its rows, or none.

mod bnr;
mod ecb;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    routing::post,
};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{
    handlers::capped,
    how::How,
    import::{Report, import},
    plan_file::FORMAT,
    section::Outcome,
};
use crate::{
    access::Actor,
    api::{
        document::{parameters, problems},
        idempotency::{Attempt, Work},
        incoming::Incoming,
        json, query,
        shape::schemas,
    },
    app::App,
    base::{aside::aside, text::brief, values::codelists},
    error::Error,
    repository::{self, Author, Fault, Isolation},
    router::nouns,
};

/// A file of rates may have so many bytes; all rates of the European Central Bank since 1999 are a tenth of it.
const LIMIT: usize = 8 << 20;
/// A file has so many rates at most; all of the European Central Bank since 1999 are half of it.
const MOST: usize = 400_000;
const TOO_MANY: &str = "it has more than 400000 rates";
/// So many rates are a plan file in memory at once.
const PORTION: usize = 10_000;
/// So many rows of the report are told; beyond them only those that are refused.
const TOLD: usize = 10_000;
const PATH: &str = "/v1/imports/exchange-rates";

/// One rate of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rate {
    base: Arc<str>,
    quote: Arc<str>,
    on: NaiveDate,
    /// How much of `quote` one unit of `base` is.
    worth: Decimal,
}

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route(PATH, post(import_rates))
}

/// How an import of rates can be asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Parameters {
    /// Only tries it: the answer is the report, and nothing is written.
    dry_run: Option<bool>,
}

/// An import as it was asked for.
struct Asked {
    source: &'static str,
    rates: Vec<Rate>,
    left_out: Vec<LeftOut>,
    dry_run: bool,
    author: Author,
}

/// What became of an import of rates.
#[derive(Debug, Serialize, ToSchema)]
struct RatesReport {
    #[serde(flatten)]
    report: Report,
    /// What the file has of currencies that are no money to budget in or not in use any more (ISO 4217), such as gold (`XAU`) or the kuna (`HRK`). It is not kept.
    left_out: Vec<LeftOut>,
}

/// Rates of a file that are not kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RatesLeftOut)]
struct LeftOut {
    /// The currency, as the file has it.
    currency: String,
    /// How many rates it has there.
    rates: usize,
}

async fn import_rates(
    State(app): State<App>,
    actor: Actor,
    attempt: Attempt,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Incoming<LIMIT>,
) -> Result<Response, Error> {
    actor.may("import_exchange_rates")?;
    let parameters: Parameters = query::read(query.as_deref())?;
    json::uncompressed(&headers)?;
    let body = body.read(&app).await?;
    let text = std::str::from_utf8(&body).map_err(|_| Error::Malformed("the file is not UTF-8".into()))?;
    let text = text.trim_start_matches('\u{feff}');
    let (source, rates) = match json::media_type(&headers).as_str() {
        "text/csv" => ("ECB", aside(true, || ecb::read(text))),
        "application/xml" | "text/xml" => ("BNR", aside(true, || bnr::read(text))),
        _ => {
            return Err(Error::UnsupportedMediaType(
                "send the CSV of the European Central Bank with `Content-Type: text/csv`, or the XML of the National Bank of Romania with `application/xml`"
                    .into(),
            ));
        }
    };
    let rates = rates.map_err(|why| Error::Malformed(format!("this is no file of rates of {source}: {why}")))?;
    let (rates, strange): (Vec<Rate>, Vec<Rate>) = rates.into_iter().partition(Rate::is_of_money);
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    for rate in &strange {
        let other = if codelists::is_currency(&rate.base) { &rate.quote } else { &rate.base };
        *left_out.entry(brief(other).into_owned()).or_default() += 1;
    }
    if rates.is_empty() {
        let names: Vec<&str> = left_out.keys().map(String::as_str).collect();
        let detail = format!("none of its currencies is in use (ISO 4217): {}", brief(&names.join(", ")));
        return Err(Error::Invalid(vec![Fault { pointer: "#".into(), code: "no_rates".into(), detail }]));
    }
    let author = actor.author(&headers)?;
    let left_out = left_out.into_iter().map(|(currency, rates)| LeftOut { currency, rates }).collect();
    let asked = Asked { source, rates, left_out, dry_run: parameters.dry_run.unwrap_or_default(), author };
    let work: Work<Asked> = |connection, asked| {
        Box::pin(async move {
            let report = asked.import(connection).await?;
            if asked.dry_run || report.committed {
                return Ok(Json(RatesReport { report, left_out: asked.left_out.clone() }).into_response());
            }
            Err(capped(Error::Invalid(report.rows.into_iter().flat_map(|row| row.errors).collect())))
        })
    };
    attempt.once((&app, &actor), &body, Isolation::Committed, asked, work).await
}

impl Asked {
    /// All rates, some at a time, in one transaction.
    async fn import(&self, connection: &mut PgConnection) -> Result<Report, Error> {
        let mut all = repository::begin(connection, Isolation::Committed).await?;
        let mut report = Report { dry_run: self.dry_run, ..Report::default() };
        for (place, portion) in self.rates.chunks(PORTION).enumerate() {
            let document = aside(true, || self.document(portion));
            match import(&mut all, nouns(), &self.author, &document, How::default(), |_, _| {}).await {
                Ok(part) => add(&mut report, part, place * PORTION, self.dry_run),
                Err(error) => return Err(repository::give_up(all, error).await),
            }
        }
        if report.refused > 0 {
            (report.would_create, report.would_change) = (report.created, report.changed);
            (report.created, report.changed) = (0, 0);
        }
        if self.dry_run || report.refused > 0 {
            all.rollback().await?;
        } else {
            repository::commit(all).await?;
            report.committed = true;
        }
        Ok(report)
    }

    /// Some rates as a plan file.
    fn document(&self, rates: &[Rate]) -> Vec<u8> {
        let rows: Vec<Value> = rates.iter().map(|rate| rate.row(self.source)).collect();
        json!({"format": FORMAT, "exchange_rates": rows}).to_string().into_bytes()
    }
}

/// Adds the report of a part that starts at this place.
fn add(report: &mut Report, part: Report, start: usize, dry_run: bool) {
    report.created += part.created + part.would_create;
    report.changed += part.changed + part.would_change;
    report.untold += part.untold;
    for (section, fields) in part.changes {
        let counts = report.changes.entry(section).or_default();
        for (name, count) in fields {
            *counts.entry(name).or_default() += count;
        }
    }
    report.unchanged += part.unchanged;
    report.refused += part.refused;
    for mut row in part.rows {
        let is_refused = row.outcome == Outcome::Refused;
        if is_refused && report.refused > TOLD || !is_refused && report.rows.len() >= TOLD {
            continue;
        }
        let (there, here) =
            (format!("/exchange_rates/{}", row.index), format!("/exchange_rates/{}", row.index + start));
        for fault in &mut row.errors {
            fault.pointer = fault.pointer.replacen(&there, &here, 1);
        }
        row.index += start;
        if dry_run && row.outcome == Outcome::Created {
            row.id = None;
        }
        report.rows.push(row);
    }
}

impl Rate {
    /// Whether both currencies are in use.
    fn is_of_money(&self) -> bool {
        codelists::is_currency(&self.base) && codelists::is_currency(&self.quote)
    }

    /// As a row of a plan file. The same rate of another file is the same row.
    fn row(&self, source: &str) -> Value {
        json!({"external_id": format!("{source}:{}:{}:{}", self.base, self.quote, self.on), "base_currency": *self.base,
            "quote_currency": *self.quote, "valid_on": self.on, "rate": self.worth.to_string(), "source": source, "classification": "public"})
    }
}

/// A number of the file.
fn number(text: &str) -> Result<Decimal, String> {
    let number = Decimal::from_str_exact(text).ok().filter(|number| *number > Decimal::ZERO);
    number.ok_or_else(|| format!("`{}` is not a rate", crate::base::text::brief(text)))
}

/// Adds the operation to the document.
pub fn describe(document: &mut Value) {
    let reason = json!({"name": "Mandate-Reason", "in": "header", "description": "Why; kept in the record.", "schema": {"type": "string"}});
    let mut all = parameters::<Parameters>();
    all.push(reason);
    let mut responses = problems(&["malformed", "too_large", "unsupported_media_type", "invalid"]);
    if let Value::Object(components) = &mut document["components"]["schemas"] {
        components.extend(schemas::<RatesReport>());
    }
    let report = json!({"schema": {"$ref": "#/components/schemas/RatesReport"}});
    responses.insert("200".into(), json!({"description": "The report.", "content": {"application/json": report}}));
    let content = |example: &str| json!({"schema": {"type": "string"}, "example": example});
    document["paths"][PATH] = json!({"post": {
        "operationId": "import_exchange_rates", "tags": ["exchange-rates"],
        "summary": "Imports exchange rates from a file of the ECB (CSV) or the BNR (XML): all of its rows, or none.",
        "description": "The CSV is eurofxref.csv (a day) or eurofxref-hist.csv (many); the XML is nbrfxrates.xml. A rate that is there already is left as it is when it is the same, and changed when it is another. A rate for 100 units is kept for one. Rates of currencies that are not in use (ISO 4217), such as gold, are left out, and the answer names them. Of more than 10,000 rows the answer tells the first, and all are counted.",
        "parameters": all,
        "requestBody": {"required": true, "content": {
            "text/csv": content("Date, USD, JPY, \n18 October 2024, 1.0847, 162.50, \n"),
            "application/xml": content("<DataSet xmlns=\"http://www.bnr.ro/xsd\"><Body><OrigCurrency>RON</OrigCurrency><Cube date=\"2024-10-18\"><Rate currency=\"EUR\">4.9735</Rate></Cube></Body></DataSet>")}},
        "responses": responses
    }});
}
