//! `GET /v1/changes`: the changes of all resources, as pages in the order of their positions.

use axum::{
    extract::{OriginalUri, RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::changes::{self, Change, Filter};
use crate::{
    access::Actor,
    api::{
        answer::{Form, tagged, with_next},
        document::{parameters, problems},
        format::Format,
        operations::{formats, if_none_match, not_modified},
        query,
        shape::schemas,
    },
    app::App,
    base::text::unknown,
    error::Error,
    repository::{Fault, Reading},
};

/// Which part of the feed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FeedParameters {
    /// The `next` that you kept. Without it, or with `0`, from the first change on.
    #[schema(max_length = 20)]
    after: Option<String>,
    /// Changes of a page, 1 to 200; 50 when not given. In every format.
    #[schema(minimum = 1, maximum = 200, example = 50)]
    limit: Option<i64>,
}

/// Lists changes.
pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_changes")?;
    let app = app.seen_by(&actor);
    let (mut filter, parameters, _): (Filter, FeedParameters, _) =
        query::read_both(&app, query.as_deref(), &[]).await?;
    check_kinds(&filter)?;
    filter.without_access = !actor.sees_access();
    let after = parameters.after.as_deref().map_or(Ok(0), |word| cursor("after", word))?;
    let mut connection = app.connection().await?;
    let head = head_from(&mut connection, "after", after).await?;
    let mut reading = Reading::seen(&mut connection, None, app.clearance).await?;
    let page = changes::page(&mut reading, &filter, after, head, parameters.limit.unwrap_or(50)).await?;
    reading.end().await?;
    drop(connection);
    let next = page.upto.to_string();
    let form = Form::of::<Change>(format);
    let body = form.render(form.values(&page.changes)?, |items| json!({"items": items, "next": next}))?;
    with_next(tagged(&headers, body, format), &uri, Some(&next))
}

/// A kind that there is not would wait for ever.
pub(super) fn check_kinds(filter: &Filter) -> Result<(), Error> {
    let known = changes::kinds();
    let faults: Vec<Fault> = filter
        .kind
        .iter()
        .filter(|kind| !known.clone().any(|known| known == kind.as_str()))
        .map(|kind| fault("kind", "not_allowed", unknown("kind", kind, known.clone())))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::BadQuery(faults)) }
}

/// Reads a cursor: the position of the last change seen.
pub(super) fn cursor(name: &str, word: &str) -> Result<i64, Error> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| digits).ok_or_else(|| {
        let detail =
            "is no cursor of the feed; give the `next` of a page or the `id` of an event, or 0 for all changes";
        Error::BadQuery(vec![fault(name, "bad_cursor", detail.into())])
    })
}

/// The last position given, which a cursor cannot be beyond.
pub(super) async fn head_from(connection: &mut PgConnection, name: &str, after: i64) -> Result<i64, Error> {
    let head = changes::head(connection).await?;
    if after > head {
        let detail = format!(
            "no change has the position {after} yet, the last one is {head}; either this is the cursor of another service, or the database \
             was put back to an older state: then read again from 0"
        );
        return Err(Error::BadQuery(vec![fault(name, "cursor_ahead", detail)]));
    }
    Ok(head)
}

fn fault(name: &str, code: &str, detail: String) -> Fault {
    Fault { pointer: name.into(), code: code.into(), detail }
}

/// The parameters of the filter, with the kinds there are.
pub(super) fn filter_parameters() -> Vec<Value> {
    let mut all = parameters::<Filter>();
    for parameter in all.iter_mut().filter(|parameter| parameter["name"] == "kind") {
        parameter["schema"]["items"]["enum"] = changes::kinds().collect();
    }
    all
}

/// Adds the operation and its schema to the document.
pub(super) fn describe(document: &mut Value) {
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": "changes", "description": "Every change of every resource, in one order."}));
    }
    if let Some(components) = document["components"]["schemas"].as_object_mut() {
        components.extend(schemas::<Change>());
    }
    let mut all = parameters::<FeedParameters>();
    all.extend(filter_parameters());
    all.push(if_none_match());
    let page = json!({"type": "object", "required": ["items", "next"], "properties": {
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Change"}},
        "next": {"type": "string", "description": "What to give as `after` the next time; there always is one."}}});
    let mut responses = problems(&["not_acceptable"]);
    responses.insert("200".into(), formats("A page; the header Link has the address of the next.", &page));
    responses.insert("304".into(), not_modified());
    document["paths"]["/v1/changes"] = json!({"get": {"operationId": "list_changes", "tags": ["changes"],
        "summary": "Lists the changes of all resources in the order of their positions.", "parameters": all, "responses": responses}});
}
