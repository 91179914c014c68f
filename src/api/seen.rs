//! What a writer sees: a body accepted, and rows found, as if what is above the writer's clearance were not there.

use serde_json::Value;
use sqlx::PgConnection;

use super::{answer::internal, days, handlers::gone, json};
use crate::error::Error;
use crate::repository::{self, Author, Clearance, Faults, Key, Lookup, Resource, Stored};

/// Turns a body into the fields of a noun: references by external id resolved, schema and rules judged, all faults at once.
pub(super) async fn accept<R: Resource>(
    connection: &mut PgConnection,
    body: Value,
    before: Option<&R>,
) -> Result<R, Error> {
    let mut rows = [body];
    let unresolved = repository::resolve(connection, R::REFERENCES, &mut rows).await?;
    let [body] = rows;
    let mut faults: Vec<_> = unresolved.into_iter().map(|(_, fault)| fault).collect();
    match json::decode::<R>(body) {
        Ok(data) => {
            let mut rules = Faults::default();
            days::judge(&data, before, &mut rules)?;
            faults.append(&mut rules.0);
            if faults.is_empty() { Ok(data) } else { Err(Error::Invalid(faults)) }
        }
        Err(mut found) => {
            faults.append(&mut found);
            Err(Error::Invalid(faults))
        }
    }
}

/// The same for a writer who may not see everything: what is not seen is not there.
pub(crate) async fn accept_seen<R: Resource>(
    connection: &mut PgConnection,
    body: Value,
    before: Option<&R>,
    clearance: Clearance,
) -> Result<R, Error> {
    if clearance == Clearance::All {
        return accept(connection, body, before).await;
    }
    let mut rows = [body];
    repository::see_only(connection, clearance).await?;
    let unresolved = repository::resolve(connection, R::REFERENCES, &mut rows).await?;
    let named: Vec<String> = unresolved.iter().map(|(_, fault)| fault.pointer.clone()).collect();
    let mut faults = Faults(unresolved.into_iter().map(|(_, fault)| fault).collect());
    let unseen = repository::unseen(connection, R::REFERENCES, &rows[0]).await?;
    faults.0.extend(unseen.into_iter().filter(|fault| !named.contains(&fault.pointer)));
    repository::see_all(connection, clearance).await?;
    let [body] = rows;
    let given = body["classification"].as_str().filter(|word| *word == "restricted" || *word == "public");
    let detail = "You could not see it any more; give a classification that you may see.";
    faults.check(given.is_none_or(|given| clearance.sees(Some(given))), "classification", "not_allowed", detail);
    match accept(connection, body, before).await {
        Ok(data) if faults.0.is_empty() => Ok(data),
        Err(Error::Invalid(mut more)) => {
            faults.0.append(&mut more);
            Err(Error::Invalid(faults.0))
        }
        Ok(_) => Err(Error::Invalid(faults.0)),
        Err(error) => Err(error),
    }
}

/// Refuses a captured copy that the writer neither sees nor has brought: whoever sees a row reads the copy that it names.
pub(crate) async fn check_copy<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    (before, after): (Option<&R>, &R),
    clearance: Clearance,
) -> Result<(), Error> {
    let Some(field) = R::COPY.filter(|_| clearance != Clearance::All) else { return Ok(()) };
    let named = |side: &R| serde_json::to_value(side).map(|fields| fields[field].as_str().map(str::to_owned));
    let Some(hash) = named(after).map_err(internal)? else { return Ok(()) };
    if before.map(named).transpose().map_err(internal)?.flatten().as_ref() == Some(&hash)
        || repository::sees_copy(connection, &hash, &author.principal, clearance).await?
    {
        return Ok(());
    }
    let detail = "there is no captured copy with this hash that you brought, or that evidence names which you see; upload the document first";
    Err(Error::invalid(field, "not_found", detail))
}

/// A replacement that does not say how far a thing may be known leaves that as it is: nothing is opened by an omission.
pub(crate) fn still_classified<R: Resource>(mut body: Value, before: &R) -> Result<Value, Error> {
    let kept = serde_json::to_value(before).map_err(internal)?["classification"].take();
    if let Value::Object(fields) = &mut body {
        fields.entry("classification").or_insert(kept);
    }
    Ok(body)
}

/// What the writer sees under a key.
pub(crate) async fn look<R: Resource>(
    connection: &mut PgConnection,
    key: &Key,
    clearance: Clearance,
) -> Result<Lookup<Stored<R>>, Error> {
    repository::see_only(connection, clearance).await?;
    let lookup = repository::find::<R>(connection, key).await?;
    repository::see_all(connection, clearance).await?;
    Ok(lookup)
}

pub(crate) async fn fetch_seen<R: Resource>(
    connection: &mut PgConnection,
    key: &Key,
    clearance: Clearance,
) -> Result<Stored<R>, Error> {
    match look::<R>(connection, key, clearance).await? {
        Lookup::Found(stored) => Ok(stored),
        lookup => Err(gone::<R, _>(key, lookup)),
    }
}
