//! A file of activities into the service: all of them, or none. Some are in memory at a time, however long the file is.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::BufRead,
};

use mandate_xsd::Flaw;
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    file::{Activities, Piece, schema},
    mapping::{Draft, Given, draft},
    part::Listing,
    partners,
    report::{IatiReport, IatiRow, LeftOut},
};
use crate::{
    base::values::Id,
    error::Error,
    nouns::international::Contribution,
    repository::{self, Author, Fault, Isolation, Resource as _, Stored},
    transfer::{
        how::Mode,
        section::{self, Before, Done, Outcome, Verdict, import_section},
    },
};

/// Activities that are written together.
const CHUNK: usize = 100;
/// So often an activity is tried again without its odd values.
const ROUNDS: usize = 6;
/// What a contribution can do without.
const OPTIONAL: [&str; 15] = [
    "description",
    "objectives",
    "target_groups",
    "planned_starts_on",
    "actual_starts_on",
    "planned_ends_on",
    "actual_ends_on",
    "recipients",
    "themes",
    "default_currency",
    "budgets",
    "planned_disbursements",
    "transactions",
    "results",
    "documents",
];

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
    repository::plan_anew(&mut transaction).await?;
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
    let is_taken = report.refused == 0 || given.partial && report.created + report.changed + report.unchanged > 0;
    if !is_taken {
        (report.would_create, report.would_change) = (report.created, report.changed);
        (report.created, report.changed) = (0, 0);
    }
    if dry_run || !is_taken {
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
        let mut drafts = drafts;
        let present = Present::find(connection, &drafts).await?;
        let mut verdicts: Vec<Verdict> = drafts.iter().map(|_| Err(Vec::new())).collect();
        let mut open: Vec<usize> = (0..drafts.len()).collect();
        for _ in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            let rows = open.iter().map(|at| self.row(&drafts[*at], &present)).collect();
            let found =
                import_section::<Contribution>(connection, self.author, Mode::Merge, rows, &mut Before::default())
                    .await?;
            let tried = std::mem::take(&mut open);
            for (at, verdict) in tried.into_iter().zip(found) {
                // An odd value is left out and named, where the contribution can do without.
                if let Err(faults) = &verdict
                    && without(&mut drafts[at], faults, &mut waiting[places[at]].row)
                {
                    open.push(at);
                }
                verdicts[at] = verdict;
            }
        }
        let mut written = Vec::new();
        for ((place, draft), verdict) in places.into_iter().zip(drafts).zip(verdicts) {
            let row = &mut waiting[place].row;
            match verdict {
                Ok(Done { outcome, id, .. }) => {
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
                Ok(Done { outcome: Outcome::Created | Outcome::Changed, .. }) if row.outcome == Outcome::Unchanged => {
                    row.outcome = Outcome::Changed;
                }
                Ok(_) => {}
                Err(faults) if self.given.partial => {
                    for fault in faults {
                        let path = format!("participating-org {}", fault.pointer);
                        row.left_out.push(LeftOut { path, line: row.line, count: 1, why: Some(fault.detail) });
                    }
                }
                Err(faults) => {
                    row.outcome = Outcome::Refused;
                    row.errors.extend(located(row.line, "participating-org", faults));
                }
            }
        }
        Ok(())
    }

    /// The row of an activity.
    fn row(&self, draft: &Draft, present: &Present) -> section::Given {
        let before = present.of(draft);
        let mut body = self.body(draft, before.is_none());
        if before.is_none() {
            body.insert("external_id".into(), json!(draft.external_id));
        }
        section::Given { id: before.map_or(draft.id, |before| Some(before.id)), body: Value::Object(body) }
    }

    /// What an activity has a place for; the rest stays as it is there.
    fn body(&self, draft: &Draft, is_new: bool) -> Map<String, Value> {
        let mut body = draft.fields.clone();
        if is_new {
            body.extend(self.given.classification.iter().map(|word| ("classification".to_owned(), json!(word))));
        }
        body
    }
}

/// Takes the values out of a draft that are at fault, and lists them. False when it cannot do without one of them.
fn without(draft: &mut Draft, faults: &[Fault], row: &mut IatiRow) -> bool {
    let places: Option<BTreeSet<(&str, Option<usize>)>> = faults
        .iter()
        .map(|fault| {
            let mut steps = fault.pointer.trim_start_matches("#/").split('/');
            let field = steps.next().filter(|field| OPTIONAL.contains(field))?;
            let value = draft.fields.get(field).filter(|value| !value.is_null())?;
            let Some(list) = value.as_array() else { return Some((field, None)) };
            match steps.next().and_then(|step| step.parse().ok()) {
                Some(index) => (index < list.len()).then_some((field, Some(index))),
                None => (!list.is_empty()).then_some((field, None)),
            }
        })
        .collect();
    let Some(places) = places.filter(|places| !places.is_empty()) else { return false };
    for fault in faults {
        let path = fault.pointer.trim_start_matches("#/").to_owned();
        row.left_out.push(LeftOut { path, line: draft.line, count: 1, why: Some(fault.detail.clone()) });
    }
    // From the end, so that the places before stay where they are.
    for (field, index) in places.into_iter().rev() {
        match (index, draft.fields.get_mut(field)) {
            (Some(index), Some(Value::Array(list))) if index < list.len() => drop(list.remove(index)),
            (None, Some(value)) => *value = if value.is_array() { json!([]) } else { Value::Null },
            _ => {}
        }
    }
    true
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
