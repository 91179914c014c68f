//! What a failure of the database means to a client: the table of SQLSTATEs.
//!
//! A class that tells of the state of the database, and not of what was asked, is 503: the client may send the same again, and the operator
//! reads in the log what is wrong.

use std::sync::Arc;

use sqlx::error::DatabaseError;

use super::constraint;
use crate::error::Error;
use crate::repository;

impl From<repository::Error> for Error {
    fn from(error: repository::Error) -> Self {
        match error {
            repository::Error::Rule(faults) => Self::Conflict(faults),
            repository::Error::Stale => Self::Stale(None),
            repository::Error::Claimed => Self::KeyInUse,
            repository::Error::OutcomeUnknown(_) => {
                repository::broke();
                Self::OutcomeUnknown
            }
            repository::Error::Pool(_) => away(),
            repository::Error::Database(error) => Self::from(error),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if repository::is_broken(&error) {
            repository::broke();
            return away();
        }
        match &error {
            sqlx::Error::Database(database) => {
                of_state(database.as_ref()).unwrap_or_else(|| Self::Internal(Arc::new(error.into())))
            }
            sqlx::Error::PoolTimedOut => away(),
            _ => Self::Internal(Arc::new(error.into())),
        }
    }
}

/// What a SQLSTATE means, where it is not a fault of ours.
fn of_state(error: &dyn DatabaseError) -> Option<Error> {
    let code = error.code().unwrap_or_default();
    let table = error.table().unwrap_or_default();
    let field = || constraint::field(table, error.constraint().unwrap_or_default());
    Some(match &*code {
        // No client writes these itself, so that no client is at fault.
        "23514" | "23502" | "23P01" | "23503" if table == "changes" => refused(error),
        "23505" => {
            let field = field();
            let mut found = repository::Faults::default();
            found.add(&field, "taken", constraint::taken(error, &field));
            Error::Conflict(found.0)
        }
        // Which other is not said: it may be one that the writer does not see.
        "23P01" => {
            let mut found = repository::Faults::default();
            let detail = "another holds on some of these days; end that one before this begins, or give other days";
            found.add(&field(), "taken", detail);
            Error::Conflict(found.0)
        }
        "23503" => Error::invalid(&field(), "not_found", "refers to something that does not exist (here)"),
        "MD202" => Error::NeedsSecond(serde_json::from_str(error.message()).ok()?),
        // The database judged it, and says with what faults.
        "MD409" => Error::Conflict(serde_json::from_str(error.message()).ok()?),
        "MD423" => Error::Archived(serde_json::from_str(error.message()).ok()?),
        "MD422" => Error::Invalid(serde_json::from_str(error.message()).ok()?),
        "23514" | "23502" => Error::invalid(&field(), "not_allowed", "the value is not allowed here"),
        "22003" | "22007" | "22008" | "22009" | "22021" | "22P02" | "22P05" | "22001" | "54000" => {
            Error::invalid("", "not_storable", "a value is out of the range that can be stored")
        }
        "40001" | "40P01" => Error::Contended,
        "55P03" => Error::Unavailable("another writer holds it; nothing was written; try again".into()),
        "57014" => Error::Timeout,
        // A standby reads only, knows no serializable transactions, and grants no strong locks.
        "25006" | "0A000" | "55000" => {
            repository::distrust();
            tracing::error!(sqlstate = %code, %error, "the database takes no writes");
            Error::Unavailable("the database takes no writes at the moment; nothing was written; try again".into())
        }
        // It ended the session, because that was idle for too long.
        "25P03" | "25P04" | "57P04" | "57P05" => {
            repository::broke();
            away()
        }
        // Rights that were taken away, a trigger of somebody else, damaged pages; and too few resources, an operator at work, a failing system.
        "42501" | "P0001" | "XX001" | "XX002" => refused(error),
        other if ["53", "57", "58"].contains(&&other[..2.min(other.len())]) => refused(error),
        _ => return None,
    })
}

fn away() -> Error {
    Error::Unavailable("the database is busy or away; try again".into())
}

/// The state of the database does not allow it. The connection may be no good either.
fn refused(error: &dyn DatabaseError) -> Error {
    repository::distrust();
    tracing::error!(sqlstate = %error.code().unwrap_or_default(), error = error.message(), "the database refuses");
    Error::Unavailable("the database cannot do it at the moment; nothing was written; try again".into())
}
