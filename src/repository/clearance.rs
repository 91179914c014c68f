//! What a reader may see. The schemas `cleared` and `cleared_past` (migration 0011) have the nouns without what is above a clearance; here a
//! reading is led into them, and all statements stay as they are.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, types::Json};

use super::{
    Error, Moment,
    resource::{Fault, Reference, Resource, Row},
};

/// What a reader may see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clearance {
    /// Everything.
    All,
    /// What is public or internal.
    Internal,
    /// What is public. Where nothing else is said, nobody sees more.
    #[default]
    Public,
}

impl Clearance {
    /// The classifications that it includes, where it does not include all.
    pub(super) fn words(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Internal => Some("public,internal"),
            Self::Public => Some("public"),
        }
    }

    /// Whether it includes a classification; none said is the default.
    pub fn sees(self, classification: Option<&str>) -> bool {
        let wanted = classification.unwrap_or("internal");
        self.words().is_none_or(|words| words.split(',').any(|word| word == wanted))
    }
}

/// In a transaction: what follows sees only what the clearance includes, and cannot be written to, until `see_all`.
pub async fn see_only(connection: &mut PgConnection, clearance: Clearance) -> Result<(), Error> {
    if let Some(words) = clearance.words() {
        let sql = format!("set local search_path to cleared, public; set local mandate.clearance to '{words}'");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    }
    Ok(())
}

/// Takes `see_only` back.
pub async fn see_all(connection: &mut PgConnection, clearance: Clearance) -> Result<(), Error> {
    if clearance.words().is_some() {
        sqlx::raw_sql("set local search_path to default").execute(connection).await?;
    }
    Ok(())
}

/// How many rows of a noun a clearance hides: of all that there are, whatever was asked for. Together with a filter the number would tell what
/// hidden rows say.
pub async fn withheld(
    connection: &mut PgConnection,
    clearance: Clearance,
    moment: Moment,
    table: &'static str,
) -> Result<i64, Error> {
    if clearance.words().is_none() {
        return Ok(0);
    }
    let whole = if moment.is_some() { "as_of" } else { "public" };
    let sql = format!("select (select count(*) from {whole}.{table}) - (select count(*) from {table})");
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?)
}

/// Whether a captured copy is named by evidence that the clearance sees, now or in the record, or was brought by this principal.
pub async fn sees_copy(
    connection: &mut PgConnection,
    hash: &str,
    principal: &str,
    clearance: Clearance,
) -> Result<bool, Error> {
    see_only(connection, clearance).await?;
    let sees = sqlx::query_scalar(
        "select exists (select from evidence e where e.document = $1)
             or exists (select from changes c where c.kind = 'evidence' and c.after ->> 'document' = $1)
             or exists (select from document_uploads u join documents d on d.id = u.document_id where d.sha256 = $1 and u.principal = $2)",
    )
    .bind(hash)
    .bind(principal)
    .fetch_one(&mut *connection)
    .await?;
    see_all(connection, clearance).await?;
    Ok(sees)
}

/// How a noun's rows among those that are part of one are classified.
#[derive(Debug, FromRow)]
pub struct Reach {
    /// The table of the noun.
    pub kept_in: String,
    /// How many are public.
    pub public: i64,
    /// How many are internal.
    pub internal: i64,
    /// How many are restricted.
    pub restricted: i64,
    /// Those that are classified higher than the one.
    pub higher: Vec<uuid::Uuid>,
}

/// How a row and all that is part of it are classified, as far as the clearance sees them.
pub async fn reach<R: Resource>(
    connection: &mut PgConnection,
    id: uuid::Uuid,
    clearance: Clearance,
) -> Result<Vec<Reach>, Error> {
    Ok(sqlx::query_as("select * from cleared.reach(cast($1 as text)::name, $2, $3)")
        .bind(R::TABLE)
        .bind(id)
        .bind(clearance == Clearance::All)
        .fetch_all(connection)
        .await?)
}

/// The first reference to what a row is part of that is another than before.
pub fn moved_parent<R: Resource>(before: &R, after: &R) -> Option<&'static str> {
    let (before, after) = (Row::of(before).values, Row::of(after).values);
    R::PARENTS.iter().copied().find(|field| before[*field] != after[*field])
}

/// Whether more readers see a row as it is to be than as it was, by its effective classification; a place each. Nothing is asked where neither
/// its own classification nor what it is part of is another.
pub async fn opens<R: Resource>(connection: &mut PgConnection, pairs: &[(&R, &R)]) -> Result<Vec<bool>, Error> {
    let parts = |side: &R| {
        let mut fields = Row::of(side).values;
        fields.retain(|field, _| field == "classification" || R::PARENTS.contains(&field.as_str()));
        Value::Object(fields)
    };
    let mut opens = vec![false; pairs.len()];
    let sides = pairs.iter().map(|(before, after)| (parts(before), parts(after))).enumerate();
    let asked: Vec<Value> = sides
        .filter(|(_, (before, after))| before != after)
        .map(|(place, (before, after))| json!({"place": place, "before": before, "after": after}))
        .collect();
    if asked.is_empty() {
        return Ok(opens);
    }
    let effective = |side: &str| {
        format!("cleared.rank(cleared.effective(jsonb_populate_record(null::public.{}, g.{side})))", R::TABLE)
    };
    let sql = format!(
        "select g.place from jsonb_to_recordset($1) g(place bigint, before jsonb, after jsonb) where {} < {}",
        effective("after"),
        effective("before")
    );
    let found: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(Json(asked)).fetch_all(connection).await?;
    for place in found {
        opens[usize::try_from(place).unwrap_or_default()] = true;
    }
    Ok(opens)
}

/// How many rows of which nouns a clearance hides.
pub type Withheld = BTreeMap<String, i64>;

/// The same of several nouns, by their names in paths; those of which nothing is hidden are left out. `None` for who sees all.
pub async fn withheld_of(
    connection: &mut PgConnection,
    clearance: Clearance,
    tables: &[&'static str],
) -> Result<Option<Withheld>, Error> {
    if clearance.words().is_none() || tables.is_empty() {
        return Ok(clearance.words().map(|_| Withheld::new()));
    }
    let counts: Vec<String> = tables
        .iter()
        .map(|table| format!("select '{}' as noun, count(*) as rows from withheld_{table}", table.replace('_', "-")))
        .collect();
    let sql = format!("select noun, rows from ({}) counts where rows > 0", counts.join(" union all "));
    let rows: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?;
    Ok(Some(rows.into_iter().collect()))
}

/// The references of a row, not yet decoded, to what is not to be seen, in the words for what is not there.
pub async fn unseen(connection: &mut PgConnection, references: &[Reference], row: &Value) -> Result<Vec<Fault>, Error> {
    let mut faults = Vec::new();
    for Reference { field, table } in references {
        let Some(id) = row[*field].as_str().and_then(|id| uuid::Uuid::try_parse(id).ok()) else { continue };
        let sql = AssertSqlSafe(format!("select exists (select from {table} where id = $1)"));
        let is_seen: bool = sqlx::query_scalar(sql).bind(id).fetch_one(&mut *connection).await?;
        if !is_seen {
            faults.push(Fault {
                pointer: format!("#/{field}"),
                code: "not_found".into(),
                detail: "refers to something that does not exist (here)".into(),
            });
        }
    }
    Ok(faults)
}
