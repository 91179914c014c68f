//! A table into the service, in one transaction: read, held against what is there, and written.

use serde_json::{Map, Value};
use sqlx::PgConnection;

use super::{Mapping, Target, plan, settle::settle};
use crate::{
    base::aside::aside,
    error::Error,
    repository::{self, Author, Fault, Isolation},
    router::nouns,
    transfer::{
        how::{Empty, How},
        import::{Report, import},
        plan_file::FORMAT,
        report::unread,
        section::Outcome,
        sheet::Unread,
    },
};

/// How a table is imported.
#[derive(Debug)]
pub struct TableImport<'a> {
    /// The strategy into which its rows go: its id, external id or code.
    pub strategy: &'a str,
    /// Which column holds what.
    pub mapping: &'a Mapping,
    /// The currency of amounts that do not say theirs.
    pub currency: Option<String>,
    /// The language of its words; the first of the service when not given.
    pub language: Option<String>,
    /// What an empty cell of a mapped column says.
    pub empty: Empty,
    /// Whether what the table does not name any more ends.
    pub prune: bool,
    /// So many rows may be made of it.
    pub most: usize,
    /// How its rows are written.
    pub how: How,
}

impl TableImport<'_> {
    /// Imports the table. The faults of its rows lead into it.
    pub async fn run(
        &self,
        connection: &mut PgConnection,
        author: &Author,
        bytes: &[u8],
        progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Report, Error> {
        let mut transaction = repository::begin(connection, Isolation::Committed).await?;
        match self.within(&mut transaction, author, bytes, progress).await {
            Ok(report) if report.committed => {
                repository::commit(transaction).await.map(|()| report).map_err(Error::from)
            }
            other => repository::give_up(transaction, other).await,
        }
    }

    async fn within(
        &self,
        connection: &mut PgConnection,
        author: &Author,
        bytes: &[u8],
        progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Report, Error> {
        let found = Target::find(connection, self.strategy).await?;
        let target = Target {
            currency: self.currency.clone(),
            language: self.language.clone(),
            empty: self.empty,
            most: self.most,
            ..found
        };
        let mut plan = match aside(true, || plan(bytes, self.mapping, &target)) {
            Ok(plan) => plan,
            Err(Unread::Problem(error)) => return Err(error),
            Err(Unread::Rows(flaws)) => return Ok(unread(self.how, flaws, false)),
        };
        let settled = settle(connection, &mut plan, self.prune).await?;
        if !settled.faults.is_empty() {
            let mut report = Report::refused(self.how, settled.faults);
            (report.unmapped_columns, report.words_for_amounts) = (plan.unmapped, plan.words);
            plan.origin.locate(&mut report);
            return Ok(report);
        }
        let mut document = Map::from_iter([("format".to_owned(), Value::from(FORMAT))]);
        document.extend(plan.sections.into_iter().map(|(name, rows)| (name.to_owned(), Value::Array(rows))));
        let document = Value::Object(document).to_string().into_bytes();
        let mut report = import(connection, nouns(), author, &document, self.how, progress).await?;
        (report.unmapped_columns, report.words_for_amounts) = (plan.unmapped, plan.words);
        report.left_over = settled.left_over;
        for row in report.rows.iter_mut().filter(|row| row.outcome == Outcome::Refused && row.section == "assignments")
        {
            if let Some(detail) = settled.in_the_way.get(&row.index) {
                let pointer = format!("#/assignments/{}/entity_id", row.index);
                row.errors.retain(|fault| fault.code == "needs_reason");
                row.errors.insert(0, Fault { pointer, code: "lead_stands".into(), detail: detail.clone() });
            }
        }
        plan.origin.locate(&mut report);
        Ok(report)
    }
}
