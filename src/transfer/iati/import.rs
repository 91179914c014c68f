//! A file of activities into the service: all of them, or none. Some are in memory at a time, however long the file is.

use std::{
    collections::{HashMap, HashSet},
    io::BufRead,
};

use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    file::{Activities, Piece, schema},
    mapping::{Draft, Given, draft},
    part::Listing,
    partners,
    report::{IatiReport, IatiRow},
};
use crate::{
    api::{Error, answer::internal},
    international::Contribution,
    repository::{self, Author, Fault, Isolation, Resource as _, Stored},
    transfer::{
        section::{self, Outcome, import_section},
        xml::Flaw,
    },
    values::Id,
};

/// Activities that are written together.
const CHUNK: usize = 100;

/// Imports a file in one transaction. All activities are examined, also after one is refused. `keep` gets each row; the rows of the report are
/// left to it.
pub async fn import(
    connection: &mut PgConnection,
    author: &Author,
    source: impl BufRead + Send,
    given: &Given,
    dry_run: bool,
    mut keep: impl FnMut(IatiRow) + Send,
) -> Result<IatiReport, Error> {
    let file = Activities::open(source, schema()?).map_err(|flaw| broken(flaw, false))?;
    let mut transaction = repository::begin(connection, Isolation::Committed).await?;
    let mut run = Run {
        given,
        author,
        report: IatiReport { dry_run, ..IatiReport::default() },
        sum: Listing::default(),
        seen: HashSet::new(),
    };
    if let Err(error) = run.all(&mut transaction, file, &mut keep).await {
        return Err(repository::give_up(transaction, error).await);
    }
    let mut report = run.report;
    report.left_out = run.sum.0;
    if dry_run || report.refused > 0 {
        transaction.rollback().await?;
    } else {
        repository::commit(transaction).await?;
        report.committed = true;
    }
    Ok(report)
}

/// A flaw after which there is no reading on. What is no XML is malformed, unless the activities before it were refused already.
fn broken(flaw: Flaw, has_others: bool) -> Error {
    if flaw.code == "malformed" && !has_others {
        let Fault { pointer, detail, .. } = flaw.into();
        return Error::Malformed(format!("{pointer}: {detail}"));
    }
    Error::Invalid(vec![flaw.into()])
}

struct Run<'a> {
    given: &'a Given,
    author: &'a Author,
    report: IatiReport,
    sum: Listing,
    seen: HashSet<String>,
}

/// An activity that waits to be written, and its row.
struct Waiting {
    row: IatiRow,
    draft: Option<Draft>,
}

impl Run<'_> {
    async fn all<R: BufRead + Send>(
        &mut self,
        connection: &mut PgConnection,
        mut file: Activities<R>,
        keep: &mut (impl FnMut(IatiRow) + Send),
    ) -> Result<(), Error> {
        let (mut waiting, mut index) = (Vec::with_capacity(CHUNK), 0);
        loop {
            let piece = file.read().map_err(|flaw| broken(flaw, self.report.refused > 0))?;
            let is_end = piece.is_none();
            match piece {
                Some(Piece::Activity(activity)) => {
                    waiting.push(self.waiting(draft(activity, self.given), index));
                    index += 1;
                }
                Some(Piece::Refused(flaws, external_id)) => {
                    let line = flaws.first().map_or(0, |flaw| flaw.place.line);
                    let errors = flaws.into_iter().map(Fault::from).collect();
                    let row = IatiRow { external_id, ..refused(Some(index), line, errors) };
                    waiting.push(Waiting { row, draft: None });
                    index += 1;
                }
                Some(Piece::Around(flaws)) => {
                    let line = flaws.first().map_or(0, |flaw| flaw.place.line);
                    let row = refused(None, line, flaws.into_iter().map(Fault::from).collect());
                    waiting.push(Waiting { row, draft: None });
                }
                None => {}
            }
            if is_end || waiting.len() == CHUNK {
                self.write(connection, &mut waiting).await?;
                for Waiting { mut row, .. } in waiting.drain(..) {
                    match row.outcome {
                        Outcome::Created => self.report.created += 1,
                        Outcome::Changed => self.report.changed += 1,
                        Outcome::Unchanged => self.report.unchanged += 1,
                        Outcome::Refused => self.report.refused += 1,
                    }
                    self.sum.sum(&row.left_out);
                    if self.report.dry_run && row.outcome == Outcome::Created {
                        // What is created is gone again, and so is its id.
                        row.id = None;
                    }
                    keep(row);
                }
            }
            if is_end {
                return Ok(());
            }
        }
    }

    fn waiting(&mut self, mut draft: Draft, index: usize) -> Waiting {
        let external_id = draft.external_id.clone();
        let mut errors: Vec<Fault> = std::mem::take(&mut draft.flaws).into_iter().map(Fault::from).collect();
        let name = external_id.clone().or_else(|| draft.id.map(|id| id.to_string()));
        if name.is_some_and(|name| !self.seen.insert(name)) {
            errors.push(Fault {
                pointer: format!("line {}: iati-identifier", draft.line),
                code: "duplicate".into(),
                detail: "an earlier activity of this file has it too; keep one of them".into(),
            });
        }
        let row = IatiRow {
            external_id,
            left_out: std::mem::take(&mut draft.left_out),
            ..refused(Some(index), draft.line, errors)
        };
        let draft = row.errors.is_empty().then_some(draft);
        Waiting { row, draft }
    }

    async fn write(&mut self, connection: &mut PgConnection, waiting: &mut [Waiting]) -> Result<(), Error> {
        let good: Vec<(usize, Draft)> =
            waiting.iter_mut().enumerate().filter_map(|(at, one)| Some((at, one.draft.take()?))).collect();
        let (places, drafts): (Vec<usize>, Vec<Draft>) = good.into_iter().unzip();
        let present = Present::find(connection, &drafts).await?;
        let mut rows = Vec::with_capacity(drafts.len());
        for draft in &drafts {
            let before = present.of(draft);
            let mut body = self.body(draft, before)?;
            if before.is_none() {
                body.insert("external_id".into(), json!(draft.external_id));
            }
            rows.push(section::Given {
                id: before.map_or(draft.id, |before| Some(before.id)),
                body: Value::Object(body),
            });
        }
        let verdicts = import_section::<Contribution>(connection, self.author, rows).await?;
        let mut written = Vec::new();
        for ((place, draft), verdict) in places.into_iter().zip(drafts).zip(verdicts) {
            let row = &mut waiting[place].row;
            match verdict {
                Ok((outcome, id)) => {
                    (row.outcome, row.id) = (outcome, Some(id));
                    let lead = present.of(&draft).and_then(|before| before.data.lead_id);
                    written.push((
                        place,
                        partners::Wanted {
                            contribution: id,
                            is_new: outcome == Outcome::Created,
                            lead: lead.map(Id::uuid),
                            partners: draft.partners,
                        },
                    ));
                }
                Err(faults) => row.errors = located(draft.line, "", faults),
            }
        }
        let (places, wanted): (Vec<usize>, Vec<partners::Wanted>) = written.into_iter().unzip();
        let classification = self.given.classification.as_deref();
        for (at, verdict) in partners::write(connection, self.author, classification, &wanted).await? {
            let row = &mut waiting[places[at]].row;
            match verdict {
                Ok((Outcome::Created | Outcome::Changed, _)) if row.outcome == Outcome::Unchanged => {
                    row.outcome = Outcome::Changed;
                }
                Ok(_) => {}
                Err(faults) => {
                    row.outcome = Outcome::Refused;
                    row.errors.extend(located(row.line, "participating-org", faults));
                }
            }
        }
        Ok(())
    }

    /// What an activity has no place for stays as it is there.
    fn body(&self, draft: &Draft, before: Option<&Stored<Contribution>>) -> Result<Map<String, Value>, Error> {
        let mut body = match before.map(|before| serde_json::to_value(&before.data)).transpose().map_err(internal)? {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        if before.is_none() {
            body.extend(self.given.classification.iter().map(|word| ("classification".to_owned(), json!(word))));
        }
        body.extend(draft.fields.clone());
        Ok(body)
    }
}

fn refused(index: Option<usize>, line: usize, errors: Vec<Fault>) -> IatiRow {
    IatiRow { index, line, external_id: None, id: None, outcome: Outcome::Refused, errors, left_out: Vec::new() }
}

/// Pointers into a row become pointers to its activity.
fn located(line: usize, element: &str, mut faults: Vec<Fault>) -> Vec<Fault> {
    for fault in &mut faults {
        let space = if element.is_empty() { "" } else { " " };
        fault.pointer = format!("line {line}: {element}{space}{}", fault.pointer);
    }
    faults
}

/// The contributions that are there already.
struct Present {
    by_id: HashMap<Uuid, Stored<Contribution>>,
    by_external: HashMap<String, Uuid>,
}

impl Present {
    async fn find(connection: &mut PgConnection, drafts: &[Draft]) -> Result<Self, Error> {
        let names: Vec<String> = drafts.iter().filter_map(|draft| draft.external_id.clone()).collect();
        let by_external = if names.is_empty() {
            HashMap::new()
        } else {
            repository::named_by(connection, Contribution::TABLE, "external_id", &names).await?
        };
        let mut ids: Vec<Uuid> = drafts.iter().filter_map(|draft| draft.id).collect();
        ids.extend(by_external.values());
        let rows =
            if ids.is_empty() { Vec::new() } else { repository::find_many::<Contribution>(connection, &ids).await? };
        Ok(Self { by_id: rows.into_iter().map(|row| (row.id, row)).collect(), by_external })
    }

    fn of(&self, draft: &Draft) -> Option<&Stored<Contribution>> {
        let id = draft.id.or_else(|| self.by_external.get(draft.external_id.as_ref()?).copied())?;
        self.by_id.get(&id)
    }
}
