//! `Directory`: entities and sources of money that are there already, as files call them. Each is matched before one is made.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, types::Json};
use uuid::Uuid;

use super::names::{folded, key};
use crate::{base::values::Text, error::Error};

#[derive(Debug, FromRow)]
struct Known {
    id: Uuid,
    code: Option<String>,
    external_id: Option<String>,
    name: Json<Text>,
    country: Option<String>,
    is_current: bool,
    /// Whether the import that asks has written it.
    is_new: bool,
}

/// What is there, by each of its names.
#[derive(Debug, Default)]
pub(super) struct Directory {
    known: Vec<Known>,
    by_code: HashMap<String, Vec<usize>>,
    by_external: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
    by_id: HashMap<Uuid, usize>,
}

/// Whom a name means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meant {
    Nobody,
    One(Uuid),
    /// Several: the first two, in words.
    Several(String, String),
}

impl Directory {
    /// All rows of a table whose rows are found by name too; nothing where they are not.
    pub(super) async fn find_all(connection: &mut PgConnection, table: &str) -> Result<Option<Self>, Error> {
        match table {
            "entities" => Self::entities(connection).await.map(Some),
            "funding_sources" => Self::funding_sources(connection).await.map(Some),
            _ => Ok(None),
        }
    }

    /// All entities.
    pub(super) async fn entities(connection: &mut PgConnection) -> Result<Self, Error> {
        Self::of(connection, "entities", ("country", "coalesce(valid_to >= today(), true)")).await
    }

    /// All sources of money.
    pub(super) async fn funding_sources(connection: &mut PgConnection) -> Result<Self, Error> {
        Self::of(connection, "funding_sources", ("null::text as country", "true")).await
    }

    async fn of(
        connection: &mut PgConnection,
        table: &str,
        (country, is_current): (&str, &str),
    ) -> Result<Self, Error> {
        let sql = format!(
            "select id, code, external_id, name, {country}, {is_current} as is_current, updated_at = now() as is_new from {table} order by created_at, id"
        );
        let known: Vec<Known> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?;
        let mut directory = Self { known, ..Self::default() };
        for (index, one) in directory.known.iter().enumerate() {
            directory.by_id.insert(one.id, index);
            if let Some(code) = &one.code {
                directory.by_code.entry(key(code)).or_default().push(index);
            }
            if let Some(external) = &one.external_id {
                directory.by_external.insert(external.clone(), index);
            }
            let names: BTreeSet<String> = one.name.0.0.values().map(|name| key(name)).collect();
            for name in names {
                directory.by_name.entry(name).or_default().push(index);
            }
        }
        Ok(directory)
    }

    /// Whom a cell means: by code, by external id (also the one that an earlier import of the table made), then by name.
    pub(super) fn find(&self, name: &str, made: &str) -> Meant {
        let folded = key(name);
        let code = self.by_code.get(&folded).map(Vec::as_slice);
        let external = || [name, made].iter().find_map(|word| self.by_external.get(*word)).map(std::slice::from_ref);
        let by_name = || self.by_name.get(&folded).map(Vec::as_slice);
        self.one_of(code.or_else(external).or_else(by_name).unwrap_or_default())
    }

    /// Of namesakes, the one that still exists is meant.
    fn one_of(&self, found: &[usize]) -> Meant {
        let current: Vec<usize> = found.iter().copied().filter(|index| self.known[*index].is_current).collect();
        match if current.is_empty() { found } else { &current } {
            [] => Meant::Nobody,
            [one] => Meant::One(self.known[*one].id),
            [first, second, ..] => Meant::Several(self.words(*first), self.words(*second)),
        }
    }

    /// Whom the code of a row of a file means, without regard to case and marks.
    pub(super) fn find_code(&self, code: &str) -> Meant {
        let is_same = |index: &usize| self.known[*index].code.as_deref().map(folded) == Some(folded(code));
        let found: Vec<usize> = self.by_code.get(&key(code)).into_iter().flatten().copied().filter(is_same).collect();
        self.one_of(&found)
    }

    /// Whom a row of a file means by its name in any language; one that says another country is not meant.
    pub(super) fn find_row(&self, name: &Value, country: Option<&str>) -> Meant {
        let is_there = |index: &usize| {
            let other = self.known[*index].country.as_deref();
            country.zip(other).is_none_or(|(country, other)| country == other)
        };
        let found = words(name).into_iter().map(|word| {
            let name = key(word);
            let code = self.by_code.get(&name).map(Vec::as_slice);
            let external = || self.by_external.get(word).map(std::slice::from_ref);
            let found = code.or_else(external).or_else(|| self.by_name.get(&name).map(Vec::as_slice));
            self.one_of(&found.unwrap_or_default().iter().copied().filter(is_there).collect::<Vec<_>>())
        });
        found.into_iter().find(|meant| *meant != Meant::Nobody).unwrap_or(Meant::Nobody)
    }

    /// The external id of one that is there.
    pub(super) fn external_id(&self, id: Uuid) -> Option<&str> {
        self.known[*self.by_id.get(&id)?].external_id.as_deref()
    }

    /// Whether the import that asks has written it.
    pub(super) fn is_new(&self, id: Uuid) -> bool {
        self.by_id.get(&id).is_some_and(|index| self.known[*index].is_new)
    }

    fn words(&self, index: usize) -> String {
        let Known { id, code, external_id, name, .. } = &self.known[index];
        let other =
            code.as_ref().or(external_id.as_ref()).map_or_else(|| id.to_string(), |word| format!("{word}, {id}"));
        format!("`{}` ({other})", name.0.preferred())
    }
}

/// The names of a row of a file, as they are compared.
pub(super) fn names(name: &Value) -> Vec<String> {
    words(name).into_iter().map(key).collect()
}

fn words(name: &Value) -> Vec<&str> {
    match name {
        Value::String(words) => vec![words],
        Value::Object(words) => words.values().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
