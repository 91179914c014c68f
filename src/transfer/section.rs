//! Some rows of one section: matched with what is there, judged, and written.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    api::{Error, answer::internal, days, json, seen::still_classified},
    repository::{self, Author, Fault, Faults, Resource, Stored},
};

/// One row of a file.
#[derive(Debug)]
pub struct Given {
    /// Its own id, if it says one.
    pub id: Option<Uuid>,
    /// The body, as for a `POST`.
    pub body: Value,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is new.
    Created,
    /// It was there and is different now.
    Changed,
    /// It was there, with the same content.
    Unchanged,
    /// It is not valid.
    Refused,
}

/// What became of a row: the id under which it is, or its faults.
pub type Verdict = Result<(Outcome, Uuid), Vec<Fault>>;

/// A row that is different from what is there.
struct Change<'a, R> {
    index: usize,
    id: Uuid,
    before: Option<&'a Stored<R>>,
    data: R,
}

impl<R> Change<'_, R> {
    fn asked(&self) -> repository::Change<'_, R> {
        repository::Change { id: self.id, before: self.before, after: Some(&self.data) }
    }
}

/// Imports some rows, in the caller's transaction. The verdicts are in the order of the rows. What the database refuses is undone row by row,
/// so that the rows after it can be judged.
pub async fn import_section<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    rows: Vec<Given>,
) -> Result<Vec<Verdict>, Error> {
    if R::RULE.is_some() {
        hold::<R>(connection).await?;
    }
    let mut ids: Vec<Option<Uuid>> = rows.iter().map(|row| row.id).collect();
    let mut bodies: Vec<Value> = rows.into_iter().map(|row| row.body).collect();
    let present = Present::<R>::find(connection, &ids, &bodies).await?;
    name_each_other(&present, &mut ids, &mut bodies);
    let mut faults: Vec<Vec<Fault>> = vec![Vec::new(); bodies.len()];
    for (index, fault) in repository::resolve(connection, R::REFERENCES, &mut bodies).await? {
        faults[index].push(fault);
    }
    let mut verdicts: Vec<Option<Verdict>> = vec![None; bodies.len()];
    let (mut changed, mut created) = (Vec::new(), Vec::new());
    for (index, body) in bodies.into_iter().enumerate() {
        let mut faults = std::mem::take(&mut faults[index]);
        let before = present.of(ids[index], &body);
        if before.is_none() && ids[index].is_some_and(|id| present.past.contains(&id)) {
            faults.push(fault("#/id", "deleted", "this id was deleted; leave it out".into()));
        }
        let body = match before {
            Some(before) if R::APPEND_ONLY => as_recorded(body, &before.data)?,
            Some(before) => still_classified(body, &before.data)?,
            None => body,
        };
        let data = match json::decode::<R>(body) {
            Ok(data) => data,
            Err(found) => {
                faults.extend(found);
                verdicts[index] = Some(Err(faults));
                continue;
            }
        };
        if let Some(before) = before.filter(|before| faults.is_empty() && before.data == data) {
            verdicts[index] = Some(Ok((Outcome::Unchanged, before.id)));
            continue;
        }
        if before.is_some() && R::APPEND_ONLY {
            let detail = "it stays as it was recorded; record a correction as a row of its own".into();
            verdicts[index] = Some(Err(vec![fault("#", "append_only", detail)]));
            continue;
        }
        let mut rules = Faults::default();
        days::judge(&data, before.map(|before| &before.data), &mut rules)?;
        faults.extend(rules.0);
        if !faults.is_empty() {
            verdicts[index] = Some(Err(faults));
        } else if let Some(before) = before {
            changed.push(Change { index, id: before.id, before: Some(before), data });
        } else {
            let id = ids[index].unwrap_or_else(Uuid::now_v7);
            created.push(Change { index, id, before: None, data });
        }
    }
    for (mut changes, outcome) in [(changed, Outcome::Changed), (created, Outcome::Created)] {
        let asked: Vec<_> = changes.iter().map(Change::asked).collect();
        let mut refused: HashMap<usize, Vec<Fault>> = HashMap::new();
        for (index, fault) in repository::guarded(connection, author, &asked).await? {
            refused.entry(changes[index].index).or_default().push(Fault { pointer: "#".into(), ..fault });
        }
        changes.retain(|change| !refused.contains_key(&change.index));
        for (index, faults) in refused {
            verdicts[index] = Some(Err(faults));
        }
        save(connection, author, &changes, outcome, &mut verdicts).await?;
    }
    let lost = || Err(vec![fault("#", "internal", "was not judged".into())]);
    Ok(verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(lost)).collect())
}

/// Makes other writers wait until the end of the transaction. A rule over several rows reads what others write; their transactions are serializable, that of
/// an import is not.
pub(super) async fn hold<R: Resource>(connection: &mut PgConnection) -> Result<(), Error> {
    let lock = format!("lock table {} in share row exclusive mode", R::TABLE);
    sqlx::query(AssertSqlSafe(lock)).execute(connection).await?;
    Ok(())
}

/// Writes the changes in as few statements as the faulty ones among them allow: a part that is refused is halved until the row is found.
async fn save<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    changes: &[Change<'_, R>],
    outcome: Outcome,
    verdicts: &mut [Option<Verdict>],
) -> Result<(), Error> {
    let mut parts = vec![changes];
    while let Some(part) = parts.pop() {
        let [first, rest @ ..] = part else { continue };
        statement(connection, "savepoint part").await?;
        match attempt(connection, author, part).await {
            Ok(()) => {
                statement(connection, "release savepoint part").await?;
                for change in part {
                    verdicts[change.index] = Some(Ok((outcome, change.id)));
                }
            }
            Err(error) => {
                let faults = refusal(error)?;
                statement(connection, "rollback to savepoint part").await?;
                statement(connection, "release savepoint part").await?;
                if rest.is_empty() {
                    verdicts[first.index] = Some(Err(faults));
                } else {
                    match middle(part)? {
                        Some(middle) => {
                            let (left, right) = part.split_at(middle);
                            parts.extend([right, left]);
                        }
                        None => part.iter().for_each(|change| verdicts[change.index] = Some(Err(faults.clone()))),
                    }
                }
            }
        }
    }
    Ok(())
}

/// Where to halve a part: not between two rows that refer to each other, such as the halves of a transfer, which are right together only.
fn middle<R: Resource>(part: &[Change<'_, R>]) -> Result<Option<usize>, Error> {
    let calls = |from: &Change<'_, R>, to: &Change<'_, R>| -> Result<bool, Error> {
        let fields = serde_json::to_value(&from.data).map_err(internal)?;
        let id = to.id.to_string();
        let mut own = R::REFERENCES.iter().filter(|reference| reference.table == R::TABLE);
        Ok(own.any(|reference| fields[reference.field] == id.as_str()))
    };
    let half = part.len() / 2;
    for place in (half..part.len()).chain((1..half).rev()) {
        let (before, after) = (&part[place - 1], &part[place]);
        if !(calls(before, after)? && calls(after, before)?) {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

async fn attempt<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    part: &[Change<'_, R>],
) -> Result<(), repository::Error> {
    let changes: Vec<_> = part.iter().map(Change::asked).collect();
    let stored = repository::write(connection, author, &changes).await?;
    if stored.len() < changes.len() {
        return Err(repository::Error::Stale);
    }
    let ids: Vec<Uuid> = part.iter().map(|change| change.id).collect();
    repository::judge::<R>(connection, &ids).await
}

/// The faults of a refused row; any other failure ends the import.
fn refusal(error: repository::Error) -> Result<Vec<Fault>, Error> {
    match Error::from(error) {
        Error::Invalid(faults) | Error::Conflict(faults) | Error::Archived(faults) => Ok(faults),
        Error::Stale(_) => Ok(vec![fault("#", "stale", "somebody else changed it meanwhile; try again".into())]),
        other => Err(other),
    }
}

async fn statement(connection: &mut PgConnection, sql: &'static str) -> Result<(), Error> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}

fn fault(pointer: &str, code: &str, detail: String) -> Fault {
    Fault { pointer: pointer.into(), code: code.into(), detail }
}

/// Rows that refer to each other by their external ids can be written by one statement: each gets its id now.
fn name_each_other<R: Resource>(present: &Present<R>, ids: &mut [Option<Uuid>], bodies: &mut [Value]) {
    let own: Vec<&str> =
        R::REFERENCES.iter().filter(|reference| reference.table == R::TABLE).map(|reference| reference.field).collect();
    let called = |body: &Value| {
        let names = own.iter().filter_map(|field| body.get(*field)?.as_str()?.strip_prefix("external:"));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let wanted: HashSet<String> = bodies.iter().flat_map(called).collect();
    let mut named: HashMap<String, Uuid> = HashMap::new();
    for (id, body) in ids.iter_mut().zip(&*bodies) {
        if let Some(name) = external(body).filter(|name| wanted.contains(*name)) {
            let known = present.of(*id, body).map(|before| before.id);
            let id = known.unwrap_or_else(|| *id.get_or_insert_with(Uuid::now_v7));
            named.entry(name.to_owned()).or_insert(id);
        }
    }
    for body in bodies {
        for field in &own {
            let name = body.get(*field).and_then(|word| word.as_str()?.strip_prefix("external:"));
            if let Some(id) = name.and_then(|name| named.get(name)) {
                body[*field] = id.to_string().into();
            }
        }
    }
}

/// The rows that are there already.
struct Present<R> {
    by_id: HashMap<Uuid, Stored<R>>,
    by_external: HashMap<String, Uuid>,
    past: Vec<Uuid>,
}

/// What a row does not say of one that stays as it is, is as recorded.
fn as_recorded<R: Resource>(mut body: Value, before: &R) -> Result<Value, Error> {
    if let (Value::Object(fields), Value::Object(recorded)) =
        (&mut body, serde_json::to_value(before).map_err(internal)?)
    {
        for (name, value) in recorded {
            fields.entry(name).or_insert(value);
        }
    }
    Ok(body)
}

fn external(body: &Value) -> Option<&str> {
    body.get("external_id")?.as_str()
}

impl<R: Resource> Present<R> {
    async fn find(connection: &mut PgConnection, ids: &[Option<Uuid>], bodies: &[Value]) -> Result<Self, Error> {
        let mut ids: Vec<Uuid> = ids.iter().flatten().copied().collect();
        let past = if ids.is_empty() {
            Vec::new()
        } else {
            sqlx::query_scalar("select distinct entity_id from changes where kind = $1 and entity_id = any($2)")
                .bind(R::KIND)
                .bind(&ids)
                .fetch_all(&mut *connection)
                .await?
        };
        let names: Vec<String> = bodies.iter().filter_map(external).map(str::to_owned).collect();
        let by_external = if names.is_empty() {
            HashMap::new()
        } else {
            repository::named_by(connection, R::TABLE, "external_id", &names).await?
        };
        ids.extend(by_external.values());
        let rows = if ids.is_empty() { Vec::new() } else { repository::find_many::<R>(connection, &ids).await? };
        let by_id = rows.into_iter().map(|row| (row.id, row)).collect();
        Ok(Self { by_id, by_external, past })
    }

    fn of(&self, id: Option<Uuid>, body: &Value) -> Option<&Stored<R>> {
        id.and_then(|id| self.by_id.get(&id)).or_else(|| self.by_id.get(self.by_external.get(external(body)?)?))
    }
}
