//! `GET /v1/proposals`: what waits for a second principal, and what became of it.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    Json,
    extract::{OriginalUri, RawQuery, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::store::{self, Filter, Proposal, Reader};
use crate::{
    access::{Actor, policy},
    api::{
        answer::{Form, internal, tagged, with_next},
        columns::Columns,
        format::Format,
        query::{self, NoParameters},
        target::Target,
    },
    app::App,
    error::{Error, missing},
    repository::{Key, Reading},
    router::{Noun, nouns},
};

/// By kind the fields that refer to something, each with the kind of that.
static REFERS: LazyLock<Value> = LazyLock::new(|| {
    let kinds: HashMap<&str, &str> = nouns().iter().map(|noun| (noun.table, noun.kind)).collect();
    let of = |noun: &Noun| noun.references.iter().map(|one| (one.field.to_owned(), json!(kinds[one.table]))).collect();
    nouns().iter().map(|noun| (noun.kind.to_owned(), Value::Object(of(noun)))).collect()
});

/// Who reads; without a key nobody does.
pub(super) fn reader(actor: &Actor) -> Result<Reader<'_>, Error> {
    if actor.is_anonymous() {
        return Err(Error::Unauthenticated(
            "proposals are for those who have a key; send it as `Authorization: Bearer mandate_...`".into(),
        ));
    }
    let scopes = actor.scopes();
    let operations = (!scopes.0.is_empty()).then(|| policy::readable(scopes));
    Ok(Reader { actor, operations, refers: &REFERS })
}

/// A proposal with all that it would change.
pub(super) fn shown(proposal: &Proposal) -> Result<Value, Error> {
    let mut value = listed(proposal)?;
    value["changes"] = proposal.held.clone().filter(|_| !proposal.is_withheld).into();
    Ok(value)
}

/// A proposal of a list.
fn listed(proposal: &Proposal) -> Result<Value, Error> {
    let mut value = serde_json::to_value(proposal).map_err(internal)?;
    if proposal.is_withheld {
        value["after"] = Value::Null;
    }
    value["body"] = serde_json::from_slice(&proposal.body)
        .unwrap_or_else(|_| String::from_utf8_lossy(&proposal.body).into_owned().into());
    Ok(value)
}

/// The proposal of this id, when the actor sees it.
pub(super) async fn seen(app: &App, actor: &Actor, id: Uuid) -> Result<Proposal, Error> {
    let reader = reader(actor)?;
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, None, actor.clearance()).await?;
    let found = store::find(&mut reading, &reader, id).await?;
    reading.end().await?;
    found.ok_or_else(|| missing("proposal", id))
}

pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("list_proposals")?;
    let reader = reader(&actor)?;
    let filter: Filter = query::read(query.as_deref())?;
    let limit = filter.limit.unwrap_or(50);
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, None, actor.clearance()).await?;
    let mut rows = store::list(&mut reading, &reader, &filter, limit + 1).await?;
    reading.end().await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|last| last.id);
    let items = rows.iter().map(listed).collect::<Result<_, _>>()?;
    let form = Form { format, columns: Columns::of::<Proposal>().and(&["body"]), language: None };
    let body = form.render(items, |items| json!({"items": items, "next": next}))?;
    with_next(tagged(&headers, body, format), &uri, next.map(|next| next.to_string()).as_deref())
}

pub(super) async fn find(
    State(app): State<App>,
    actor: Actor,
    Target(key): Target,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("find_proposal")?;
    query::read::<NoParameters>(query.as_deref())?;
    let id = match key {
        Key::Id(id) => id,
        Key::External(name) => return Err(missing("proposal", format!("external:{name}"))),
    };
    Ok(Json(shown(&seen(&app, &actor, id).await?)?).into_response())
}
