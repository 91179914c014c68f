//! Why the repository could not do it.

use super::resource::Fault;

/// Why the repository could not do it. `api` turns it into a problem.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL, or the way to it.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// No connection was free in time.
    #[error("no database connection: {0}")]
    Pool(String),
    /// A rule over several rows is broken; nothing was written.
    #[error("a rule over several rows is broken")]
    Rule(Vec<Fault>),
    /// The row is no longer as the writer saw it.
    #[error("the row changed meanwhile")]
    Stale,
    /// Another request with the same idempotency key is under way.
    #[error("the idempotency key is in use")]
    Claimed,
    /// The way to PostgreSQL broke between the word to commit and its answer: written or not, nobody knows.
    #[error("the answer to a commit was lost")]
    OutcomeUnknown(#[source] Box<Error>),
}

impl Error {
    /// The SQLSTATE, when PostgreSQL gave one.
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code().map(std::borrow::Cow::into_owned),
            _ => None,
        }
    }

    /// True when the same transaction may succeed if tried again.
    pub fn is_transient(&self) -> bool {
        matches!(self.sqlstate().as_deref(), Some("40001" | "40P01"))
    }

    /// True when the connection broke, or the server was stopped under it: the last answer is missing.
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Database(error) if is_broken(error))
    }

    /// The same failure, of a statement that commits: when its answer is lost, the outcome is unknown. A connection that was dead before
    /// looks the same from here, and is told the same.
    #[must_use]
    pub fn at_commit(self) -> Self {
        if self.is_broken() { Self::OutcomeUnknown(Box::new(self)) } else { self }
    }
}

/// Whether the connection broke, or the server was stopped under it.
pub fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // A backend that is told to stop says so also when it has just committed, as it does while it waits for a standby.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("08") || ["57P01", "57P02", "57P03"].contains(&&*code))
        }
        _ => false,
    }
}
