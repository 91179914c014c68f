//! Some rows of one section: matched with what is there, judged, and written.

mod each_other;

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    difference::Difference,
    how::Mode,
    moved::{self, Doubt, Stood},
    present::Present,
};
use crate::{
    api::{
        answer::internal,
        days, json,
        patch::{named, patched},
        seen::still_classified,
    },
    error::Error,
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

/// What became of a row: how it is now, or its faults.
pub type Verdict = Result<Done, Vec<Fault>>;

/// What became of a row that is not refused.
#[derive(Debug, Clone)]
pub struct Done {
    /// What became of it.
    pub outcome: Outcome,
    /// The id under which it is.
    pub id: Uuid,
    /// What is different now, where it was there.
    pub difference: Difference,
    /// The words of its deadline, where they were not understood.
    pub unread_deadline: Option<String>,
}

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

/// What is known of the rows of a section that came before.
#[derive(Debug, Default)]
pub struct Before {
    /// The rows of the database that were meant.
    pub met: HashSet<Uuid>,
    /// What stood of the things that they are about.
    stood: Stood,
    /// Whether a row that nothing names may be one that says the same.
    by_values: bool,
}

impl Before {
    /// Nothing yet, of a section of a plan.
    pub fn of_plan() -> Self {
        Self { by_values: true, ..Self::default() }
    }
}

/// Imports some rows, in the caller's transaction. The verdicts are in the order of the rows. What the database refuses is undone row by row,
/// so that the rows after it can be judged.
pub async fn import_section<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    mode: Mode,
    rows: Vec<Given>,
    before: &mut Before,
) -> Result<Vec<Verdict>, Error> {
    if R::RULE.is_some() {
        hold::<R>(connection).await?;
    }
    let mut ids: Vec<Option<Uuid>> = rows.iter().map(|row| row.id).collect();
    let mut bodies: Vec<Value> = rows.into_iter().map(|row| row.body).collect();
    let mut present = Present::<R>::find(connection, &ids, &bodies).await?;
    each_other::name(&present, &mut ids, &mut bodies);
    let mut faults: Vec<Vec<Fault>> = vec![Vec::new(); bodies.len()];
    for (index, fault) in repository::resolve(connection, R::REFERENCES, &mut bodies).await? {
        faults[index].push(fault);
    }
    present.find_by_code(connection, &ids, &bodies).await?;
    present.find_by_key(connection, &ids, &bodies).await?;
    present.find_by_name(connection, &ids, &bodies).await?;
    if before.by_values {
        present.find_by_values(connection, (&ids, &bodies), &before.met).await?;
        present.find_amounts(connection, (&ids, &bodies), &before.met).await?;
    }
    let mut run = Run::<R> { mode, present: &present, met: HashSet::new(), doubts: Vec::new(), told: Vec::new() };
    let mut verdicts: Vec<Option<Settled>> = vec![None; bodies.len()];
    let (mut changed, mut created) = (Vec::new(), Vec::new());
    for (index, body) in bodies.into_iter().enumerate() {
        run.told.push((Difference::default(), None));
        match run.judge((index, ids[index]), body, std::mem::take(&mut faults[index]))? {
            Judged::Same(id) => verdicts[index] = Some(Ok((Outcome::Unchanged, id))),
            Judged::Refused(faults) => verdicts[index] = Some(Err(faults)),
            Judged::Change(change) if change.before.is_some() => changed.push(change),
            Judged::Change(change) => created.push(change),
        }
    }
    let Run { doubts, told, .. } = run;
    if author.reason.is_none() {
        for (index, faults) in moved::set_back(connection, &doubts).await? {
            changed.retain(|change| change.index != index);
            verdicts[index].get_or_insert(Err(faults));
        }
    }
    let about = moved::about(
        changed.iter().chain(&created).map(|one| (one.index, one.before.map(|before| &before.data), &one.data)),
    )?;
    before.stood.note(connection, R::KIND, &about).await?;
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
    if author.reason.is_none() {
        for (index, fault) in before.stood.lost(connection, R::KIND, &about).await? {
            if let Some(Ok(_)) = verdicts[index] {
                verdicts[index] = Some(Err(vec![fault]));
            }
        }
    }
    for (index, verdict) in verdicts.iter_mut().enumerate() {
        if let Some(Err(faults)) = verdict {
            present.explain(index, faults);
        }
    }
    let verdicts = verdicts.into_iter().zip(told).map(|(verdict, (difference, unread_deadline))| match verdict {
        Some(Ok((outcome, id))) => Ok(Done { outcome, id, difference, unread_deadline }),
        Some(Err(faults)) => Err(faults),
        None => Err(vec![fault("#", "internal", "was not judged".into())]),
    });
    Ok(verdicts.collect())
}

/// What holds while the rows of a section are judged, one after another.
struct Run<'p, R> {
    mode: Mode,
    present: &'p Present<R>,
    /// The rows of the database that were meant so far.
    met: HashSet<Uuid>,
    doubts: Vec<Doubt>,
    /// What is told of each row.
    told: Vec<(Difference, Option<String>)>,
}

/// What is to be done with a row.
enum Judged<'p, R> {
    Same(Uuid),
    Refused(Vec<Fault>),
    Change(Change<'p, R>),
}

impl<'p, R: Resource> Run<'p, R> {
    fn judge(
        &mut self,
        (index, id): (usize, Option<Uuid>),
        body: Value,
        mut faults: Vec<Fault>,
    ) -> Result<Judged<'p, R>, Error> {
        let before = self.present.of(index, id, &body);
        if self.present.is_gone(id) {
            faults.push(fault("#/id", "deleted", "this id was deleted; leave it out".into()));
        }
        faults.extend(self.present.fault(index).cloned());
        if before.is_some_and(|before| !self.met.insert(before.id)) {
            faults.push(fault(
                "#",
                "duplicate",
                "an earlier row of this section means the same; keep one of them".into(),
            ));
        }
        if let Some(before) = before.filter(|_| self.mode == Mode::Add && faults.is_empty()) {
            return Ok(Judged::Same(before.id));
        }
        let mut body = body;
        if let Some((field, before)) = self.present.kept(index).zip(before) {
            body[field] = serde_json::to_value(&before.data).map_err(internal)?[field].take();
        }
        let body = match before {
            Some(before) if R::APPEND_ONLY || self.mode == Mode::Merge => patched(&before.data, body)?,
            Some(before) => still_reported(still_classified(body, &before.data)?, &before.data)?,
            None => named::<R>(body),
        };
        let data = match json::decode::<R>(body) {
            Ok(data) => data,
            Err(found) => {
                faults.extend(found);
                return Ok(Judged::Refused(faults));
            }
        };
        let after = serde_json::to_value(&data).map_err(internal)?;
        let deadline = after.get("deadline").filter(|deadline| deadline["kind"] == "unparsed");
        self.told[index].1 = deadline.and_then(|deadline| deadline["text"].as_str()).map(str::to_owned);
        if let Some(before) = before.filter(|_| faults.is_empty()) {
            let was = serde_json::to_value(&before.data).map_err(internal)?;
            let difference = Difference::between(&was, &after);
            if before.data == data || difference.is_none() {
                return Ok(Judged::Same(before.id));
            }
            if R::APPEND_ONLY {
                let detail = "it stays as it was recorded; record a correction as a row of its own".into();
                return Ok(Judged::Refused(vec![fault("#", "append_only", detail)]));
            }
            self.doubts.extend(Doubt::of(R::KIND, (index, before.id), (&was, &after), &difference));
            self.told[index].0 = difference;
        }
        let mut rules = Faults::default();
        days::judge(&data, before.map(|before| &before.data), &mut rules)?;
        faults.extend(rules.0);
        if !faults.is_empty() {
            return Ok(Judged::Refused(faults));
        }
        let id = before.map_or_else(|| id.unwrap_or_else(Uuid::now_v7), |before| before.id);
        Ok(Judged::Change(Change { index, id, before, data }))
    }
}

/// A replacement that does not say how far a thing is leaves that as it was reported; nor does it take a name away that it does not know.
fn still_reported<R: Resource>(mut body: Value, before: &R) -> Result<Value, Error> {
    let before = serde_json::to_value(before).map_err(internal)?;
    if let Value::Object(fields) = &mut body {
        for name in moved::kept(R::KIND, &before) {
            fields.entry(name).or_insert_with(|| before[name].clone());
        }
    }
    Ok(body)
}

/// Makes other writers wait until the end of the transaction. A rule over several rows reads what others write; their transactions are serializable, that of
/// an import is not.
pub(super) async fn hold<R: Resource>(connection: &mut PgConnection) -> Result<(), Error> {
    let lock = format!("lock table {} in share row exclusive mode", R::TABLE);
    sqlx::query(AssertSqlSafe(lock)).execute(connection).await?;
    Ok(())
}

/// What became of a row, and its id; or its faults.
type Settled = Result<(Outcome, Uuid), Vec<Fault>>;

/// Writes the changes in as few statements as the faulty ones among them allow: a part that is refused is halved until the row is found.
async fn save<R: Resource>(
    connection: &mut PgConnection,
    author: &Author,
    changes: &[Change<'_, R>],
    outcome: Outcome,
    verdicts: &mut [Option<Settled>],
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
