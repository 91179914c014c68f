//! Query strings: every parameter is known, typed and judged; all faults are named at once.

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    cursor::Cursor,
    json::{decode, integer},
    past,
    shape::Shape,
    view::View,
};
use crate::{
    app::App,
    base::values::{Language, characters::composed, languages},
    repository::{self, Common, Fault, Moment, Reading, Reference, Resource, Sort, Window},
};
use crate::{base::text::unknown, error::Error};

/// What every collection can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListParameters {
    /// Rows of a page, 1 to 200; 50 when not given. CSV and NDJSON stream all rows when it is not given.
    #[schema(minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<i64>,
    /// The `next` of the page before.
    #[schema(max_length = 4000)]
    pub after: Option<String>,
    /// Keys in order of weight, `-` for descending: `-deadline,code`.
    #[schema(max_length = 200)]
    pub sort: Option<String>,
    /// Words to search for, in Romanian or English, with or without diacritics; `"two words"`, `or` and `-not` work.
    #[schema(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// Also gives `count`, the exact number of rows over all pages.
    pub count: Option<bool>,
    /// Only these fields: `id,code,title`.
    #[schema(max_length = 2000)]
    pub fields: Option<String>,
    /// Also gives what these fields refer to: `strategy,objective`.
    #[schema(max_length = 500)]
    pub expand: Option<String>,
    /// Changed after this instant (RFC 3339).
    pub updated_after: Option<DateTime<Utc>>,
    /// Changed before this instant (RFC 3339).
    pub updated_before: Option<DateTime<Utc>>,
    /// The caller's own id; may be repeated.
    pub external_id: Vec<String>,
    /// As the record had it at this instant (RFC 3339), or at the end of this day in the time zone of the service.
    #[schema(max_length = 40, example = "2026-01-31")]
    pub as_of: Option<String>,
    /// Tells each text as a string in this language (ISO 639-1) instead of as an object of languages; what is not said in it, in the first
    /// language of the service that has it. `sort=title` follows it.
    #[schema(value_type = Option<String>, pattern = "^[a-z]{2}$", example = "ro")]
    pub lang: Option<Language>,
}

/// What a single resource can be asked.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FindParameters {
    /// Only these fields: `id,code,title`.
    #[schema(max_length = 2000)]
    pub fields: Option<String>,
    /// Also gives what these fields refer to: `strategy,objective`.
    #[schema(max_length = 500)]
    pub expand: Option<String>,
    /// As the record had it at this instant (RFC 3339), or at the end of this day in the time zone of the service.
    #[schema(max_length = 40, example = "2026-01-31")]
    pub as_of: Option<String>,
    /// Tells each text as a string in this language (ISO 639-1) instead of as an object of languages; what is not said in it, in the first
    /// language of the service that has it. `sort=title` follows it.
    #[schema(value_type = Option<String>, pattern = "^[a-z]{2}$", example = "ro")]
    pub lang: Option<Language>,
}

/// A query without any parameter.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoParameters {}

/// The fault of a cursor that was not made by this list.
pub fn bad_cursor() -> Fault {
    fault("after", "bad_cursor", "is no cursor of this list in this order; start again without it".into())
}

pub(super) fn fault(name: &str, code: &str, detail: String) -> Fault {
    Fault { pointer: name.to_owned(), code: code.to_owned(), detail }
}

/// So many faults of a query are named.
const FAULTS: usize = 1000;

/// Sorts the pairs of a query into the objects that the given shapes describe.
fn sort_in(query: &str, shapes: &[&'static Shape]) -> Result<Vec<Value>, Vec<Fault>> {
    let mut objects = vec![Map::new(); shapes.len()];
    let mut faults = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if faults.len() == FAULTS {
            faults.push(fault("", "more", format!("there are more than {FAULTS} faults; correct these first")));
            break;
        }
        if value.contains('\0') || value.contains('\u{fffd}') {
            faults.push(fault(&name, "not_storable", "has a character that cannot be stored, or is not UTF-8".into()));
            continue;
        }
        let known = shapes.iter().enumerate().find_map(|(index, shape)| {
            let (_, schema) = shape.properties().find(|(property, _)| **property == name)?;
            Some((index, shape.resolve(schema)))
        });
        let Some((index, schema)) = known else {
            let names = shapes.iter().flat_map(|shape| shape.properties().map(|(property, _)| property.as_str()));
            let names: Vec<&str> = names.collect();
            faults.push(fault(&name, "unknown_parameter", unknown("parameter", &name, names.iter().copied())));
            continue;
        };
        let shape = shapes[index];
        if is(schema, "array") {
            let items = schema.get("items").map_or(schema, |items| shape.resolve(items));
            let list = objects[index].entry(name.into_owned()).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(typed(items, &composed(&value)));
            }
        } else if objects[index].insert(name.clone().into_owned(), typed(schema, &composed(&value))).is_some() {
            faults.push(fault(&name, "repeated", "may be given only once".into()));
        }
    }
    if faults.is_empty() { Ok(objects.into_iter().map(Value::Object).collect()) } else { Err(faults) }
}

fn is(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(kinds)) => kinds.iter().any(|each| each == kind),
        _ => false,
    }
}

fn typed(schema: &Value, word: &str) -> Value {
    if is(schema, "integer")
        && let Some(number) = integer(word)
    {
        return number.into();
    }
    if is(schema, "boolean")
        && let Ok(truth) = word.parse::<bool>()
    {
        return truth.into();
    }
    word.into()
}

fn one<T: DeserializeOwned + ToSchema + 'static>(value: Value, faults: &mut Vec<Fault>) -> Option<T> {
    match decode(value) {
        Ok(value) => Some(value),
        Err(mut found) => {
            found.iter_mut().for_each(point_to_parameter);
            faults.append(&mut found);
            None
        }
    }
}

fn point_to_parameter(fault: &mut Fault) {
    // A parameter that has no value is left out; none can be null.
    if let Some(detail) = fault.detail.strip_suffix(" or null") {
        fault.detail = detail.to_owned();
    }
    fault.pointer = fault.pointer.trim_start_matches("#/").split('/').next().unwrap_or_default().to_owned();
}

/// The moment that one of these objects names.
async fn moment(app: &App, objects: &[Value], faults: &mut Vec<Fault>) -> Result<Moment, Error> {
    match past::moment(app, objects.iter().find_map(|object| object.get("as_of")?.as_str())).await {
        Err(Error::BadQuery(mut found)) => {
            faults.append(&mut found);
            Ok(None)
        }
        other => other,
    }
}

/// Replaces each reference given by a name by the id that it names at that moment. Only then is a connection needed.
async fn resolve(
    app: &App,
    moment: Moment,
    references: &[Reference],
    filter: &mut Value,
    faults: &mut Vec<Fault>,
) -> Result<(), Error> {
    if !references.iter().any(|reference| repository::names_a_row(filter, reference)) {
        return Ok(());
    }
    let mut connection = app.connection().await?;
    let mut reading = Reading::seen(&mut connection, moment, app.clearance).await?;
    let unresolved = repository::resolve(&mut reading, references, std::slice::from_mut(filter)).await?;
    reading.end().await?;
    faults.extend(unresolved.into_iter().map(|(_, mut fault)| {
        point_to_parameter(&mut fault);
        fault
    }));
    Ok(())
}

/// Reads a query that one type describes.
pub fn read<T: DeserializeOwned + ToSchema + 'static>(query: Option<&str>) -> Result<T, Error> {
    let mut objects = sort_in(query.unwrap_or_default(), &[Shape::of::<T>()]).map_err(Error::BadQuery)?;
    let mut faults = Vec::new();
    one(objects.remove(0), &mut faults).ok_or(Error::BadQuery(faults))
}

/// Reads a query that three types describe together, and the moment that it may name.
pub async fn read_three<A, B, C>(
    app: &App,
    query: Option<&str>,
    references: &[Reference],
) -> Result<(A, B, C, Moment), Error>
where
    A: DeserializeOwned + ToSchema + 'static,
    B: DeserializeOwned + ToSchema + 'static,
    C: DeserializeOwned + ToSchema + 'static,
{
    let shapes = [Shape::of::<A>(), Shape::of::<B>(), Shape::of::<C>()];
    let mut objects = sort_in(query.unwrap_or_default(), &shapes).map_err(Error::BadQuery)?;
    let mut faults = Vec::new();
    let moment = moment(app, &objects, &mut faults).await?;
    for object in &mut objects {
        resolve(app, moment, references, object, &mut faults).await?;
    }
    let third = one(objects.pop().unwrap_or_default(), &mut faults);
    let second = one(objects.pop().unwrap_or_default(), &mut faults);
    let first = one(objects.pop().unwrap_or_default(), &mut faults);
    match (first, second, third) {
        (Some(first), Some(second), Some(third)) if faults.is_empty() => Ok((first, second, third, moment)),
        _ => Err(Error::BadQuery(faults)),
    }
}

/// Reads a query that two types describe together, and the moment that it may name.
pub async fn read_both<A, B>(app: &App, query: Option<&str>, references: &[Reference]) -> Result<(A, B, Moment), Error>
where
    A: DeserializeOwned + ToSchema + 'static,
    B: DeserializeOwned + ToSchema + 'static,
{
    let (first, second, NoParameters {}, moment) = read_three(app, query, references).await?;
    Ok((first, second, moment))
}

/// What a list was asked.
pub struct Listing<R: Resource> {
    /// The noun's own filter.
    pub filter: R::Filter,
    /// The filter that all nouns share.
    pub common: Common,
    /// Which part, in which order.
    pub window: Window,
    /// The sort order as a word, for the cursor.
    pub order: String,
    /// Whether a limit was asked for.
    pub limited: bool,
    /// Whether the exact number is wanted.
    pub count: bool,
    /// Which fields and which references.
    pub view: View,
    /// The present or a past moment.
    pub moment: Moment,
}

const DEFAULT_LIMIT: i64 = 50;

/// Reads the query of a list.
pub async fn listing<R: Resource>(app: &App, query: Option<&str>) -> Result<Listing<R>, Error> {
    let shapes = [Shape::of::<ListParameters>(), Shape::of::<R::Filter>()];
    let mut objects = sort_in(query.unwrap_or_default(), &shapes).map_err(Error::BadQuery)?;
    let mut faults = Vec::new();
    let references = [R::REFERENCES, R::FILTER_REFERENCES].concat();
    let moment = moment(app, &objects, &mut faults).await?;
    resolve(app, moment, &references, &mut objects[1], &mut faults).await?;
    let filter = one::<R::Filter>(objects.pop().unwrap_or_default(), &mut faults);
    let parameters = one::<ListParameters>(objects.pop().unwrap_or_default(), &mut faults);
    let (Some(filter), Some(parameters)) = (filter, parameters) else {
        return Err(Error::BadQuery(faults));
    };
    let view =
        View::read::<R>(parameters.fields.as_deref(), parameters.expand.as_deref(), parameters.lang, &mut faults);
    let order = parameters.sort.unwrap_or_else(|| R::SORTS[0].name.to_owned());
    let mut keys: Vec<(Sort, bool)> = Vec::new();
    for key in order.split(',').map(str::trim) {
        let (name, descending) = key.strip_prefix('-').map_or((key, false), |name| (name, true));
        match R::SORTS.iter().find(|sort| sort.name == name) {
            Some(_) if keys.iter().any(|(sort, _)| sort.name == name) => {
                faults.push(fault("sort", "repeated", format!("the key `{name}` stands twice")));
            }
            Some(sort) => keys.push((*sort, descending)),
            None => {
                let names: Vec<&str> = R::SORTS.iter().map(|sort| sort.name).collect();
                faults.push(fault("sort", "unknown_sort_key", unknown("sort key", name, names.iter().copied())));
            }
        }
    }
    let is_spoken = keys.iter().any(|(sort, _)| sort.is_spoken);
    let language = is_spoken.then(|| view.language.as_ref().unwrap_or(&languages()[0]).clone());
    let cursor = parameters.after.map(|word| Cursor::decode(&word));
    let after = match cursor {
        Some(Some(cursor)) if cursor.order == order && cursor.values.len() == keys.len() => {
            if cursor.language != language {
                let made = cursor.language.map_or_else(String::new, |language| format!(" `lang={language}`"));
                let detail = format!(
                    "belongs to the order of{made} and not to this; go on with that, or start again without it"
                );
                faults.push(fault("after", "bad_cursor", detail));
            }
            Some((cursor.values, cursor.id))
        }
        Some(_) => {
            faults.push(bad_cursor());
            None
        }
        None => None,
    };
    if !faults.is_empty() {
        return Err(Error::BadQuery(faults));
    }
    let spelling = match language {
        Some(language) => Some(repository::Spelling::of(&mut *app.connection().await?, &language).await?),
        None => None,
    };
    Ok(Listing {
        filter,
        common: Common {
            q: parameters.q,
            updated_after: parameters.updated_after,
            updated_before: parameters.updated_before,
            external_id: parameters.external_id,
        },
        window: Window { order: keys, after, limit: parameters.limit.unwrap_or(DEFAULT_LIMIT), spelling },
        order,
        limited: parameters.limit.is_some(),
        count: parameters.count.unwrap_or_default(),
        view,
        moment,
    })
}
