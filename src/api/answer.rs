//! Answers: one resource, or rows in the format asked for.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{columns::Columns, format::Format, past, precondition, table, view::View};
use crate::error::Error;
use crate::{
    app::App,
    base::values::{languages, speaking},
    repository::{self, Moment, Receipt, Resource, Stored, Withheld},
};

/// One resource as a response.
pub fn one<R: Resource>(stored: &Stored<R>) -> Result<Response, Error> {
    let body = serde_json::to_vec(stored).map_err(internal)?;
    let headers = [
        (header::ETAG, precondition::tag(stored.version)),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ];
    let mut response = (headers, body).into_response();
    if let Some(receipt) = &stored.receipt {
        response.headers_mut().insert(RECEIPT, receipt_header(receipt)?);
    }
    Ok(response)
}

/// Names the change in the log, for whoever wants to prove later that it was recorded.
pub const RECEIPT: HeaderName = HeaderName::from_static("mandate-receipt");

/// How many rows of which nouns are above the reader; in every format.
pub const WITHHELD: HeaderName = HeaderName::from_static("mandate-withheld");

/// The value of the header `Mandate-Receipt`.
pub fn receipt_header(receipt: &Receipt) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(&receipt.to_string()).map_err(internal)
}

/// Resources as JSON.
pub fn values<R: Resource>(rows: impl Iterator<Item = Stored<R>>) -> Result<Vec<Value>, Error> {
    rows.map(serde_json::to_value).collect::<Result<_, _>>().map_err(internal)
}

/// Applies `expand` and `fields`.
pub async fn show(
    app: &App,
    connection: &mut PgConnection,
    view: &View,
    references: &[repository::Reference],
    items: &mut [Value],
) -> Result<(), Error> {
    for reference in references.iter().filter(|reference| view.expand.contains(&reference.field)) {
        let ids: Vec<Uuid> = items.iter().filter_map(|item| item[reference.field].as_str()?.parse().ok()).collect();
        let targets = app.fetch(connection, reference.table, &ids).await?;
        for item in items.iter_mut() {
            let target = targets.iter().find(|target| target["id"] == item[reference.field]).cloned();
            item[reference.field.trim_end_matches("_id")] = target.unwrap_or(Value::Null);
        }
    }
    if let Some(fields) = &view.fields {
        let shown: Vec<&str> = view.expand.iter().map(|field| field.trim_end_matches("_id")).collect();
        for item in items.iter_mut() {
            if let Value::Object(all) = item {
                all.retain(|name, _| fields.contains(name) || shown.contains(&name.as_str()));
            }
        }
    }
    Ok(())
}

/// How rows are written: in which format, with which columns, and in which language their texts are told where one is asked for.
#[derive(Debug)]
pub struct Form {
    /// The format.
    pub format: Format,
    /// The columns of the type of the rows.
    pub columns: Columns,
    /// Each text is told in this language only.
    pub language: Option<String>,
}

impl Form {
    /// Rows of a type, their texts in all languages.
    pub fn of<T: ToSchema + 'static>(format: Format) -> Self {
        Self { format, columns: Columns::of::<T>(), language: None }
    }

    /// The same in a language, where one is asked for.
    #[must_use]
    pub fn told_in(self, language: Option<String>) -> Self {
        Self { language, ..self }
    }

    /// Rows as JSON.
    pub fn values<T: Serialize>(&self, rows: &[T]) -> Result<Vec<Value>, Error> {
        let values = || rows.iter().map(serde_json::to_value).collect::<Result<_, _>>();
        speaking(self.language.as_deref(), values).map_err(internal)
    }

    /// The first line of a CSV file, which it always has.
    pub fn header(&self) -> Vec<u8> {
        table::csv_record(self.columns.names(self.language.as_deref()))
    }

    /// One row as a line: of CSV, or of NDJSON.
    pub fn line(&self, mut row: Value) -> Result<Vec<u8>, Error> {
        let language = self.language.as_deref();
        if self.format == Format::Csv {
            return Ok(table::csv_row(&self.columns.cells(&row, language)));
        }
        if let Some(language) = language {
            self.columns.speak(&mut row, language);
        }
        let mut line = serde_json::to_vec(&row).map_err(internal)?;
        line.push(b'\n');
        Ok(line)
    }

    /// Rows already in memory; `json` makes the body of their page.
    pub fn render(&self, mut items: Vec<Value>, json: impl FnOnce(Vec<Value>) -> Value) -> Result<Vec<u8>, Error> {
        match self.format {
            Format::Json => {
                if let Some(language) = &self.language {
                    for item in &mut items {
                        self.columns.speak(item, language);
                    }
                }
                serde_json::to_vec(&json(items)).map_err(internal)
            }
            Format::Text => {
                let language = self.language.as_ref().or(languages().first()).map(String::as_str);
                let rows: Vec<_> = items.iter().map(|item| self.columns.cells(item, language)).collect();
                Ok(table::aligned(&self.columns.names(language), &rows, self.columns.are_chosen()).into_bytes())
            }
            Format::Csv | Format::Ndjson => {
                let mut bytes = if self.format == Format::Csv { self.header() } else { Vec::new() };
                for item in items {
                    bytes.extend(self.line(item)?);
                }
                Ok(bytes)
            }
        }
    }
}

/// All rows of a reading that has no pages, in the form asked for.
///
/// To a reader who may not see all it says how many rows of the nouns that were read are withheld.
pub fn whole<T: Serialize>(
    headers: &HeaderMap,
    rows: &[T],
    form: &Form,
    moment: Moment,
    withheld: Option<&Withheld>,
) -> Result<Response, Error> {
    let body = form.render(form.values(rows)?, |items| {
        let mut page = json!({"items": items});
        if let Some(withheld) = withheld {
            page["withheld"] = json!(withheld);
        }
        past::tell(&mut page, moment);
        page
    })?;
    let mut response = tagged(headers, body, form.format);
    if let Some(withheld) = withheld.filter(|withheld| !withheld.is_empty()) {
        let words: Vec<String> = withheld.iter().map(|(noun, rows)| format!("{noun}={rows}")).collect();
        response.headers_mut().insert(WITHHELD, HeaderValue::from_str(&words.join(", ")).map_err(internal)?);
    }
    Ok(past::mark(response, moment))
}

/// A response with a weak entity tag made from its body, so that polling costs no transfer.
pub fn tagged(headers: &HeaderMap, body: Vec<u8>, format: Format) -> Response {
    tagged_as(headers, body, format.media_type())
}

/// The same of any media type.
pub fn tagged_as(headers: &HeaderMap, body: Vec<u8>, media_type: &'static str) -> Response {
    let digest = Sha256::digest(&body);
    let hex = crate::access::keys::hex(&digest[..16]);
    let tag = HeaderValue::from_str(&format!("W/\"{hex}\"")).expect("hexadecimal digits are a header");
    let vary = (header::VARY, HeaderValue::from_static("accept"));
    if precondition::not_modified(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag), vary]).into_response();
    }
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    ([(header::ETAG, tag), vary, kind], body).into_response()
}

/// The same with the address of the next page in its header `Link`: that of this one, with another cursor.
pub fn with_next(mut response: Response, uri: &Uri, next: Option<&str>) -> Result<Response, Error> {
    if let Some(next) = next {
        let kept =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).filter(|(name, _)| name != "after");
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair("after", next).finish();
        let link = format!("<{}?{query}>; rel=\"next\"", uri.path());
        response.headers_mut().insert(header::LINK, HeaderValue::from_str(&link).map_err(internal)?);
    }
    Ok(response)
}

/// A failure that is ours.
pub fn internal(error: impl Into<anyhow::Error>) -> Error {
    Error::Internal(std::sync::Arc::new(error.into()))
}

/// What was just created, with its address.
pub fn created<R: Resource>(stored: &Stored<R>) -> Result<Response, Error> {
    let location = format!("/v1/{}/{}", R::TABLE.replace('_', "-"), stored.id);
    let mut response = one(stored)?;
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&location).map_err(internal)?);
    Ok(response)
}
