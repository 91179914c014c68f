//! A plan file into the service: all of its rows, or none.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, value::RawValue};
use sqlx::PgConnection;
use uuid::Uuid;

pub use super::report::{Report, RowOutcome};
use super::{
    how::{How, NewEntities},
    meter::Cost,
    plan_file::PlanFile,
    section::{Before, Given, Outcome, Verdict},
};
use crate::{
    api::{enough::Enough, json},
    app::BODY_LIMIT,
    base::{aside::aside, text::brief},
    error::Error,
    proposals,
    repository::{self, Author, Fault, Isolation},
    router::Noun,
};

/// Imports a plan file in one transaction. All rows are examined, also after one is refused. `progress` hears how many are done, of how many.
pub async fn import(
    connection: &mut PgConnection,
    nouns: &[Noun],
    author: &Author,
    document: &[u8],
    how: How,
    mut progress: impl FnMut(usize, usize) + Send,
) -> Result<Report, Error> {
    let file = aside(true, || PlanFile::parse(document, nouns))?;
    let mut report = Report { dry_run: how.dry_run, mode: how.mode, ..Report::default() };
    let mut transaction = repository::begin(connection, Isolation::Committed).await?;
    if let Err(error) = all_sections(&mut transaction, nouns, (author, how), &file, &mut report, &mut progress).await {
        return Err(repository::give_up(transaction, error).await);
    }
    if report.close() {
        repository::commit(transaction).await?;
        report.committed = true;
    } else {
        if report.refused == 0 {
            report.proposed_for = proposals::waiting_for(&mut transaction).await?;
        }
        transaction.rollback().await?;
    }
    Ok(report)
}

async fn all_sections(
    connection: &mut PgConnection,
    nouns: &[Noun],
    wish: (&Author, How),
    file: &PlanFile<'_>,
    report: &mut Report,
    progress: &mut (impl FnMut(usize, usize) + Send),
) -> Result<(), Error> {
    repository::plan_anew(connection).await?;
    let total = file.rows();
    let (mut refused, mut enough) = (HashSet::new(), Enough::default());
    for (noun, rows) in nouns.iter().zip(&file.sections) {
        let done = report.rows.len();
        let mut count = 0;
        let outcomes = section(connection, noun, wish, rows, (&mut refused, &mut enough, report), |more| {
            count += more;
            progress(done + count, total);
        });
        let mut outcomes = outcomes.await?;
        // The list of a large section becomes that of the report, so that it is never there twice.
        if report.rows.is_empty() {
            report.rows = outcomes;
        } else {
            report.rows.append(&mut outcomes);
        }
    }
    Ok(())
}

/// The section of the entities.
const ENTITIES: &str = "entities";

/// References to rows of the file that were refused: nothing is wrong with the reference itself.
type Refused = HashSet<(&'static str, String)>;

async fn section(
    connection: &mut PgConnection,
    noun: &Noun,
    (author, how): (&Author, How),
    rows: &[&RawValue],
    (refused, enough, report): (&mut Refused, &mut Enough, &mut Report),
    mut progress: impl FnMut(usize) + Send,
) -> Result<Vec<RowOutcome>, Error> {
    let mut outcomes: Vec<RowOutcome> = Vec::with_capacity(rows.len());
    let names = aside(true, || Names::of(noun, rows));
    outcomes.extend(
        names.iter().enumerate().map(|(index, names)| RowOutcome::new(noun.table, index, names.external_id.clone())),
    );
    let mut before = Before::of_plan();
    for stage in stages_of(noun, &names) {
        for chunk in portions(noun, rows, &stage) {
            if let Some(faults) = enough.instead() {
                outcomes[chunk[0]].errors = located(noun, chunk[0], faults);
                progress(chunk.len());
                continue;
            }
            let read = aside(true, || chunk.iter().map(|index| read(rows[*index])).collect::<Vec<_>>());
            let mut given = Vec::with_capacity(chunk.len());
            let mut indices = Vec::with_capacity(chunk.len());
            let mut waiting: HashMap<(usize, String), String> = HashMap::new();
            for (&index, read) in chunk.iter().zip(read) {
                match read {
                    Ok(row) => {
                        for reference in noun.references.iter().filter(|_| !refused.is_empty()) {
                            if let Some(word) = row.body.get(reference.field).and_then(Value::as_str)
                                && refused.contains(&(reference.table, word.to_owned()))
                            {
                                let name = word.split_once(':').map_or(word, |(_, name)| name);
                                waiting.insert((index, format!("#/{}", reference.field)), name.to_owned());
                            }
                        }
                        given.push(row);
                        indices.push(index);
                    }
                    Err(faults) => outcomes[index].errors = located(noun, index, faults),
                }
            }
            let verdicts: Vec<Verdict> = (noun.import)(connection, author, how.mode, given, &mut before).await?;
            for (index, verdict) in indices.into_iter().zip(verdicts) {
                match verdict {
                    Ok(done) if !before.met.insert(done.id) => {
                        let detail = "an earlier row of this section means the same; keep one of them";
                        outcomes[index].errors = located(noun, index, vec![fault("", "duplicate", detail)]);
                    }
                    Ok(done) if noun.table == ENTITIES && done.outcome == Outcome::Created && must_exist(how) => {
                        let detail = format!(
                            "there is no entity `{}`, and none may be made (must-exist); write its code or its name as it is here, or make it first",
                            brief(&names[index].label)
                        );
                        outcomes[index].errors = located(noun, index, vec![fault("name", "must_exist", detail)]);
                    }
                    Ok(done) => report.take(&mut outcomes[index], done, &names[index].label),
                    Err(mut faults) => {
                        for fault in faults.iter_mut().filter(|fault| fault.code == "not_found") {
                            if let Some(name) = waiting.get(&(index, fault.pointer.clone())) {
                                fault.code = "refused".into();
                                fault.detail = format!("refers to `{name}` of this file, which is refused itself");
                            }
                        }
                        outcomes[index].errors = located(noun, index, faults);
                    }
                }
            }
            for &index in chunk {
                enough.count(outcomes[index].errors.len());
                if outcomes[index].outcome == Outcome::Refused {
                    refused.extend(names[index].words().map(|word| (noun.table, word)));
                }
            }
            progress(chunk.len());
        }
    }
    Ok(outcomes)
}

/// Rows that are in memory together: as many as the noun takes at once, and no more than fit, unless they are judged as a whole.
fn portions<'s>(noun: &Noun, rows: &[&RawValue], stage: &'s [usize]) -> Vec<&'s [usize]> {
    const MOST: Cost = Cost { bytes: 2 << 20, values: 50_000 };
    let (mut portions, mut start, mut cost) = (Vec::new(), 0, Cost::default());
    for place in 0..stage.len() {
        cost = cost.and(Cost::of(rows[stage[place]].get()));
        let is_full = place - start == noun.at_once || (noun.at_once != usize::MAX && cost.exceeds(MOST));
        if is_full && place > start {
            portions.push(&stage[start..place]);
            (start, cost) = (place, Cost::of(rows[stage[place]].get()));
        }
    }
    if start < stage.len() {
        portions.push(&stage[start..]);
    }
    portions
}

fn read(row: &RawValue) -> Result<Given, Vec<Fault>> {
    if row.get().len() > BODY_LIMIT {
        return Err(vec![fault("", "too_large", format!("a row may have at most {BODY_LIMIT} bytes"))]);
    }
    let mut body = json::parse_bytes(row.get().as_bytes()).map_err(|error| match error {
        Error::Malformed(why) => vec![fault("", "malformed", why.replace("the body", "the row"))],
        Error::TooLarge(why) => vec![fault("", "too_large", why.replace("the body", "the row"))],
        _ => vec![fault("", "malformed", "cannot be read")],
    })?;
    let Value::Object(fields) = &mut body else {
        return Err(vec![fault("", "wrong_type", "must be an object")]);
    };
    let id = match fields.shift_remove("id") {
        None | Some(Value::Null) => None,
        Some(id) => {
            let id = id.as_str().and_then(|id| Uuid::try_parse(id).ok());
            Some(id.ok_or_else(|| vec![fault("id", "wrong_format", "must be an id of the service (a UUID)")])?)
        }
    };
    Ok(Given { id, body })
}

fn fault(field: &str, code: &str, detail: impl Into<String>) -> Fault {
    let pointer = if field.is_empty() { "#".into() } else { format!("#/{field}") };
    Fault { pointer, code: code.into(), detail: detail.into() }
}

/// Pointers into the row become pointers into the file.
fn located(noun: &Noun, index: usize, mut faults: Vec<Fault>) -> Vec<Fault> {
    for fault in &mut faults {
        let inner = fault.pointer.trim_start_matches('#').trim_end_matches('/');
        fault.pointer = format!("#/{}/{index}{inner}", noun.table);
    }
    faults
}

/// How a row is called, and which rows of its own section it calls.
#[derive(Debug, Default)]
struct Names {
    external_id: Option<String>,
    code: Option<String>,
    id: Option<Uuid>,
    calls: Vec<String>,
    /// What people call it.
    label: String,
}

impl Names {
    /// The names of all rows.
    fn of(noun: &Noun, rows: &[&RawValue]) -> Vec<Self> {
        rows.iter().map(|row| Self::read(noun, row)).collect()
    }

    /// Reads no more of the row than its names, however large it is.
    fn read(noun: &Noun, row: &RawValue) -> Self {
        if row.get().len() > BODY_LIMIT {
            return Self::default();
        }
        let Ok(fields) = serde_json::from_str::<HashMap<String, &RawValue>>(row.get()) else {
            return Self::default();
        };
        let word = |name: &str| serde_json::from_str::<String>(fields.get(name)?.get()).ok();
        let own = noun.references.iter().filter(|reference| reference.table == noun.table);
        Self {
            external_id: word("external_id"),
            code: word("code"),
            id: word("id").and_then(|id| Uuid::try_parse(&id).ok()),
            calls: own.filter_map(|reference| word(reference.field)).collect(),
            label: if noun.table == ENTITIES { label(&fields) } else { String::new() },
        }
    }

    fn is_any(&self) -> bool {
        self.external_id.is_some() || self.code.is_some() || self.id.is_some()
    }

    /// The references by which others may call it.
    fn words(&self) -> impl Iterator<Item = String> {
        let external = self.external_id.iter().map(|name| format!("external:{name}"));
        let code = self.code.iter().map(|code| format!("code:{code}"));
        external.chain(code).chain(self.id.iter().map(Uuid::to_string))
    }
}

/// The name or code of a row, whatever it has.
fn label(fields: &HashMap<String, &RawValue>) -> String {
    let words = |name: &str| match serde_json::from_str(fields.get(name)?.get()).ok()? {
        Value::String(words) => Some(brief(&words).into_owned()),
        Value::Object(words) => words.values().find_map(Value::as_str).map(|words| brief(words).into_owned()),
        _ => None,
    };
    ["name", "code", "external_id"].into_iter().find_map(words).unwrap_or_default()
}

fn must_exist(how: How) -> bool {
    how.entities == NewEntities::MustExist
}

/// What is only added to came about in the order of its time, and is judged as a whole: movements of money, each under a ceiling that others raise.
fn stages_of(noun: &Noun, names: &[Names]) -> Vec<Vec<usize>> {
    if noun.is_append_only {
        return vec![(0..names.len()).collect()];
    }
    let mut stages = stages(names);
    // What a row names by itself is not there for one that names nothing.
    for stage in &mut stages {
        stage.sort_by_key(|index| !names[*index].is_any());
    }
    stages
}

/// The rows in stages, each after the rows that it calls. Rows that call each other in a circle come last; the database judges those.
fn stages(names: &[Names]) -> Vec<Vec<usize>> {
    let mut called: HashMap<String, usize> = HashMap::new();
    for (index, row) in names.iter().enumerate() {
        for word in row.words() {
            called.entry(word).or_insert(index);
        }
    }
    let mut waits = vec![0_usize; names.len()];
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for (index, row) in names.iter().enumerate() {
        for target in row.calls.iter().filter_map(|name| called.get(name)) {
            waits[index] += 1;
            callers[*target].push(index);
        }
    }
    let mut stages = Vec::new();
    let mut stage: Vec<usize> = (0..names.len()).filter(|index| waits[*index] == 0).collect();
    while !stage.is_empty() {
        let mut next = Vec::new();
        for caller in stage.iter().flat_map(|index| &callers[*index]) {
            waits[*caller] -= 1;
            if waits[*caller] == 0 {
                next.push(*caller);
            }
        }
        next.sort_unstable();
        stages.push(std::mem::replace(&mut stage, next));
    }
    let circle: Vec<usize> = (0..names.len()).filter(|index| waits[*index] > 0).collect();
    if !circle.is_empty() {
        stages.push(circle);
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str, calls: &[&str]) -> Names {
        Names {
            external_id: Some(name.into()),
            calls: calls.iter().map(|name| format!("external:{name}")).collect(),
            ..Names::default()
        }
    }

    #[test]
    fn rows_come_after_those_they_call() {
        let rows = [names("c", &["b"]), names("b", &["a"]), names("a", &["elsewhere"]), names("d", &["a"])];
        assert_eq!(stages(&rows), [vec![2], vec![1, 3], vec![0]]);
        let rows = [names("a", &["b"]), names("b", &["a"]), names("c", &[]), names("d", &["a"])];
        assert_eq!(stages(&rows), [vec![2], vec![0, 1, 3]]);
    }

    #[test]
    fn rows_are_read_strictly() {
        let row = |text: &str| {
            let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
            read(&raw).map_err(|faults| faults[0].code.clone())
        };
        assert!(row(r#"{"id": "0192f0c0-0000-7000-8000-000000000001"}"#).unwrap().id.is_some());
        assert_eq!(row(r#"{"id": "x"}"#).unwrap_err(), "wrong_format");
        assert_eq!(row(r#"{"a": 1, "a": 2}"#).unwrap_err(), "malformed");
        assert_eq!(row("7").unwrap_err(), "wrong_type");
    }
}
