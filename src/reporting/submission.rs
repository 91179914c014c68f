//! What the submission of a progress report does besides: the initiative or step gets the status and confidence that it states, and a forecast
//! where it expects another end than before. All in the transaction of the report, each with its own change in the record.

use chrono::NaiveDate;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::nouns::progress::progress_reports::ProgressReport;
use crate::{
    access::{fields, policy::Right},
    base::values::{Classification, Code},
    error::Error,
    nouns::plan::{
        Initiative, Step, Timeline,
        ends::ends_of,
        initiatives::{Confidence, InitiativeId},
        status::Status,
        steps::StepId,
        timelines::Basis,
    },
    repository::{self, Author, Fault, Faults, Key, Lookup, Resource, Stored},
};

/// What is known of an item when a report on it is submitted.
#[derive(Debug, FromRow)]
struct Ground {
    today: NaiveDate,
    /// The end that counts.
    planned_end: Option<NaiveDate>,
    /// The end in the newest forecast.
    forecast: Option<NaiveDate>,
    /// The first day of the period.
    period_starts_on: NaiveDate,
    /// Its last day.
    period_ends_on: NaiveDate,
    /// A report of a later period has been submitted: what is older does not write over it.
    is_overtaken: bool,
    /// What counts for the report.
    effective: Classification,
    /// It is classified higher than the item: its words are not for all readers of that.
    is_closed: bool,
}

const GROUND: &str = concat!(
    "
with item as (
    select id, deadline_to, starts_on, effective_classification from initiatives where id = $1
    union all select id, deadline_to, starts_on, effective_classification from steps where id = $1
),
heard as (
    select r.id, p.starts_on, p.ends_on from progress_reports r join reporting_cycles c on c.id = r.cycle_id, periods_of(c.periods) p
    where r.item_id = $1 and p.code = r.period and (r.id = $2 or r.state not in ('draft', 'returned'))
)
select today() as today, e.planned_on as planned_end, e.forecast_on as forecast,
    (select max(ends_on) from heard own where own.id = $2) as period_ends_on,
    (select max(starts_on) from heard own where own.id = $2) as period_starts_on,
    exists (select from heard own join heard later on later.ends_on > own.ends_on where own.id = $2) as is_overtaken,
    (select effective_classification from progress_reports where id = $2) as effective,
    cleared.rank((select effective_classification from progress_reports where id = $2)) > cleared.rank(i.effective_classification) as is_closed
from (values (1)) one (n) left join item i on true left join ",
    ends_of!("i.id", "i.deadline_to", "i.starts_on"),
    " e on true"
);

/// The parts of an initiative or a step that a report moves: what it states, and its words.
trait Moved: Resource {
    fn take(&mut self, report: &ProgressReport);
    fn take_words(&mut self, report: &ProgressReport);
}

impl Moved for Initiative {
    fn take(&mut self, report: &ProgressReport) {
        self.status = report.status;
        self.confidence = Some(report.confidence);
        if report.confidence == Confidence::Green {
            self.confidence_reason = None;
        }
    }

    fn take_words(&mut self, report: &ProgressReport) {
        self.confidence_reason = report.challenges.clone().filter(|_| report.confidence != Confidence::Green);
        if report.status_reason.is_some() {
            self.status_reason.clone_from(&report.status_reason);
        }
        if report.evidence.is_some() {
            self.evidence.clone_from(&report.evidence);
        }
    }
}

impl Moved for Step {
    fn take(&mut self, report: &ProgressReport) {
        self.status = report.status;
    }

    fn take_words(&mut self, report: &ProgressReport) {
        if report.status_reason.is_some() {
            self.status_reason.clone_from(&report.status_reason);
        }
        if report.evidence.is_some() {
            self.evidence.clone_from(&report.evidence);
        }
    }
}

/// Does what follows from a report that has just been written as submitted. The caller has a serializable transaction open.
pub(super) async fn submit(
    connection: &mut PgConnection,
    author: &Author,
    stored: &Stored<ProgressReport>,
    right: Right,
) -> Result<(), Error> {
    let report = &stored.data;
    let item = report.step_id.map(StepId::uuid).or(report.initiative_id.map(InitiativeId::uuid)).unwrap_or_default();
    let ground: Ground = sqlx::query_as(GROUND).bind(item).bind(stored.id).fetch_one(&mut *connection).await?;
    let is_open = !matches!(report.status, Status::Completed | Status::Cancelled | Status::Continuous);
    let is_late = ground.planned_end.is_some_and(|planned| {
        report.forecast_ends_on.is_some_and(|forecast| forecast > planned) || is_open && planned < ground.period_ends_on
    });
    let mut faults = Faults::default();
    faults.check(
        !is_late || report.challenges.is_some(),
        "challenges",
        "needs_challenges",
        "Say in challenges what stands in the way: the planned end came before that of the period, or the forecast is later.",
    );
    faults.check(
        !is_open || report.forecast_ends_on.is_none_or(|forecast| forecast >= ground.period_starts_on),
        "forecast_ends_on",
        "before_period",
        "Work that goes on does not end before the period; give the day on which it is expected to end.",
    );
    if !faults.0.is_empty() {
        return Err(Error::Invalid(faults.0));
    }
    if ground.is_overtaken {
        return Ok(());
    }
    let writer = author;
    let author = &because_of(writer, &report.period);
    // What moves the item is told to all its readers.
    let discreet = &Author { reason: Some("progress report".into()), ..writer.clone() };
    let teller = if ground.is_closed { discreet } else { author };
    // To take something back, the report has to say why.
    let is_unsaid = report.status_reason.is_none() && writer.reason.is_none();
    let author_of = |takes_back: bool| if takes_back && is_unsaid { writer } else { teller };
    if report.initiative_id.is_some() {
        move_item::<Initiative>(connection, author_of, (item, report, ground.is_closed), right).await?;
    } else {
        move_item::<Step>(connection, author_of, (item, report, ground.is_closed), right).await?;
    }
    let Some(forecast) = report.forecast_ends_on.filter(|day| Some(*day) != ground.forecast) else {
        return Ok(());
    };
    let timeline = Timeline {
        external_id: None,
        classification: if ground.is_closed { Some(ground.effective) } else { report.classification },
        initiative_id: report.initiative_id,
        step_id: report.step_id,
        basis: Basis::Forecast,
        starts_on: None,
        ends_on: Some(forecast),
        deadline: None,
        legal_act_id: None,
        reason: report.challenges.clone(),
        set_on: Some(ground.today),
    };
    repository::insert(connection, author, &[(Uuid::now_v7(), timeline)]).await?;
    Ok(())
}

/// The report itself is the reason of what it moves, where its writer gives no other.
fn because_of(author: &Author, period: &Code) -> Author {
    let reason = author.reason.clone().unwrap_or_else(|| format!("progress report {}", period.0));
    Author { reason: Some(reason), ..author.clone() }
}

async fn move_item<'a, R: Moved>(
    connection: &mut PgConnection,
    author_of: impl Fn(bool) -> &'a Author,
    (id, report, is_closed): (Uuid, &ProgressReport, bool),
    right: Right,
) -> Result<(), Error> {
    let Lookup::Found(before) = repository::find::<R>(connection, &Key::Id(id)).await? else {
        return Err(Error::Contended);
    };
    let mut after = before.data.clone();
    after.take(report);
    if !is_closed {
        after.take_words(report);
    }
    let of_report = |fault| if is_closed { of_closed_report::<R>(fault) } else { of_report(fault) };
    let mut faults = Faults::default();
    after.validate(Some(&before.data), &mut faults);
    if !faults.0.is_empty() {
        return Err(Error::Invalid(faults.0.into_iter().map(of_report).collect()));
    }
    fields::check(connection, right, (Some(&before.data), Some(&after))).await.map_err(|error| match error {
        Error::Invalid(faults) => Error::Invalid(faults.into_iter().map(of_report).collect()),
        other => other,
    })?;
    let author = author_of(R::needs_reason(Some(&before.data), Some(&after)));
    repository::update(connection, author, &before, &after).await?;
    Ok(())
}

/// A fault of the initiative or step as one of the report that would have made it.
fn of_report(fault: Fault) -> Fault {
    if fault.pointer == "#/confidence_reason" {
        let detail = "Say in challenges why it is amber or red.".into();
        return Fault { pointer: "#/challenges".into(), detail, ..fault };
    }
    fault
}

/// The fields of an initiative or a step that hold words of reports.
const WORDS: [&str; 3] = ["#/status_reason", "#/confidence_reason", "#/evidence"];

/// The same of a report whose words stay with it.
fn of_closed_report<R: Resource>(fault: Fault) -> Fault {
    if !WORDS.contains(&fault.pointer.as_str()) {
        return fault;
    }
    let detail = format!(
        "The report is classified higher than the {}, whose readers are not told its words; but this needs words there. Write them on the {0} \
         itself, with the status that they are for, and submit the report then; or give the report the classification of the {0}.",
        R::KIND
    );
    Fault { pointer: "#/classification".into(), code: "needs_words".into(), detail }
}
