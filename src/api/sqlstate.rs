//! What PostgreSQL says, as what a client can act on.

use std::sync::Arc;

use super::{constraint, error::Error};
use crate::repository;

/// The table of SQLSTATEs: what each means to a client.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let away = || {
            repository::distrust();
            Self::Unavailable("the database is busy or away; try again".into())
        };
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::Protocol(_)
                | sqlx::Error::WorkerCrashed => away(),
                other => Self::Internal(Arc::new(other.into())),
            };
        };
        let code = database.code().unwrap_or_default().into_owned();
        let field =
            || constraint::field(database.table().unwrap_or_default(), database.constraint().unwrap_or_default());
        match code.as_str() {
            "23505" => {
                let field = field();
                let mut found = repository::Faults::default();
                found.add(&field, "taken", constraint::taken(database.as_ref(), &field));
                Self::Conflict(found.0)
            }
            // Which other is not said: it may be one that the writer does not see.
            "23P01" => {
                let mut found = repository::Faults::default();
                let detail = "another holds on some of these days; end that one before this begins, or give other days";
                found.add(&field(), "taken", detail);
                Self::Conflict(found.0)
            }
            "23503" => Self::invalid(&field(), "not_found", "refers to something that does not exist (here)"),
            // The database judged it, and says with what faults.
            "MD409" | "MD422" | "MD423" => match serde_json::from_str(database.message()) {
                Ok(faults) if code == "MD409" => Self::Conflict(faults),
                Ok(faults) if code == "MD423" => Self::Archived(faults),
                Ok(faults) => Self::Invalid(faults),
                Err(_) => Self::Internal(Arc::new(error.into())),
            },
            "23514" | "23502" => Self::invalid(&field(), "not_allowed", "the value is not allowed here"),
            "22003" | "22007" | "22008" | "22009" | "22021" | "22P02" | "22P05" | "22001" | "54000" => {
                Self::invalid("", "not_storable", "a value is out of the range that can be stored")
            }
            "40001" | "40P01" => Self::Contended,
            "55P03" => Self::Unavailable("another writer holds it; nothing was written; try again".into()),
            "57014" => Self::Timeout,
            "25006" | "25P03" | "25P04" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "53300" | "53200"
            | "53100" => away(),
            other if other.starts_with("08") => away(),
            _ => Self::Internal(Arc::new(error.into())),
        }
    }
}
