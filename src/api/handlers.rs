//! The handlers of every noun: list, create, find, replace, patch, delete, history.

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    cursor::Cursor,
    error::{Error, history_path, missing},
    format::{self, Format},
    json, precondition,
    query::{self, FindParameters, Listing, NoParameters, View},
};
use crate::{
    access::{Actor, Role},
    app::App,
    repository::{self, Faults, Key, Listed, Lookup, Resource, Stored},
};

/// The routes of a noun.
pub fn routes<R: Resource>() -> Router<App> {
    let path = format!("/v1/{}", R::TABLE.replace('_', "-"));
    Router::new()
        .route(&path, get(list::<R>).post(create::<R>))
        .route(
            &format!("{path}/{{id}}"),
            get(find::<R>).put(replace::<R>).patch(patch::<R>).delete(delete::<R>),
        )
        .route(&format!("{path}/{{id}}/history"), get(history::<R>))
}

/// The `{id}` of the path: a UUID or `external:{external_id}`.
pub struct Target(pub Key);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Target {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Error> {
        let segment = parts.uri.path().split('/').nth(3).unwrap_or_default();
        let word = percent_encoding::percent_decode_str(segment)
            .decode_utf8()
            .map_err(|_| Error::NotFound("the id in the path is not UTF-8".into()))?;
        if word.contains('\0') {
            return Err(Error::NotFound("the id in the path has the character U+0000".into()));
        }
        if let Some(external) = word.strip_prefix("external:") {
            return Ok(Self(Key::External(external.to_owned())));
        }
        let id = Uuid::try_parse(&word).map_err(|_| {
            Error::NotFound(format!(
                "`{word}` is no id: use the id that the service gave, or external:{{your own id}}"
            ))
        })?;
        Ok(Self(Key::Id(id)))
    }
}

async fn list<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.needs(Role::Viewer)?;
    let format = Format::of(&headers)?;
    let mut listing = query::listing::<R>(query.as_deref())?;
    if matches!(format, Format::Csv | Format::Ndjson) && !listing.limited {
        return stream::<R>(app, listing, format).await;
    }
    let mut connection = app.connection().await?;
    let count = match listing.count {
        true => Some(repository::count::<R>(&mut connection, &listing.filter, &listing.common).await?),
        false => None,
    };
    let (rows, next) = page::<R>(&mut connection, &mut listing).await?;
    let mut response = if format == Format::Json && listing.view.is_plain() {
        #[derive(Serialize)]
        struct Page<'a, R: Resource> {
            items: Vec<&'a Stored<R>>,
            next: &'a Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            count: Option<i64>,
        }
        let items = rows.iter().map(|row| &row.stored).collect();
        let body = serde_json::to_vec(&Page {
            items,
            next: &next,
            count,
        })
        .map_err(internal)?;
        tagged(&headers, body, format)
    } else {
        let mut items = values(rows.into_iter().map(|row| row.stored))?;
        show(&app, &mut connection, &listing.view, R::REFERENCES, &mut items).await?;
        tagged(
            &headers,
            render(items, format, |items| {
                let mut page = json!({"items": items, "next": next});
                if let Some(count) = count {
                    page["count"] = count.into();
                }
                page
            })?,
            format,
        )
    };
    if let Some(next) = next {
        let kept =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).filter(|(name, _)| name != "after");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("after", &next)
            .finish();
        let link = format!("<{}?{query}>; rel=\"next\"", uri.path());
        response
            .headers_mut()
            .insert(header::LINK, HeaderValue::from_str(&link).map_err(internal)?);
    }
    Ok(response)
}

/// One page, and the cursor of the next.
async fn page<R: Resource>(
    connection: &mut PgConnection,
    listing: &mut Listing<R>,
) -> Result<(Vec<Listed<R>>, Option<String>), Error> {
    let limit = listing.window.limit;
    let mut window = listing.window.clone();
    window.limit = limit + 1;
    let mut rows = repository::list::<R>(connection, &listing.filter, &listing.common, &window).await?;
    let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        rows.pop();
    }
    let next = rows.last().filter(|_| more).map(|last| {
        listing.window.after = Some((last.sort.clone(), last.stored.id));
        Cursor {
            order: listing.order.clone(),
            values: last.sort.clone(),
            id: last.stored.id,
        }
        .encode()
    });
    Ok((rows, next))
}

/// All rows of a list, page by page out of one snapshot, in memory that does not grow.
async fn stream<R: Resource>(app: App, mut listing: Listing<R>, format: Format) -> Result<Response, Error> {
    const ROWS: i64 = 500;
    listing.window.limit = ROWS;
    let mut connection = app.connection().await?;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(4);
    tokio::spawn(async move {
        let work = async {
            sqlx::raw_sql("begin isolation level repeatable read read only")
                .execute(&mut *connection)
                .await?;
            let mut columns: Option<Vec<String>> = None;
            if format == Format::Csv {
                columns = Some(csv_columns::<R>(&mut connection, &listing.view).await?);
                let header: Vec<Value> = columns
                    .iter()
                    .flatten()
                    .map(|name| Value::from(name.as_str()))
                    .collect();
                let _ = sender.send(Ok(format::csv_record(header.iter()).into())).await;
            }
            loop {
                let (rows, next) = page::<R>(&mut connection, &mut listing).await?;
                let mut items = values(rows.into_iter().map(|row| row.stored))?;
                show(&app, &mut connection, &listing.view, R::REFERENCES, &mut items).await?;
                let mut bytes = Vec::new();
                for item in &items {
                    if let Some(columns) = &columns {
                        let cells = format::flatten(item);
                        bytes.extend(format::csv_record(
                            columns.iter().map(|name| cells.get(name).unwrap_or(&Value::Null)),
                        ));
                    } else {
                        serde_json::to_writer(&mut bytes, item).map_err(internal)?;
                        bytes.push(b'\n');
                    }
                }
                if sender.send(Ok(bytes.into())).await.is_err() || next.is_none() {
                    break;
                }
            }
            Ok::<(), Error>(())
        };
        let outcome = work.await;
        let _ = sqlx::raw_sql("rollback").execute(&mut *connection).await;
        if let Err(error) = outcome {
            tracing::error!(?error, "an export broke off");
            let _ = sender.send(Err(std::io::Error::other("the export broke off"))).await;
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    Ok(([(header::CONTENT_TYPE, format.media_type())], Body::from_stream(stream)).into_response())
}

/// The columns of a whole export: those of the schema, and of each text one column a language that its rows use.
async fn csv_columns<R: Resource>(connection: &mut PgConnection, view: &View) -> Result<Vec<String>, Error> {
    let shape = super::shape::Shape::of::<R>();
    let mut columns: Vec<String> = Vec::new();
    let own = ["id", "version", "created_at", "updated_at"].map(str::to_owned);
    let names: Vec<String> = own
        .into_iter()
        .chain(shape.properties().map(|(name, _)| name.clone()))
        .collect();
    for name in names {
        if view.fields.as_ref().is_some_and(|fields| !fields.contains(&name)) {
            continue;
        }
        let schema = shape
            .properties()
            .find(|(property, _)| **property == name)
            .map(|(_, schema)| shape.resolve(schema));
        let is_text = schema.is_some_and(|schema| schema.pointer("/oneOf/1/propertyNames").is_some());
        match schema
            .and_then(|schema| schema.get("properties"))
            .and_then(Value::as_object)
        {
            Some(inner) => columns.extend(inner.keys().map(|key| format!("{name}.{key}"))),
            None if is_text => {
                let languages = repository::languages::<R>(connection, &name).await?;
                columns.extend(languages.iter().map(|language| format!("{name}.{language}")));
            }
            None => columns.push(name),
        }
    }
    Ok(columns)
}

async fn create<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Error> {
    actor.needs(Role::Editor)?;
    query::read::<NoParameters>(query.as_deref())?;
    let body = json::parse(&headers, &body)?;
    let mut connection = app.connection().await?;
    let data = accept::<R>(&mut connection, body, None).await?;
    let stored = repository::insert(&mut connection, &actor.author(&headers)?, &data).await?;
    created(&stored)
}

fn created<R: Resource>(stored: &Stored<R>) -> Result<Response, Error> {
    let location = format!("/v1/{}/{}", R::TABLE.replace('_', "-"), stored.id);
    let mut response = one(stored)?;
    *response.status_mut() = StatusCode::CREATED;
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::from_str(&location).map_err(internal)?);
    Ok(response)
}

async fn find<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.needs(Role::Viewer)?;
    let parameters: FindParameters = query::read(query.as_deref())?;
    let mut faults = Vec::new();
    let view = View::read::<R>(parameters.fields.as_deref(), parameters.expand.as_deref(), &mut faults);
    if !faults.is_empty() {
        return Err(Error::BadQuery(faults));
    }
    let mut connection = app.connection().await?;
    let stored = fetch::<R>(&mut connection, &key).await?;
    let tag = precondition::tag(stored.version);
    if precondition::not_modified(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    if view.is_plain() {
        return one(&stored);
    }
    let mut items = values(std::iter::once(stored))?;
    show(&app, &mut connection, &view, R::REFERENCES, &mut items).await?;
    let body = serde_json::to_vec(&items[0]).map_err(internal)?;
    Ok((
        [
            (header::ETAG, tag),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ],
        body,
    )
        .into_response())
}

async fn replace<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Error> {
    actor.needs(Role::Editor)?;
    query::read::<NoParameters>(query.as_deref())?;
    let mut body = json::parse(&headers, &body)?;
    let author = actor.author(&headers)?;
    let mut connection = app.connection().await?;
    if let (Key::External(name), Some(fields)) = (&key, body.as_object_mut()) {
        let given = fields.entry("external_id").or_insert_with(|| name.clone().into());
        if given != name.as_str() {
            return Err(Error::invalid(
                "external_id",
                "differs",
                format!("the path says `{name}`; leave the field out or repeat it"),
            ));
        }
    }
    let before = match (&key, repository::find::<R>(&mut connection, &key).await?) {
        (_, Lookup::Found(stored)) => stored,
        // A name of the caller's own may be used again, so an earlier bearer that was deleted does not stand in the way.
        (Key::External(_), Lookup::Deleted(_) | Lookup::Missing) => {
            let data = accept::<R>(&mut connection, body, None).await?;
            return created(&repository::insert(&mut connection, &author, &data).await?);
        }
        (_, lookup) => return Err(gone::<R, _>(&key, lookup)),
    };
    if precondition::only_new(&headers) {
        return Err(Error::Stale(serde_json::to_value(&before).ok()));
    }
    precondition::if_match(&headers, &before)?;
    let data = accept::<R>(&mut connection, body, Some(&before.data)).await?;
    save(&mut connection, &author, &before, &data).await
}

async fn patch<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Error> {
    actor.needs(Role::Editor)?;
    query::read::<NoParameters>(query.as_deref())?;
    let patch = json::parse(&headers, &body)?;
    if !patch.is_object() {
        return Err(Error::invalid(
            "",
            "wrong_type",
            "a merge patch is an object with the fields to change",
        ));
    }
    let author = actor.author(&headers)?;
    let mut connection = app.connection().await?;
    let before = fetch::<R>(&mut connection, &key).await?;
    precondition::if_match(&headers, &before)?;
    let mut body = serde_json::to_value(&before.data).map_err(internal)?;
    // Fields that are empty are left out, so that what the patch leaves alone needs no value; unknown ones stay and are named.
    if let Value::Object(fields) = &mut body {
        fields.retain(|_, value| !value.is_null());
    }
    let unknown_nulls: Map<String, Value> = unknown_nulls::<R>(&patch);
    json::merge(&mut body, patch);
    if let Value::Object(fields) = &mut body {
        fields.extend(unknown_nulls);
    }
    let data = accept::<R>(&mut connection, body, Some(&before.data)).await?;
    save(&mut connection, &author, &before, &data).await
}

/// `{"titel": null}` removes nothing, and must not pass for a change.
fn unknown_nulls<R: Resource>(patch: &Value) -> Map<String, Value> {
    let shape = super::shape::Shape::of::<R>();
    let known = |name: &String| shape.properties().any(|(property, _)| property == name);
    patch
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| value.is_null() && !known(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

async fn save<R: Resource>(
    connection: &mut PgConnection,
    author: &repository::Author,
    before: &Stored<R>,
    data: &R,
) -> Result<Response, Error> {
    match repository::update(connection, author, before, data).await {
        Ok(stored) => one(&stored),
        Err(repository::Error::Stale) => {
            let current = fetch::<R>(connection, &Key::Id(before.id)).await?;
            Err(Error::Stale(serde_json::to_value(current).ok()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn delete<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Error> {
    actor.needs(Role::Editor)?;
    query::read::<NoParameters>(query.as_deref())?;
    let mut connection = app.connection().await?;
    let stored = fetch::<R>(&mut connection, &key).await?;
    precondition::if_match(&headers, &stored)?;
    match repository::delete::<R>(&mut connection, &actor.author(&headers)?, stored.id, stored.version).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(repository::Error::Stale) => {
            let current = fetch::<R>(&mut connection, &Key::Id(stored.id)).await?;
            Err(Error::Stale(serde_json::to_value(current).ok()))
        }
        Err(error) if error.sqlstate().as_deref() == Some("23503") => {
            let blockers = repository::blockers(&mut connection, &app.referrers(R::TABLE), stored.id).await?;
            let mut faults = Faults::default();
            for (table, field, count, ids) in blockers {
                let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
                let more = if count > 3 { ", ..." } else { "" };
                let plural = table.replace('_', "-");
                faults.add(
                    "",
                    "referred_to",
                    format!(
                        "{count} of /v1/{plural} refer to it by {field}: {}{more}; delete or change them first",
                        ids.join(", ")
                    ),
                );
            }
            Err(Error::Conflict(faults.0))
        }
        Err(error) => Err(error.into()),
    }
}

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
}

async fn history<R: Resource>(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.needs(Role::Viewer)?;
    let format = Format::of(&headers)?;
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
    let mut connection = app.connection().await?;
    let id = match repository::find::<R>(&mut connection, &key).await? {
        Lookup::Found(stored) => stored.id,
        Lookup::Deleted(id) => id,
        Lookup::Missing => return Err(gone::<R, Stored<R>>(&key, Lookup::Missing)),
    };
    let mut entries = repository::history::<R>(&mut connection, id, below, limit + 1).await?;
    let more = entries.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        entries.pop();
    }
    let next = entries.last().filter(|_| more).map(|entry| entry.version.to_string());
    let items = entries
        .into_iter()
        .map(serde_json::to_value)
        .collect::<Result<Vec<_>, _>>()
        .map_err(internal)?;
    Ok(tagged(
        &headers,
        render(items, format, |items| json!({"items": items, "next": next}))?,
        format,
    ))
}

/// Turns a body into the fields of a noun: references by external id resolved, schema and rules judged, all faults at once.
pub async fn accept<R: Resource>(connection: &mut PgConnection, body: Value, before: Option<&R>) -> Result<R, Error> {
    let mut rows = [body];
    let unresolved = repository::resolve(connection, R::REFERENCES, &mut rows).await?;
    let [body] = rows;
    let mut faults: Vec<_> = unresolved.into_iter().map(|(_, fault)| fault).collect();
    match json::decode::<R>(body) {
        Ok(data) => {
            let mut rules = Faults::default();
            data.validate(before, &mut rules);
            faults.append(&mut rules.0);
            if faults.is_empty() {
                Ok(data)
            } else {
                Err(Error::Invalid(faults))
            }
        }
        Err(mut found) => {
            faults.append(&mut found);
            Err(Error::Invalid(faults))
        }
    }
}

async fn fetch<R: Resource>(connection: &mut PgConnection, key: &Key) -> Result<Stored<R>, Error> {
    match repository::find::<R>(connection, key).await? {
        Lookup::Found(stored) => Ok(stored),
        lookup => Err(gone::<R, _>(key, lookup)),
    }
}

fn gone<R: Resource, T>(key: &Key, lookup: Lookup<T>) -> Error {
    match (lookup, key) {
        (Lookup::Deleted(id), _) => Error::Deleted(history_path(R::TABLE, id)),
        (_, Key::Id(id)) => missing(R::KIND, id),
        (_, Key::External(external)) => missing(R::KIND, format!("external:{external}")),
    }
}

/// One resource as a response.
pub fn one<R: Resource>(stored: &Stored<R>) -> Result<Response, Error> {
    let body = serde_json::to_vec(stored).map_err(internal)?;
    let headers = [
        (header::ETAG, precondition::tag(stored.version)),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ];
    Ok((headers, body).into_response())
}

fn values<R: Resource>(rows: impl Iterator<Item = Stored<R>>) -> Result<Vec<Value>, Error> {
    rows.map(serde_json::to_value)
        .collect::<Result<_, _>>()
        .map_err(internal)
}

/// Applies `expand` and `fields`.
async fn show(
    app: &App,
    connection: &mut PgConnection,
    view: &View,
    references: &[repository::Reference],
    items: &mut [Value],
) -> Result<(), Error> {
    for reference in references
        .iter()
        .filter(|reference| view.expand.contains(&reference.field))
    {
        let ids: Vec<Uuid> = items
            .iter()
            .filter_map(|item| item[reference.field].as_str()?.parse().ok())
            .collect();
        let targets = app.fetch(connection, reference.table, &ids).await?;
        for item in items.iter_mut() {
            let target = targets
                .iter()
                .find(|target| target["id"] == item[reference.field])
                .cloned();
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

/// Rows already in memory, in the format asked for.
pub fn render(items: Vec<Value>, format: Format, json: impl FnOnce(Vec<Value>) -> Value) -> Result<Vec<u8>, Error> {
    Ok(match format {
        Format::Json => serde_json::to_vec(&json(items)).map_err(internal)?,
        Format::Ndjson => items
            .iter()
            .map(|item| format!("{item}\n"))
            .collect::<String>()
            .into_bytes(),
        Format::Csv => {
            let rows: Vec<_> = items.iter().map(format::flatten).collect();
            format::csv(&rows, &format::columns(&rows))
        }
        Format::Text => format::table(&items).into_bytes(),
    })
}

/// A response with a weak entity tag made from its body, so that polling costs no transfer.
pub fn tagged(headers: &HeaderMap, body: Vec<u8>, format: Format) -> Response {
    let digest = Sha256::digest(&body);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = HeaderValue::from_str(&format!("W/\"{hex}\"")).expect("hexadecimal digits are a header");
    let vary = (header::VARY, HeaderValue::from_static("accept"));
    if precondition::not_modified(
        headers,
        &HeaderValue::from_str(&format!("\"{hex}\"")).expect("digits are a header"),
    ) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag), vary]).into_response();
    }
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    ([(header::ETAG, tag), vary, kind], body).into_response()
}

fn internal(error: impl Into<anyhow::Error>) -> Error {
    Error::Internal(std::sync::Arc::new(error.into()))
}
