//! What a reader may see. The schemas `cleared` and `cleared_past` (migration 0011) have the nouns without what is above a clearance; here a
//! reading is led into them, and all statements stay as they are.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::{
    Error, Moment,
    resource::{Fault, Reference},
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
