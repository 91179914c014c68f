//! What the repository has to know of a noun: `Resource`, and the shapes it deals in.
//!
//! The functions of the trait describe and never act: no connection, no `async`. A noun that needs more writes its own handler.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    guard::weighs,
    list::{Select, Sort},
    receipt::Receipt,
    write::Author,
};

/// A noun of the API: the fields that a client writes.
pub trait Resource:
    Serialize + DeserializeOwned + ToSchema + for<'r> FromRow<'r, PgRow> + Clone + PartialEq + Send + Sync + Unpin + 'static
{
    /// The singular name, as in problems and in the record: `initiative`.
    const KIND: &'static str;
    /// The table; with hyphens for underscores it is also the path and the tag: `budget_allocations`.
    const TABLE: &'static str;
    /// Keys that `sort=` accepts, the first being the default.
    const SORTS: &'static [Sort];
    /// The nouns that this one points to.
    const REFERENCES: &'static [Reference] = &[];
    /// The references, by field, to what it is a part of, up to its strategy. Its classification is inherited through them, and the strategies
    /// whose guard a change of it passes are found through them.
    const PARENTS: &'static [&'static str] = &[];
    /// The field that holds the hash of a captured copy, which whoever sees the row may read.
    const COPY: Option<&'static str> = None;
    /// The nouns that only its filter points to.
    const FILTER_REFERENCES: &'static [Reference] = &[];
    /// A query for rules over several rows. `$1` holds the ids just written or deleted; each answer is a fault `(pointer, code, detail)`.
    /// It runs in the same serializable transaction as the write, so no interleaving of writers can break the rule.
    const RULE: Option<&'static str> = None;
    /// The fields whose days may lie before 1990, back to 1800: what is told of the past.
    const LONG_AGO: &'static [&'static str] = &[];
    /// Whether it is only added to. What is recorded stays as it is: there is no PUT, PATCH or DELETE, and an import refuses a changed row.
    const APPEND_ONLY: bool = false;
    /// The fields that may change without a reason once the strategy is in force: they report, or describe the row and not the plan.
    const LIGHT: &'static [&'static str] = &[];
    /// Whether a new one needs no reason once the strategy is in force: it breaks no promise.
    const IS_ADDED_FREELY: bool = false;
    /// What `GET` on the collection accepts besides the parameters that all collections share.
    type Filter: DeserializeOwned + ToSchema + Send + Sync;

    /// Rules over several fields, and over the step from the resource as it was (`None` when it is new) to this one.
    fn validate(&self, before: Option<&Self>, faults: &mut Faults);
    /// Rules over its deletion, whoever asks. What others refer to is kept without a rule.
    fn validate_deletion(&self, _: &mut Faults) {}
    /// Whether a change weighs so much that it owes a reason once the strategy is in force: whether it changes what the plan promised (words,
    /// place, dates, lead, money, targets, baseline) and does not only report. `before` is `None` for what is new, `after` for what is
    /// deleted. Everything weighs unless the noun says that it is light; what goes to another strategy weighs always.
    fn needs_reason(before: Option<&Self>, after: Option<&Self>) -> bool {
        match (before, after) {
            (None, Some(_)) => !Self::IS_ADDED_FREELY,
            (Some(before), Some(after)) => weighs(before, after, Self::LIGHT) || Self::undoes(before, after),
            _ => true,
        }
    }
    /// Whether a change of light fields takes back what was reported, which weighs all the same.
    fn undoes(_before: &Self, _after: &Self) -> bool {
        false
    }
    /// The fields whose values do not outlive a patch that leaves them out, because what they rest on changes with it.
    fn outlived_by(&self, _patch: &Value) -> &'static [&'static str] {
        &[]
    }
    /// The rows that come of what a client posts, each under its id, the first being the one that is answered. A noun whose service adds
    /// something of its own, such as who it was, does it here; a plan file brings rows as they are kept.
    fn posted(self, _: &Author, _: &mut Faults) -> Vec<(Uuid, Self)> {
        vec![(Uuid::now_v7(), self)]
    }
    /// The columns and their values.
    fn columns(&self, row: &mut Row);
    /// Turns the filter into conditions.
    fn select(filter: &Self::Filter, select: &mut Select);
}

/// A field that holds the id of another noun.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// The field, such as `objective_id`.
    pub field: &'static str,
    /// The table it points into, such as `objectives`.
    pub table: &'static str,
}

/// A noun as the service keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored<T> {
    /// Made by the service.
    pub id: Uuid,
    /// Counts the changes, from 1; it is the `ETag`.
    pub version: i32,
    /// When it was first written (RFC 3339, UTC).
    pub created_at: DateTime<Utc>,
    /// When it was last written (RFC 3339, UTC).
    pub updated_at: DateTime<Utc>,
    /// The fields that a client writes.
    #[serde(flatten)]
    pub data: T,
    /// The writer's receipt, where it was just written.
    #[serde(skip)]
    pub receipt: Option<Receipt>,
}

impl<'r, T: FromRow<'r, PgRow>> FromRow<'r, PgRow> for Stored<T> {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
            data: T::from_row(row)?,
            receipt: None,
        })
    }
}

/// Columns beside their values, so that they cannot be misaligned.
#[derive(Debug, Default)]
pub struct Row {
    pub(super) names: Vec<&'static str>,
    pub(super) values: Map<String, Value>,
}

impl Row {
    /// The columns of a noun.
    pub fn of<R: Resource>(resource: &R) -> Self {
        let mut row = Self::default();
        resource.columns(&mut row);
        row
    }

    /// Puts a value into a column.
    pub fn set(&mut self, column: &'static str, value: &impl Serialize) -> &mut Self {
        self.names.push(column);
        self.values.insert(column.to_owned(), serde_json::to_value(value).expect("a field of a noun is JSON"));
        self
    }
}

/// One thing wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Where: a JSON Pointer as URI fragment (RFC 6901 §6), such as `#/title/ro`; for a query parameter its name.
    pub pointer: String,
    /// Stable word for machines, such as `unknown_field`.
    pub code: String,
    /// A sentence for people that says what to do instead.
    pub detail: String,
}

/// All the things wrong with an input.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Notes a fault of a field; `field` is its name, or a path such as `money/amount`.
    pub fn add(&mut self, field: &str, code: &str, detail: impl Into<String>) {
        self.0.push(Fault {
            pointer: if field.is_empty() { "#".to_owned() } else { format!("#/{field}") },
            code: code.to_owned(),
            detail: detail.into(),
        });
    }

    /// Notes a fault of a field when a condition does not hold.
    pub fn check(&mut self, holds: bool, field: &str, code: &str, detail: &str) {
        if !holds {
            self.add(field, code, detail);
        }
    }

    /// Notes that a period ends before it starts; an open end is no fault.
    pub fn check_period(&mut self, starts: Option<NaiveDate>, ends: Option<NaiveDate>, end_field: &str) {
        let holds = starts.zip(ends).is_none_or(|(starts, ends)| starts <= ends);
        self.check(holds, end_field, "ends_before_start", "Give an end that is not before the start.");
    }

    /// Notes that work starts after it is to be done. Days that are as they were are not judged.
    pub fn check_start(
        &mut self,
        now: (Option<NaiveDate>, Option<NaiveDate>),
        before: Option<(Option<NaiveDate>, Option<NaiveDate>)>,
    ) {
        let holds = now.0.zip(now.1).is_none_or(|(starts, due)| starts <= due);
        self.check(
            holds || before == Some(now),
            "starts_on",
            "starts_after_deadline",
            "Give a start that is not after the last day of the deadline, or a later deadline.",
        );
    }

    /// Notes that not exactly one of two fields is given.
    pub fn check_exactly_one(&mut self, first: (&str, bool), second: (&str, bool)) {
        if first.1 == second.1 {
            self.add(second.0, "exactly_one", format!("Give exactly one of {} and {}.", first.0, second.0));
        }
    }
}
