//! The order of texts: by their words in one language, the very words that are shown in it, and as that language sorts them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use sqlx::PgConnection;

use super::Error;
use crate::base::values::languages;

/// The order of a language: the collation, where PostgreSQL has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    language: String,
    collation: Option<String>,
}

static COLLATIONS: Mutex<Option<HashMap<String, Option<String>>>> = Mutex::new(None);

/// The collation of ICU for the language, else that of no language in particular; none where PostgreSQL was built without ICU.
const FIND: &str = "select collname from pg_collation
    where collname in ($1 || '-x-icu', 'und-x-icu') and collnamespace = 'pg_catalog'::regnamespace and collprovider = 'i'
    order by collname = 'und-x-icu' limit 1";

impl Spelling {
    /// The order of a language of ISO 639-1. The database is asked once in the life of the process.
    pub async fn of(connection: &mut PgConnection, language: &str) -> Result<Self, Error> {
        let known = COLLATIONS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|all| all.get(language).cloned());
        let collation = if let Some(known) = known {
            known
        } else {
            let found: Option<String> = sqlx::query_scalar(FIND).bind(language).fetch_optional(connection).await?;
            let mut all = COLLATIONS.lock().unwrap_or_else(PoisonError::into_inner);
            all.get_or_insert_default().insert(language.to_owned(), found.clone());
            found
        };
        Ok(Self { language: language.to_owned(), collation })
    }

    /// The language.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The words of a column of `Text` as SQL, to be compared; never null.
    pub(super) fn words(&self, column: &str) -> String {
        let order = std::iter::once(&self.language).chain(languages().iter().filter(|other| **other != self.language));
        // Languages are two letters of a code list, and never what somebody sent.
        let words: Vec<String> = order
            .filter(|language| language.len() == 2 && language.bytes().all(|letter| letter.is_ascii_lowercase()))
            .map(|language| format!("{column} ->> '{language}'"))
            .collect();
        let words = format!("coalesce({}, first_words({column}), '')", words.join(", "));
        match &self.collation {
            Some(collation) => format!("({words} collate \"{collation}\")"),
            // By the letters without their marks and case, and only then by these.
            None => format!("(lower(unaccent({words})) || e'\\x01' || {words} collate \"C\")"),
        }
    }
}
