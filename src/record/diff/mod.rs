//! `GET /v1/diff`: what is different between two moments, field by field, with who, why, and what it means.

mod known;
mod net;
mod words;

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use self::{
    known::Known,
    net::{Fields, Net, net, under},
    words::{Meaning, Words, of_field, of_gone, of_new, plain},
};
use super::changes::ACCESS_KINDS;
use crate::{
    access::Actor,
    api::{
        answer::{Form, tagged},
        document::{parameters, problems},
        format::Format,
        operations::{formats, if_none_match, not_modified},
        past, query,
        shape::schemas,
    },
    app::App,
    error::Error,
    nouns::plan::strategies::StrategyId,
    repository::{Fault, Reading, Reference},
    router::nouns,
};

/// So many differences are answered at most.
const MOST: usize = 100_000;

/// Between which moments, and of what.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Parameters {
    /// The first moment: an instant (RFC 3339), or a day, which means its end in the time zone of the service.
    #[schema(max_length = 40, example = "2026-01-31")]
    from: Option<String>,
    /// The second moment, likewise; the present when not given.
    #[schema(max_length = 40, example = "2026-02-28")]
    to: Option<String>,
}

/// Of what.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = DiffScope)]
struct Scope {
    /// Of this strategy or of one anywhere under it at one of the moments, and of what belongs to it; may be repeated. Legal acts, entities and funding
    /// sources belong to none.
    strategy_id: Vec<StrategyId>,
    /// Whether the action plans that carry a strategy out are meant too: `true` when not given.
    under: Option<bool>,
}

const REFERENCES: [Reference; 1] = [Reference { field: "strategy_id", table: "strategies" }];

/// What happened to a resource between the two moments.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Effect {
    /// It was not there at the first moment.
    Added,
    /// It was not there at the second.
    Removed,
    /// It was there at both, and is different.
    Changed,
}

/// One difference.
#[derive(Debug, Serialize, ToSchema)]
struct Difference {
    /// The kind of resource, such as `initiative`.
    kind: String,
    /// Its id.
    resource_id: Uuid,
    /// The strategy that it belongs to, if any.
    strategy_id: Option<Uuid>,
    /// Its code, title or name; of what is about an initiative or step, the code of that.
    name: Option<String>,
    /// What happened to it.
    #[schema(inline)]
    effect: Effect,
    /// The field, as the record names it; null where the whole resource came or went.
    field: Option<String>,
    /// The field at the first moment.
    #[schema(value_type = Object)]
    before: Value,
    /// The field at the second moment.
    #[schema(value_type = Object)]
    after: Value,
    /// What that means for those who carry out the plan, where it means something.
    #[schema(inline)]
    meaning: Option<Meaning>,
    /// The same in words.
    words: String,
    /// Who changed the resource between the moments, in the order of their names; none for readers without a key.
    actors: Vec<String>,
    /// Their reasons, in alphabetic order.
    reasons: Vec<String>,
    /// How often it was changed.
    changes: i64,
    /// When it was last changed, until the second moment (RFC 3339, UTC).
    recorded_at: DateTime<Utc>,
}

/// Tells the differences.
pub(super) async fn diff(
    State(app): State<App>,
    actor: Actor,
    format: Format,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    actor.may("diff")?;
    let app = app.seen_by(&actor);
    let (scope, asked, _) = query::read_both::<Scope, Parameters>(&app, query.as_deref(), &REFERENCES).await?;
    let Some(from) = &asked.from else {
        return Err(fault("from", "required", "must say from which moment on: `from=2026-01-31`"));
    };
    let mut connection = app.connection().await?;
    let from = past::instant(&mut connection, "from", from).await?;
    let to = match &asked.to {
        Some(to) => past::instant(&mut connection, "to", to).await?,
        None => past::present(&mut connection).await?,
    };
    if from > to {
        return Err(fault("to", "before_from", "must not be before `from`"));
    }
    let mut strategies: Vec<Uuid> = scope.strategy_id.iter().map(|id| id.uuid()).collect();
    let kinds: Vec<&str> = nouns().iter().map(|noun| noun.kind).collect();
    let mut reading = Reading::seen(&mut connection, None, app.clearance).await?;
    let left_out: &[&str] = if actor.sees_access() { &[] } else { &ACCESS_KINDS };
    if scope.under != Some(false) {
        strategies = under(&mut reading, from, to, strategies).await?;
    }
    let nets = net(&mut reading, from, to, &strategies, &kinds, (app.clearance, left_out)).await?;
    reading.end().await?;
    let known = Known::of(&mut connection, from, app.clearance, &nets).await?;
    drop(connection);
    let differences: Vec<Difference> = nets.iter().flat_map(|net| differences(net, &known)).collect();
    if nets.len() > MOST || differences.len() > MOST {
        let detail = format!("there are more than {MOST} differences; choose a strategy, or moments closer together");
        return Err(fault("from", "too_many_rows", &detail));
    }
    let mut form = Form::of::<Difference>(format);
    if format == Format::Text {
        form.columns = form.columns.only(|name| READ.contains(&name));
    }
    let told = |items| json!({"from": past::text(from), "to": past::text(to), "items": items});
    let body = form.render(form.values(&differences)?, told)?;
    let response = tagged(&headers, body, format);
    // Only between two moments of the past is the answer always the same.
    Ok(if asked.to.is_some() { past::mark(response, Some(to)) } else { response })
}

/// What a reader of a terminal wants to see.
const READ: [&str; 7] = ["kind", "name", "effect", "words", "actors", "reasons", "recorded_at"];

fn fault(name: &str, code: &str, detail: &str) -> Error {
    Error::BadQuery(vec![Fault { pointer: name.into(), code: code.into(), detail: detail.into() }])
}

/// The differences of one resource; none when it was changed and changed back.
fn differences(net: &Net, known: &Known) -> Vec<Difference> {
    let row = |effect, field: Option<&str>, before: Value, after: Value, (meaning, words): Words| Difference {
        kind: net.kind.clone(),
        resource_id: net.resource_id,
        strategy_id: net.strategy_id,
        name: name(net),
        effect,
        field: field.map(str::to_owned),
        before,
        after,
        meaning,
        words,
        actors: net.actors.clone(),
        reasons: net.reasons.clone(),
        changes: net.changes,
        recorded_at: net.recorded_at,
    };
    match (&net.before, &net.after) {
        (None, Some(fields)) => vec![row(Effect::Added, None, Value::Null, Value::Null, of_new(net, fields, known))],
        (Some(fields), None) => vec![row(Effect::Removed, None, Value::Null, Value::Null, of_gone(net, fields, known))],
        (Some(before), Some(after)) => changed(before, after)
            .map(|(field, before, after)| {
                let words = of_field(net, field, before, after, known);
                row(Effect::Changed, Some(field), before.clone(), after.clone(), words)
            })
            .collect(),
        (None, None) => Vec::new(),
    }
}

/// Fields with two different values. One that an older service did not have counts as empty.
fn changed<'a>(before: &'a Fields, after: &'a Fields) -> impl Iterator<Item = (&'a str, &'a Value, &'a Value)> {
    const OF_THE_SERVICE: [&str; 4] = ["id", "version", "created_at", "updated_at"];
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    after.keys().chain(gone).filter(|name| !OF_THE_SERVICE.contains(&name.as_str())).filter_map(move |name| {
        let of = |fields: &'a Fields| fields.get(name).unwrap_or(&Value::Null);
        (of(before) != of(after)).then(|| (name.as_str(), of(before), of(after)))
    })
}

fn name(net: &Net) -> Option<String> {
    let fields = net.fields()?;
    let own = ["code", "title", "name", "number"].iter().find_map(|name| fields.get(*name).filter(|v| !v.is_null()));
    own.map(plain).or_else(|| net.item_code.clone())
}

/// Adds the operation and its schema to the document.
pub(super) fn describe(document: &mut Value) {
    if let Some(components) = document["components"]["schemas"].as_object_mut() {
        components.extend(schemas::<Difference>());
    }
    let mut all = parameters::<Parameters>();
    for parameter in all.iter_mut().filter(|parameter| parameter["name"] == "from") {
        parameter["required"] = true.into();
    }
    all.extend(parameters::<Scope>());
    all.push(if_none_match());
    let instant = json!({"type": "string", "format": "date-time"});
    let page = json!({"type": "object", "required": ["from", "to", "items"], "properties": {"from": instant, "to": instant,
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Difference"}}}});
    let mut responses = problems(&["not_acceptable"]);
    let words = "All differences, by kind and code; text has the columns that people read.";
    responses.insert("200".into(), formats(words, &page));
    responses.insert("304".into(), not_modified());
    document["paths"]["/v1/diff"] = json!({"get": {"operationId": "diff", "tags": ["changes"],
        "summary": "Tells what is different between two moments, field by field, with who, why, and what it means.",
        "parameters": all, "responses": responses}});
}
