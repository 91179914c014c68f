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
}
