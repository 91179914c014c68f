//! Lists: conditions, natural sort, keyset pages.
//!
//! A page is found by the sort values of the last row seen, never by counting, so a page deep in the list costs what the first costs,
//! and rows written meanwhile shift nothing.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::{
    Encode, FromRow, PgConnection, Postgres, QueryBuilder, Row as _, Type,
    postgres::{PgHasArrayType, PgRow},
};

use super::{
    Error,
    columns::columns,
    resource::{Resource, Stored},
    spelling::Spelling,
};
use crate::base::values::{self, Id, characters::spellings};

/// A key that `sort=` accepts.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    /// As the client writes it.
    pub name: &'static str,
    /// The column or expression; never null, but for a column of `Text`.
    expression: &'static str,
    /// Its type, for the way back from a cursor.
    cast: &'static str,
    /// Whether it is a column of `Text`, whose order is that of a language.
    pub is_spoken: bool,
}

impl Sort {
    /// The order of printed codes: digits count as numbers, so that `1.2` comes before `1.10`. What has no code comes first.
    pub const CODE: Self = Self::text("code", "code_order");
    /// Order of creation.
    pub const CREATED: Self = Self::of("created_at", "created_at", "timestamptz");
    /// Order of the last change.
    pub const UPDATED: Self = Self::of("updated_at", "updated_at", "timestamptz");

    const fn of(name: &'static str, expression: &'static str, cast: &'static str) -> Self {
        Self { name, expression, cast, is_spoken: false }
    }

    /// A text column, compared byte by byte.
    pub const fn text(name: &'static str, expression: &'static str) -> Self {
        Self::of(name, expression, "text")
    }

    /// A column of `Text`, in the order of the language that is asked for. What has no words comes first.
    pub const fn spoken(name: &'static str) -> Self {
        Self { is_spoken: true, ..Self::of(name, name, "text") }
    }

    /// A date column.
    pub const fn date(name: &'static str, expression: &'static str) -> Self {
        Self::of(name, expression, "date")
    }

    /// An integer column.
    pub const fn integer(name: &'static str, expression: &'static str) -> Self {
        Self::of(name, expression, "integer")
    }

    /// An exact number.
    pub const fn number(name: &'static str, expression: &'static str) -> Self {
        Self::of(name, expression, "numeric")
    }
}

/// Which part of a list, in which order.
#[derive(Debug, Clone)]
pub struct Window {
    /// Keys, and whether each is descending. The id is the last key of every order.
    pub order: Vec<(Sort, bool)>,
    /// The sort values and the id of the last row seen.
    pub after: Option<(Vec<String>, uuid::Uuid)>,
    /// At most so many rows.
    pub limit: i64,
    /// The order of the language, where a key is spoken.
    pub spelling: Option<Spelling>,
}

impl Window {
    /// A key as SQL.
    fn key(&self, sort: Sort) -> Cow<'static, str> {
        match &self.spelling {
            Some(spelling) if sort.is_spoken => spelling.words(sort.expression).into(),
            _ => sort.expression.into(),
        }
    }
}

/// The conditions of a list. Only static text and bound values reach the SQL.
pub struct Select {
    query: QueryBuilder<Postgres>,
    any: bool,
}

impl Select {
    fn new(start: &'static str) -> Self {
        Self { query: QueryBuilder::new(start), any: false }
    }

    fn and(&mut self) -> &mut QueryBuilder<Postgres> {
        self.query.push(if std::mem::replace(&mut self.any, true) { " and " } else { " where " })
    }

    /// The column is one of these; an empty list is no condition. One value is compared with `=`, because behind `any` an index no longer
    /// gives the order of its further columns.
    fn one_of<V>(&mut self, column: &'static str, mut values: Vec<V>) -> &mut Self
    where
        V: for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType + Send + 'static,
    {
        match (values.pop(), values.is_empty()) {
            (None, _) => {}
            (Some(value), true) => {
                self.and().push(column).push(" = ").push_bind(value);
            }
            (Some(value), false) => {
                values.push(value);
                self.and().push(column).push(" = any(").push_bind(values).push(")");
            }
        }
        self
    }

    /// The reference is one of these; an empty list is no condition.
    pub fn ids<T>(&mut self, column: &'static str, ids: &[Id<T>]) -> &mut Self {
        self.one_of(column, ids.iter().map(|id| id.uuid()).collect())
    }

    /// A condition around a list of ids holds: `exists (... = any(`, the ids, `))`. An empty list is no condition.
    pub fn ids_where<T>(&mut self, before: &'static str, ids: &[Id<T>], after: &'static str) -> &mut Self {
        if !ids.is_empty() {
            let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.uuid()).collect();
            self.and().push(before).push_bind(ids).push(after);
        }
        self
    }

    /// A condition around a list of words holds: `exists (... = any(`, the words, `))`. An empty list is no condition.
    pub fn words_where(&mut self, before: &'static str, words: &[impl Serialize], after: &'static str) -> &mut Self {
        if !words.is_empty() {
            self.and().push(before).push_bind(values::words(words)).push(after);
        }
        self
    }

    /// The word (an enumeration or a text) is one of these; an empty list is no condition.
    pub fn words(&mut self, column: &'static str, words: &[impl Serialize]) -> &mut Self {
        self.one_of(column, values::words(words).iter().flat_map(|word| spellings(word)).collect())
    }

    /// The list of words (enumerations or texts) has one of these; an empty list is no condition.
    pub fn words_among(&mut self, column: &'static str, words: &[impl Serialize]) -> &mut Self {
        if !words.is_empty() {
            self.and().push(column).push(" && ").push_bind(values::words(words));
        }
        self
    }

    /// The number is one of these; an empty list is no condition.
    pub fn numbers(&mut self, column: &'static str, numbers: &[i32]) -> &mut Self {
        self.one_of(column, numbers.to_vec())
    }

    /// The day is before `before` and after `after`, where given.
    pub fn days(&mut self, column: &'static str, after: Option<NaiveDate>, before: Option<NaiveDate>) -> &mut Self {
        if let Some(after) = after {
            self.and().push(column).push(" > ").push_bind(after);
        }
        if let Some(before) = before {
            self.and().push(column).push(" < ").push_bind(before);
        }
        self
    }

    /// A fixed condition holds, or (`Some(false)`) does not.
    pub fn holds(&mut self, condition: &'static str, wanted: Option<bool>) -> &mut Self {
        if let Some(wanted) = wanted {
            self.and().push(if wanted { "(" } else { "not (" }).push(condition).push(")");
        }
        self
    }

    /// The amount is at least `min` and at most `max`, where given.
    pub fn amounts(
        &mut self,
        column: &'static str,
        min: Option<rust_decimal::Decimal>,
        max: Option<rust_decimal::Decimal>,
    ) -> &mut Self {
        if let Some(min) = min {
            self.and().push(column).push(" >= ").push_bind(min);
        }
        if let Some(max) = max {
            self.and().push(column).push(" <= ").push_bind(max);
        }
        self
    }

    fn common(&mut self, common: &Common) {
        if let Some(q) = &common.q {
            self.and().push("search @@ search_query(").push_bind(q.clone()).push(")");
        }
        if let Some(after) = common.updated_after {
            self.and().push("updated_at > ").push_bind(after);
        }
        if let Some(before) = common.updated_before {
            self.and().push("updated_at < ").push_bind(before);
        }
        self.words("external_id", &common.external_id);
    }

    fn after(&mut self, window: &Window) {
        let Some((values, id)) = &window.after else {
            return;
        };
        // One direction for all keys allows a row comparison, which an index serves; mixed directions are spelled out.
        let descending = window.order.first().is_some_and(|(_, descending)| *descending);
        if window.order.iter().all(|(_, each)| *each == descending) {
            let query = self.and();
            query.push("(");
            for (sort, _) in &window.order {
                query.push(window.key(*sort)).push(", ");
            }
            query.push(if descending { "id) < (" } else { "id) > (" });
            for ((sort, _), value) in window.order.iter().zip(values) {
                query.push("cast(").push_bind(value.clone()).push(" as ").push(sort.cast).push(")").push(", ");
            }
            query.push_bind(*id).push(")");
            return;
        }
        let query = self.and();
        query.push("(");
        for upto in 0..=window.order.len() {
            query.push(if upto == 0 { "(" } else { " or (" });
            for ((sort, _), value) in window.order.iter().zip(values).take(upto) {
                query
                    .push(window.key(*sort))
                    .push(" = cast(")
                    .push_bind(value.clone())
                    .push(" as ")
                    .push(sort.cast)
                    .push(") and ");
            }
            if let Some(((sort, descending), value)) = window.order.iter().zip(values).nth(upto) {
                query.push(window.key(*sort)).push(if *descending { " < " } else { " > " });
                query.push("cast(").push_bind(value.clone()).push(" as ").push(sort.cast).push(")").push(")");
            } else {
                query.push("id > ").push_bind(*id).push(")");
            }
        }
        query.push(")");
    }

    fn order(&mut self, window: &Window) {
        self.query.push(" order by ");
        for (sort, descending) in &window.order {
            self.query.push(window.key(*sort)).push(if *descending { " desc, " } else { ", " });
        }
        let all_descending = !window.order.is_empty() && window.order.iter().all(|(_, descending)| *descending);
        self.query.push(if all_descending { "id desc" } else { "id" });
        self.query.push(" limit ").push_bind(window.limit);
    }
}

/// What every collection can be asked besides the noun's own filter.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// Words to search for.
    pub q: Option<String>,
    /// Changed after.
    pub updated_after: Option<chrono::DateTime<chrono::Utc>>,
    /// Changed before.
    pub updated_before: Option<chrono::DateTime<chrono::Utc>>,
    /// The caller's own ids.
    pub external_id: Vec<String>,
}

/// A row of a list, with the sort values from which a cursor is made.
#[derive(Debug)]
pub struct Listed<R> {
    /// The resource.
    pub stored: Stored<R>,
    /// Its sort values, as text.
    pub sort: Vec<String>,
}

impl<'r, R: Resource> FromRow<'r, PgRow> for Listed<R> {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        let sort: Option<Vec<String>> = row.try_get("sort_values")?;
        Ok(Self { stored: Stored::from_row(row)?, sort: sort.unwrap_or_default() })
    }
}

/// Lists the resources that the filter selects.
pub async fn list<R: Resource>(
    connection: &mut PgConnection,
    filter: &R::Filter,
    common: &Common,
    window: &Window,
) -> Result<Vec<Listed<R>>, Error> {
    let mut select = Select::new("select ");
    select.query.push(columns(connection, R::TABLE).await?).push(", array[");
    for (index, (sort, _)) in window.order.iter().enumerate() {
        // Without a collation of its own: those of two languages would not stand in one array.
        select.query.push(if index == 0 { "(" } else { ", (" }).push(window.key(*sort)).push(")::text collate \"C\"");
    }
    select.query.push("]::text[] as sort_values from ").push(R::TABLE);
    select.common(common);
    R::select(filter, &mut select);
    select.after(window);
    select.order(window);
    Ok(select.query.build_query_as().fetch_all(connection).await?)
}

/// How many resources the filter selects.
pub async fn count<R: Resource>(
    connection: &mut PgConnection,
    filter: &R::Filter,
    common: &Common,
) -> Result<i64, Error> {
    let mut select = Select::new("select count(*) from ");
    select.query.push(R::TABLE);
    select.common(common);
    R::select(filter, &mut select);
    Ok(select.query.build_query_scalar().fetch_one(connection).await?)
}
